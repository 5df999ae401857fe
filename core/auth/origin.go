package auth

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// checkOrigin refuses what a browser sends for a page of somebody else. Applications send
// neither of the headers that tell.
func checkOrigin(r *http.Request) *Error {
	if err := new(http.CrossOriginProtection).Check(r); err != nil {
		return refuse(ReasonOrigin, "sent by a browser for a page of another site, Origin %.100q", r.Header.Get("Origin"))
	}
	return nil
}

// checkHost refuses a name that is not this server's: a page of somebody else reaches it
// under a name of that page's own, once its owner has the name lead here (DNS rebinding).
// Addresses, names of one word, as Docker has them, and names below what no public DNS
// answers for cannot be had in that way.
func checkHost(r *http.Request, ours []string) *Error {
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	_, err := netip.ParseAddr(strings.Trim(host, "[]"))
	if err == nil || !strings.Contains(host, ".") || slices.ContainsFunc(ours, func(name string) bool { return strings.EqualFold(name, host) }) {
		return nil
	}
	for _, private := range privateDomains() {
		if strings.HasSuffix(host, private) {
			return nil
		}
	}
	return refuse(ReasonHost, "sent to the host %.100q: add it to hosts if it is a name of this server, or have the sender use its address", host)
}

// privateDomains are reserved (RFC 2606, 6761, 6762 and 8375, ICANN for .internal) or,
// by appendix G of RFC 6762, in wide private use.
func privateDomains() []string {
	return []string{".localhost", ".local", ".internal", ".home.arpa", ".test", ".lan", ".home", ".intranet", ".private", ".corp", ".localdomain"}
}
