package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/hookarr/hookarr/plugins/internal/message"
)

// target is a target plugin whose golden files hold the messages that it sends in every
// look.
type target struct {
	Name, Title string
	// read returns a case's message in a look from the directory of golden files.
	read func(dir, name string, look message.Look) (json.RawMessage, error)
	draw func(json.RawMessage) ([]node, error)
	// leaves are cases that have no golden file.
	leaves []string
}

// targets are in the order of the page.
func targets() []target {
	// They are long, and nothing else.
	long := []string{"extreme_everything", "extreme_files", "extreme_rtl_emoji"}
	return []target{
		{Name: "discord", Title: "Discord", read: byCase, draw: drawDiscord},
		{Name: "slack", Title: "Slack", read: byCase, draw: drawSlack},
		{Name: "telegram", Title: "Telegram", read: byCase, draw: drawTelegram},
		{Name: "ntfy", Title: "ntfy", read: byCase, draw: drawNtfy},
		{Name: "email", Title: "Email", read: byLook, draw: drawEmail, leaves: long},
		{Name: "apprise", Title: "Apprise", read: byLook, draw: drawApprise, leaves: long},
	}
}

// message draws a case in a look. It is nil for what the target leaves out.
func (t target) message(plugins, name string, look message.Look) ([]node, error) {
	if slices.Contains(t.leaves, name) {
		return nil, nil
	}
	raw, err := t.read(filepath.Join(plugins, "target-"+t.Name, "testdata"), name, look)
	if err != nil {
		return nil, err
	}
	drawn, err := t.draw(raw)
	if err != nil {
		return nil, fmt.Errorf("draw %s of target-%s, %s: %w", name, t.Name, look, err)
	}
	return drawn, nil
}

// byCase reads a file for each case, with all looks.
func byCase(dir, name string, look message.Look) (json.RawMessage, error) {
	return member(filepath.Join(dir, name+".golden.json"), string(look))
}

// byLook reads a file for each look, with all cases.
func byLook(dir, name string, look message.Look) (json.RawMessage, error) {
	return member(filepath.Join(dir, string(look)+".golden.json"), name)
}

func member(file, key string) (json.RawMessage, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read a message that a plugin sends: %w", err)
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(content, &all); err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	raw, ok := all[key]
	if !ok {
		return nil, fmt.Errorf("read %s: it has no %s", file, key)
	}
	return raw, nil
}
