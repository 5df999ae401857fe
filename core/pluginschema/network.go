package pluginschema

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
)

// NetworkKey returns the first key that a configuration sets and for which the plugin uses the
// network; empty for none. A schema that cannot be read has none.
func NetworkKey(schema, config json.RawMessage) string {
	root, err := parse(schema)
	var value any
	if err != nil || json.Unmarshal(config, &value) != nil {
		return ""
	}
	r := reader{root: root}
	return r.networkKey(root, value)
}

// networkKey looks below a value of a schema.
func (r *reader) networkKey(n *node, value any) string {
	n = r.resolve(n)
	switch v := value.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if found := r.networkKeyAt(n.property(name), name, v[name]); found != "" {
				return found
			}
		}
	case []any:
		for i, entry := range v {
			if found := r.networkKeyAt(n.Items, strconv.Itoa(i), entry); found != "" {
				return found
			}
		}
	}
	return ""
}

// networkKeyAt looks at the value of a key, and below it.
func (r *reader) networkKeyAt(n *node, name string, value any) string {
	if n == nil {
		return ""
	}
	if (n.Network || r.resolve(n).Network) && isSet(value) {
		return name
	}
	if below := r.networkKey(n, value); below != "" {
		return name + "." + below
	}
	return ""
}

// property returns the schema of a key, or nil.
func (n *node) property(name string) *node {
	for _, p := range n.Properties {
		if p.name == name {
			return p.node
		}
	}
	return n.AdditionalProperties
}

// isSet reports whether a value is another than nothing, which configurations may spell out.
func isSet(value any) bool {
	switch v := value.(type) {
	case nil:
		return false
	case string:
		return v != ""
	case bool:
		return v
	case float64:
		return v != 0
	case []any:
		return len(v) > 0
	case map[string]any:
		return len(v) > 0
	}
	return true
}
