package endpoint

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The channels of the one workspace that a SlackAPI has. The bot is a member of the first.
const (
	SlackChannel        = "C0000MEDIA"
	SlackChannelName    = "media"
	SlackForeignChannel = "C000OTHERS"
)

const slackBotToken = "xoxb-0000-sEcReTsEcReTsEcReT"

// SlackAPI is a Slack workspace as a bot meets it: the methods chat.postMessage and
// chat.update of the Web API, with the limits of [Slack] on what they are given, and
// conversations.list. Errors
// come the way of the Web API, as a 200 with a word; the words are those of
// https://docs.slack.dev/reference/methods. The zero value is ready.
//
// With a Limit it holds clients to that in each channel: Slack's own is about 1 message a
// second.
type SlackAPI struct {
	channel[SlackMessage]
	meter
	Limit Limit
	// Conversations are the channels that conversations.list tells; those of the workspace if
	// there are none.
	Conversations []SlackConversation
	// Scopes are those of the token for lists; channels:read and groups:read if there are none.
	Scopes   []string
	channels map[string]*meter
	refusals map[string]string
	posted   int
}

// SlackMessage is a message as it stands in its channel.
type SlackMessage struct {
	Channel string
	TS      string
	// Edits counts the changes since it was posted.
	Edits int
	SlackBody
}

// slackCall is what the methods take.
type slackCall struct {
	Channel string `json:"channel"`
	TS      string `json:"ts"`
	Parse   string `json:"parse"`
	SlackBody
}

// URL returns the address of the API on a server that serves s; methods follow it.
func (s *SlackAPI) URL(server string) string { return server + "/api/" }

// Token returns the token of the bot.
func (s *SlackAPI) Token() string { return slackBotToken }

// Refuse answers calls of a method with an error's word, until it is called with an empty
// one. The method "" stands for all.
func (s *SlackAPI) Refuse(method, word string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refusals == nil {
		s.refusals = map[string]string{}
	}
	s.refusals[method] = word
}

// Fail answers the next request with an error's word.
func (s *SlackAPI) Fail(word string) {
	s.Next(func(w http.ResponseWriter, _ *http.Request) { slackError(w, word, nil) })
}

// Throttle answers the next request with 429.
func (s *SlackAPI) Throttle(after time.Duration) {
	s.Next(func(w http.ResponseWriter, _ *http.Request) { s.refuse(w, after) })
}

func (s *SlackAPI) refuse(w http.ResponseWriter, after time.Duration) {
	seconds := wholeSeconds(after)
	if s.Limit.NoRetryAfter {
		seconds = 0
	} else {
		w.Header().Set("Retry-After", strconv.Itoa(seconds))
	}
	s.throttled(time.Duration(seconds) * time.Second)
	writeJSON(w, http.StatusTooManyRequests, map[string]any{"ok": false, "error": "ratelimited"})
}

// ServeHTTP answers like Slack.
func (s *SlackAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	now := s.arrive()
	if s.scripted(w, r) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	method, _ := strings.CutPrefix(r.URL.Path, "/api/")
	if word := s.stranger(r, method); word != "" {
		slackError(w, word, nil)
		return
	}
	if method == methodList {
		s.list(w, r)
		return
	}
	var call slackCall
	if err := strict(w, r, &call); err != nil {
		s.refused = append(s.refused, err.Error())
		slackError(w, "invalid_json", nil)
		return
	}
	if s.Limit.Requests > 0 {
		if ok, _, reset := s.meterOf(call.Channel).admit(s.Limit, now); !ok {
			s.refuse(w, reset)
			return
		}
	}
	word, err := call.breach(method)
	if err != nil {
		s.refused = append(s.refused, err.Error())
		slackError(w, word, err)
		return
	}
	if method == "chat.update" {
		s.update(w, call)
		return
	}
	s.post(w, call)
}

