package telegram

import (
	"encoding/json"
	"errors"
	"regexp"
	"strings"

	"github.com/invopop/jsonschema"

	"github.com/hookarr/hookarr/plugins/internal/endpointurl"
	"github.com/hookarr/hookarr/plugins/internal/message"
	"github.com/hookarr/hookarr/plugins/internal/poster"
	"github.com/hookarr/hookarr/plugins/internal/template"
	"github.com/hookarr/hookarr/sdk"
)

// config is one chat.
type config struct {
	BotToken        sdk.Secret                         `json:"bot_token" hookarr:"required,title=Token" doc:"The bot's token, from @BotFather: 1234567890:AAH…."`
	ChatID          chatID                             `json:"chat_id" hookarr:"required,title=Chat" doc:"The chat: its number, which is negative for groups and channels, or the @name of a public channel or group."`
	MessageThreadID int                                `json:"message_thread_id" hookarr:"title=Topic" jsonschema:"minimum=0" doc:"Number of a topic in a group that has topics."`
	Look            message.Look                       `json:"look" hookarr:"default=standard,enum=compact|standard|rich|poster,group=Look" doc:"How much a message says."`
	Images          images                             `json:"images" hookarr:"default=upload,enum=upload|url|off,group=Look" doc:"Posters: upload has Hookarr fetch and send them, url has Telegram fetch those of public sites, off is none."`
	ImageHosts      []string                           `json:"image_hosts" hookarr:"advanced" doc:"Hosts that posters are uploaded from besides the public ones of TMDb, TVDB, fanart.tv, TVmaze and Lidarr, such as nas.lan:7878."`
	Silent          []string                           `json:"silent" doc:"Types of events that make no sound, as in routes: release.grabbed, health.*; * is all."`
	Templates       template.ByType[template.Template] `json:"templates" hookarr:"group=Own words" doc:"Own texts by types of events, as in routes, in Telegram's HTML."`
	APIURL          string                             `json:"api_url" hookarr:"default=https://api.telegram.org,advanced" doc:"URL of the Bot API, for a server of your own."`
}

// images says how posters come to Telegram.
type images string

const (
	imagesUpload images = "upload"
	imagesURL    images = "url"
)

// chatID is a number, which YAML has without quotes, or an @name.
type chatID string

// UnmarshalJSON reads a number or a string.
func (c *chatID) UnmarshalJSON(data []byte) error {
	var n json.Number
	if err := json.Unmarshal(data, &n); err == nil {
		*c = chatID(n)
		return nil
	}
	var s string
	if err := json.Unmarshal(data, &s); err != nil {
		return errors.New("is a number or an @name")
	}
	*c = chatID(s)
	return nil
}

// JSONSchema leaves the type to UnmarshalJSON, whose error speaks of both.
func (chatID) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Examples: []any{int64(-1001234567890), "@mychannel"}}
}

// Validate checks what the tags cannot say.
func (c config) Validate() error {
	var problems []error
	// https://core.telegram.org/bots/features#botfather
	if !regexp.MustCompile(`^[1-9]\d{0,19}:[A-Za-z0-9_-]{1,60}$`).MatchString(c.BotToken.Reveal()) {
		problems = append(problems, sdk.Problem("bot_token", "is not a bot's token; copy it from @BotFather: digits, a colon and letters"))
	}
	if !regexp.MustCompile(`^(-?[1-9]\d{0,15}|@[A-Za-z]\w{3,31})$`).MatchString(string(c.ChatID)) {
		problems = append(problems, sdk.Problem("chat_id", "is not a chat; write its number, such as -1001234567890, or the @name of a public channel"))
	}
	api, err := endpointurl.Parse("api_url", sdk.Secret(c.APIURL))
	if err == nil && (api.User != nil || api.RawQuery != "" || api.Fragment != "") {
		err = sdk.Problem("api_url", "has more than a host and a path; write it as https://api.telegram.org")
	}
	problems = append(problems, err, poster.CheckHosts(c.ImageHosts))
	problems = append(problems, c.silent().Problems("silent"), c.Templates.Problems("templates"))
	return errors.Join(problems...)
}

// silent holds the types of events that make no sound.
func (c config) silent() template.ByType[bool] {
	all := make(template.ByType[bool], len(c.Silent))
	for _, pattern := range c.Silent {
		all[pattern] = true
	}
	return all
}

// base is the URL that a method's name is put behind.
func (c config) base() string {
	return strings.TrimSuffix(c.APIURL, "/") + "/bot" + c.BotToken.Reveal() + "/"
}
