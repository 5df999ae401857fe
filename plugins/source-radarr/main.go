// Command source-radarr decodes the webhooks of Radarr.
package main

import (
	"context"

	"github.com/hookarr/hookarr/plugins/internal/arr"
	"github.com/hookarr/hookarr/sdk"
)

type config struct {
	ApplicationURL string `json:"application_url" doc:"Radarr's own URL, for links in events whose webhook has none: all of them while Application URL is empty in Radarr's general settings, resolved health checks always."`
}

// Validate refuses what could not be linked to.
func (c config) Validate() error {
	if c.ApplicationURL != "" && arr.AbsoluteURL(c.ApplicationURL) == nil {
		return sdk.Problem("application_url", "is not an absolute URL such as http://nas:7878")
	}
	return nil
}

func main() { sdk.ServeSource(info(), newSource) }

func info() sdk.Info {
	return sdk.Info{Name: "radarr", Version: "0.1.0", Summary: "Decodes the webhooks of Radarr."}
}

func newSource(_ context.Context, _ sdk.Env, c config) (sdk.Source, error) {
	return decoder{applicationURL: c.ApplicationURL}, nil
}
