// Command hookarr-source-requests decodes the webhooks of requests.
package main

import (
	"context"

	"github.com/hookarr/hookarr/sdk"
)

func main() { sdk.ServeSource(info(), newSource) }

func info() sdk.Info {
	return sdk.Info{
		Name:       "requests",
		Version:    "0.1.0",
		Summary:    "Decodes the webhooks of requests.",
		EventTypes: eventTypes(),
		Offline:    true, // it uses no network and no files
	}
}

// newSource builds one configured instance. It does no network I/O.
func newSource(_ context.Context, _ sdk.Env, c config) (sdk.Source, error) {
	return &source{config: c}, nil
}