// stranger returns the word for a call that is not looked at any further.
func (s *SlackAPI) stranger(r *http.Request, method string) string {
	token, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	switch {
	case method != "chat.postMessage" && method != "chat.update" && method != methodList:
		return "unknown_method"
	case !bearer:
		return "not_authed"
	case token != slackBotToken:
		return "invalid_auth"
	case s.refusals[method] != "":
		return s.refusals[method]
	case s.refusals[""] != "":
		return s.refusals[""]
	case method == methodList:
		return ""
	case r.Method != http.MethodPost || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json"):
		return "invalid_post_type"
	default:
		return ""
	}
}

func (s *SlackAPI) meterOf(channel string) *meter {
	if s.channels == nil {
		s.channels = map[string]*meter{}
	}
	if s.channels[channel] == nil {
		s.channels[channel] = &meter{}
	}
	return s.channels[channel]
}

// breach returns Slack's word and what exactly is wrong.
func (c *slackCall) breach(method string) (string, error) {
	// An edit takes a tenth of the text, counted in bytes (openclaw/openclaw#115027).
	const maxEdited = 4000
	edits := method == "chat.update"
	switch {
	case edits == (c.TS == ""):
		return "invalid_arguments", fmt.Errorf("ts is %q", c.TS)
	case edits && (c.UnfurlLinks != nil || c.UnfurlMedia != nil):
		return "invalid_arguments", fmt.Errorf("%s has no unfurl_links and unfurl_media", method)
	case edits && c.Parse != "none":
		// Its default would make links and mentions of what looks like some.
		return "invalid_arguments", fmt.Errorf("parse is %q", c.Parse)
	case edits && len(c.Text) > maxEdited:
		return "msg_too_long", fmt.Errorf("%d bytes of text", len(c.Text))
	}
	word, err := c.SlackBody.breach()
	if word == "invalid_payload" {
		word = "invalid_arguments"
	}
	return word, err
}

// post takes the channel's id or its name.
func (s *SlackAPI) post(w http.ResponseWriter, call slackCall) {
	switch strings.TrimPrefix(call.Channel, "#") {
	case SlackChannel, SlackChannelName:
	case SlackForeignChannel:
		slackError(w, "not_in_channel", nil)
		return
	default:
		slackError(w, "channel_not_found", nil)
		return
	}
	s.posted++
	m := SlackMessage{Channel: SlackChannel, TS: fmt.Sprintf("1764374400.%06d", s.posted), SlackBody: call.SlackBody}
	s.messages = append(s.messages, m)
	m.answer(w)
}

// update takes the channel's id alone (slackapi/python-slack-sdk#696).
func (s *SlackAPI) update(w http.ResponseWriter, call slackCall) {
	if call.Channel != SlackChannel {
		slackError(w, "channel_not_found", nil)
		return
	}
	i := slices.IndexFunc(s.messages, func(m SlackMessage) bool { return m.TS == call.TS })
	if i < 0 {
		slackError(w, "message_not_found", nil)
		return
	}
	s.messages[i].SlackBody = call.SlackBody
	s.messages[i].Edits++
	s.messages[i].answer(w)
}

func (m SlackMessage) answer(w http.ResponseWriter) {
	writeJSON(w, http.StatusOK, map[string]any{
		"ok": true, "channel": m.Channel, "ts": m.TS,
		"message": map[string]any{"type": "message", "text": m.Text, "ts": m.TS, "bot_id": "B0000HOOK"},
	})
}

// slackError answers with a word, and with what Slack tells besides.
func slackError(w http.ResponseWriter, word string, detail error) {
	told := map[string]any{"ok": false, "error": word}
	if detail != nil {
		told["errors"] = []string{detail.Error()}
		told["response_metadata"] = map[string]any{"messages": []string{"[ERROR] " + detail.Error()}}
	}
	if word == "missing_scope" {
		maps.Copy(told, map[string]any{"needed": "chat:write", "provided": "channels:read"})
	}
	writeJSON(w, http.StatusOK, told)
}
