package host

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/internal/pluginv1"
)

// What is taken of a plugin's options, and how deep in its schema their keys may be.
const (
	maxOptions     = 1000
	maxSchemaDepth = 32
)

// OptionKey is a key of a configuration whose values a plugin can tell.
type OptionKey struct {
	// Key is the dotted path inside the configuration.
	Key         string `json:"key"`
	Description string `json:"description,omitempty"`
}

// OptionKeys are the keys that have options, by their paths; none for a plugin without
// sdk.FeatureOptions.
func (d Description) OptionKeys() []OptionKey {
	if !slices.Contains(d.Features, sdk.FeatureOptions) {
		return nil
	}
	var root schemaNode
	_ = json.Unmarshal(d.ConfigSchema, &root) // what is of another type has no options
	found := root.optionKeys(nil)
	slices.SortFunc(found, func(a, b OptionKey) int { return strings.Compare(a.Key, b.Key) })
	return found[:min(len(found), maxOptions)]
}

// schemaNode is what is read of a schema.
type schemaNode struct {
	Description string                `json:"description"`
	Options     bool                  `json:"x-hookarr-options"`
	Properties  map[string]schemaNode `json:"properties"`
}

func (n *schemaNode) optionKeys(at []string) []OptionKey {
	var found []OptionKey
	if n.Options {
		found = append(found, OptionKey{Key: line(strings.Join(at, "."), maxName), Description: line(n.Description, maxMessage)})
	}
	if len(at) == maxSchemaDepth {
		return found
	}
	for name, p := range n.Properties {
		found = append(found, p.optionKeys(append(slices.Clone(at), name))...)
	}
	return found
}

// Options asks a plugin for the values that a key of an instance may have. The instance
// need not be in place, and its configuration may be without the key. The error matches
// ErrUnsupported for a plugin without sdk.FeatureOptions.
func (c *Client) Options(ctx context.Context, in Instance, key string) ([]sdk.Option, error) {
	wire := toInstance(in)
	resp, err := c.options.ListOptions(ctx, &pluginv1.ListOptionsRequest{
		Instance: wire.GetName(), Config: wire.GetConfig(), Key: valid(key), Host: toHostInfo(c.Host),
	})
	if err != nil {
		return nil, fmt.Errorf("list options: %w", supported(err))
	}
	all := make([]sdk.Option, 0, min(len(resp.GetOptions()), maxOptions))
	known := map[string]bool{}
	for _, o := range resp.GetOptions() {
		value := o.GetValue()
		// A value that is shown otherwise than it is to be written is of no use.
		if value == "" || len(value) > maxMessage || known[value] || strings.ContainsFunc(value, unshowable) {
			continue
		}
		if len(all) == maxOptions {
			break
		}
		known[value] = true
		all = append(all, sdk.Option{Value: value, Label: line(o.GetLabel(), maxMessage)})
	}
	return all, nil
}

func unshowable(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }
