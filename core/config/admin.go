package config

import (
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// The roles of who uses the API.
const (
	// RoleView reads everything but what senders sent and targets were sent, which may
	// hold what is private.
	RoleView = "view"
	// RoleOperate reads everything and changes what runs.
	RoleOperate = "operate"
)

// socketName is that of the socket where only its directory is known.
const socketName = "hookarr.sock"

// AdminSocket is the path of the operators' socket: that of admin.socket, or hookarr.sock
// beside the SQLite database. With another database it is in XDG_RUNTIME_DIR, if there is
// one, or beside the configuration file.
func (c *Config) AdminSocket() string {
	if c.Admin.Socket != "" {
		return c.Admin.Socket
	}
	if path, ok := strings.CutPrefix(c.Database.URL.Reveal(), "sqlite://"); ok {
		path, _, _ = strings.Cut(path, "?")
		return filepath.Join(filepath.Dir(path), socketName)
	}
	if dir := os.Getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(dir) {
		return filepath.Join(dir, socketName)
	}
	return filepath.Join(filepath.Dir(c.File), socketName)
}

// SharesListener reports whether operators come in where webhooks do, as admin.listen is
// written as listen is. Of port 0, which is a new one each time, there are two.
func (c *Config) SharesListener() bool {
	return c.Listen == c.Admin.Listen && sameAddress(c.Listen, c.Admin.Listen)
}

// ExternalOrigin is the scheme and the host of ExternalURL; empty where that is not set.
func (a Admin) ExternalOrigin() string {
	u, err := url.Parse(a.ExternalURL)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// basePath is what a path is made of that proxies and browsers leave as it is.
var basePath = regexp.MustCompile(`^(/[A-Za-z0-9._~-]+)+$`)

func (k checker) admin(a Admin) {
	if a.Listen != "" {
		k.address("admin.listen", a.Listen)
		switch {
		case k.SharesListener():
			if strings.HasPrefix(a.BasePath, "/hooks") {
				k.problem("admin.base_path", "begins as the paths of webhooks do, which share the listener: choose another, such as /hookarr")
			}
		case sameAddress(k.Listen, a.Listen):
			k.problem("admin.listen", "has the port of listen at another address, and both cannot be: write it as listen is, and both share one listener, or give it another port")
		}
	}
	names := map[string]int{}
	for i, t := range a.Tokens {
		key := fmt.Sprintf("admin.tokens[%d]", i)
		k.name(key+".name", t.Name)
		if first, ok := names[t.Name]; ok {
			k.problem(key+".name", "admin.tokens[%d] has this name too", first)
		} else {
			names[t.Name] = i
		}
		k.oneOf(key+".role", t.Role, RoleView, RoleOperate)
		if n := len(t.Token.Reveal()); n < shortSecret {
			k.problem(key+".token", "want %d characters or more, such as what openssl rand -hex 32 prints", shortSecret)
		}
	}
	if a.ForwardAuth != nil {
		k.forwardAuth("admin.forward_auth", *a.ForwardAuth)
	}
	if a.OIDC != nil {
		k.oidc("admin.oidc", *a.OIDC)
	}
	if a.BasePath != "" && (!basePath.MatchString(a.BasePath) || slices.ContainsFunc(strings.Split(a.BasePath, "/"), isDots)) {
		k.problem("admin.base_path", "want a path such as /hookarr, without a / at its end")
	}
	if a.ExternalURL != "" {
		u, err := url.Parse(a.ExternalURL)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			k.problem("admin.external_url", "want the URL that people open, such as https://hookarr.example")
		}
	}
	for i, host := range a.Hosts {
		if !isHostname(host) {
			k.problem(fmt.Sprintf("admin.hosts[%d]", i), "want the name of a host alone, such as nas.lan: no scheme, port, path or *")
		}
	}
	if a.Listen == "" && (len(a.Tokens) > 0 || a.ForwardAuth != nil || a.OIDC != nil) {
		k.warn("admin", "without admin.listen the API is on the socket alone, and needs no token there")
	}
	if a.Listen == "" && a.QueueUI {
		k.warn("admin.queue_ui", "without admin.listen there are no pages")
	}
}

func isDots(segment string) bool { return segment == "." || segment == ".." }

func isHostname(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	u, err := url.Parse("http://" + host)
	return err == nil && host != "" && u.Host == host && u.Port() == "" && !strings.ContainsAny(host, "*:@ ")
}

func (k checker) forwardAuth(key string, f ForwardAuth) {
	if !httpguts.ValidHeaderFieldName(f.Header) {
		k.problem(key+".header", "want the name of the header in which the proxy tells who signed in, such as Remote-User")
	}
	if len(f.From) == 0 {
		k.problem(key+".from", "give the addresses of the proxy: anybody else could send this header too")
	}
	for i, from := range f.From {
		if from.Bits() == 0 {
			k.problem(fmt.Sprintf("%s.from[%d]", key, i), "is everybody: give the addresses of the proxy")
		}
	}
	k.oneOf(key+".role", f.Role, RoleView, RoleOperate)
	switch {
	case f.GroupsHeader != "" && !httpguts.ValidHeaderFieldName(f.GroupsHeader):
		k.problem(key+".groups_header", "want the name of a header, such as Remote-Groups")
	case f.GroupsHeader != "" && len(f.OperateGroups) == 0:
		k.problem(key+".operate_groups", "name the groups of groups_header whose members may operate")
	case f.GroupsHeader == "" && len(f.OperateGroups) > 0:
		k.problem(key+".groups_header", "name the header that tells the groups, such as Remote-Groups")
	}
	for i, group := range f.OperateGroups {
		if strings.TrimSpace(group) == "" {
			k.problem(fmt.Sprintf("%s.operate_groups[%d]", key, i), "must not be empty")
		}
	}
}

func (k checker) oidc(key string, o OIDC) {
	u, err := url.Parse(o.Issuer)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		k.problem(key+".issuer", "want the URL of the provider, such as https://auth.example: the one that its page .well-known/openid-configuration calls issuer")
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		k.warn(key+".issuer", "what tells who signs in crosses the network in clear: use https")
	}
	if strings.TrimSpace(o.ClientID) == "" {
		k.problem(key+".client_id", "give the id that the provider knows Hookarr by")
	}
	if !slices.Contains(o.Scopes, "openid") {
		k.problem(key+".scopes", "must have openid, such as [openid, profile, email, groups]")
	}
	for name, claim := range map[string]string{"username_claim": o.UsernameClaim, "groups_claim": o.GroupsClaim} {
		if strings.TrimSpace(claim) == "" {
			k.problem(key+"."+name, "want the name of a claim, or leave it out")
		}
	}
	if o.Allow.Nobody() && o.Operate.Nobody() {
		k.problem(key+".allow", "name who may come in, such as allow: {groups: [hookarr]}: without it everybody could whom the provider knows")
	}
	for list, people := range map[string]People{"allow": o.Allow, "operate": o.Operate} {
		for kind, names := range map[string][]string{"subjects": people.Subjects, "emails": people.Emails, "groups": people.Groups} {
			for i, name := range names {
				at := fmt.Sprintf("%s.%s.%s[%d]", key, list, kind, i)
				switch {
				case strings.TrimSpace(name) == "":
					k.problem(at, "must not be empty")
				case strings.Contains(name, "*"):
					k.problem(at, "is compared as it is: name each, without *")
				case kind == "emails" && !strings.Contains(name, "@"):
					k.problem(at, "want an e-mail address")
				}
			}
		}
	}
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}
