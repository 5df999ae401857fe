// Command hookarr-source-4k decodes the webhooks of 4k.
package main

import (
	"context"

	"github.com/hookarr/hookarr/sdk"
)

func main() { sdk.ServeSource(info(), newSource) }

func info() sdk.Info {
	return sdk.Info{
		Name:       "4k",
		Version:    "0.1.0",
		Summary:    "Decodes the webhooks of 4k.",
		EventTypes: eventTypes(),
		Offline:    true, // it uses no network and no files
	}
}

// newSource builds one configured instance. It does no network I/O.
func newSource(_ context.Context, _ sdk.Env, c config) (sdk.Source, error) {
	return &source{config: c}, nil
}
