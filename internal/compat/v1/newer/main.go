// Command newer is a target of a later version: its answers have fields, features and classes
// that the first version does not know.
package main

import (
	"bytes"
	"context"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/hookarr/hookarr/internal/compat/v1/handshake"
	"github.com/hookarr/hookarr/internal/compat/v1/instances"
	"github.com/hookarr/hookarr/internal/compat/v1/pluginv1"
	"github.com/hookarr/hookarr/internal/compat/v1/unknown"
)

func main() {
	t := &target{Plugin: &instances.Plugin{
		About: &pluginv1.DescribeResponse{
			Name: "newer", Kind: pluginv1.Kind_KIND_TARGET, Version: "9.0.0", SdkVersion: "9.0.0", ProtocolVersion: 1,
			ConfigSchema: []byte(`{"type":"object","x-hookarr-later":true,"properties":{"url":{"type":"string","x-hookarr-later":{"a":1}}}}`),
			Features:     []pluginv1.Feature{pluginv1.Feature_FEATURE_TEST, 3700},
		},
		Missing: func(instances.Config) string { return "" },
	}}
	handshake.Serve(func(s *grpc.Server) {
		pluginv1.RegisterPluginServiceServer(s, t)
		pluginv1.RegisterTargetServiceServer(s, t)
	}, grpc.UnaryInterceptor(func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		resp, err := handler(ctx, req)
		if m, ok := resp.(proto.Message); ok && err == nil {
			m = proto.Clone(m)
			unknown.Add(m)
			resp = m
		}
		return resp, err
	}))
}

type target struct {
	*instances.Plugin
	pluginv1.UnimplementedTargetServiceServer
}

// Deliver takes everything, and an event that says so with a class of a later version.
func (t *target) Deliver(_ context.Context, req *pluginv1.DeliverRequest) (*pluginv1.DeliverResponse, error) {
	if _, err := t.Of(req.GetInstance()); err != nil {
		return nil, err
	}
	if bytes.Contains(req.GetEvents()[0], []byte("later class")) {
		return &pluginv1.DeliverResponse{Class: 99, Message: "of a later version"}, nil
	}
	return &pluginv1.DeliverResponse{Class: pluginv1.Class_CLASS_OK, Receipt: &pluginv1.Receipt{MessageId: "m"}}, nil
}

// Test is Deliver.
func (t *target) Test(context.Context, *pluginv1.TestRequest) (*pluginv1.TestResponse, error) {
	return &pluginv1.TestResponse{Outcome: &pluginv1.DeliverResponse{Class: pluginv1.Class_CLASS_OK}}, nil
}
