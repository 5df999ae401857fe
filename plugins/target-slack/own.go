package slack

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/hookarr/hookarr/plugins/internal/message"
	"github.com/hookarr/hookarr/plugins/internal/template"
	"github.com/hookarr/hookarr/sdk"
)

// own is what operators say instead of the built-in message: one of its parts.
type own struct {
	Text   *template.Template `json:"text" doc:"The message as text in Slack's mrkdwn, with links as <https://…|name>."`
	Blocks *template.Template `json:"blocks" doc:"The message as a JSON list of Block Kit blocks, or an object with the member blocks."`
}

// payload is what the templates make of events, or nothing without one. The sentence is
// for notifications.
func (o own) payload(events []sdk.Event, sentence string) (p payload, part string, err error) {
	part = "text"
	words, inMarkup, blocksOf := o.Text, escaped, textBlocks
	if o.Blocks != nil {
		part = "blocks"
		words, inMarkup, blocksOf = o.Blocks, escapedInJSON, jsonBlocks
	}
	said, err := words.Render(template.NewData(events...), inMarkup)
	if err != nil {
		return payload{}, part, err
	}
	source, err := words.MarshalText()
	if err != nil {
		return payload{}, part, err
	}
	blocks, err := blocksOf(quiet(said, string(source)))
	return payload{Text: sentence, Blocks: blocks}, part, err
}

// quiet takes out the mentions that are an event's: what json and raw print is not escaped.
// Those that the template has are the operator's.
func quiet(said, source string) string {
	return regexp.MustCompile(`<[!@#][^>]*`).ReplaceAllStringFunc(said, func(mention string) string {
		if strings.Contains(source, mention) || strings.HasPrefix(mention, "<!date^") {
			return mention
		}
		return "‹" + mention[len("<"):]
	})
}

// escaped is a text in mrkdwn, where it stands for itself. A URL is left to be one.
func escaped(s string) string {
	if u := message.WebURL(s); u != "" {
		return strings.ReplaceAll(u, "&", "&amp;")
	}
	return message.Escaped(s, escape)
}

// escapedInJSON is escaped inside of a JSON string.
func escapedInJSON(s string) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(escaped(s)); err != nil {
		return ""
	}
	quoted := strings.TrimSuffix(b.String(), "\n")
	return quoted[1 : len(quoted)-1]
}

// textBlocks puts a text into as many sections as it takes, in whole lines. What is over
// the limit of a message is cut off.
func textBlocks(s string) ([]block, error) {
	if strings.TrimSpace(s) == "" {
		return nil, errors.New("it says nothing")
	}
	var blocks []block
	var b strings.Builder
	end := func() {
		if text := strings.Trim(b.String(), "\n"); strings.TrimSpace(text) != "" {
			blocks = append(blocks, section(text))
		}
		b.Reset()
	}
	left := maxTotal - message.Len(ellipsis)
	for line := range strings.Lines(s) {
		if line = shortened(line); message.Len(line) > left {
			b.WriteString(ellipsis)
			break
		}
		if message.Len(b.String())+message.Len(line) > maxText {
			end()
		}
		b.WriteString(line)
		left -= message.Len(line)
	}
	end()
	return blocks, nil
}

const (
	ellipsis = "…"
	// maxText leaves a section room for what says that the message was cut.
	maxText = maxSection - 1
)

// shortened is a line that fits a text. It is not cut inside of an entity or a link.
func shortened(line string) string {
	const longestEntity = len("&amp;")
	if message.Len(line) <= maxText {
		return line
	}
	line = sdk.Cut(line, maxText-message.Len(ellipsis)-len("\n"), sdk.UTF16)
	if i := strings.LastIndexByte(line, '<'); i >= 0 && !strings.Contains(line[i:], ">") {
		line = line[:i]
	}
	if i := strings.LastIndexByte(line, '&'); i > len(line)-longestEntity && !strings.Contains(line[i:], ";") {
		line = line[:i]
	}
	return line + ellipsis + "\n"
}

// jsonBlocks reads blocks, as a list or in the form of Slack's Block Kit Builder. What is
// over Slack's limits would be refused as a whole.
func jsonBlocks(s string) ([]block, error) {
	var list []json.RawMessage
	if strings.HasPrefix(strings.TrimSpace(s), "{") {
		var built struct{ Blocks []json.RawMessage }
		if err := json.Unmarshal([]byte(s), &built); err != nil {
			return nil, fmt.Errorf("its JSON: %w", err)
		}
		list = built.Blocks
	} else if err := json.Unmarshal([]byte(s), &list); err != nil {
		return nil, fmt.Errorf("its JSON: %w", err)
	}
	if len(list) > maxBlocks {
		return nil, fmt.Errorf("it has %d blocks; Slack takes %d", len(list), maxBlocks)
	}
	blocks := make([]block, 0, len(list))
	total := 0
	for i, raw := range list {
		n, blank, err := weigh(raw)
		if err != nil {
			return nil, fmt.Errorf("block %d: %w", i+1, err)
		}
		if total += n; !blank {
			blocks = append(blocks, block{raw: raw})
		}
	}
	switch {
	case len(blocks) == 0:
		return nil, errors.New("it says nothing")
	case total > maxTotal:
		return nil, fmt.Errorf("it has %d characters of text; Slack takes about %d", total, maxTotal)
	}
	return blocks, nil
}

// weigh returns how many characters of text a block has, if it is within the limits. A
// blank one has room for text and none in it, as where an event does not have what the
// template asks for.
func weigh(raw json.RawMessage) (characters int, blank bool, err error) {
	var b struct {
		Type   string
		Text   *struct{ Text string }
		Fields []json.RawMessage
	}
	var v any
	switch err := errors.Join(json.Unmarshal(raw, &b), json.Unmarshal(raw, &v)); {
	case err != nil || b.Type == "":
		return 0, false, errors.New("it is no block with a type")
	case len(b.Fields) > maxFields:
		return 0, false, fmt.Errorf("it has %d fields; Slack takes %d", len(b.Fields), maxFields)
	}
	longest := maxSection
	if b.Type == "header" {
		longest = maxHeader
	}
	for _, s := range textsOf(v, nil) {
		n := message.Len(s)
		if n > longest {
			return 0, false, fmt.Errorf("it has a text of %d characters; Slack takes %d", n, longest)
		}
		characters += n
	}
	return characters, b.Text != nil && strings.TrimSpace(b.Text.Text) == "", nil
}

// textsOf adds the members named text, at any depth.
func textsOf(v any, texts []string) []string {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			texts = textsOf(item, texts)
		}
	case map[string]any:
		for name, member := range v {
			if s, ok := member.(string); ok && name == "text" {
				texts = append(texts, s)
			} else {
				texts = textsOf(member, texts)
			}
		}
	}
	return texts
}
