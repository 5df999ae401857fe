package audiobookshelf

import (
	"github.com/hookarr/hookarr/plugins/internal/mediaserver"
	"github.com/hookarr/hookarr/sdk"
)

type config struct {
	APIKey sdk.Secret `json:"api_key" hookarr:"required,title=API key,group=Server" doc:"API key of an administrator, from Settings, API Keys: nobody else may scan."`
	mediaserver.Config
}

// Validate says what is wrong that the tags cannot say.
func (c *config) Validate() error {
	return c.Problems()
}
