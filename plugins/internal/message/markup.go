package message

import "strings"

// Heading is what happened to what, in one line of plain text.
func (m Message) Heading() string {
	return joined(" ", m.Emoji, joined(": ", m.Headline, m.Title))
}

// Body is the message for services that show its heading apart: the texts of what it
// returns begin after that.
func (m Message) Body() Message {
	m.Emoji, m.Headline, m.Title = "", "", ""
	return m
}

// Plain writes the message as plain text of at most limit UTF-16 code units. It names
// no pages and no picture.
func (m Message) Plain(limit int) string {
	return m.write(limit, markup{
		escape: Plain, code: [2]string{}, escapeCode: Plain,
		paragraph: "\n", item: "• ",
	})
}

// HTML writes the message in the few elements that chat services take (b, i, a, code),
// with line feeds between lines. It has at most limit UTF-16 code units.
func (m Message) HTML(limit int) string {
	return m.write(limit, markup{
		escape: htmlEscape, bold: [2]string{"<b>", "</b>"}, code: [2]string{"<code>", "</code>"}, escapeCode: htmlEscape,
		italic: [2]string{"<i>", "</i>"}, paragraph: "\n\n", item: "• ",
		link: func(name, url string) string { return `<a href="` + Escaped(url, htmlEscape) + `">` + name + "</a>" },
	})
}

// Markdown writes the message in CommonMark of at most limit UTF-16 code units.
func (m Message) Markdown(limit int) string {
	return m.write(limit, markup{
		escape: MarkdownEscape, bold: [2]string{"**", "**"}, code: [2]string{"`", "`"}, escapeCode: Code,
		italic: [2]string{"*", "*"}, paragraph: "\n\n", item: "- ", fieldItem: "* ",
		link: func(name, url string) string { return "[" + name + "](" + url + ")" },
	})
}

// MarkdownEscape is the [Escape] of CommonMark and of its usual extensions.
func MarkdownEscape(prev, r rune) string {
	switch r {
	case '\\', '*', '_', '~', '|', '`', '[', ']', '<', '>', '&':
		return `\` + string(r)
	case '#', '-', '+', '=':
		if prev == '\n' {
			return `\` + string(r)
		}
	case '\n':
		return "  \n"
	}
	return string(r)
}

func htmlEscape(_, r rune) string {
	switch r {
	case '&':
		return "&amp;"
	case '<':
		return "&lt;"
	case '>':
		return "&gt;"
	case '"':
		return "&quot;"
	default:
		return string(r)
	}
}

// Escaped is all of a text as it stands for itself in a service's markup.
func Escaped(s string, escape Escape) string {
	var b strings.Builder
	prev := '\n'
	for _, r := range s {
		b.WriteString(escape(prev, r))
		prev = r
	}
	return b.String()
}

// markup is how a kind of text writes the parts of a message.
type markup struct {
	escape, escapeCode Escape
	bold, italic, code [2]string
	// paragraph separates what does not belong together; item and fieldItem begin lines.
	paragraph, item, fieldItem string
	// link is nil where there are none. The name is escaped.
	link func(name, url string) string
}

// leastText is the room below which a part is left out rather than cut.
const leastText = 12

// writer hands out the characters that a text has left.
type writer struct {
	markup
	b    strings.Builder
	left int
}

func (m Message) write(limit int, k markup) string {
	w := writer{markup: k, left: limit}
	w.heading(m)
	w.part(w.paragraph, "", m.Summary, "", w.left)
	// A long text leaves room for what comes after it.
	w.part(w.paragraph, "", m.Text, "", max(w.left/2, w.left-posterText))
	separator := w.paragraph
	for _, item := range m.List {
		if w.part(separator, w.item, item, "", w.left) {
			separator = "\n"
		}
	}
	separator = w.paragraph
	for _, f := range m.Fields {
		if w.field(separator, f) {
			separator = "\n"
		}
	}
	w.links(m.Links)
	w.part(w.paragraph, w.italic[0], m.Footer, w.italic[1], w.left)
	return w.b.String()
}

func (w *writer) heading(m Message) {
	if m.Headline == "" {
		return
	}
	before, after := w.bold[0], w.bold[1]
	w.part("", before, joined(" ", m.Emoji, m.Headline), after, w.left)
	if m.Title == "" {
		return
	}
	separator := ": "
	if w.link == nil || m.URL == "" {
		w.part(separator, "", m.Title, "", w.left)
		return
	}
	before, after, _ = strings.Cut(w.link("\x00", m.URL), "\x00")
	if !w.part(separator, before, m.Title, after, w.left) {
		w.part(separator, "", m.Title, "", w.left)
	}
}

func (w *writer) field(separator string, f Field) bool {
	before, after, escape := w.fieldItem+w.bold[0]+Escaped(f.Name, w.escape)+":"+w.bold[1]+" ", "", w.escape
	if f.Code {
		before, after, escape = before+w.code[0], w.code[1], w.escapeCode
	}
	return w.fit(separator, before, f.Value, after, w.left, escape)
}

// links writes those that fit whole into a line.
func (w *writer) links(links []Link) {
	if w.link == nil {
		return
	}
	separator := w.paragraph
	for _, l := range links {
		if s := separator + w.link(Escaped(l.Name, w.escape), l.URL); Len(s) <= w.left {
			w.put(s)
			separator = " · "
		}
	}
}

func (w *writer) part(separator, before, s, after string, limit int) bool {
	return w.fit(separator, before, s, after, limit, w.escape)
}

// fit writes s, cut to limit, and reports whether there was room for it.
func (w *writer) fit(separator, before, s, after string, limit int, escape Escape) bool {
	if w.b.Len() == 0 {
		separator = ""
	}
	room := min(limit, w.left) - Len(separator) - Len(before) - Len(after)
	if s == "" || room < 1 || room < leastText && Len(Escaped(s, escape)) > room {
		return false
	}
	w.put(separator + before + Fit(s, room, escape) + after)
	return true
}

func (w *writer) put(s string) {
	w.b.WriteString(s)
	w.left -= Len(s)
}
