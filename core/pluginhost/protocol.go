package pluginhost

import (
	"context"
	"errors"
	"fmt"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// connectionName is the one name in go-plugin's plugin set.
const connectionName = "connection"

// ClientConfig is what go-plugin has to know of Hookarr's protocol to start a plugin. How
// the process starts is the caller's to add.
func ClientConfig() *plugin.ClientConfig {
	return &plugin.ClientConfig{
		HandshakeConfig: plugin.HandshakeConfig{
			ProtocolVersion:  sdk.ProtocolVersion,
			MagicCookieKey:   host.CookieKey,
			MagicCookieValue: host.CookieValue,
		},
		VersionedPlugins: map[int]plugin.PluginSet{sdk.ProtocolVersion: {connectionName: connection{}}},
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		GRPCDialOptions:  host.DialOptions(),
		AutoMTLS:         true,
		SkipHostEnv:      true,
		// What it has to say comes back as errors.
		Logger: hclog.NewNullLogger(),
	}
}

// Connect starts a plugin with go-plugin and returns its client.
func Connect(process *plugin.Client) (*host.Client, error) {
	protocol, err := process.Client()
	if err != nil {
		return nil, err
	}
	raw, err := protocol.Dispense(connectionName)
	if err != nil {
		return nil, fmt.Errorf("connect to plugin: %w", err)
	}
	conn, ok := raw.(grpc.ClientConnInterface)
	if !ok {
		return nil, fmt.Errorf("connect to plugin: no gRPC connection but %T", raw)
	}
	return host.NewClient(conn), nil
}

// connection is what go-plugin takes for a plugin: the connection itself.
type connection struct {
	plugin.NetRPCUnsupportedPlugin
}

var _ plugin.GRPCPlugin = connection{}

// GRPCServer serves nothing: the plugin does.
func (connection) GRPCServer(*plugin.GRPCBroker, *grpc.Server) error {
	return errors.New("the host's end serves nothing")
}

// GRPCClient returns the connection.
func (connection) GRPCClient(_ context.Context, _ *plugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return conn, nil
}
