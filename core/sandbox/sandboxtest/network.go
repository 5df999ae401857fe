//go:build linux

package sandboxtest

import (
	"net"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// onNetwork are attempts to reach others over sockets.
func onNetwork() []Attempt {
	return []Attempt{
		{Name: "connect by TCP", Try: func(w World) error { return dial("tcp", w.TCP) }},
		{Name: "listen by TCP", Try: func(World) error {
			l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // a test's
			if err != nil {
				return err
			}
			return l.Close()
		}},
		{Name: "ask a name server", Try: func(World) error { return dial("udp", "127.0.0.1:53") }},
		{Name: "send by UDP", Try: func(World) error {
			return withSocket(unix.AF_INET, unix.SOCK_DGRAM, 0, func(fd int) error {
				return unix.Sendto(fd, []byte("x"), 0, &unix.SockaddrInet4{Port: 9, Addr: [4]byte{127, 0, 0, 1}})
			})
		}},
		{Name: "make a TCP socket of IPv6", Try: func(World) error { return withSocket(unix.AF_INET6, unix.SOCK_STREAM, 0, nil) }},
		{Name: "make a raw socket", Root: true, Try: func(World) error { return withSocket(unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_ICMP, nil) }},
		{Name: "make a packet socket", Root: true, Try: func(World) error { return withSocket(unix.AF_PACKET, unix.SOCK_RAW, 0, nil) }},
		{Name: "make a netlink socket", Try: func(World) error { return withSocket(unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_ROUTE, nil) }},
		{Name: "make a socket of the kernel's ciphers", Try: func(World) error { return withSocket(unix.AF_ALG, unix.SOCK_SEQPACKET, 0, nil) }},
		{Name: "make a socket to the hypervisor", Try: func(World) error { return withSocket(unix.AF_VSOCK, unix.SOCK_STREAM, 0, nil) }},
		{Name: "hide the family of a socket in high bits", Try: func(World) error {
			fd, _, errno := unix.RawSyscall(unix.SYS_SOCKET, unix.AF_INET|1<<32, unix.SOCK_STREAM, 0)
			if errno != 0 {
				return errno
			}
			return unix.Close(int(fd))
		}},
		{Name: "connect to a Unix socket", Try: func(w World) error { return dial("unix", w.Unix) }},
		{Name: "connect to an abstract Unix socket", Try: func(w World) error { return dial("unix", w.Abstract) }},
		{Name: "send to a Unix socket", Try: func(w World) error { return dial("unixgram", w.Datagram) }},
		{Name: "send to a Unix socket from a pair", Try: func(w World) error {
			pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
			if err != nil {
				return err
			}
			defer func() { _, _ = unix.Close(pair[0]), unix.Close(pair[1]) }()
			return unix.Sendto(pair[0], []byte("x"), 0, &unix.SockaddrUnix{Name: w.Datagram})
		}},
		{Name: "listen on a Unix socket elsewhere", Try: func(w World) error {
			l, err := net.Listen("unix", filepath.Join(w.Dir, "socket")) //nolint:noctx // a test's
			if err != nil {
				return err
			}
			return l.Close()
		}},
	}
}

func dial(network, address string) error {
	conn, err := net.Dial(network, address) //nolint:noctx // a test's
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	_, err = conn.Write([]byte("x"))
	return err
}

// withSocket makes a socket and does something with it, unless do is nil.
func withSocket(family, kind, protocol int, do func(fd int) error) error {
	fd, err := unix.Socket(family, kind|unix.SOCK_CLOEXEC, protocol)
	if err != nil {
		return os.NewSyscallError("socket", err)
	}
	defer func() { _ = unix.Close(fd) }()
	if do == nil {
		return nil
	}
	return do(fd)
}
