package plugincheck

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/hookarr/hookarr/core/pluginschema"
)

// secretName is what keys are called whose values nobody may see.
var secretName = regexp.MustCompile(`(?i)(^|[_-]|[a-z])(password|passphrase|passwd|secret|token|api[_-]?key|private[_-]?key|bearer)$`)

// maxDepth bounds how deep values are made and references followed of a schema, which may
// refer to itself, and maxMade how many values one key is made of.
const (
	maxDepth = 12
	maxMade  = 1000
)

// schema is the schema of a plugin's configuration.
type schema struct {
	root     map[string]any
	compiled *jsonschema.Schema
}

func readSchema(data []byte) (*schema, error) {
	const mend = "answer Describe with a JSON Schema (2020-12) of one instance's configuration, {\"type\":\"object\",\"properties\":{},\"additionalProperties\":false} at the least"
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, errors.New("it has no schema: " + mend)
	}
	// Of what Hookarr cannot show, with its bounds, nothing more is looked at.
	if _, err := pluginschema.Read(data); err != nil {
		return nil, fmt.Errorf("its schema %w; it begins with %.40q: %s", err, data, mend)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("its schema is no JSON: %w: %s", err, mend)
	}
	root, _ := doc.(map[string]any) // as it was read
	const url = "hookarr:///config.json"
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.UseLoader(jsonschema.SchemeURLLoader{}) // nothing is fetched
	if err := c.AddResource(url, doc); err != nil {
		return nil, fmt.Errorf("its schema is none: %w: %s", err, mend)
	}
	compiled, err := c.Compile(url)
	if err != nil {
		return nil, fmt.Errorf("its schema is none: %w", err)
	}
	return &schema{root: root, compiled: compiled}, nil
}

// judge says what is wrong with the schema, and what is probably wrong.
func (s *schema) judge() (wrong []error, warnings []string) {
	if s.root["type"] != "object" {
		wrong = append(wrong, fmt.Errorf("its schema has the type %v: the configuration of an instance is an object", s.root["type"]))
	}
	s.walk(s.root, "", func(at string, node map[string]any) {
		for _, keyword := range slices.Sorted(maps.Keys(node)) {
			if strings.HasPrefix(keyword, "x-hookarr-") && !slices.Contains(knownKeywords(), keyword) {
				warnings = append(warnings, fmt.Sprintf("%s has the unknown keyword %s: there are %s", named(at), keyword, strings.Join(knownKeywords(), ", ")))
			}
		}
		properties := propertiesOf(node)
		if len(properties) > 0 && node["additionalProperties"] != false {
			wrong = append(wrong, fmt.Errorf("%s takes unknown keys, so that a misspelt one is passed over: say \"additionalProperties\": false", named(at)))
		}
		for _, key := range requiredOf(node) {
			if _, ok := properties[key]; !ok {
				wrong = append(wrong, fmt.Errorf("%s requires %q, which is none of its properties", named(at), key))
			}
		}
		for _, key := range slices.Sorted(maps.Keys(properties)) {
			p := s.resolve(properties[key])
			path := join(at, key)
			if text, _ := p["description"].(string); strings.TrimSpace(text) == "" {
				wrong = append(wrong, fmt.Errorf("%s has no description", path))
			}
			if _, said := p["writeOnly"]; !said && isType(p, "string") && secretName.MatchString(key) {
				wrong = append(wrong, fmt.Errorf("%s is a secret by its name, and would be shown: say \"writeOnly\": true, or false if it is none", path))
			}
		}
	})
	wrong = append(wrong, judgeValues(s.compiled, "", map[*jsonschema.Schema]bool{})...)
	return wrong, warnings
}

