package auth

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// checkAddress fails closed: a client whose address cannot be told is not on a list.
func (g *Gate) checkAddress(r *http.Request) error {
	if len(g.allow) == 0 {
		return nil
	}
	client, ok := g.client(r)
	if !ok {
		return refuse(ReasonAddress, "address of the client cannot be told from X-Forwarded-For, peer %s", r.RemoteAddr)
	}
	if !contains(g.allow, client) {
		return refuse(ReasonAddress, "address %s is not allowed", client)
	}
	return nil
}

// Client returns the address that a request comes from, as far as trusted proxies can
// be believed, for logs and limits: the peer's when X-Forwarded-For is malformed.
func (g *Gate) Client(r *http.Request) netip.Addr {
	if client, ok := g.client(r); ok {
		return client
	}
	return peer(r)
}

// client walks X-Forwarded-For from the right, where the nearest proxy writes, to the
// first address that is no trusted proxy. Without such an address it is the leftmost,
// and without the header the peer. A malformed element before that point leaves the
// client unknown: to take the proxy for the client would let in whoever can make the
// proxy pass on nonsense.
func (g *Gate) client(r *http.Request) (netip.Addr, bool) {
	client := peer(r)
	if !contains(g.trusted, client) {
		return client, client.IsValid()
	}
	values := r.Header.Values("X-Forwarded-For")
	if len(values) == 0 {
		return client, true
	}
	for _, element := range slices.Backward(strings.Split(strings.Join(values, ","), ",")) {
		addr, ok := parseAddr(strings.TrimSpace(element))
		if !ok {
			return netip.Addr{}, false
		}
		client = addr
		if !contains(g.trusted, client) {
			break
		}
	}
	return client, true
}

// peer is invalid for connections that have no IP address.
func peer(r *http.Request) netip.Addr {
	addr, _ := parseAddr(r.RemoteAddr)
	return addr
}

// parseAddr reads an address with or without a port and normalises it: IPv4 inside
// IPv6 is IPv4, and zones, which no prefix contains, go.
func parseAddr(s string) (netip.Addr, bool) {
	addr, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"))
	if err != nil {
		withPort, err := netip.ParseAddrPort(s)
		if err != nil {
			return netip.Addr{}, false
		}
		addr = withPort.Addr()
	}
	return addr.Unmap().WithZone(""), true
}

func contains(prefixes []netip.Prefix, addr netip.Addr) bool {
	return slices.ContainsFunc(prefixes, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// unmapPrefixes brings prefixes into the form of normalised addresses.
func unmapPrefixes(prefixes []netip.Prefix) []netip.Prefix {
	unmapped := make([]netip.Prefix, 0, len(prefixes))
	for _, p := range prefixes {
		if p.Addr().Is4In6() && p.Bits() >= 96 {
			p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
		}
		unmapped = append(unmapped, p)
	}
	return unmapped
}
