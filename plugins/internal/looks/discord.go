package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// The parts of a Discord message that are drawn:
// https://docs.discord.com/developers/resources/message#embed-object.
type (
	discordBody struct {
		Content string         `json:"content"`
		Embeds  []discordEmbed `json:"embeds"`
	}
	discordEmbed struct {
		Title, Description, URL string
		Timestamp               time.Time
		Color                   int
		Author                  discordNamed
		Footer                  struct{ Text string }
		Image, Thumbnail        struct{ URL string }
		Fields                  []discordField
	}
	discordNamed struct{ Name, URL string }
	discordField struct {
		Name, Value string
		Inline      bool
	}
)

func drawDiscord(raw json.RawMessage) ([]node, error) {
	var body discordBody
	if err := json.Unmarshal(raw, &body); err != nil {
		return nil, err
	}
	var all []node
	if body.Content != "" {
		all = append(all, block("content", markdown(body.Content)...))
	}
	for _, e := range body.Embeds {
		all = append(all, e.draw())
	}
	return all, nil
}

func (e discordEmbed) draw() node {
	var main []node
	if e.Author.Name != "" {
		main = append(main, block("author", link(e.Author.URL, text(e.Author.Name))))
	}
	if e.Title != "" {
		main = append(main, block("title", link(e.URL, markdown(e.Title)...)))
	}
	if e.Description != "" {
		main = append(main, block("text", markdown(e.Description)...))
	}
	main = append(main, rows(e.Fields)...)
	if e.Image.URL != "" {
		main = append(main, picture("large", e.Image.URL))
	}
	if footer := e.footer(); footer != "" {
		main = append(main, block("footer", text(footer)))
	}
	card := block("embed", block("main", main...))
	if e.Thumbnail.URL != "" {
		card.Kids = append(card.Kids, picture("thumbnail", e.Thumbnail.URL))
	}
	card.Color = fmt.Sprintf("#%06x", e.Color)
	return card
}

func (e discordEmbed) footer() string {
	var parts []string
	if e.Footer.Text != "" {
		parts = append(parts, e.Footer.Text)
	}
	if !e.Timestamp.IsZero() {
		parts = append(parts, e.Timestamp.UTC().Format("2006-01-02 15:04"))
	}
	return strings.Join(parts, " • ")
}

// rows has Discord's columns: up to three fields that are inline stand beside each other.
func rows(fields []discordField) []node {
	const columns = 3
	var all []node
	for i := 0; i < len(fields); {
		n := 1
		for fields[i].Inline && n < columns && i+n < len(fields) && fields[i+n].Inline {
			n++
		}
		row := block("row")
		for _, f := range fields[i : i+n] {
			row.Kids = append(row.Kids, block("field", block("name", markdown(f.Name)...), block("value", markdown(f.Value)...)))
		}
		all = append(all, row)
		i += n
	}
	return all
}
