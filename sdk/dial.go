package sdk

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/net/idna"
)

// errAddress is matched by errors for addresses that are not dialled.
var errAddress = errors.New("is not an address to deliver to")

// CheckURL refuses a URL that [HTTP] never sends to: one without http:// or https://
// and a host, or one whose host is an address that is not dialled, in any notation, or the
// name of a metadata service. It looks up no name, so that a Validate method can call it.
// The error does not repeat the URL, only the address or that name.
func CheckURL(u *url.URL) error {
	if u == nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" {
		return errors.New("the URL needs to begin with http:// or https:// and a host")
	}
	return CheckHost(u.Hostname())
}

// CheckHost is CheckURL for a host alone, of an endpoint that [Dial] connects to.
func CheckHost(host string) error {
	// As the client does: letters and stops of other scripts stand for those of ASCII.
	if plain, err := idna.Lookup.ToASCII(host); err == nil {
		host = plain
	}
	if addr, ok := literal(host); ok {
		return checkAddr(addr)
	}
	if name := strings.ToLower(strings.TrimSuffix(host, ".")); slices.Contains(metadataNames(), name) {
		return fmt.Errorf("%s %w: it is the name of a metadata service", name, errAddress)
	}
	return nil
}

// metadataNames are refused by themselves, for where a proxy does the dialling. Anywhere
// else their address is judged.
func metadataNames() []string {
	return []string{
		"metadata.google.internal", "metadata.goog", "metadata", // Google Cloud
		"instance-data", "instance-data.ec2.internal", // AWS
		"metadata.tencentyun.com", "api.metadata.cloud.ibm.com", "metadata.platformequinix.com", "metadata.packet.net", "rancher-metadata",
	}
}

// literal reads a host that is an address. Besides the usual notation it knows that
// of inet_aton(3): one to four numbers, decimal, octal or hexadecimal, of which the
// last fills the rest. Go's own resolver takes these for names, a system's or a
// proxy's takes them for addresses.
func literal(host string) (netip.Addr, bool) {
	host = strings.TrimSuffix(host, ".")
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr, true
	}
	parts := strings.Split(host, ".")
	last := len(parts) - 1
	if last > 3 {
		return netip.Addr{}, false
	}
	var address uint64
	for i, part := range parts {
		bits := 8
		if i == last {
			bits = 8 * (4 - last)
		}
		base := 10
		if hex, ok := strings.CutPrefix(strings.ToLower(part), "0x"); ok {
			part, base = hex, 16
		} else if len(part) > 1 && part[0] == '0' {
			base = 8
		}
		n, err := strconv.ParseUint(part, base, bits)
		if err != nil {
			return netip.Addr{}, false
		}
		address = address<<bits | n
	}
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], uint32(address))
	return netip.AddrFrom4(b), true
}

// Dial connects to an endpoint that speaks another protocol than HTTP, over TCP, at a
// host and a port as net.JoinHostPort writes them. Like [HTTP] it dials no link-local,
// metadata, multicast or unspecified address, and spends 10 s at most. It uses no proxy. The error is
// retryable, or misconfigured where the address is not one to deliver to. In a preview
// nothing is connected to; see [Record].
func Dial(ctx context.Context, address string) (net.Conn, error) {
	if Previewing(ctx) {
		return nil, errPreview
	}
	host, _, err := net.SplitHostPort(address)
	if err == nil {
		err = CheckHost(host)
	}
	if err != nil {
		return nil, Misconfigured(err)
	}
	start := time.Now()
	conn, err := dialer().DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, sendError(ctx, err, time.Since(start))
	}
	return conn, nil
}

// dialer connects to endpoints.
func dialer() *net.Dialer {
	return &net.Dialer{Timeout: connectTimeout, KeepAlive: 30 * time.Second, Control: dialControl}
}

// dialControl judges the address that a name was resolved to, right before it is
// dialled, so that no DNS answer gets around it.
func dialControl(_, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%s %w", address, errAddress)
	}
	return checkAddr(ap.Addr())
}

// checkAddr refuses the addresses by which a URL would reach something other than
// an endpoint: a cloud's metadata service above all. Private and loopback addresses
// are where endpoints at home are.
func checkAddr(addr netip.Addr) error {
	a := addr.WithZone("").Unmap()
	if v4, ok := embedded(a); ok {
		a = v4
	}
	refused := a.IsLinkLocalUnicast() || a.IsMulticast() || a.IsUnspecified()
	for _, p := range refusedPrefixes() {
		refused = refused || p.Contains(a)
	}
	if refused {
		return fmt.Errorf("%s %w: link-local, metadata, multicast and unspecified addresses are refused", addr, errAddress)
	}
	return nil
}

// refusedPrefixes returns what netip has no name for. The metadata services among
// them are at addresses that would pass as private or public.
func refusedPrefixes() []netip.Prefix {
	return []netip.Prefix{
		netip.MustParsePrefix("0.0.0.0/8"),          // this network, RFC 1122
		netip.MustParsePrefix("255.255.255.255/32"), // broadcast
		netip.MustParsePrefix("100.100.100.200/32"), // Alibaba Cloud's metadata
		netip.MustParsePrefix("168.63.129.16/32"),   // Azure's
		netip.MustParsePrefix("192.0.0.192/32"),     // Oracle Cloud's
		netip.MustParsePrefix("fd00:ec2::254/128"),  // AWS's
		netip.MustParsePrefix("fd20:ce::254/128"),   // Google Cloud's
		netip.MustParsePrefix("fec0::/10"),          // site-local, RFC 3879
	}
}

// embedded returns the IPv4 address inside an IPv6 one that leads to it: NAT64 (RFC
// 6052 and 8215), 6to4 (RFC 3056) and the old compatible form (RFC 4291).
func embedded(a netip.Addr) (netip.Addr, bool) {
	if !a.Is6() {
		return netip.Addr{}, false
	}
	b := a.As16()
	switch {
	case b[0] == 0x20 && b[1] == 0x02:
		return netip.AddrFrom4([4]byte(b[2:6])), true
	case [4]byte(b[:4]) == [4]byte{0, 0x64, 0xff, 0x9b}:
		return netip.AddrFrom4([4]byte(b[12:])), true
	case [12]byte(b[:12]) == [12]byte{} && !a.IsLoopback():
		return netip.AddrFrom4([4]byte(b[12:])), true
	default:
		return netip.Addr{}, false
	}
}
