package arr

import "github.com/hookarr/hookarr/sdk"

// Config is what every application's source can be configured with.
type Config struct {
	ApplicationURL string `json:"application_url" hookarr:"title=URL for links" jsonschema:"example=http://nas:7878" doc:"The application's own URL, for links in events whose webhook has none: all of them while Application URL is empty in its general settings; otherwise some, such as resolved health checks."`
}

// Validate refuses what could not be linked to.
func (c Config) Validate() error {
	if c.ApplicationURL != "" && AbsoluteURL(c.ApplicationURL) == nil {
		return sdk.Problem("application_url", "is not an absolute URL such as http://nas:7878")
	}
	return nil
}
