package auth

import (
	"net/http"
	"net/netip"
	"strings"
)

// Client returns the address that a request comes from, as far as the trusted proxies can
// be believed: the peer's when X-Forwarded-For is malformed.
func Client(r *http.Request, trusted []netip.Prefix) netip.Addr {
	return (&Gate{trusted: unmapPrefixes(trusted)}).Client(r)
}

// FromPeer reports whether a request's connection comes from one of the prefixes,
// whatever its headers say.
func FromPeer(r *http.Request, prefixes []netip.Prefix) bool {
	return contains(unmapPrefixes(prefixes), peer(r))
}

// Forwarded returns what the nearest proxy, which writes last, says in a header such as
// X-Forwarded-Host. It is empty where no trusted proxy says anything.
func Forwarded(r *http.Request, header string, trusted []netip.Prefix) string {
	if !FromPeer(r, trusted) {
		return ""
	}
	said := strings.Join(r.Header.Values(header), ",")
	return strings.TrimSpace(said[strings.LastIndexByte(said, ',')+1:])
}
