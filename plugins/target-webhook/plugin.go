// Package webhook sends events to any HTTP endpoint.
package webhook

import (
	"context"

	"github.com/hookarr/hookarr/sdk"
)

const (
	version  = "0.1.0"
	ownAgent = "Hookarr/" + version
)

func info() sdk.Info {
	return sdk.Info{
		Name:     "webhook",
		Version:  version,
		Summary:  "Sends events to any HTTP endpoint, signed.",
		Features: []sdk.Feature{sdk.FeatureGroup, sdk.FeatureRaw, sdk.FeatureTest, sdk.FeaturePreview},
	}
}

// Serve serves the plugin to the Hookarr that started this process. It does not return.
func Serve() { sdk.ServeTarget(info(), newTarget) }

func newTarget(_ context.Context, env sdk.Env, c config) (sdk.Target, error) {
	signers, err := c.signers()
	if err != nil {
		return nil, err
	}
	filter, err := c.fields()
	if err != nil {
		return nil, err
	}
	expiry, err := c.useTLS(env.HTTP)
	if err != nil {
		return nil, err
	}
	if c.Traceparent {
		env.HTTP.SendTraceparent()
	}
	c.warn(env)
	return &target{
		http: env.HTTP, method: c.Method, url: c.URL, format: c.Format, write: c.writer(filter),
		headers: c.header(), names: c.HeaderNames, signers: signers, accept: c.Accept, expiry: expiry,
	}, nil
}
