// Command hostile is a target plugin that means harm, for tests: it comes up like any other
// and then answers each delivery with something else that no host expects. It is built
// without the SDK, which would not let it.
package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/hookarr/hookarr/core/pluginhost"
)

func main() {
	client := pluginhost.ClientConfig()
	_, name, _ := strings.Cut(strings.TrimPrefix(filepath.Base(os.Args[0]), "hookarr-"), "-")
	h := &hostile{name: name}
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig:  client.HandshakeConfig,
		VersionedPlugins: map[int]plugin.PluginSet{1: {"plugin": nothing{}}},
		GRPCServer: func(opts []grpc.ServerOption) *grpc.Server {
			h.server = grpc.NewServer(append(opts, grpc.ForceServerCodecV2(rawCodec{encoding.GetCodecV2(proto.Name)}),
				grpc.UnknownServiceHandler(h.answer), grpc.MaxRecvMsgSize(64<<20))...)
			return h.server
		},
	})
}

// nothing registers no service: answer takes the calls of all.
type nothing struct{ plugin.NetRPCUnsupportedPlugin }

func (nothing) GRPCServer(*plugin.GRPCBroker, *grpc.Server) error { return nil }

func (nothing) GRPCClient(context.Context, *plugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, errors.ErrUnsupported
}

// raw is a message as it is on the wire.
type raw []byte

// rawCodec passes raw messages on and leaves go-plugin's own to its codec.
type rawCodec struct{ encoding.CodecV2 }

func (c rawCodec) Marshal(v any) (mem.BufferSlice, error) {
	if m, ok := v.(*raw); ok {
		return mem.BufferSlice{mem.SliceBuffer(*m)}, nil
	}
	return c.CodecV2.Marshal(v)
}

func (c rawCodec) Unmarshal(data mem.BufferSlice, v any) error {
	if m, ok := v.(*raw); ok {
		*m = data.Materialize()
		return nil
	}
	return c.CodecV2.Unmarshal(data, v)
}

type hostile struct {
	name   string
	server *grpc.Server
	calls  atomic.Int64
}

// Numbers of fields of DescribeResponse and DeliverResponse.
const (
	describeName, describeKind, describeVersion, describeProtocol, describeSchema = 1, 2, 3, 6, 7

	deliverClass, deliverMessage, deliverExcerpt, deliverReceipt = 1, 2, 5, 6

	kindTarget, classOK = 2, 1
)

func (h *hostile) answer(_ any, stream grpc.ServerStream) error {
	var request raw
	if err := stream.RecvMsg(&request); err != nil {
		return err
	}
	method, _ := grpc.MethodFromServerStream(stream)
	var answer raw
	switch filepath.Base(method) {
	case "Describe":
		answer = text(answer, describeName, h.name)
		answer = number(answer, describeKind, kindTarget)
		answer = text(answer, describeVersion, "6.6.6")
		answer = number(answer, describeProtocol, 1)
		answer = text(answer, describeSchema, `{"type":"object"}`)
	case "Deliver":
		answer = h.deliver()
	}
	return stream.SendMsg(&answer)
}

// deliver does something else each time.
func (h *hostile) deliver() (answer raw) {
	switch n := h.calls.Add(1); n % 6 {
	case 0:
		return bytes.Repeat([]byte{0xff}, 1000)
	case 1: // more than a host takes
		return text(number(nil, deliverClass, classOK), deliverExcerpt, strings.Repeat("x", 65<<20))
	case 2: // as much as it takes
		return text(number(nil, deliverClass, classOK), deliverExcerpt, strings.Repeat("x", 63<<20))
	case 3:
		// Past go-plugin, which takes os.Stdout for itself.
		_, _ = syscall.Write(1, []byte(strings.Repeat("1|1|unix|/etc/passwd|grpc|\n", 10_000)))
		return text(number(nil, deliverClass, 666), deliverMessage, "\x1b]0;owned\a\n\x00")
	case 4: // the message of somebody else
		return text(number(nil, deliverClass, classOK), deliverReceipt, string(text(nil, 1, "../../../etc/passwd")))
	default:
		if n > 50 {
			go h.server.Stop() // its socket is closed
		}
		return nil
	}
}

func number(m raw, field protowire.Number, value uint64) raw {
	return protowire.AppendVarint(protowire.AppendTag(m, field, protowire.VarintType), value)
}

func text(m raw, field protowire.Number, value string) raw {
	return protowire.AppendString(protowire.AppendTag(m, field, protowire.BytesType), value)
}
