package stash

import (
	"github.com/hookarr/hookarr/plugins/internal/mediaserver"
	"github.com/hookarr/hookarr/sdk"
)

type config struct {
	APIKey sdk.Secret `json:"api_key" hookarr:"title=API key,group=Server" doc:"API key, from Settings, Security. Leave it out where Stash has no password: it refuses any key then."`
	mediaserver.BlindConfig
}

// Validate says what is wrong that the tags cannot say.
func (c *config) Validate() error {
	return c.Problems()
}
