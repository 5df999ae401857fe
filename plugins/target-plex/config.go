package plex

import (
	"errors"
	"strings"

	"github.com/hookarr/hookarr/plugins/internal/mediaserver"
	"github.com/hookarr/hookarr/sdk"
)

// config is one server.
type config struct {
	Token sdk.Secret `json:"token" hookarr:"required,group=Server" doc:"X-Plex-Token of the server's owner."`
	mediaserver.Config
}

// Validate checks what the tags cannot say.
func (c *config) Validate() error {
	problems := []error{c.Problems()}
	if strings.ContainsAny(c.Token.Reveal(), " \t\r\n/?&=") {
		problems = append(problems, sdk.Problem("token", "is not a token; write what is after X-Plex-Token= alone"))
	}
	return errors.Join(problems...)
}
