package app

import (
	"net"
	"net/http"
	"net/netip"
	"sync"

	"github.com/hookarr/hookarr/core/auth"
)

// maxConnections is of each listener, and more than any household of applications
// keeps. A connection costs about 20 KiB, and up to 15 times maxHeaderBytes while its
// head is read.
const maxConnections = 512

// boundedListener has an upper bound on the connections that are open at once. A new one
// beyond it is accepted and another is closed, so that strangers who hold connections keep
// nobody out: one of the network that has most, at best one that is not being served, the
// oldest first.
type boundedListener struct {
	net.Listener
	most int

	mu       sync.Mutex
	accepted uint64
	conns    map[*boundedConn]struct{}
}

// boundedConn is a connection of a boundedListener, whose mutex guards its fields.
type boundedConn struct {
	net.Conn
	listener *boundedListener
	network  netip.Prefix
	number   uint64
	served   bool
}

func newBoundedListener(l net.Listener, most int) *boundedListener {
	return &boundedListener{Listener: l, most: most, conns: make(map[*boundedConn]struct{})}
}

// Accept waits for the next connection.
func (l *boundedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	// The zero prefix stands for what has no address.
	peer, _ := netip.ParseAddrPort(conn.RemoteAddr().String())
	c := &boundedConn{Conn: conn, listener: l, network: auth.Network(peer.Addr().Unmap())}
	if closing := l.admit(c); closing != nil {
		_ = closing.Close()
	}
	return c, nil
}

// admit adds c and returns which has to close for it, or nil.
func (l *boundedListener) admit(c *boundedConn) *boundedConn {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.accepted++
	c.number = l.accepted
	l.conns[c] = struct{}{}
	if len(l.conns) <= l.most {
		return nil
	}
	sizes := make(map[netip.Prefix]int)
	for other := range l.conns {
		sizes[other.network]++
	}
	var closing *boundedConn
	for other := range l.conns {
		if other != c && (closing == nil || other.closesBefore(closing, sizes)) {
			closing = other
		}
	}
	delete(l.conns, closing)
	return closing
}

func (c *boundedConn) closesBefore(other *boundedConn, sizes map[netip.Prefix]int) bool {
	switch {
	case sizes[c.network] != sizes[other.network]:
		return sizes[c.network] > sizes[other.network]
	case c.served != other.served:
		return other.served
	default:
		return c.number < other.number
	}
}

// Close closes the connection.
func (c *boundedConn) Close() error {
	c.listener.mu.Lock()
	delete(c.listener.conns, c)
	c.listener.mu.Unlock()
	return c.Conn.Close()
}

// watch is the ConnState of the server of a boundedListener: it tells which
// connections are being served.
func watch(conn net.Conn, state http.ConnState) {
	if wrapped, ok := conn.(interface{ NetConn() net.Conn }); ok { // TLS
		conn = wrapped.NetConn()
	}
	c, ok := conn.(*boundedConn)
	if !ok {
		return
	}
	c.listener.mu.Lock()
	defer c.listener.mu.Unlock()
	c.served = state == http.StateActive
}
