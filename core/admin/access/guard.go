package access

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/auth"
	"github.com/hookarr/hookarr/core/config"
)

// hosts are the names that a server goes by. A page whose name was made to lead here asks
// under its own name, which is how it is told.
type hosts []string

func newHosts(a config.Admin) hosts {
	names := hosts{"localhost"}
	if host, _, err := net.SplitHostPort(a.Listen); err == nil && host != "" {
		names = append(names, host)
	}
	if u, err := url.Parse(a.ExternalURL); err == nil && u.Host != "" {
		names = append(names, u.Hostname())
	}
	names = append(names, a.Hosts...)
	for i := range names {
		names[i] = strings.ToLower(strings.TrimSuffix(names[i], "."))
	}
	return names
}

// allow reports whether a Host header names this server. An address cannot be made to
// lead elsewhere.
func (h hosts) allow(host string) bool {
	name := host
	if n, _, err := net.SplitHostPort(host); err == nil {
		name = n
	}
	name = strings.ToLower(strings.TrimSuffix(strings.Trim(name, "[]"), "."))
	if _, err := netip.ParseAddr(name); err == nil {
		return true
	}
	return slices.Contains(h, name)
}

// newOriginCheck refuses what pages of other sites have a browser send.
func newOriginCheck(a config.Admin) (*http.CrossOriginProtection, error) {
	check := http.NewCrossOriginProtection()
	origin := a.ExternalOrigin()
	if origin == "" {
		return check, nil
	}
	if err := check.AddTrustedOrigin(origin); err != nil {
		return nil, fmt.Errorf("admin.external_url: %w", err)
	}
	return check, nil
}

// strip removes what only a proxy may say from the requests of others, and from all the
// names that some servers take for the same.
func (h *Handler) strip(r *http.Request) {
	f := h.Config.Admin.ForwardAuth
	if f == nil {
		return
	}
	trusted := auth.FromPeer(r, f.From)
	for name := range r.Header {
		for _, own := range []string{f.Header, f.GroupsHeader} {
			if own == "" || !strings.EqualFold(strings.ReplaceAll(name, "_", "-"), strings.ReplaceAll(own, "_", "-")) {
				continue
			}
			if !trusted || !strings.EqualFold(name, own) {
				delete(r.Header, name)
			}
		}
	}
}

// forwarded returns who the proxy says has signed in, where strip has left its headers. A
// header that is there twice names nobody: one of them is not the proxy's.
func (h *Handler) forwarded(r *http.Request) (admin.Principal, bool) {
	f := h.Config.Admin.ForwardAuth
	if f == nil {
		return admin.Principal{}, false
	}
	names := r.Header.Values(f.Header)
	if len(names) != 1 || strings.TrimSpace(names[0]) == "" {
		return admin.Principal{}, false
	}
	p := admin.Principal{Name: strings.TrimSpace(names[0]), Via: admin.ViaProxy, Role: f.Role}
	if f.GroupsHeader == "" {
		return p, true
	}
	groups := r.Header.Values(f.GroupsHeader)
	if len(groups) > 1 {
		return admin.Principal{}, false
	}
	for _, list := range groups {
		// Authelia separates by commas, Authentik by bars.
		for group := range strings.FieldsFuncSeq(list, func(c rune) bool { return c == ',' || c == '|' }) {
			if slices.Contains(f.OperateGroups, strings.TrimSpace(group)) {
				p.Role = config.RoleOperate
			}
		}
	}
	return p, true
}
