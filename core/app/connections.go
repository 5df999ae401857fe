package app

import (
	"cmp"
	"context"
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

// client is who uses a connection, as far as one of its requests has proven.
type client int

const (
	stranger client = iota
	sender
	operator
)

// boundedListener has an upper bound on the connections that are open at once. A new one
// beyond it is accepted and another is closed: one of the kind of client that has most, of
// its network that has most, at best one that is not being served, the oldest first. So
// neither strangers who hold connections nor senders of webhooks keep operators out, or the
// reverse, where all of them share a listener and a proxy.
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
	group
	number uint64
	served bool
}

// group is a kind of client of one network.
type group struct {
	client  client
	network netip.Prefix
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
	c := &boundedConn{Conn: conn, listener: l, group: group{network: auth.Network(peer.Addr().Unmap())}}
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
	clients, groups := make(map[client]int), make(map[group]int)
	for other := range l.conns {
		clients[other.client]++
		groups[other.group]++
	}
	var closing *boundedConn
	for other := range l.conns {
		if other != c && (closing == nil || other.closesBefore(closing, clients, groups)) {
			closing = other
		}
	}
	delete(l.conns, closing)
	return closing
}

func (c *boundedConn) closesBefore(other *boundedConn, clients map[client]int, groups map[group]int) bool {
	switch {
	case c.client != other.client:
		return cmp.Or(cmp.Compare(clients[c.client], clients[other.client]), cmp.Compare(other.client, c.client)) > 0
	case groups[c.group] != groups[other.group]:
		return groups[c.group] > groups[other.group]
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

// bounded returns the connection of a boundedListener, which may be below one of TLS, or nil.
func bounded(conn net.Conn) *boundedConn {
	if wrapped, ok := conn.(interface{ NetConn() net.Conn }); ok {
		conn = wrapped.NetConn()
	}
	c, _ := conn.(*boundedConn)
	return c
}

// watch is the ConnState of the server of a boundedListener: it tells which connections are
// being served.
func watch(conn net.Conn, state http.ConnState) {
	c := bounded(conn)
	if c == nil {
		return
	}
	c.listener.mu.Lock()
	defer c.listener.mu.Unlock()
	c.served = state == http.StateActive
}

type connKey struct{}

// withConn is the ConnContext of the server of a boundedListener.
func withConn(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, bounded(conn))
}

// proven notes who uses the connection of a request.
func proven(ctx context.Context, as client) {
	c, _ := ctx.Value(connKey{}).(*boundedConn)
	if c == nil {
		return
	}
	c.listener.mu.Lock()
	defer c.listener.mu.Unlock()
	c.client = as
}