// judgeValues holds defaults and examples to what they are of, once each.
func judgeValues(c *jsonschema.Schema, at string, judged map[*jsonschema.Schema]bool) []error {
	if c == nil || judged[c] {
		return nil
	}
	judged[c] = true
	var wrong []error
	if c.Default != nil {
		if err := c.Validate(*c.Default); err != nil {
			wrong = append(wrong, fmt.Errorf("the default of %s does not fit it: %s", named(at), cause(err)))
		}
	}
	for i, example := range c.Examples {
		if err := c.Validate(example); err != nil {
			wrong = append(wrong, fmt.Errorf("example %d of %s does not fit it: %s", i+1, named(at), cause(err)))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(c.Properties)) {
		wrong = append(wrong, judgeValues(c.Properties[key], join(at, key), judged)...)
	}
	wrong = append(wrong, judgeValues(c.Items2020, at+"[]", judged)...)
	if values, ok := c.AdditionalProperties.(*jsonschema.Schema); ok {
		wrong = append(wrong, judgeValues(values, join(at, "*"), judged)...)
	}
	return append(wrong, judgeValues(c.Ref, at, judged)...)
}

// cause is the innermost reason of a validation's failure.
func cause(err error) string {
	v, ok := errors.AsType[*jsonschema.ValidationError](err)
	if !ok {
		return err.Error()
	}
	for len(v.Causes) > 0 {
		v = v.Causes[0]
	}
	return v.DetailedOutput().Error.String()
}

// summary says what there is to configure.
func (s *schema) summary() string {
	keys, secrets := 0, 0
	s.walk(s.root, "", func(_ string, node map[string]any) {
		for _, p := range propertiesOf(node) {
			keys++
			if s.resolve(p)["writeOnly"] == true {
				secrets++
			}
		}
	})
	return fmt.Sprintf("keys: %d, secrets: %d, required: %s", keys, secrets, orNone(requiredOf(s.root)))
}

// walk visits every object of the schema: the whole, and those in properties, lists and maps. One
// that is referred to is visited where it is referred to first.
func (s *schema) walk(node map[string]any, at string, visit func(at string, node map[string]any)) {
	visited := map[string]bool{}
	var descend func(node map[string]any, at string)
	descend = func(node map[string]any, at string) {
		if ref, ok := node["$ref"].(string); ok {
			if visited[ref] {
				return
			}
			visited[ref] = true
		}
		if node = s.resolve(node); node == nil {
			return
		}
		visit(at, node)
		properties := propertiesOf(node)
		for _, key := range slices.Sorted(maps.Keys(properties)) {
			descend(properties[key], join(at, key))
		}
		if items, ok := node["items"].(map[string]any); ok {
			descend(items, at+"[]")
		}
		if values, ok := node["additionalProperties"].(map[string]any); ok {
			descend(values, join(at, "*"))
		}
	}
	descend(node, at)
}

// resolve follows references inside of the document.
func (s *schema) resolve(node map[string]any) map[string]any {
	for range maxDepth {
		ref, ok := node["$ref"].(string)
		if !ok || !strings.HasPrefix(ref, "#/") {
			return node
		}
		var target any = s.root
		for part := range strings.SplitSeq(ref[2:], "/") {
			object, _ := target.(map[string]any)
			target = object[strings.NewReplacer("~1", "/", "~0", "~").Replace(part)]
		}
		next, ok := target.(map[string]any)
		if !ok {
			return node
		}
		// What stands beside the reference holds, too.
		merged := maps.Clone(next)
		for key, value := range node {
			if key != "$ref" {
				merged[key] = value
			}
		}
		node = merged
	}
	return node
}

// secretsOf returns the strings in a configuration that the schema marks as secret.
func (s *schema) secretsOf(config json.RawMessage) []string {
	var value any
	if json.Unmarshal(config, &value) != nil {
		return nil
	}
	var found []string
	s.eachString(s.root, value, func(node map[string]any, text string) string {
		if node["writeOnly"] == true {
			found = append(found, text)
		}
		return text
	})
	return found
}

// eachString replaces every string in a value, which it returns, by what is made of it and of
// its schema.
func (s *schema) eachString(node map[string]any, value any, replace func(node map[string]any, text string) string) any {
	node = s.resolve(node)
	switch v := value.(type) {
	case string:
		return replace(node, v)
	case []any:
		items, _ := node["items"].(map[string]any)
		if node["writeOnly"] == true {
			items = node
		}
		for i := range v {
			v[i] = s.eachString(items, v[i], replace)
		}
	case map[string]any:
		for key := range v {
			v[key] = s.eachString(propertyOf(node, key), v[key], replace)
		}
	}
	return value
}

// deleteNetwork takes out of a value the keys for which a plugin uses the network.
func (s *schema) deleteNetwork(node map[string]any, value any) {
	const keyword = "x-hookarr-network"
	node = s.resolve(node)
	switch v := value.(type) {
	case []any:
		items, _ := node["items"].(map[string]any)
		for i := range v {
			s.deleteNetwork(items, v[i])
		}
	case map[string]any:
		for key := range v {
			if p := s.resolve(propertyOf(node, key)); p[keyword] == true {
				delete(v, key)
			} else {
				s.deleteNetwork(p, v[key])
			}
		}
	}
}

// knownKeywords are those of Hookarr's own.
func knownKeywords() []string {
	return []string{"x-hookarr-advanced", "x-hookarr-group", "x-hookarr-network", "x-hookarr-options"}
}

func propertiesOf(node map[string]any) map[string]map[string]any {
	all, _ := node["properties"].(map[string]any)
	properties := make(map[string]map[string]any, len(all))
	for key, p := range all {
		object, _ := p.(map[string]any) // true and false are schemas without anything to say
		properties[key] = object
	}
	return properties
}

// propertyOf is the schema of one key of a section or map.
func propertyOf(node map[string]any, key string) map[string]any {
	p, ok := propertiesOf(node)[key]
	if !ok {
		p, _ = node["additionalProperties"].(map[string]any)
	}
	return p
}

func requiredOf(node map[string]any) []string {
	all, _ := node["required"].([]any)
	keys := make([]string, 0, len(all))
	for _, key := range all {
		if text, ok := key.(string); ok {
			keys = append(keys, text)
		}
	}
	return keys
}

// isType reports whether a schema names one type, or has it among others.
func isType(node map[string]any, name string) bool {
	switch t := node["type"].(type) {
	case string:
		return t == name
	case []any:
		return slices.Contains(t, any(name))
	default:
		return false
	}
}

func join(at, key string) string {
	if at == "" {
		return key
	}
	return at + "." + key
}

func named(at string) string {
	if at == "" {
		return "the configuration"
	}
	return at
}

func orNone(words []string) string {
	if len(words) == 0 {
		return "none"
	}
	return strings.Join(words, ", ")
}
