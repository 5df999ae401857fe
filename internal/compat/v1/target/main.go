// Command target posts events to a URL, as a plugin of the first version did.
package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/hookarr/hookarr/internal/compat/v1/handshake"
	"github.com/hookarr/hookarr/internal/compat/v1/instances"
	"github.com/hookarr/hookarr/internal/compat/v1/pluginv1"
)

func main() {
	t := &target{Plugin: &instances.Plugin{
		About: &pluginv1.DescribeResponse{
			Name: "old", Kind: pluginv1.Kind_KIND_TARGET, Version: "1.0.0", Summary: "Posts events.", SdkVersion: "0.1.0", ProtocolVersion: 1,
			ConfigSchema: []byte(`{"type":"object","additionalProperties":false,"required":["url"],"properties":{"url":{"type":"string","minLength":1,"writeOnly":true},"prefix":{"type":"string"}}}`),
			Features:     []pluginv1.Feature{pluginv1.Feature_FEATURE_GROUP, pluginv1.Feature_FEATURE_TEST, pluginv1.Feature_FEATURE_EDIT},
			Defaults:     &pluginv1.Defaults{Concurrency: 2, Rate: &pluginv1.Rate{PerSecond: 50, Burst: 5}},
		},
		Missing: func(c instances.Config) string {
			if c.URL == "" {
				return "url"
			}
			return ""
		},
	}}
	handshake.Serve(func(s *grpc.Server) {
		pluginv1.RegisterPluginServiceServer(s, t)
		pluginv1.RegisterTargetServiceServer(s, t)
	})
}

type target struct {
	*instances.Plugin
	pluginv1.UnimplementedTargetServiceServer
}

// Deliver posts the events, one on a line.
func (t *target) Deliver(ctx context.Context, req *pluginv1.DeliverRequest) (*pluginv1.DeliverResponse, error) {
	return t.send(ctx, req.GetInstance(), req.GetDeliveryId(), req.GetPrevious().GetMessageId(), req.GetEvents())
}

// Test posts one.
func (t *target) Test(ctx context.Context, req *pluginv1.TestRequest) (*pluginv1.TestResponse, error) {
	outcome, err := t.send(ctx, req.GetInstance(), "test", "", [][]byte{[]byte(`{"type":"test"}`)})
	return &pluginv1.TestResponse{Outcome: outcome}, err
}

func (t *target) send(ctx context.Context, instance, id, replaces string, events [][]byte) (*pluginv1.DeliverResponse, error) {
	c, err := t.Of(instance)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL, bytes.NewReader(bytes.Join(events, []byte("\n"))))
	if err != nil {
		return &pluginv1.DeliverResponse{Class: pluginv1.Class_CLASS_MISCONFIGURED, Message: "the URL is none"}, nil
	}
	req.Header.Set("Idempotency-Key", id)
	req.Header.Set("Replaces", replaces)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return &pluginv1.DeliverResponse{Class: pluginv1.Class_CLASS_RETRYABLE, Message: "no answer"}, nil
	}
	defer func() { _ = resp.Body.Close() }()
	outcome := &pluginv1.DeliverResponse{
		Class: pluginv1.Class_CLASS_OK, Status: uint32(resp.StatusCode),
		Receipt:    &pluginv1.Receipt{MessageId: "message-" + id, State: []byte("state of " + id)},
		LearntRate: &pluginv1.LearntRate{Remaining: 3, ResetAfter: durationpb.New(1e9)},
	}
	if resp.StatusCode > 299 {
		outcome = &pluginv1.DeliverResponse{
			Class: pluginv1.Class_CLASS_PERMANENT, Status: uint32(resp.StatusCode), Message: fmt.Sprintf("the endpoint answered %d", resp.StatusCode),
		}
	}
	return outcome, nil
}
