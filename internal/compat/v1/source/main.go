// Command source decodes small webhooks, as a plugin of the first version did.
package main

import (
	"context"
	"encoding/json"
	"time"

	"google.golang.org/grpc"

	"github.com/hookarr/hookarr/internal/compat/v1/handshake"
	"github.com/hookarr/hookarr/internal/compat/v1/instances"
	"github.com/hookarr/hookarr/internal/compat/v1/pluginv1"
)

func main() {
	s := &source{Plugin: &instances.Plugin{
		About: &pluginv1.DescribeResponse{
			Name: "old", Kind: pluginv1.Kind_KIND_SOURCE, Version: "1.0.0", Summary: "Decodes webhooks.", SdkVersion: "0.1.0", ProtocolVersion: 1,
			ConfigSchema: []byte(`{"type":"object","additionalProperties":false,"properties":{"prefix":{"type":"string"},"url":{"type":"string"}}}`),
			Features:     []pluginv1.Feature{pluginv1.Feature_FEATURE_HISTORY},
		},
		Missing: func(instances.Config) string { return "" },
	}}
	handshake.Serve(func(server *grpc.Server) {
		pluginv1.RegisterPluginServiceServer(server, s)
		pluginv1.RegisterSourceServiceServer(server, s)
		pluginv1.RegisterHistoryServiceServer(server, s)
	})
}

type source struct {
	*instances.Plugin
	pluginv1.UnimplementedSourceServiceServer
	pluginv1.UnimplementedHistoryServiceServer
}

// event is one by the schema of that time.
type event struct {
	ID             string    `json:"id"`
	Source         string    `json:"source"`
	Origin         string    `json:"origin"`
	Time           time.Time `json:"time"`
	App            string    `json:"app"`
	Type           string    `json:"type"`
	Title          string    `json:"title"`
	Summary        string    `json:"summary"`
	Fingerprint    string    `json:"fingerprint"`
	CorrelationKey string    `json:"correlation_key,omitempty"`
}

// Decode reads {"title": …}. An empty title is nothing, and what is no JSON never decodes.
func (s *source) Decode(_ context.Context, req *pluginv1.DecodeRequest) (*pluginv1.DecodeResponse, error) {
	c, err := s.Of(req.GetInstance())
	if err != nil {
		return nil, err
	}
	var body struct{ Title string }
	if err := json.Unmarshal(req.GetRequest().GetBody(), &body); err != nil {
		return &pluginv1.DecodeResponse{Result: &pluginv1.DecodeResponse_Invalid{Invalid: &pluginv1.Invalid{Reason: "is no JSON"}}}, nil
	}
	if body.Title == "" {
		return &pluginv1.DecodeResponse{Result: &pluginv1.DecodeResponse_Skip{Skip: &pluginv1.Skip{Reason: "no title"}}}, nil
	}
	data, err := json.Marshal(event{
		ID: req.GetId(), Source: req.GetInstance(), Origin: "webhook", Time: req.GetRequest().GetReceivedAt().AsTime(),
		App: "old", Type: "media.imported", Title: c.Prefix + body.Title, Summary: "Imported " + body.Title, Fingerprint: "old:" + body.Title,
	})
	return &pluginv1.DecodeResponse{Result: &pluginv1.DecodeResponse_Event{Event: data}}, err
}

// ListHistory returns one page with one event.
func (s *source) ListHistory(_ context.Context, req *pluginv1.ListHistoryRequest) (*pluginv1.ListHistoryResponse, error) {
	data, err := json.Marshal(event{
		Source: req.GetInstance(), Origin: "catchup", Time: req.GetSince().AsTime().Add(time.Second),
		App: "old", Type: "media.imported", Title: "past", Summary: "Imported past", Fingerprint: "old:past",
	})
	return &pluginv1.ListHistoryResponse{Events: []*pluginv1.PastEvent{{Event: data, Record: []byte(`{}`)}}, Cursor: "1"}, err
}
