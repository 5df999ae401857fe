package host

import (
	"fmt"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/hookarr/hookarr/sdk/internal/handshake"
)

// StuckCall is the message of the record at error by which a plugin tells of a call
// that goes on long after its deadline.
const StuckCall = handshake.StuckCall

// Handshake is what a launcher gives go-plugin to recognise Hookarr's plugins.
func Handshake() plugin.HandshakeConfig { return handshake.Config() }

// Plugins is what a launcher gives go-plugin as VersionedPlugins: the protocol
// versions that Connect understands.
func Plugins() map[int]plugin.PluginSet { return handshake.Plugins(nil) }

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

// Connect returns the client of a plugin that go-plugin has launched or attached
// to.
func Connect(protocol plugin.ClientProtocol) (*Client, error) {
	raw, err := protocol.Dispense(handshake.PluginName)
	if err != nil {
		return nil, fmt.Errorf("connect to plugin: %w", err)
	}
	conn, ok := raw.(grpc.ClientConnInterface)
	if !ok {
		return nil, fmt.Errorf("connect to plugin: no gRPC connection but %T", raw)
	}
	return NewClient(conn), nil
}
