package pluginschema

import "strings"

// Find returns the key that a setting of a configuration has: templates.KEY.title for
// templates.media.*.title. Of what a schema does not tell in detail it is the nearest.
func Find(keys []Key, setting string) (Key, bool) {
	for _, k := range keys {
		rest, ok := strings.CutPrefix(setting, k.Name)
		if !ok || rest != "" && rest[0] != '.' && rest[0] != '[' {
			continue
		}
		// The keys of maps may have dots in them.
		for i, r := range rest {
			if r != '.' {
				continue
			}
			if inner, ok := Find(k.Keys, rest[i+1:]); ok {
				inner.Deprecated = inner.Deprecated || k.Deprecated
				inner.Advanced = inner.Advanced || k.Advanced
				return inner, true
			}
		}
		return k, true
	}
	return Key{}, false
}
