package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	koanfyaml "github.com/knadh/koanf/parsers/yaml"
	"go.yaml.in/yaml/v3"
)

// parser is koanf's YAML parser, strict about what the file is, that notes the line
// of every key.
type parser struct {
	koanfyaml.YAML
	origin   *origin
	problems []Problem
}

// Unmarshal reads one document that is a mapping, or nothing at all.
func (p *parser) Unmarshal(raw []byte) (map[string]any, error) {
	if line, message := notText(raw); message != "" {
		return nil, p.fail(line, message)
	}
	documents := yaml.NewDecoder(bytes.NewReader(raw))
	var first, second yaml.Node
	if err := documents.Decode(&first); errors.Is(err, io.EOF) {
		return map[string]any{}, nil
	} else if err != nil {
		return nil, p.explain(err, raw)
	}
	if err := documents.Decode(&second); !errors.Is(err, io.EOF) {
		return nil, p.fail(second.Line, "the file has more than one document: remove the line --- and what follows it")
	}
	root := first.Content[0]
	if root.Kind == yaml.ScalarNode && root.Tag == "!!null" {
		return map[string]any{}, nil
	}
	if root.Kind != yaml.MappingNode {
		return nil, p.fail(root.Line, "want keys and values, such as listen: 127.0.0.1:8484")
	}
	p.note("", root)
	if len(p.problems) > 0 {
		return nil, &Error{Problems: p.problems}
	}
	if line, message := misfit(root); message != "" {
		return nil, p.fail(line, message)
	}
	settings, err := p.YAML.Unmarshal(raw)
	if err != nil {
		return nil, p.explain(err, raw)
	}
	return settings, nil
}

// misfit finds the first value that is not of the type which the file says it has, and the
// first key that is no name. The YAML library would not tell the line, and would repeat
// what may be a secret.
func misfit(n *yaml.Node) (line int, message string) {
	var v any
	if n.Kind == yaml.ScalarNode && n.Style&yaml.TaggedStyle != 0 && n.Decode(&v) != nil {
		return n.Line, "the value is not what its " + n.ShortTag() + " says: remove that, or put the value in quotes"
	}
	for i, child := range n.Content {
		named := child
		if child.Kind == yaml.AliasNode {
			named = child.Alias
		}
		if n.Kind == yaml.MappingNode && i%2 == 0 && named.Kind != yaml.ScalarNode {
			return child.Line, "want a name before the colon, not a list or a section"
		}
		if line, message := misfit(child); message != "" {
			return line, message
		}
	}
	return 0, ""
}

// note records the lines below a node, and what YAML takes for something else than text.
// Lines behind an alias are those of the alias.
func (p *parser) note(key string, n *yaml.Node) {
	trap := func(message string) {
		p.problems = append(p.problems, Problem{File: p.origin.file, Line: n.Line, Key: key, Message: message})
	}
	switch {
	case n.Style&yaml.TaggedStyle != 0 && n.Tag != "!!str":
		trap("put text that begins with ! in quotes; a secret from elsewhere is ${NAME}, an environment variable, or in the file that KEY_file names")
	case n.Anchor != "" && n.Kind == yaml.ScalarNode && n.Value == "":
		trap("put text that begins with & in quotes")
	}
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if k := n.Content[i].Kind; k == yaml.MappingNode || k == yaml.SequenceNode {
				trap("put text that begins with { or [ in quotes")
				continue
			}
			child := join(key, n.Content[i].Value)
			p.origin.lines[child] = n.Content[i].Line
			p.note(child, n.Content[i+1])
		}
	case yaml.SequenceNode:
		for i, item := range n.Content {
			child := fmt.Sprintf("%s[%d]", key, i)
			p.origin.lines[child] = item.Line
			p.note(child, item)
		}
	default: // nothing below
	}
}

func (p *parser) fail(line int, message string) error {
	return &Error{Problems: []Problem{{File: p.origin.file, Line: line, Message: message}}}
}
