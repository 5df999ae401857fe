package main

import (
	"encoding/json"
	"strings"
)

// drawTelegram draws a text, or a picture with a caption.
func drawTelegram(raw json.RawMessage) ([]node, error) {
	var message struct{ Method, HTML string }
	if err := json.Unmarshal(raw, &message); err != nil {
		return nil, err
	}
	content, err := fromHTML(message.HTML)
	if err != nil {
		return nil, err
	}
	bubble := block("bubble")
	if message.Method == "sendPhoto" {
		bubble.Kids = append(bubble.Kids, picture("large", ""))
	}
	bubble.Kids = append(bubble.Kids, block("text", content...))
	return []node{bubble}, nil
}

// drawNtfy draws a notification: https://docs.ntfy.sh/publish/.
func drawNtfy(raw json.RawMessage) ([]node, error) {
	var note struct {
		Title, Message, Attach string
		Priority               int
		Tags                   []string
		Actions                []struct{ Label, URL string }
	}
	if err := json.Unmarshal(raw, &note); err != nil {
		return nil, err
	}
	title := note.Title
	if len(note.Tags) > 0 {
		title = emoji(note.Tags[0]) + " " + title
	}
	all := []node{block("priority", text(priority(note.Priority))), block("title", text(title)), block("text", lines(note.Message)...)}
	if note.Attach != "" {
		all = append(all, picture("large", note.Attach))
	}
	var actions []node
	for _, a := range note.Actions {
		actions = append(actions, link(a.URL, text(a.Label)))
	}
	if len(actions) > 0 {
		all = append(all, block("actions", actions...))
	}
	return []node{block("card", all...)}, nil
}

func priority(n int) string {
	return map[int]string{1: "least", 2: "low", 4: "high", 5: "urgent"}[n]
}

// emoji is what ntfy shows for a tag, some of those at https://docs.ntfy.sh/emojis/.
func emoji(tag string) string {
	known := map[string]string{
		"bell": "🔔", "inbox_tray": "📥", "white_check_mark": "✅", "sparkles": "✨", "x": "❌", "pencil2": "✏️", "label": "🏷️",
		"wastebasket": "🗑️", "recycle": "♻️", "heavy_plus_sign": "➕", "green_heart": "💚", "arrow_up": "⬆️", "raised_hand": "✋",
		"pause_button": "⏸️", "arrow_forward": "▶️", "mailbox_with_no_mail": "📭", "wave": "👋", "rotating_light": "🚨", "warning": "⚠️",
		"information_source": "ℹ️", "clipboard": "📋", "popcorn": "🍿", "raising_hand": "🙋", "+1": "👍", "-1": "👎",
	}
	if e, ok := known[tag]; ok {
		return e
	}
	return tag
}

// drawApprise draws a title and a text, which is what all services have.
func drawApprise(raw json.RawMessage) ([]node, error) {
	var message struct{ Title, Body string }
	if err := json.Unmarshal(raw, &message); err != nil {
		return nil, err
	}
	return []node{block("card", block("title", text(message.Title)), block("text", lines(message.Body)...))}, nil
}

// drawEmail draws the subject and the page of a mail.
func drawEmail(raw json.RawMessage) ([]node, error) {
	var mail struct{ Subject, Page string }
	if err := json.Unmarshal(raw, &mail); err != nil {
		return nil, err
	}
	page, err := fromHTML(strings.TrimPrefix(mail.Page, ">"))
	if err != nil {
		return nil, err
	}
	return []node{block("subject", text(mail.Subject)), block("page", page...)}, nil
}
