package plugincheck

import (
	"context"
	"fmt"
	"net"
	"net/netip"
)

// deadPort is a port of the loopback at which nobody listens. It is that of a connection:
// while both ends are open, the system gives it to no other program.
type deadPort struct {
	number int
	ends   []net.Conn
}

func holdDeadPort(ctx context.Context) (*deadPort, error) {
	var p deadPort
	if err := p.connect(ctx); err != nil {
		p.close()
		return nil, fmt.Errorf("find a port where nobody listens: %w", err)
	}
	return &p, nil
}

func (p *deadPort) connect(ctx context.Context) error {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer func() { _ = l.Close() }()
	caller, err := new(net.Dialer).DialContext(ctx, "tcp", l.Addr().String())
	if err != nil {
		return err
	}
	p.ends = append(p.ends, caller)
	called, err := l.Accept()
	if err != nil {
		return err
	}
	p.ends = append(p.ends, called)
	address, err := netip.ParseAddrPort(caller.LocalAddr().String())
	p.number = int(address.Port())
	return err
}

func (p *deadPort) close() {
	for _, end := range p.ends {
		_ = end.Close()
	}
}
