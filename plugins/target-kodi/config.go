package kodi

import (
	"errors"

	"github.com/hookarr/hookarr/plugins/internal/mediaserver"
	"github.com/hookarr/hookarr/sdk"
)

type config struct {
	Username     string     `json:"username" hookarr:"group=Server" doc:"User of the web server."`
	Password     sdk.Secret `json:"password" hookarr:"group=Server" doc:"The user's password."`
	WhilePlaying bool       `json:"while_playing" doc:"Scan also while a video plays."`
	Clean        bool       `json:"clean" doc:"Have Kodi take what was deleted out of its library, by cleaning the source that it was in."`
	mediaserver.Config
}

// Validate says what is wrong that the tags cannot say.
func (c *config) Validate() error {
	problems := []error{c.Problems()}
	if c.Password != "" && c.Username == "" {
		problems = append(problems, sdk.Problem("username", "is missing beside password"))
	}
	return errors.Join(problems...)
}
