package picture

import (
	"html"
	"regexp"
)

var (
	// markdownMark is an escaped character, a link, or a mark of bold or code.
	markdownMark   = regexp.MustCompile("\\\\([[:punct:]])|\\[((?:\\\\.|[^\\]\\\\])*)\\]\\([^)\\s]*\\)|\\*\\*|`+")
	markdownEscape = regexp.MustCompile(`\\([[:punct:]])`)
	// mrkdwnMark is a date with what it is elsewhere, a link with its text, a link, or a mark
	// of bold or code.
	mrkdwnMark = regexp.MustCompile("<!date\\^[^|>]*\\|([^>]*)>|<[^|>]*\\|([^>]*)>|<([^>]*)>|\\*([^*\\s](?:[^*\\n]*[^*\\s])?)\\*|`+")
	htmlMark   = regexp.MustCompile(`</?[a-zA-Z][^>]*>`)
)

// fromMarkdown is what people see of Discord's Markdown, less what is bold.
func fromMarkdown(text string) string {
	return markdownMark.ReplaceAllStringFunc(text, func(mark string) string {
		m := markdownMark.FindStringSubmatch(mark)
		return m[1] + markdownEscape.ReplaceAllString(m[2], "$1")
	})
}

// fromMrkdwn is what people see of https://docs.slack.dev/messaging/formatting-message-text,
// less what is bold.
func fromMrkdwn(text string) string {
	replaced := text
	for range 2 { // what is bold may be a link
		replaced = mrkdwnMark.ReplaceAllStringFunc(replaced, func(mark string) string {
			m := mrkdwnMark.FindStringSubmatch(mark)
			return m[1] + m[2] + m[3] + m[4]
		})
	}
	return html.UnescapeString(replaced)
}

// fromHTML is the text of a few tags within lines.
func fromHTML(text string) string {
	return html.UnescapeString(htmlMark.ReplaceAllString(text, ""))
}
