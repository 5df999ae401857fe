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

// crowd is a listener with an upper bound on the connections that are open at once. A
// newcomer beyond it is let in and another connection is closed, so that strangers who
// hold connections keep nobody out: one of the network that has most, at best one that
// is not being served, the oldest first.
type crowd struct {
	net.Listener
	most int

	mu    sync.Mutex
	round uint64
	conns map[*guest]struct{}
}

// guest is a connection of a crowd. Its fields are guarded by the crowd's mutex.
type guest struct {
	net.Conn
	crowd   *crowd
	network netip.Prefix
	arrived uint64
	served  bool
}

func newCrowd(l net.Listener, most int) *crowd {
	return &crowd{Listener: l, most: most, conns: make(map[*guest]struct{})}
}

// Accept waits for the next connection.
func (c *crowd) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	if err != nil {
		return nil, err
	}
	// The zero prefix stands for what has no address.
	peer, _ := netip.ParseAddrPort(conn.RemoteAddr().String())
	g := &guest{Conn: conn, crowd: c, network: auth.Network(peer.Addr().Unmap())}
	if leaving := c.admit(g); leaving != nil {
		_ = leaving.Close()
	}
	return g, nil
}

// admit adds g and returns who has to leave for it, or nil.
func (c *crowd) admit(g *guest) *guest {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.round++
	g.arrived = c.round
	c.conns[g] = struct{}{}
	if len(c.conns) <= c.most {
		return nil
	}
	sizes := make(map[netip.Prefix]int)
	for other := range c.conns {
		sizes[other.network]++
	}
	var leaving *guest
	for other := range c.conns {
		if other != g && (leaving == nil || other.leavesBefore(leaving, sizes)) {
			leaving = other
		}
	}
	delete(c.conns, leaving)
	return leaving
}

func (g *guest) leavesBefore(other *guest, sizes map[netip.Prefix]int) bool {
	switch {
	case sizes[g.network] != sizes[other.network]:
		return sizes[g.network] > sizes[other.network]
	case g.served != other.served:
		return other.served
	default:
		return g.arrived < other.arrived
	}
}

// Close closes the connection.
func (g *guest) Close() error {
	g.crowd.mu.Lock()
	delete(g.crowd.conns, g)
	g.crowd.mu.Unlock()
	return g.Conn.Close()
}

// watch is the ConnState of the server whose listener a crowd is: it tells which
// connections are being served.
func watch(conn net.Conn, state http.ConnState) {
	if wrapped, ok := conn.(interface{ NetConn() net.Conn }); ok { // TLS
		conn = wrapped.NetConn()
	}
	g, ok := conn.(*guest)
	if !ok {
		return
	}
	g.crowd.mu.Lock()
	defer g.crowd.mu.Unlock()
	g.served = state == http.StateActive
}
