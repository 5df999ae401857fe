package endpoint

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const slackPath = "/services/T0000HOOK/B0000HOOK/sEcReTsEcReTsEcReTsEcReT"

// Slack is one Slack incoming webhook. Its limits are those of the Block Kit
// reference; that of the whole message is what chat.postMessage was seen to take
// (slackapi/bolt-js#2867). It is stricter than Slack in one thing: markup that could
// notify somebody, or characters that were not escaped, are refused. The zero value
// is ready.
//
// With a Limit it holds clients to that: Slack's own is 1 request a second. Traffic says
// how they kept to it, and to the pauses that they were asked for.
type Slack struct {
	channel[SlackBody]
	meter
	Limit Limit
}

// SlackBody is what may be posted.
type SlackBody struct {
	Text   string       `json:"text"`
	Blocks []SlackBlock `json:"blocks,omitempty"`
	// The preview of pages that a message links to.
	UnfurlLinks *bool `json:"unfurl_links,omitempty"`
	UnfurlMedia *bool `json:"unfurl_media,omitempty"`
}

// SlackBlock is one block; which members it may have depends on its type.
type SlackBlock struct {
	Type      string      `json:"type"`
	Text      *SlackText  `json:"text,omitempty"`
	Fields    []SlackText `json:"fields,omitempty"`
	Accessory *SlackImage `json:"accessory,omitempty"`
	Elements  []SlackText `json:"elements,omitempty"`
	ImageURL  string      `json:"image_url,omitempty"`
	AltText   string      `json:"alt_text,omitempty"`
}

// SlackText is a text object.
type SlackText struct {
	Type     string `json:"type"`
	Text     string `json:"text"`
	Emoji    *bool  `json:"emoji,omitempty"`
	Verbatim *bool  `json:"verbatim,omitempty"`
}

// SlackImage is an image element.
type SlackImage struct {
	Type     string `json:"type"`
	ImageURL string `json:"image_url"`
	AltText  string `json:"alt_text"`
}

// URL returns the webhook's URL on a server that serves s.
func (s *Slack) URL(server string) string { return server + slackPath }

// Throttle answers the next request with 429. Slack rounds up to whole seconds.
func (s *Slack) Throttle(after time.Duration) {
	s.Next(func(w http.ResponseWriter, _ *http.Request) { s.refuse(w, after) })
}

// refuse answers 429.
func (s *Slack) refuse(w http.ResponseWriter, after time.Duration) {
	told := map[string]any{"ok": false, "error": "rate_limited"}
	if s.Limit.NoRetryAfter {
		s.throttled(0)
	} else {
		// Nothing says how long to wait but whole seconds.
		seconds := wholeSeconds(after)
		s.throttled(time.Duration(seconds) * time.Second)
		w.Header().Set("Retry-After", strconv.Itoa(seconds))
		told["retry_after"] = seconds
	}
	writeJSON(w, http.StatusTooManyRequests, told)
}

// Fail answers the next request with one of Slack's error strings.
func (s *Slack) Fail(status int, code string) {
	s.Next(func(w http.ResponseWriter, _ *http.Request) { slackText(w, status, code) })
}

// ServeHTTP answers like Slack.
func (s *Slack) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	now := s.arrive()
	if s.scripted(w, r) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.URL.Path != slackPath {
		slackText(w, http.StatusNotFound, "no_service")
		return
	}
	if s.Limit.Requests > 0 {
		if ok, _, reset := s.admit(s.Limit, now); !ok {
			s.refuse(w, reset)
			return
		}
	}
	var body SlackBody
	err := strict(w, r, &body)
	code := "invalid_payload"
	if err == nil {
		code, err = body.breach()
	}
	if err != nil {
		s.refused = append(s.refused, err.Error())
		slackText(w, http.StatusBadRequest, code)
		return
	}
	s.messages = append(s.messages, body)
	slackText(w, http.StatusOK, "ok")
}

