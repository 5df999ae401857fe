package ui

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/excerpt"
	"github.com/hookarr/hookarr/core/pluginschema"
	"github.com/hookarr/hookarr/sdk/host"
)

// maxDescription bounds what a plugin says of a setting, in bytes.
const maxDescription = 2 << 10

// keyGroup is what a plugin can be configured with below one heading.
type keyGroup struct {
	Name string
	Keys []keyRow
}

// keyRow is one key, in words.
type keyRow struct {
	pluginschema.Key
	Default string
}

// pluginKeys are the keys of a plugin: those that most people need, by their headings, those
// for few people, and those to be left out.
type pluginKeys struct {
	Groups               []keyGroup
	Advanced, Deprecated []keyRow
}

func newPluginKeys(keys []pluginschema.Key) pluginKeys {
	var p pluginKeys
	for _, name := range pluginschema.Groups(keys) {
		group := keyGroup{Name: name}
		for _, k := range keys {
			switch {
			case k.Group != name:
			case k.Deprecated:
				p.Deprecated = append(p.Deprecated, rows(k)...)
			case k.Advanced:
				p.Advanced = append(p.Advanced, rows(k)...)
			default:
				group.Keys = append(group.Keys, rows(k)...)
			}
		}
		if len(group.Keys) > 0 {
			p.Groups = append(p.Groups, group)
		}
	}
	return p
}

// rows are a key and those of its section.
func rows(k pluginschema.Key) []keyRow {
	k.Description = excerpt.Line(k.Description, maxDescription)
	if len(k.Choices) > 0 {
		choices := make([]string, len(k.Choices))
		for i, c := range k.Choices {
			choices[i] = literal(c)
		}
		k.Type = strings.Join(choices, ", ")
	}
	all := []keyRow{{Key: k, Default: literal(k.Default)}}
	for _, inner := range k.Keys {
		all = append(all, rows(inner)...)
	}
	return all
}

// literal is a value of JSON as a configuration has it.
func literal(v json.RawMessage) string {
	var s string
	if json.Unmarshal(v, &s) == nil {
		return s
	}
	return string(v)
}

// labelled is a setting with what its plugin calls it.
type labelled struct {
	config.Setting
	// Name is the key without the part that all have.
	Name                 string
	Title, Group         string
	Advanced, Deprecated bool
}

// labels finds what plugins call the settings of their instances.
type labels struct {
	ui   *UI
	keys map[string][]pluginschema.Key
}

func (u *UI) newLabels() labels { return labels{ui: u, keys: map[string][]pluginschema.Key{}} }

// of returns a setting as its plugin has it. One of no plugin, or of one that says nothing
// useful, is as it is.
func (l labels) of(s config.Setting) labelled {
	v := labelled{Setting: s, Name: s.Key}
	words := strings.SplitN(s.Key, ".", 4)
	if len(words) < 4 || words[2] != "config" {
		return v
	}
	c := l.ui.Service.Settings.Config()
	var kind host.Kind
	var plugin string
	switch words[0] {
	case "sources":
		kind, plugin = host.KindSource, c.Sources[words[1]].Plugin
	case "targets":
		kind, plugin = host.KindTarget, c.Targets[words[1]].Plugin
	default:
		return v
	}
	v.Name = words[3]
	name := string(kind) + "-" + plugin
	keys, known := l.keys[name]
	if !known {
		settings, _ := pluginschema.Read(l.ui.pluginOf(kind, plugin).Description.ConfigSchema) // what is wrong, the plugin's page says
		keys, l.keys[name] = settings.Keys, settings.Keys
	}
	if k, ok := pluginschema.Find(keys, v.Name); ok {
		v.Title, v.Group, v.Advanced, v.Deprecated = k.Title, k.Group, k.Advanced, k.Deprecated
	}
	return v
}

// pluginSettings are the settings that a target hands to its plugin, without secrets, those
// for few people apart.
func (u *UI) pluginSettings(target string) (ordinary, advanced []labelled) {
	l := u.newLabels()
	for _, s := range u.Service.ConfigSettings() {
		if !strings.HasPrefix(s.Key, "targets."+target+".config.") {
			continue
		}
		if v := l.of(s); v.Advanced {
			advanced = append(advanced, v)
		} else {
			ordinary = append(ordinary, v)
		}
	}
	slices.SortStableFunc(ordinary, func(a, b labelled) int { return strings.Compare(a.Group, b.Group) })
	return ordinary, advanced
}
