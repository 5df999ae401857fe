package plugincheck

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// urlName is what keys are called that lead to the endpoint.
var urlName = regexp.MustCompile(`(?i)(^|[_-]|[a-z])(url|uri|endpoint)$|^(server|address|endpoint|url|uri)([_-]|$)`)

// deriver makes values that fit a schema, for a plugin that nobody knows.
type deriver struct {
	schema *schema
	// public is the endpoint's URL for keys that are shown, secret that for keys that are not,
	// and dir a directory for files.
	public, secret, dir string
	// deadPort is one at which nobody listens.
	deadPort int
	// word is what secrets are made of.
	word string
}

// derive returns a configuration by the schema: the required keys, what leads to the endpoint
// and, with extras, secrets that are optional.
func (d deriver) derive(extras bool) map[string]any {
	config := map[string]any{}
	properties := propertiesOf(d.schema.root)
	leads := false
	for _, key := range requiredOf(d.schema.root) {
		config[key] = d.value(key, properties[key])
		leads = leads || isURL(key, d.schema.resolve(properties[key]))
	}
	for key, p := range properties {
		p = d.schema.resolve(p)
		if _, ok := config[key]; ok || !isType(p, "string") {
			continue
		}
		_, defaulted := p["default"] // which leads to somebody
		if (!leads || defaulted) && isURL(key, p) || extras && p["writeOnly"] == true && !isURL(key, p) {
			config[key] = d.value(key, p)
		}
	}
	if _, ok := config["host"]; ok && properties["port"] != nil {
		config["port"] = d.value("port", properties["port"])
	}
	return config
}

// isURL reports whether a key leads to the endpoint, by its name, its format or its words.
func isURL(key string, node map[string]any) bool {
	if !isType(node, "string") {
		return false
	}
	text, _ := node["description"].(string)
	return node["format"] == "uri" || urlName.MatchString(key) || strings.HasPrefix(text, "URL of")
}

// value makes one that fits a schema.
func (d deriver) value(key string, node map[string]any) any {
	left := maxMade
	return d.valueAt(key, node, 0, &left)
}

// valueAt makes a value inside of one, of which so many are left.
func (d deriver) valueAt(key string, node map[string]any, depth int, left *int) any {
	node = d.schema.resolve(node)
	if *left--; depth > maxDepth || *left < 0 {
		return nil
	}
	if isURL(key, node) {
		if node["writeOnly"] == true {
			return d.secret
		}
		return d.public
	}
	if examples, _ := node["examples"].([]any); len(examples) > 0 {
		return examples[0]
	}
	for _, keyword := range []string{"const", "default"} {
		if v, ok := node[keyword]; ok {
			return v
		}
	}
	if values, _ := node["enum"].([]any); len(values) > 0 {
		return values[0]
	}
	switch {
	case isType(node, "string"):
		return d.text(key, node)
	case isType(node, "integer"), isType(node, "number"):
		return d.number(key, node)
	case isType(node, "boolean"):
		return false
	case isType(node, "array"):
		items, _ := node["items"].(map[string]any)
		return []any{d.valueAt(key, items, depth+1, left)} // named as the list: to, urls
	case isType(node, "object"):
		object := map[string]any{}
		properties := propertiesOf(node)
		for _, name := range requiredOf(node) {
			object[name] = d.valueAt(name, properties[name], depth+1, left)
		}
		return object
	default:
		return d.text(key, node)
	}
}

func (d deriver) text(key string, node map[string]any) string {
	lower := strings.ToLower(key)
	var text string
	switch format, _ := node["format"].(string); {
	case node["writeOnly"] == true:
		text = "hookarr-check-" + d.word
	case format == "email", slices.Contains([]string{"from", "to", "email", "mail", "sender", "recipient", "recipients"}, lower):
		text = "check@example.com"
	case format == "hostname", format == "ipv4", lower == "host":
		text = "127.0.0.1"
	case format == "go-duration":
		text = "30s"
	case format == "date-time":
		text = "2026-01-02T03:04:05Z"
	case format == "uuid":
		text = "01980000-0000-7000-8000-000000000001"
	case strings.Contains(lower, "path"), strings.Contains(lower, "file"):
		return filepath.Join(d.dir, "file")
	case strings.Contains(lower, "dir"), strings.Contains(lower, "folder"):
		return d.dir
	default:
		text = "check"
	}
	if least := number(node["minLength"]); len(text) < least {
		text += strings.Repeat("x", least-len(text))
	}
	if most := number(node["maxLength"]); most > 0 && len(text) > most {
		text = text[:most]
	}
	return text
}

func (d deriver) number(key string, node map[string]any) any {
	if strings.EqualFold(key, "port") {
		return d.deadPort // whatever it speaks, the check's endpoint does not
	}
	if v, ok := node["minimum"]; ok {
		return v
	}
	if v, ok := node["exclusiveMinimum"]; ok {
		return number(v) + 1
	}
	return 1
}

// number reads a number of a schema; 0 is none.
func number(v any) int {
	n, ok := v.(json.Number)
	if !ok {
		return 0
	}
	f, err := n.Float64()
	if err != nil {
		return 0
	}
	return int(max(0, min(f, math.MaxInt32)))
}

// mend changes a configuration by what a plugin says against it, and reports whether there was
// anything to change: optional keys that it refuses are left out, and not tried again, and keys
// that it misses are added.
func (d deriver) mend(config map[string]any, problemKeys []string, refused map[string]bool) bool {
	properties, required := propertiesOf(d.schema.root), requiredOf(d.schema.root)
	changed := false
	for _, path := range problemKeys {
		key, _, _ := strings.Cut(strings.ReplaceAll(path, "[", "."), ".")
		_, has := config[key]
		p, known := properties[key]
		switch {
		case has && !slices.Contains(required, key):
			delete(config, key)
			refused[key], changed = true, true
		case !has && known && !refused[key]:
			config[key] = d.value(key, p)
			changed = true
		}
	}
	return changed
}

// fill puts the endpoint and the directory into a configuration that somebody wrote.
func (d deriver) fill(config json.RawMessage) (json.RawMessage, error) {
	value, err := readConfig(config)
	if err != nil {
		return nil, err
	}
	d.schema.eachString(d.schema.root, value, func(node map[string]any, text string) string {
		to := d.public
		if node["writeOnly"] == true {
			to = d.secret
		}
		u, _ := url.Parse(to) // its own
		return strings.NewReplacer("${URL}", to, "${HOST}", u.Hostname(), "${PORT}", u.Port(), "${DIR}", d.dir).Replace(text)
	})
	return json.Marshal(value)
}

// readConfig reads a configuration. Null is one without keys.
func readConfig(config json.RawMessage) (map[string]any, error) {
	var value map[string]any
	numbers := json.NewDecoder(bytes.NewReader(config))
	numbers.UseNumber() // ids have more digits than a float
	if err := numbers.Decode(&value); err != nil {
		return nil, fmt.Errorf("the configuration is no object: %w", err)
	}
	if value == nil {
		value = map[string]any{}
	}
	return value, nil
}
