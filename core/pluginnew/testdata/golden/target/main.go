// Command hookarr-target-demo posts events to an HTTP endpoint.
package main

import (
	"context"

	"github.com/hookarr/hookarr/sdk"
)

func main() { sdk.ServeTarget(info(), newTarget) }

func info() sdk.Info {
	return sdk.Info{
		Name:     "demo",
		Version:  "0.1.0",
		Summary:  "Posts events to an HTTP endpoint.",
		Features: []sdk.Feature{sdk.FeatureTest, sdk.FeaturePreview},
	}
}

// newTarget builds one configured instance. It does no network I/O.
func newTarget(_ context.Context, env sdk.Env, c config) (sdk.Target, error) {
	return &target{http: env.HTTP, config: c}, nil
}