func slackText(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/html")
	w.WriteHeader(status)
	// The client is gone when this fails, and its own error says so.
	_, _ = io.WriteString(w, text)
}

// breach returns Slack's error string and what exactly is wrong.
func (b *SlackBody) breach() (string, error) {
	if length(b.Text) == 0 {
		return "no_text", errors.New("text is empty")
	}
	if err := markup(b.Text); err != nil {
		return "invalid_payload", fmt.Errorf("text: %w", err)
	}
	if len(b.Text) > 40000 || len(b.Blocks) > 50 {
		return "invalid_blocks", fmt.Errorf("%d bytes of text, %d blocks", len(b.Text), len(b.Blocks))
	}
	total := 0
	for i, block := range b.Blocks {
		n, err := block.check()
		if err != nil {
			return "invalid_blocks", fmt.Errorf("block %d, %s: %w", i, block.Type, err)
		}
		total += n
	}
	const mostSeen = 9597
	if total > mostSeen {
		return "msg_blocks_too_long", fmt.Errorf("%d characters in all", total)
	}
	return "", nil
}

// check returns how many characters of text the block has.
func (b *SlackBlock) check() (int, error) {
	switch {
	case b.Type == "divider":
		return 0, nil
	case b.Type == "header" && b.Text != nil && b.Text.Type == "plain_text":
		return b.Text.check(150)
	case b.Type == "image":
		return 0, SlackImage{b.Type, b.ImageURL, b.AltText}.check()
	case b.Type == "section" && (b.Text != nil || len(b.Fields) > 0) && len(b.Fields) <= 10:
		return b.checkSection()
	case b.Type == "context" && len(b.Elements) > 0 && len(b.Elements) <= 10:
		total := 0
		for _, t := range b.Elements {
			n, err := t.check(3000)
			if err != nil {
				return 0, err
			}
			total += n
		}
		return total, nil
	default:
		return 0, errors.New("unknown type, or members that it may not or must have")
	}
}

func (b *SlackBlock) checkSection() (int, error) {
	total := 0
	if b.Text != nil {
		n, err := b.Text.check(3000)
		if err != nil {
			return 0, err
		}
		total += n
	}
	for _, f := range b.Fields {
		n, err := f.check(2000)
		if err != nil {
			return 0, fmt.Errorf("field: %w", err)
		}
		total += n
	}
	if b.Accessory != nil {
		if err := b.Accessory.check(); err != nil {
			return 0, fmt.Errorf("accessory: %w", err)
		}
	}
	return total, nil
}

func (i SlackImage) check() error {
	if i.Type != "image" || !absolute(i.ImageURL) || len(i.ImageURL) > 3000 || length(i.AltText) == 0 || length(i.AltText) > 2000 {
		return errors.New("no image with an absolute URL and a text")
	}
	return nil
}

func (t *SlackText) check(longest int) (int, error) {
	n := length(t.Text)
	if n == 0 || n > longest {
		return 0, fmt.Errorf("%d characters, want 1 to %d", n, longest)
	}
	switch {
	case t.Type == "plain_text" && t.Verbatim == nil:
		return n, nil
	case t.Type == "mrkdwn" && t.Emoji == nil:
		return n, markup(t.Text)
	default:
		return 0, fmt.Errorf("text of type %q with members of another", t.Type)
	}
}

// Links, dates and entities are the only markup with brackets and ampersands that a
// message needs.
var slackMarkup = regexp.MustCompile(`<https?://[^<>|\s]+(\|[^<>]+)?>|<!date\^\d+\^[^<>|^]+\|[^<>]+>|&(amp|lt|gt);`)

// markup refuses text that could notify somebody or was not escaped.
func markup(s string) error {
	rest := slackMarkup.ReplaceAllString(s, "")
	if i := strings.IndexAny(rest, "<>&"); i >= 0 {
		return fmt.Errorf("unescaped %q", rest[i])
	}
	return nil
}
