// Command host runs one plugin as a host of the first version did: it launches the binary,
// describes, configures and calls it, ends it and prints what it answered as JSON.
//
//	host BINARY SETTINGS PAYLOAD [later]
//
// SETTINGS is the configuration of an instance. PAYLOAD is the body of a request for a source,
// or the JSON of an event for a target. With later, each request has fields that nobody knows
// yet, and the host says that it is of a later version.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/hookarr/hookarr/internal/compat/v1/handshake"
	"github.com/hookarr/hookarr/internal/compat/v1/pluginv1"
	"github.com/hookarr/hookarr/internal/compat/v1/unknown"
)

const instance = "mine"

func main() {
	if err := run(os.Args[1], os.Args[2], os.Args[3], len(os.Args) > 4); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(binary, settings, payload string, later bool) error {
	options := []grpc.DialOption{grpc.WithDefaultCallOptions(
		grpc.MaxCallRecvMsgSize(handshake.MaxMessage), grpc.MaxCallSendMsgSize(handshake.MaxMessage),
	)}
	if later {
		options = append(options, grpc.WithUnaryInterceptor(sayMore))
	}
	dir, err := os.MkdirTemp("", "v1-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	cmd := exec.Command(binary)
	cmd.Env = []string{"PLUGIN_UNIX_SOCKET_DIR=" + dir, "TMPDIR=" + dir}
	client := plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig:  handshake.Config(),
		VersionedPlugins: handshake.Plugins(nil),
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		Cmd:              cmd,
		AutoMTLS:         true,
		SkipHostEnv:      true,
		StartTimeout:     30 * time.Second,
		Logger:           hclog.New(&hclog.LoggerOptions{Output: os.Stderr, Level: hclog.Info}),
		GRPCDialOptions:  options,
	})
	defer client.Kill()
	protocol, err := client.Client()
	if err != nil {
		return fmt.Errorf("start: %w", err)
	}
	raw, err := protocol.Dispense(handshake.Name)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	if err := protocol.Ping(); err != nil {
		return fmt.Errorf("ping: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	answers, err := call(ctx, raw.(*grpc.ClientConn), settings, payload)
	if err != nil {
		return err
	}
	client.Kill()
	return json.NewEncoder(os.Stdout).Encode(answers)
}

// sayMore adds to requests what a host of a later version could say. Field 3 of a
// ConfigureRequest says who the host is: its version and its features.
func sayMore(ctx context.Context, method string, req, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	if c, ok := req.(*pluginv1.ConfigureRequest); ok {
		host := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), "99.1.0")
		host = protowire.AppendBytes(protowire.AppendTag(host, 2, protowire.BytesType), protowire.AppendVarint(nil, 3700))
		raw := protowire.AppendBytes(protowire.AppendTag(nil, 3, protowire.BytesType), host)
		c.ProtoReflect().SetUnknown(raw)
	}
	if m, ok := req.(proto.Message); ok {
		unknown.Add(m)
	}
	return invoke(ctx, method, req, reply, conn, opts...)
}

// call makes every call of the first version that a plugin of its kind serves.
func call(ctx context.Context, conn *grpc.ClientConn, settings, payload string) (map[string]json.RawMessage, error) {
	answers := map[string]json.RawMessage{}
	note := func(name string, m proto.Message, err error) error {
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		answers[name], err = protojson.Marshal(m)
		return err
	}
	base := pluginv1.NewPluginServiceClient(conn)
	about, err := base.Describe(ctx, &pluginv1.DescribeRequest{})
	if err := note("describe", about, err); err != nil {
		return nil, err
	}
	configure := func(config string, only bool) (proto.Message, error) {
		return base.Configure(ctx, &pluginv1.ConfigureRequest{
			Instances: []*pluginv1.Instance{{Name: instance, Config: []byte(config)}}, ValidateOnly: only,
		})
	}
	refused, err := configure(`{"nonsense":1}`, true)
	if err := note("refused", refused, err); err != nil {
		return nil, err
	}
	configured, err := configure(settings, false)
	if err := note("configured", configured, err); err != nil {
		return nil, err
	}
	if about.GetKind() == pluginv1.Kind_KIND_SOURCE {
		decoded, err := pluginv1.NewSourceServiceClient(conn).Decode(ctx, &pluginv1.DecodeRequest{
			Instance: instance, Id: "event-1", Request: &pluginv1.OriginalRequest{
				Method: "POST", Headers: []*pluginv1.Header{{Name: "Content-Type", Values: []string{"application/json"}}},
				Body: []byte(payload), ReceivedAt: timestamppb.New(time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)),
			},
		})
		if err := note("decoded", decoded, err); err != nil {
			return nil, err
		}
		answers["event"] = decoded.GetEvent()
	} else {
		target := pluginv1.NewTargetServiceClient(conn)
		delivered, err := target.Deliver(ctx, &pluginv1.DeliverRequest{
			Instance: instance, DeliveryId: "delivery-1", Attempt: 1, Events: [][]byte{[]byte(payload)}, Route: "all",
		})
		if err := note("delivered", delivered, err); err != nil {
			return nil, err
		}
		tested, err := target.Test(ctx, &pluginv1.TestRequest{Instance: instance})
		if err := note("tested", tested, err); err != nil {
			return nil, err
		}
	}
	health, err := base.CheckHealth(ctx, &pluginv1.CheckHealthRequest{})
	return answers, note("health", health, err)
}
