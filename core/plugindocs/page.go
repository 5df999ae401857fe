// Package plugindocs writes the reference page of a plugin from what the plugin says of
// itself. Pages are Markdown, and the same for the same plugin.
package plugindocs

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hookarr/hookarr/core/pluginschema"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// written is the first line of every file.
const written = "<!-- Written by hookarr plugins docs. -->\n\n"

// IsWritten reports whether a file is one of these pages.
func IsWritten(file []byte) bool { return bytes.HasPrefix(file, []byte(written)) }

// FileName returns the name of a plugin's page.
func FileName(d host.Description) string { return fmt.Sprintf("%s-%s.md", d.Kind, d.Name) }

// Page returns the reference page of a plugin. The error says what is wrong with its schema.
func Page(d host.Description) (string, error) {
	if len(d.ConfigSchema) == 0 {
		return "", errors.New("it gives no schema of its configuration")
	}
	settings, err := pluginschema.Read(d.ConfigSchema)
	if err != nil {
		return "", fmt.Errorf("the schema of its configuration %w", err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s# %s-%s\n\n", written, d.Kind, text(d.Name))
	if d.Summary != "" {
		fmt.Fprintf(&b, "%s\n\n", text(d.Summary))
	}
	fmt.Fprintf(&b, "A %s plugin, called %s in a configuration. This is version %s.\n", d.Kind, code(d.Name), code(d.Version))
	fmt.Fprintf(&b, "\n## Use it\n\n```yaml\n%s```\n", sample(d, settings))
	writeSettings(&b, settings.Keys)
	writeDefaults(&b, d.Defaults)
	writeFeatures(&b, d)
	writeEventTypes(&b, d)
	writeNetwork(&b, d, settings.Keys)
	return b.String(), nil
}

// writeSettings lists the keys below their headings, those for few people after these, and
// those to be left out in the end.
func writeSettings(b *strings.Builder, keys []pluginschema.Key) {
	b.WriteString("\n## Settings\n")
	if len(keys) == 0 {
		b.WriteString("\nIt has none.\n")
		return
	}
	b.WriteString("\nThey go into `config`.\n")
	var ordinary, advanced, deprecated []pluginschema.Key
	for _, k := range keys {
		switch {
		case k.Deprecated:
			deprecated = append(deprecated, k)
		case k.Advanced:
			advanced = append(advanced, k)
		default:
			ordinary = append(ordinary, k)
		}
	}
	for _, group := range pluginschema.Groups(ordinary) {
		if group != "" {
			fmt.Fprintf(b, "\n### %s\n", text(group))
		}
		writeTable(b, slices.DeleteFunc(slices.Clone(ordinary), func(k pluginschema.Key) bool { return k.Group != group }))
	}
	if len(advanced) > 0 {
		b.WriteString("\n### Advanced\n")
		writeTable(b, advanced)
	}
	if len(deprecated) > 0 {
		b.WriteString("\n### Deprecated\n\nThese still work. `hookarr check` warns of them.\n")
		writeTable(b, deprecated)
	}
}

func writeTable(b *strings.Builder, keys []pluginschema.Key) {
	b.WriteString("\n| key | value | default | meaning |\n|---|---|---|---|\n")
	writeRows(b, keys)
}

// writeRows writes a row for each key, and those of its section after its own.
func writeRows(b *strings.Builder, keys []pluginschema.Key) {
	for _, k := range keys {
		preset := ""
		if k.Default != nil {
			preset = literal(k.Default)
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", code(k.Path), value(k), preset, meaning(k))
		writeRows(b, k.Keys)
	}
}

// value says what a key may be.
func value(k pluginschema.Key) string {
	var parts []string
	if k.Required {
		parts = append(parts, "required")
	}
	if len(k.Choices) > 0 {
		choices := make([]string, len(k.Choices))
		for i, c := range k.Choices {
			choices[i] = literal(c)
		}
		of := ""
		if k.JSONType == "array" {
			of = "list of "
		}
		parts = append(parts, of+strings.Join(choices, ", "))
	} else if k.Example == nil || k.Type != pluginschema.AnyValue {
		parts = append(parts, k.Type)
	}
	if k.Example != nil {
		parts = append(parts, "such as "+literal(k.Example))
	}
	return strings.Join(parts, ", ")
}

func meaning(k pluginschema.Key) string {
	var parts []string
	if k.Title != "" {
		parts = append(parts, "**"+text(k.Title)+"**:")
	}
	if k.Deprecated {
		parts = append(parts, "*Deprecated.*")
	}
	parts = append(parts, text(k.Description))
	if k.Options {
		parts = append(parts, "The plugin can list the values.")
	}
	if k.Network {
		parts = append(parts, "With it, the plugin uses the network.")
	}
	return strings.TrimSpace(strings.Join(parts, " "))
}

// writeDefaults are the plugin's proposals for the keys beside config.
func writeDefaults(b *strings.Builder, d sdk.Defaults) {
	if d == (sdk.Defaults{}) {
		return
	}
	b.WriteString("\n## Defaults beside `config`\n\nThe target's own settings come first.\n\n")
	if d.Concurrency > 0 {
		fmt.Fprintf(b, "- `concurrency: %d`\n", d.Concurrency)
	}
	if d.Rate > 0 {
		fmt.Fprintf(b, "- `rate: {per_second: %v, burst: %d}`\n", d.Rate, max(d.Burst, 1))
	}
	if g := d.Group; g != (sdk.GroupDefaults{}) {
		var parts []string
		add := func(key, value string, given bool) {
			if given {
				parts = append(parts, key+": "+value)
			}
		}
		add("by", g.By, g.By != "")
		add("wait", duration(g.Wait), g.Wait > 0)
		add("max_wait", duration(g.MaxWait), g.MaxWait > 0)
		add("max", strconv.Itoa(g.Max), g.Max > 0)
		when := ", for a target that has `group`"
		if g.On {
			when = ""
		}
		fmt.Fprintf(b, "- %s%s\n", code("group: {"+strings.Join(parts, ", ")+"}"), when)
	}
	if d.FoldUpgrades {
		b.WriteString("- The deletion of a file for an upgrade is told with the upgrade, and not by itself.\n")
	}
}

// zeroUnits are those that a duration ends with.
var zeroUnits = regexp.MustCompile(`([hm])0[ms](0s)?$`)

// duration is written as in a configuration: 5m and not 5m0s.
func duration(d time.Duration) string { return zeroUnits.ReplaceAllString(d.String(), "$1") }

func writeEventTypes(b *strings.Builder, d host.Description) {
	if len(d.EventTypes) == 0 {
		return
	}
	b.WriteString("\n## Events\n\n| type | in the application's words |\n|---|---|\n")
	for _, t := range d.EventTypes {
		native := make([]string, len(t.Native))
		for i, word := range t.Native {
			native[i] = code(word)
		}
		fmt.Fprintf(b, "| %s | %s |\n", code(string(t.Type)), strings.Join(native, ", "))
	}
}

// writeNetwork says what a plugin needs that says it needs no network.
func writeNetwork(b *strings.Builder, d host.Description, keys []pluginschema.Key) {
	if !d.Offline {
		return
	}
	b.WriteString("\n## Network\n\nIt uses no network")
	if needs := networkKeys(keys); len(needs) > 0 {
		b.WriteString(", but for instances that set " + strings.Join(needs, " or "))
	}
	b.WriteString(".\n")
}

func networkKeys(keys []pluginschema.Key) []string {
	var all []string
	for _, k := range keys {
		if k.Network {
			all = append(all, code(k.Path))
		}
		all = append(all, networkKeys(k.Keys)...)
	}
	return all
}

// Index returns a page that leads to those of the plugins.
func Index(all []host.Description) string {
	all = slices.SortedFunc(slices.Values(all), func(a, b host.Description) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name))
	})
	var b strings.Builder
	b.WriteString(written + "# Plugins\n\nWhat each can be configured with, and what it does.\n")
	for _, kind := range []host.Kind{host.KindSource, host.KindTarget} {
		begun := false
		for _, d := range all {
			if d.Kind != kind {
				continue
			}
			if !begun {
				fmt.Fprintf(&b, "\n| %s | |\n|---|---|\n", kind)
				begun = true
			}
			fmt.Fprintf(&b, "| [%s](%s) | %s |\n", text(d.Name), FileName(d), text(d.Summary))
		}
	}
	return b.String()
}
