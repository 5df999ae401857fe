// Package pluginschema reads the JSON Schema by which a plugin describes the settings of an
// instance. Plugins of any language write it, so nothing in it is trusted.
package pluginschema

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"

	"github.com/dustin/go-humanize"
)

// The bounds of a schema. MaxBytes is far above that of any built-in plugin, which has
// some kilobytes.
const (
	MaxBytes = 1 << 20
	// maxDepth is of the JSON: a key in a key is two levels deeper.
	maxDepth = 64
	// maxKeys bounds the keys of a configuration, those of sections and lists included.
	maxKeys = 1000
	// maxName bounds the name of a key, and maxPath its path, in bytes.
	maxName = 100
	maxPath = 1000
)

// node is a schema, as far as it is for people. A reference stands for a definition of the
// same document.
type node struct {
	Ref         string           `json:"$ref"`
	Defs        map[string]*node `json:"$defs"`
	Definitions map[string]*node `json:"definitions"`

	Type        words  `json:"type"`
	Title       string `json:"title"`
	Description string `json:"description"`
	Deprecated  bool   `json:"deprecated"`
	WriteOnly   bool   `json:"writeOnly"`
	Group       string `json:"x-hookarr-group"`
	Advanced    bool   `json:"x-hookarr-advanced"`
	Network     bool   `json:"x-hookarr-network"`
	Options     bool   `json:"x-hookarr-options"`

	Properties           properties `json:"properties"`
	Required             []string   `json:"required"`
	Items                *node      `json:"items"`
	AdditionalProperties *node      `json:"additionalProperties"`

	Default  json.RawMessage   `json:"default"`
	Enum     []json.RawMessage `json:"enum"`
	Examples []json.RawMessage `json:"examples"`

	Minimum   json.Number `json:"minimum"`
	Maximum   json.Number `json:"maximum"`
	MinLength json.Number `json:"minLength"`
	MaxLength json.Number `json:"maxLength"`
	MinItems  json.Number `json:"minItems"`
	MaxItems  json.Number `json:"maxItems"`
	Format    string      `json:"format"`

	// boolean is the schema true or false.
	boolean bool
}

// UnmarshalJSON reads a schema, as true and false are too.
func (n *node) UnmarshalJSON(data []byte) error {
	if json.Unmarshal(data, &n.boolean) == nil {
		n.boolean = true
		return nil
	}
	type plain node
	return json.Unmarshal(data, (*plain)(n))
}

// words are one or several, each there once.
type words []string

// maxWords bounds them: JSON Schema has seven types.
const maxWords = 7

func (w *words) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*w = words{one}
		return nil
	}
	var several []string
	if err := json.Unmarshal(data, &several); err != nil {
		return err
	}
	*w = nil
	for _, word := range several {
		if len(*w) < maxWords && !slices.Contains(*w, word) {
			*w = append(*w, word)
		}
	}
	return nil
}

// properties are schemas by name, in their order.
type properties []property

type property struct {
	name string
	node *node
}

func (p *properties) UnmarshalJSON(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	if start, err := d.Token(); err != nil || start != json.Delim('{') {
		return errors.New("properties are no object")
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		one := property{name: name.(string), node: &node{}} //nolint:forcetypeassert // the key of an object
		if err := d.Decode(one.node); err != nil {
			return err
		}
		*p = append(*p, one)
	}
	return nil
}

// parse reads a schema that is within the bounds.
func parse(raw json.RawMessage) (*node, error) {
	if len(raw) > MaxBytes {
		return nil, fmt.Errorf("has %s, and %s are read at most", humanize.IBytes(uint64(len(raw))), humanize.IBytes(MaxBytes))
	}
	if text := string(bytes.TrimSpace(raw)); !strings.HasPrefix(text, "{") {
		return nil, errors.New("is no JSON object, as a JSON Schema is")
	}
	if err := checkDepth(raw); err != nil {
		return nil, err
	}
	root := &node{}
	if err := json.Unmarshal(raw, root); err != nil {
		return nil, fmt.Errorf("is no JSON Schema: %s", strings.TrimPrefix(err.Error(), "json: "))
	}
	return root, nil
}

// checkDepth goes through the JSON once, before readers do that call themselves.
func checkDepth(raw json.RawMessage) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	for depth := 0; ; {
		token, err := d.Token()
		switch {
		case errors.Is(err, io.EOF) && depth == 0:
			return nil
		case err != nil:
			return fmt.Errorf("is no JSON: %w", err)
		case token == json.Delim('{'), token == json.Delim('['):
			depth++
		case token == json.Delim('}'), token == json.Delim(']'):
			depth--
		}
		if depth > maxDepth {
			return fmt.Errorf("is nested deeper than %d levels", maxDepth)
		}
	}
}

// checkName refuses the name of a key that nobody could write, or read, on one line.
func checkName(name string) error {
	switch {
	case name == "":
		return errors.New("has a key without a name")
	case len(name) > maxName:
		return fmt.Errorf("has the key %.40q…, whose name is longer than %d bytes", name, maxName)
	case strings.ContainsFunc(name, func(r rune) bool { return r == unicode.ReplacementChar || !unicode.IsPrint(r) }):
		return fmt.Errorf("has the key %+q, whose name has characters that cannot be printed on a line", name)
	}
	return nil
}
