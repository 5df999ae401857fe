// Package handshake holds what both ends of the plugin protocol must agree on
// before the first call.
package handshake

import (
	"context"
	"errors"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
)

const (
	// ProtocolVersion is the version of the wire contract: hookarr.plugin.v1.
	ProtocolVersion = 1
	// CookieKey is the environment variable by which a plugin knows that a host
	// launched it.
	CookieKey = "HOOKARR_PLUGIN"
	// CookieValue is its value. It keeps people from running plugins by hand and is
	// no secret.
	CookieValue = "6b1f0c9a-hookarr-plugin-4d27e5"
	// PluginName is the one name in go-plugin's plugin set.
	PluginName = "hookarr"
	// MaxMessageBytes bounds one gRPC message in either direction. A request of
	// 16 MiB with its event and a group's other events must fit; gRPC's default of
	// 4 MiB would refuse them.
	MaxMessageBytes = 64 << 20
	// StreamWindow is how many bytes either end may send in one call ahead of its
	// reader. Without a fixed size gRPC measures the connection to find one, which on a
	// Unix socket is nothing but a ping beside the messages.
	StreamWindow = 1 << 20
	// ConnWindow is the same for all calls together.
	ConnWindow = 16 << 20
	// LogLevelEnv is the environment variable that carries the host's log level:
	// debug, info, warn or error. Empty is info.
	LogLevelEnv = "HOOKARR_LOG_LEVEL"
	// TraceparentKey is the metadata of a call that names the host's span which the call is
	// part of. Either end may not know of it.
	TraceparentKey = "traceparent"
	// StuckCall is the message of the record at error by which a plugin tells its host of
	// a call that goes on long after its deadline. The host, whose own end of the call is
	// over, counts these.
	StuckCall = "call is stuck: it goes on after its deadline"
)

// Config returns go-plugin's form of the handshake.
func Config() plugin.HandshakeConfig {
	return plugin.HandshakeConfig{
		ProtocolVersion:  ProtocolVersion,
		MagicCookieKey:   CookieKey,
		MagicCookieValue: CookieValue,
	}
}

// Plugins returns the versioned plugin sets of either end. The plugin's end gives
// register, which adds its services to the server; the host's end gives nil and
// gets a *grpc.ClientConn from Dispense(PluginName).
func Plugins(register func(*grpc.Server)) map[int]plugin.PluginSet {
	return map[int]plugin.PluginSet{
		ProtocolVersion: {PluginName: &bridge{register: register}},
	}
}

// bridge is go-plugin's view of a Hookarr plugin.
type bridge struct {
	plugin.NetRPCUnsupportedPlugin
	register func(*grpc.Server)
}

// GRPCServer registers the plugin's services.
func (b *bridge) GRPCServer(_ *plugin.GRPCBroker, s *grpc.Server) error {
	if b.register == nil {
		return errors.New("the host's end serves nothing")
	}
	b.register(s)
	return nil
}

// GRPCClient returns the connection itself, which the host wraps in its client.
func (*bridge) GRPCClient(_ context.Context, _ *plugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return conn, nil
}
