package api

import (
	"errors"
	"net/url"
	"strings"

	"github.com/hookarr/hookarr/plugins/internal/arr"
	"github.com/hookarr/hookarr/sdk"
)

// Config is what the source of an application with an API can be configured with.
type Config struct {
	arr.Config

	BaseURL            string     `json:"base_url" hookarr:"title=URL,group=API,network" jsonschema:"example=http://nas:7878" doc:"Where Hookarr reaches the application, its URL base included: http://nas:7878 or http://nas/radarr. With api_key, Hookarr registers its webhook (hookarr connect), catches up on events that were missed, adds details to events and reads what the application has, as far as the plugin can."`
	APIKey             sdk.Secret `json:"api_key" hookarr:"title=API key,group=API" doc:"The application's API key, from its general settings."`
	InsecureSkipVerify bool       `json:"insecure_skip_verify" hookarr:"advanced" doc:"Accept any TLS certificate of base_url, such as one that the application signed itself."`
}

// Validate refuses what leads to no API.
func (c Config) Validate() error {
	problems := []error{c.Config.Validate()}
	switch {
	case c.BaseURL == "" && c.APIKey != "":
		problems = append(problems, sdk.Problem("base_url", "is needed with api_key: where Hookarr reaches the application, such as http://nas:7878"))
	case c.BaseURL != "" && c.APIKey == "":
		problems = append(problems, sdk.Problem("api_key", "is needed with base_url: copy it from the application's general settings"))
	}
	if c.BaseURL != "" {
		if fault := baseFault(c.BaseURL); fault != "" {
			problems = append(problems, sdk.Problem("base_url", fault))
		}
	}
	if key := c.APIKey.Reveal(); strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }) {
		problems = append(problems, sdk.Problem("api_key", "has characters that no API key has"))
	}
	return errors.Join(problems...)
}

// baseFault says what is wrong with a base URL, or nothing.
func baseFault(s string) string {
	u, err := url.Parse(s)
	if err != nil || arr.AbsoluteURL(s) == nil {
		return "is not an absolute URL such as http://nas:7878"
	}
	if err := sdk.CheckURL(u); err != nil {
		return err.Error()
	}
	switch {
	case u.User != nil:
		return "must be without user name and password: the API key is enough"
	case u.RawQuery != "" || u.Fragment != "":
		return "must end after the URL base: no ? and no #"
	case strings.Contains(u.Path, "/api/v") || strings.HasSuffix(u.Path, "/api"):
		return "must end before /api"
	}
	return ""
}
