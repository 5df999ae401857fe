package plugindocs

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"

	"github.com/hookarr/hookarr/core/pluginschema"
	"github.com/hookarr/hookarr/sdk/host"
)

// sample returns the part of a configuration that uses a plugin.
func sample(d host.Description, s pluginschema.Settings) string {
	config := sampler{d.Name}.config(s)
	var b strings.Builder
	fmt.Fprintf(&b, "%ss:\n  %s:\n    plugin: %s\n", d.Kind, d.Name, d.Name)
	if d.Kind == host.KindSource {
		fmt.Fprintf(&b, "    auth: [{basic: {username: %s, password: \"${%s}\"}}]\n", d.Name, variable(d.Name, "password"))
	}
	if config != "{}" {
		fmt.Fprintf(&b, "    config: %s\n", config)
	}
	if d.Kind == host.KindTarget {
		fmt.Fprintf(&b, "routes:\n  - {name: %s, from: [\"*\"], types: [\"*\"], to: [%s]}\n", d.Name, d.Name)
	}
	return b.String()
}

// sampler makes values for the keys of a plugin.
type sampler struct{ plugin string }

// config returns, on one line of YAML, the example that the schema has, or else what is
// required. It is empty where neither fits on a line.
func (s sampler) config(of pluginschema.Settings) string {
	candidates := []*yaml.Node{s.required(of.Keys)}
	var example yaml.Node
	// JSON is YAML too.
	if of.Example != nil && yaml.Unmarshal(of.Example, &example) == nil && len(example.Content) == 1 {
		restyle(&example)
		candidates = slices.Insert(candidates, 0, s.shown(example.Content[0], of.Keys))
	}
	for _, n := range candidates {
		out, err := yaml.Marshal(n)
		if line := strings.TrimSpace(string(out)); err == nil && n.Kind == yaml.MappingNode && len(line) < maxText && !strings.Contains(line, "\n") {
			return line
		}
	}
	return "{}"
}

// required is a section with what it needs.
func (s sampler) required(keys []pluginschema.Key) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle}
	for _, k := range keys {
		if k.Required {
			n.Content = append(n.Content, plain(k.Name), s.value(k))
		}
	}
	return n
}

func (s sampler) value(k pluginschema.Key) *yaml.Node {
	list := func(entry *yaml.Node) *yaml.Node {
		if k.JSONType != "array" {
			return entry
		}
		return &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle, Content: []*yaml.Node{entry}}
	}
	switch {
	case k.Secret:
		return list(s.secret(k))
	case k.Example != nil:
		return fromJSON(k.Example)
	case k.Default != nil:
		return fromJSON(k.Default)
	case len(k.Choices) > 0:
		return list(fromJSON(k.Choices[0]))
	case len(k.Keys) > 0:
		return list(s.required(k.Keys))
	case k.JSONType == "boolean":
		return bare("true")
	case k.JSONType == "integer", k.JSONType == "number":
		return bare("1")
	default:
		return list(plain(variable(k.Name)))
	}
}

// shown is an example of the schema's, with variables for what is secret.
func (s sampler) shown(n *yaml.Node, keys []pluginschema.Key) *yaml.Node {
	for i, child := range n.Content {
		if n.Kind == yaml.SequenceNode {
			n.Content[i] = s.shown(child, keys)
		}
		if n.Kind != yaml.MappingNode || i%2 == 0 {
			continue
		}
		at := slices.IndexFunc(keys, func(k pluginschema.Key) bool { return k.Name == n.Content[i-1].Value })
		switch {
		case at >= 0 && keys[at].Secret:
			n.Content[i] = s.value(keys[at])
		case at >= 0:
			n.Content[i] = s.shown(child, keys[at].Keys)
		default: // a key of a map
			n.Content[i] = s.shown(child, keys)
		}
	}
	return n
}

func (s sampler) secret(k pluginschema.Key) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Style: yaml.DoubleQuotedStyle, Value: "${" + variable(s.plugin, k.Name) + "}"}
}

// plain is a text, which the encoder quotes where it has to.
func plain(s string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s} }

// bare is a number, or true.
func bare(s string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Value: s} }

// fromJSON is a value in the style of a line.
func fromJSON(raw json.RawMessage) *yaml.Node {
	var n yaml.Node
	if yaml.Unmarshal(raw, &n) != nil || len(n.Content) != 1 {
		return plain("VALUE")
	}
	restyle(&n)
	return n.Content[0]
}

// restyle has a value written on one line, less what cannot be printed of it.
func restyle(n *yaml.Node) {
	n.Style = yaml.FlowStyle
	if n.Kind == yaml.ScalarNode {
		n.Style = 0
		n.Value = strings.Map(func(r rune) rune {
			if r == unicode.ReplacementChar || !unicode.IsPrint(r) && r != '\n' {
				return -1
			}
			return r
		}, n.Value)
	}
	for _, child := range n.Content {
		restyle(child)
	}
}

// variable is the name of an environment variable for words.
func variable(words ...string) string {
	parts := strings.FieldsFunc(strings.ToUpper(strings.Join(words, "_")), func(r rune) bool {
		return (r < 'A' || r > 'Z') && (r < '0' || r > '9')
	})
	return strings.Join(parts, "_")
}
