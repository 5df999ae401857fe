package app

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/trace"
)

// newTracer returns what makes the spans of a process; nil where traces go nowhere.
func newTracer(ctx context.Context, c *config.Config, node, version string, log *slog.Logger) (*trace.Tracer, error) {
	header := make(map[string]string, len(c.Tracing.Headers))
	for _, h := range c.Tracing.Headers {
		header[h.Name] = h.Value.Reveal()
	}
	t, err := trace.New(ctx, trace.Options{
		Endpoint: c.Tracing.Endpoint, Header: header, Sample: c.Tracing.Sample, Version: version, Node: node, Log: log,
	})
	if err != nil {
		return nil, fmt.Errorf("set up tracing: %w", err)
	}
	return t, nil
}

// TracesTo says where the traces of a process with an environment go, which may say so too.
// It is empty where there are none.
func TracesTo(c *config.Config, getenv func(name string) string) (string, error) {
	if c.Tracing.Endpoint != "" {
		return c.Tracing.Endpoint, nil
	}
	variable, err := trace.Environment(getenv)
	if variable == "" || err != nil {
		return "", err
	}
	return "$" + variable, nil
}
