package main

import (
	"strings"
)

// markdown draws what plugins write in Discord's Markdown: bold, code, links, and \ before
// what is none of these. Anything else is shown as it is written.
func markdown(s string) []node {
	w := writer{}
	for s != "" {
		switch {
		case s[0] == '\\' && len(s) > 1 && strings.ContainsRune("\\*_~|`[]<>#-+(){}!.", rune(s[1])):
			w.text(s[1:2])
			s = s[2:]
		case s[0] == '\n':
			w.add(of(tagBreak))
			s = s[1:]
		case strings.HasPrefix(s, "**"):
			if inner, rest, ok := between(s, "**", "**"); ok {
				w.add(of(tagBold, markdown(inner)...))
				s = rest
				continue
			}
			w.text("**")
			s = s[len("**"):]
		case s[0] == '`':
			if inner, rest, ok := between(s, "`", "`"); ok {
				w.add(of(tagCode, text(inner)))
				s = rest
				continue
			}
			w.text("`")
			s = s[1:]
		case s[0] == '[':
			label, rest, ok := between(s, "[", "](")
			url, after, closed := strings.Cut(rest, ")")
			if ok && closed {
				w.add(link(url, markdown(label)...))
				s = after
				continue
			}
			w.text("[")
			s = s[1:]
		default:
			n := 1 + strings.IndexAny(s[1:]+"\\", "\\\n*`[")
			w.text(s[:n])
			s = s[n:]
		}
	}
	return w.nodes
}

// mrkdwn draws what plugins write in Slack's markup: bold, code, links, dates, and entities:
// https://docs.slack.dev/messaging/formatting-message-text.
func mrkdwn(s string) []node {
	w := writer{}
	for s != "" {
		switch s[0] {
		case '\n':
			w.add(of(tagBreak))
			s = s[1:]
		case '*', '`':
			mark := s[:1]
			inner, rest, ok := between(s, mark, mark)
			switch {
			case !ok || strings.Contains(inner, "\n"):
				w.text(mark)
				s = s[1:]
			case mark == "*":
				w.add(of(tagBold, mrkdwn(inner)...))
				s = rest
			default:
				w.add(of(tagCode, text(unescape(inner))))
				s = rest
			}
		case '<':
			inner, rest, ok := between(s, "<", ">")
			if !ok {
				w.text("<")
				s = s[1:]
				continue
			}
			address, label, _ := strings.Cut(inner, "|")
			if strings.HasPrefix(address, "!date^") {
				address = ""
			}
			w.add(link(unescape(address), mrkdwn(label)...))
			s = rest
		default:
			n := 1 + strings.IndexAny(s[1:]+"<", "\n*`<")
			w.text(unescape(s[:n]))
			s = s[n:]
		}
	}
	return w.nodes
}

func unescape(s string) string {
	return strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(s)
}

// between cuts s, which begins with opening, at closing. The text between is not empty.
func between(s, opening, closing string) (inner, rest string, ok bool) {
	s = s[len(opening):]
	for i := range len(s) {
		switch {
		case i > 0 && s[i-1] == '\\':
		case i > 0 && strings.HasPrefix(s[i:], closing):
			return s[:i], s[i+len(closing):], true
		}
	}
	return "", "", false
}

// writer joins texts that follow each other.
type writer struct{ nodes []node }

func (w *writer) add(n node) { w.nodes = append(w.nodes, n) }

func (w *writer) text(s string) {
	if n := len(w.nodes); n > 0 && w.nodes[n-1].Tag == "" {
		w.nodes[n-1].Text += s
		return
	}
	w.add(text(s))
}
