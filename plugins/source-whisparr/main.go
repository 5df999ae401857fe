// Command source-whisparr decodes the webhooks of Whisparr.
package main

import (
	"context"

	"github.com/hookarr/hookarr/plugins/internal/arr"
	"github.com/hookarr/hookarr/sdk"
)

func main() { sdk.ServeSource(info(), newSource) }

func info() sdk.Info {
	return sdk.Info{Name: "whisparr", Version: "0.1.0", Summary: "Decodes the webhooks of Whisparr 2 and 3."}
}

func newSource(_ context.Context, _ sdk.Env, c arr.Config) (sdk.Source, error) {
	return decoder{applicationURL: c.ApplicationURL}, nil
}
