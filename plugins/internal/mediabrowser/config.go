package mediabrowser

import (
	"errors"
	"strings"

	"github.com/hookarr/hookarr/plugins/internal/mediaserver"
	"github.com/hookarr/hookarr/sdk"
)

// Config is one server.
type Config struct {
	APIKey sdk.Secret `json:"api_key" hookarr:"required,title=API key,group=Server" doc:"API key, made in the server's dashboard under API Keys. A user's token does only where the user is an administrator."`

	mediaserver.Config
}

// Validate checks what the tags cannot say.
func (c *Config) Validate() error {
	var key error
	if strings.ContainsAny(c.APIKey.Reveal(), " \",\t\r\n") {
		key = sdk.Problem("api_key", "has characters that no key has; copy it alone")
	}
	return errors.Join(key, c.Problems())
}

// base is the URL without the page's own folder, which is easily copied with it.
func (c *Config) base() string {
	base := strings.TrimSuffix(strings.TrimSuffix(c.Base(), "/index.html"), "/web")
	return strings.TrimRight(base, "/")
}
