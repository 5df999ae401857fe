package main

import (
	"encoding/json"
	"fmt"
)

// The parts of a Slack message that are drawn: https://docs.slack.dev/reference/block-kit/blocks.
type (
	slackBody  struct{ Blocks []slackBlock }
	slackBlock struct {
		Type      string
		Text      slackText
		Fields    []slackText
		Elements  []slackText
		Accessory slackImage
		slackImage
	}
	slackText struct {
		Type, Text string
		slackImage
	}
	slackImage struct {
		ImageURL string `json:"image_url"`
	}
)

func drawSlack(raw json.RawMessage) ([]node, error) {
	var body slackBody
	if err := json.Unmarshal(raw, &body); err != nil {
		return nil, err
	}
	var all []node
	for _, b := range body.Blocks {
		n, err := b.draw()
		if err != nil {
			return nil, err
		}
		all = append(all, n)
	}
	return all, nil
}

func (b slackBlock) draw() (node, error) {
	switch b.Type {
	case "header":
		return block("header", text(b.Text.Text)), nil
	case "image":
		return picture("large", b.ImageURL), nil
	case "divider":
		return block("divider"), nil
	case "context":
		return block("context", drawAll(b.Elements)...), nil
	case "section":
		var main []node
		if b.Text.Text != "" {
			main = append(main, block("text", b.Text.draw()))
		}
		if len(b.Fields) > 0 {
			main = append(main, block("fields", drawAll(b.Fields)...))
		}
		section := block("section", block("main", main...))
		if b.Accessory.ImageURL != "" {
			section.Kids = append(section.Kids, picture("thumbnail", b.Accessory.ImageURL))
		}
		return section, nil
	default:
		return node{}, fmt.Errorf("there is no way to draw a block of the type %q", b.Type)
	}
}

func drawAll(texts []slackText) []node {
	all := make([]node, 0, len(texts))
	for _, t := range texts {
		all = append(all, t.draw())
	}
	return all
}

func (t slackText) draw() node {
	switch {
	case t.ImageURL != "":
		return picture("small", t.ImageURL)
	case t.Type == "plain_text":
		return block("inline", text(t.Text))
	default:
		return block("inline", mrkdwn(t.Text)...)
	}
}
