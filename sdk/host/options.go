package host

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/internal/pluginv1"
)

// What is taken of a plugin's options, and what is read of its schema for their keys: bytes,
// keys, and how deep they are.
const (
	maxOptions     = 1000
	maxSchema      = 1 << 20
	maxSchemaKeys  = 1000
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
	if len(d.ConfigSchema) > maxSchema {
		return nil
	}
	var r optionReader
	_ = json.Unmarshal(d.ConfigSchema, &r.root) // what is of another type has no options
	r.read(&r.root, nil, nil)
	slices.SortFunc(r.found, func(a, b OptionKey) int { return strings.Compare(a.Key, b.Key) })
	return r.found
}

// schemaNode is what is read of a schema.
type schemaNode struct {
	Ref         string                 `json:"$ref"`
	Defs        map[string]*schemaNode `json:"$defs"`
	Definitions map[string]*schemaNode `json:"definitions"`
	Description string                 `json:"description"`
	Options     bool                   `json:"x-hookarr-options"`
	Properties  map[string]*schemaNode `json:"properties"`
}

// optionReader goes through a schema and counts the keys.
type optionReader struct {
	root  schemaNode
	count int
	found []OptionKey
}

// read reads a key and what is below it. The sections that it is in are in outer, which a
// schema may come back to by a reference.
func (r *optionReader) read(n *schemaNode, at []string, outer []*schemaNode) {
	if r.count++; n == nil || len(at) > maxSchemaDepth || r.count > maxSchemaKeys {
		return
	}
	own := n // what it says beside a reference comes first
	if n = r.resolve(n); own.Options || n.Options {
		r.found = append(r.found, OptionKey{Key: line(strings.Join(at, "."), maxName), Description: line(cmp.Or(own.Description, n.Description), maxMessage)})
	}
	if slices.Contains(outer, n) {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(n.Properties)) {
		r.read(n.Properties[name], append(slices.Clone(at), name), append(slices.Clone(outer), n))
	}
}

// resolve follows references to definitions of the same document. One that leads nowhere, or
// around, says nothing.
func (r *optionReader) resolve(n *schemaNode) *schemaNode {
	for range maxSchemaDepth {
		if n == nil || n.Ref == "" {
			break
		}
		name, ok := strings.CutPrefix(n.Ref, "#/$defs/")
		if ok {
			n = r.root.Defs[name]
		} else {
			n = r.root.Definitions[strings.TrimPrefix(n.Ref, "#/definitions/")]
		}
	}
	if n == nil || n.Ref != "" {
		return &schemaNode{}
	}
	return n
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
