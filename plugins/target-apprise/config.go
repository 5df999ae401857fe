package apprise

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/invopop/jsonschema"

	"github.com/hookarr/hookarr/plugins/internal/endpointurl"
	"github.com/hookarr/hookarr/plugins/internal/message"
	"github.com/hookarr/hookarr/plugins/internal/template"
	"github.com/hookarr/hookarr/sdk"
)

// config is a set of services behind one Apprise API server.
type config struct {
	URL                sdk.Secret           `json:"url" hookarr:"required,title=Server" jsonschema:"example=http://apprise:8000" doc:"The Apprise API server: http://apprise:8000."`
	Key                sdk.Secret           `json:"key" hookarr:"group=Services" doc:"Key of a configuration that is stored on the server. It, or urls."`
	URLs               []sdk.Secret         `json:"urls" hookarr:"group=Services" doc:"Apprise URLs of the services to tell, such as tgram://TOKEN/CHAT. They, or a key."`
	Tag                string               `json:"tag" hookarr:"group=Services,options" doc:"Tells only the services of the stored configuration with these tags: separated by commas with any of them, by spaces with all."`
	Format             string               `json:"format" hookarr:"default=text,enum=text|markdown|html,group=Look" doc:"What the body is written in. Apprise turns text and html into what each service shows. It hands markdown as it is to services of plain text, whose readers see its marks."`
	Look               message.Look         `json:"look" hookarr:"default=standard,enum=compact|standard|rich|poster,group=Look" doc:"How much a message shows. compact: what happened to what; standard; rich: everything that is known; poster: few facts."`
	MaxBody            int                  `json:"max_body" hookarr:"default=2000,group=Look" jsonschema:"minimum=100,maximum=32768" doc:"Most characters of a body. Services refuse longer ones: Discord takes 2000, Telegram 4096, Pushover 1024."`
	RetryPartial       bool                 `json:"retry_partial" hookarr:"advanced" doc:"Try again when some services could not be told. Those that were are then told again."`
	Templates          template.ByType[own] `json:"templates" hookarr:"group=Own words" doc:"Messages in your own words, by event type or pattern such as media.*; the most specific one is used. Each has title, body or both."`
	InsecureSkipVerify bool                 `json:"insecure_skip_verify" hookarr:"advanced" doc:"Accept any TLS certificate, such as one that the server signed itself."`
}

// JSONSchemaExtend adds an example: what is required is not enough.
func (config) JSONSchemaExtend(s *jsonschema.Schema) {
	s.Examples = []any{map[string]any{"url": "http://apprise:8000", "key": "my-services"}}
}

// Validate checks what the tags cannot say. The rules for keys and tags are those of
// apprise_api/api/urls.py and utils.py in caronc/apprise-api.
func (c config) Validate() error {
	server, err := endpointurl.Parse("url", c.URL)
	problems := []error{err}
	if err == nil && strings.Contains(server.Path, "/notify") {
		problems = append(problems, sdk.Problem("url", "has the path of a message; write that of the server alone, and the key in key"))
	}
	switch {
	case (c.Key == "") == (len(c.URLs) == 0):
		problems = append(problems, sdk.Problem("key", "or urls is needed, one of them"))
	case c.Key != "" && !regexp.MustCompile(`^[\w-]{1,128}$`).MatchString(c.Key.Reveal()):
		problems = append(problems, sdk.Problem("key", "is no key; it has letters, digits, _ and - alone, at most 128"))
	case c.Key == "" && c.Tag != "":
		problems = append(problems, sdk.Problem("tag", "is of services in a stored configuration; set key, or remove it"))
	}
	if !regexp.MustCompile(`^[\w, -]*$`).MatchString(c.Tag) {
		problems = append(problems, sdk.Problem("tag", "has other characters than letters, digits, _ and -, commas and spaces"))
	}
	for i, u := range c.URLs {
		if scheme, rest, ok := strings.Cut(u.Reveal(), "://"); !ok || scheme == "" || rest == "" || strings.ContainsAny(u.Reveal(), " \r\n\t") {
			problems = append(problems, sdk.Problem(fmt.Sprintf("urls[%d]", i), "is no Apprise URL; write its scheme, :// and the rest, each URL as an entry of its own"))
		}
	}
	problems = append(problems, c.Templates.Problems("templates"))
	for _, key := range slices.Sorted(maps.Keys(c.Templates)) {
		if t := c.Templates[key]; t.Title == nil && t.Body == nil {
			problems = append(problems, sdk.Problem("templates."+key, "needs title or body"))
		}
	}
	return errors.Join(problems...)
}

// endpoint is where messages are posted.
func (c config) endpoint(server *url.URL) *url.URL {
	if c.Key == "" {
		return server.JoinPath("notify")
	}
	return server.JoinPath("notify", c.Key.Reveal())
}

// stored is where the stored configuration is told; nil without one.
func (c config) stored(server *url.URL) *url.URL {
	if c.Key == "" {
		return nil
	}
	return server.JoinPath("json", "urls", c.Key.Reveal())
}
