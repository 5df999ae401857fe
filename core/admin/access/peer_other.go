//go:build !linux

package access

import (
	"net"
	"os"
)

// peerUID relies on the mode of the socket, which lets in its user and root alone.
func peerUID(net.Conn) (int, error) { return os.Getuid(), nil }
