// Package instances is PluginService as plugins of the first version served it.
package instances

import (
	"bytes"
	"context"
	"encoding/json"
	"sync"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/hookarr/hookarr/internal/compat/v1/pluginv1"
)

// Plugin serves PluginService. Config is a pointer to what an instance is configured by.
type Plugin struct {
	pluginv1.UnimplementedPluginServiceServer

	About *pluginv1.DescribeResponse
	// Missing returns the first required key that is not there, or nothing.
	Missing func(Config) string

	mu   sync.RWMutex
	live map[string]Config
}

// Config is what an instance of either plugin is configured by.
type Config struct {
	URL    string `json:"url"`
	Prefix string `json:"prefix"`
}

// Describe says what the plugin is.
func (p *Plugin) Describe(context.Context, *pluginv1.DescribeRequest) (*pluginv1.DescribeResponse, error) {
	return p.About, nil
}

// Configure replaces the set of instances, or only judges it.
func (p *Plugin) Configure(_ context.Context, req *pluginv1.ConfigureRequest) (*pluginv1.ConfigureResponse, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	next := map[string]Config{}
	resp := &pluginv1.ConfigureResponse{}
	for _, in := range req.GetInstances() {
		c, problem := p.read(in.GetConfig())
		if problem == nil {
			next[in.GetName()] = c
			resp.Instances = append(resp.Instances, &pluginv1.InstanceInfo{Name: in.GetName()})
			continue
		}
		problem.Instance = in.GetName()
		resp.Problems = append(resp.Problems, problem)
		if former, ok := p.live[in.GetName()]; ok {
			next[in.GetName()] = former
		}
	}
	if !req.GetValidateOnly() {
		p.live = next
	}
	return resp, nil
}

func (p *Plugin) read(data []byte) (Config, *pluginv1.Problem) {
	var c Config
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return c, &pluginv1.Problem{Message: err.Error()}
	}
	if key := p.Missing(c); key != "" {
		return c, &pluginv1.Problem{Key: key, Message: "is required"}
	}
	return c, nil
}

// CheckHealth answers.
func (p *Plugin) CheckHealth(context.Context, *pluginv1.CheckHealthRequest) (*pluginv1.CheckHealthResponse, error) {
	return &pluginv1.CheckHealthResponse{Warnings: map[string]string{"old": "a plugin of the first version"}}, nil
}

// Of returns the configuration of an instance.
func (p *Plugin) Of(name string) (Config, error) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	c, ok := p.live[name]
	if !ok {
		return c, status.Errorf(codes.FailedPrecondition, "no instance %q is configured", name)
	}
	return c, nil
}
