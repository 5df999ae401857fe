// Package handshake is what plugins and hosts of the first version had in common.
package handshake

import (
	"context"
	"errors"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
)

// MaxMessage bounds a message, in bytes.
const MaxMessage = 64 << 20

// Name is the one plugin's in go-plugin's set.
const Name = "hookarr"

// Config is go-plugin's form of the handshake.
func Config() plugin.HandshakeConfig {
	return plugin.HandshakeConfig{
		ProtocolVersion:  1,
		MagicCookieKey:   "HOOKARR_PLUGIN",
		MagicCookieValue: "6b1f0c9a-hookarr-plugin-4d27e5",
	}
}

// Plugins is go-plugin's set. A plugin gives register; the host gets a *grpc.ClientConn.
func Plugins(register func(*grpc.Server)) map[int]plugin.PluginSet {
	return map[int]plugin.PluginSet{1: {Name: &bridge{register: register}}}
}

// Serve serves a plugin.
func Serve(register func(*grpc.Server), more ...grpc.ServerOption) {
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig:  Config(),
		VersionedPlugins: Plugins(register),
		GRPCServer: func(options []grpc.ServerOption) *grpc.Server {
			return grpc.NewServer(append(append(options, more...), grpc.MaxRecvMsgSize(MaxMessage))...)
		},
	})
}

type bridge struct {
	plugin.NetRPCUnsupportedPlugin
	register func(*grpc.Server)
}

func (b *bridge) GRPCServer(_ *plugin.GRPCBroker, s *grpc.Server) error {
	if b.register == nil {
		return errors.New("the host serves nothing")
	}
	b.register(s)
	return nil
}

func (*bridge) GRPCClient(_ context.Context, _ *plugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return conn, nil
}
