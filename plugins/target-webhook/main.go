// Command hookarr-target-webhook sends events to any HTTP endpoint.
package main

import (
	"context"
	"net/http"

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
		Features: []sdk.Feature{sdk.FeatureRaw, sdk.FeatureTest, sdk.FeaturePreview},
	}
}

func main() { sdk.ServeTarget(info(), newTarget) }

func newTarget(_ context.Context, env sdk.Env, c config) (sdk.Target, error) {
	signers, err := c.signers()
	if err != nil {
		return nil, err
	}
	headers := http.Header{}
	for name, value := range c.Headers {
		headers.Set(name, value.Reveal())
	}
	if c.InsecureSkipVerify {
		env.HTTP.InsecureSkipVerify()
	}
	return &target{http: env.HTTP, method: c.Method, url: c.URL, format: c.Format, headers: headers, signers: signers}, nil
}
