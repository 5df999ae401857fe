// Command source-sonarr decodes the webhooks of Sonarr.
package main

import (
	"context"

	"github.com/hookarr/hookarr/plugins/internal/arr"
	"github.com/hookarr/hookarr/sdk"
)

type config struct {
	arr.Config

	ImportPair importPair `json:"import_pair" hookarr:"default=both,enum=both|files|complete" doc:"Which events to make when Sonarr reports an import by file and again when the download is complete. files: one event per file; complete: one per download, for which On Import Complete must be ticked in Sonarr; both: all of them."`
}

func main() { sdk.ServeSource(info(), newSource) }

func info() sdk.Info {
	return sdk.Info{Name: "sonarr", Version: "0.1.0", Summary: "Decodes the webhooks of Sonarr."}
}

func newSource(_ context.Context, _ sdk.Env, c config) (sdk.Source, error) {
	return decoder{applicationURL: c.ApplicationURL, importPair: c.ImportPair}, nil
}
