package host

import (
	"google.golang.org/grpc"

	"github.com/hookarr/hookarr/sdk/internal/handshake"
)

const (
	// CookieKey is the environment variable that tells a plugin that a host launched it.
	CookieKey = handshake.CookieKey
	// CookieValue is the variable's value. It is no secret.
	CookieValue = handshake.CookieValue
	// StuckCall is the message of the record at error by which a plugin tells of a call
	// that goes on long after its deadline.
	StuckCall = handshake.StuckCall
)

// DialOptions bound messages in both directions, for go-plugin bounds none, and fix
// the windows.
func DialOptions() []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithDefaultCallOptions(
			grpc.MaxCallRecvMsgSize(handshake.MaxMessageBytes),
			grpc.MaxCallSendMsgSize(handshake.MaxMessageBytes),
		),
		grpc.WithInitialWindowSize(handshake.StreamWindow),
		grpc.WithInitialConnWindowSize(handshake.ConnWindow),
	}
}
