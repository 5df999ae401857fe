package pluginhost

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// Test has a target prove that its endpoint takes deliveries, within ctx, by an event,
// JSON by the published schema, or by the plugin's own for nil. What the endpoint did is
// the outcome, with the request in Sent. The error is like History's.
func (h *Host) Test(ctx context.Context, target string, event json.RawMessage) (host.Outcome, error) {
	return power(ctx, h, host.KindTarget, "test", target, func(p *process) (host.Outcome, error) {
		return p.test(ctx, target, event)
	})
}

// TestConfig is Test of a target with a configuration that is not in use. A process of
// the plugin is started for it and ended again; it needs no Start, and what runs is left
// alone. The error matches *ConfigError when the plugin refuses the configuration.
func (h *Host) TestConfig(ctx context.Context, in Instance, event json.RawMessage) (host.Outcome, error) {
	l, err := newLauncher(h.opts)
	if err != nil {
		return host.Outcome{}, err
	}
	defer l.close()
	p, err := l.launch(ctx, host.KindTarget, in.Plugin, nil, newLogSink(l.opts.Log.With("plugin", "target-"+in.Plugin), nil))
	if err != nil {
		return host.Outcome{}, err
	}
	defer p.end()
	configured, err := p.client.Configure(ctx, []host.Instance{{Name: in.Name, Config: in.Config}}, false)
	switch {
	case err != nil:
		return host.Outcome{}, fmt.Errorf("test target %s: %s", in.Name, message(err))
	case len(configured.Problems) > 0:
		return host.Outcome{}, &ConfigError{Problems: configured.Problems}
	}
	o, err := p.test(ctx, in.Name, event)
	switch {
	case errors.Is(err, host.ErrUnsupported):
		return host.Outcome{}, err
	case err != nil && ctx.Err() != nil:
		return host.Outcome{}, fmt.Errorf("test target %s: %w", in.Name, ctx.Err())
	case timedOut(err):
		return host.Outcome{}, fmt.Errorf("test target %s: %w", in.Name, context.DeadlineExceeded)
	case err != nil:
		return host.Outcome{}, fmt.Errorf("test target %s: %s", in.Name, message(err))
	}
	return o, nil
}

// timedOut reports whether a call ended by its deadline before its context did: the
// plugin's clock, or the connection's, was a little faster. Nobody cancels these calls.
func timedOut(err error) bool {
	return status.Code(err) == codes.Canceled || status.Code(err) == codes.DeadlineExceeded
}

// ConfigError is what a plugin refuses of a configuration.
type ConfigError struct{ Problems []host.Problem }

// Error returns the problems with their keys, on one line.
func (e *ConfigError) Error() string {
	said := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		said[i] = strings.TrimPrefix(p.Key+": "+p.Message, ": ")
	}
	return "the plugin refuses the configuration: " + strings.Join(said, "; ")
}

// Preview returns what a target would send of a delivery, within ctx, and sends nothing. The error matches host.ErrUnsupported for a target whose plugin cannot
// promise that, and host.ErrNothingToSend when there would be no request; else it is like
// History's.
func (h *Host) Preview(ctx context.Context, target string, d host.Delivery) (host.Preview, error) {
	return power(ctx, h, host.KindTarget, "preview", target, func(p *process) (host.Preview, error) {
		if err := p.can(sdk.FeaturePreview, "show what it would send without sending it"); err != nil {
			return host.Preview{}, err
		}
		return p.client.Preview(ctx, target, d)
	})
}

func (p *process) test(ctx context.Context, target string, event json.RawMessage) (host.Outcome, error) {
	if err := p.can(sdk.FeatureTest, "test its endpoint: send it a test event instead"); err != nil {
		return host.Outcome{}, err
	}
	return p.client.Test(ctx, target, event)
}

// can returns an error that matches host.ErrUnsupported for a feature that the plugin does
// not declare.
func (p *process) can(f sdk.Feature, what string) error {
	if slices.Contains(p.desc.Features, f) {
		return nil
	}
	return fmt.Errorf("%w: plugin %s-%s %s cannot %s", host.ErrUnsupported, p.desc.Kind, p.desc.Name, p.desc.Version, what)
}
