package ntfy

import (
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/hookarr/hookarr/plugins/internal/endpointurl"
	"github.com/hookarr/hookarr/plugins/internal/message"
	"github.com/hookarr/hookarr/plugins/internal/template"
	"github.com/hookarr/hookarr/sdk"
)

// config is one topic.
type config struct {
	Server     string                             `json:"server" hookarr:"default=https://ntfy.sh" doc:"URL of the server."`
	Topic      sdk.Secret                         `json:"topic" hookarr:"required" doc:"Topic to publish to: 1 to 64 letters, digits, - and _. On a server without access control whoever knows it can read it."`
	Token      sdk.Secret                         `json:"token" hookarr:"group=Login" doc:"Access token, for a server that asks for one: tk_…."`
	Username   string                             `json:"username" hookarr:"group=Login" doc:"User, instead of a token."`
	Password   sdk.Secret                         `json:"password" hookarr:"group=Login" doc:"The user's password."`
	Look       message.Look                       `json:"look" hookarr:"default=standard,enum=compact|standard|rich|poster,group=Look" doc:"How much a message says."`
	Images     images                             `json:"images" hookarr:"default=url,enum=url|off,group=Look" doc:"Posters: url has phones fetch those of public sites, off is none."`
	Icon       string                             `json:"icon" hookarr:"group=Look" doc:"URL of a JPEG or PNG to show beside the message."`
	Markdown   bool                               `json:"markdown" hookarr:"group=Look" doc:"Write Markdown, which ntfy's web app shows and other clients may not."`
	Priorities template.ByType[int]               `json:"priorities" hookarr:"group=Own words" doc:"Priorities by types of events, as in routes: 1 is the least, 3 the usual, 5 the most."`
	Templates  template.ByType[template.Template] `json:"templates" hookarr:"group=Own words" doc:"Own texts by types of events, as in routes."`

	// basic is what is sent for username and password: a server may repeat it, and the SDK
	// takes every Secret of a configuration out of what is shown.
	basic sdk.Secret
}

// images says how posters come to phones.
type images string

const imagesURL images = "url"

// Validate checks what the tags cannot say, and completes what the SDK has to know of.
func (c *config) Validate() error {
	if c.Username != "" {
		c.basic = sdk.Secret(base64.StdEncoding.EncodeToString([]byte(c.Username + ":" + c.Password.Reveal())))
	}
	server, err := endpointurl.Parse("server", sdk.Secret(c.Server))
	if err == nil && (server.User != nil || server.RawQuery != "" || server.Fragment != "") {
		err = sdk.Problem("server", "has more than a host and a path; credentials are token, or username and password")
	}
	problems := []error{err}
	// binwiederhier/ntfy, server/server.go: topicRegex.
	if !regexp.MustCompile(`^[-_A-Za-z0-9]{1,64}$`).MatchString(c.Topic.Reveal()) {
		problems = append(problems, sdk.Problem("topic", "is not a topic; write 1 to 64 letters, digits, - and _, without the server"))
	}
	switch {
	case c.Token != "" && (c.Username != "" || c.Password != ""):
		problems = append(problems, sdk.Problem("token", "excludes username and password; remove either"))
	case (c.Username == "") != (c.Password == ""):
		problems = append(problems, sdk.Problem("password", "goes with username; set both or neither"))
	}
	if c.Icon != "" && message.WebURL(c.Icon) == "" {
		problems = append(problems, sdk.Problem("icon", "is not a URL; write it in full, with https://"))
	}
	problems = append(problems, c.Priorities.Problems("priorities"), c.Templates.Problems("templates"))
	for _, pattern := range slices.Sorted(maps.Keys(c.Priorities)) {
		if p := c.Priorities[pattern]; p < 1 || p > 5 {
			problems = append(problems, sdk.Problem("priorities."+pattern, fmt.Sprintf("is %d; write 1 to 5", p)))
		}
	}
	return errors.Join(problems...)
}
