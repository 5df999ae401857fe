package navidrome

import (
	"github.com/hookarr/hookarr/plugins/internal/mediaserver"
	"github.com/hookarr/hookarr/sdk"
)

type config struct {
	Username string     `json:"username" hookarr:"required,group=Server" jsonschema:"example=admin" doc:"User who is an administrator: nobody else may scan."`
	Password sdk.Secret `json:"password" hookarr:"required,group=Server" doc:"The user's password."`
	mediaserver.BlindConfig
}

// Validate says what is wrong that the tags cannot say.
func (c *config) Validate() error {
	return c.Problems()
}
