// Package manual holds the page of a plugin's documentation to what the plugin says of
// itself. The options are written from the schema of its configuration, between two
// comments of the page; the rest is written by hand.
package manual

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/invopop/jsonschema"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/plugins/internal/eventtest"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/plugintest"
)

// The comments around the options.
const (
	begin = "<!-- The options are written by `make docs`. -->\n"
	end   = "<!-- Here the options end. -->\n"
)

// Check compares the options in docs/targets/NAME.md with those of a target plugin, or
// writes them when the test binary was given -update. It is called by a test in the
// plugin's own directory.
func Check(t *testing.T, p *plugintest.Target) {
	t.Helper()
	d, err := p.Describe(t.Context())
	require.NoError(t, err)
	options, err := table(d.ConfigSchema)
	require.NoError(t, err)
	file := "../../docs/targets/" + d.Name + ".md"
	page, err := os.ReadFile(file)
	require.NoError(t, err, "every target has a page")
	head, rest, ok := strings.Cut(string(page), begin)
	require.True(t, ok, "%s has no line %s", file, begin)
	_, tail, ok := strings.Cut(rest, end)
	require.True(t, ok, "%s has no line %s", file, end)
	eventtest.GoldenText(t, file, head+begin+"\n"+options+proposals(d.Defaults)+"\n"+end+tail)
}

// table lists the keys of a schema, those of sections after the section's own.
func table(raw json.RawMessage) (string, error) {
	var schema jsonschema.Schema
	if err := json.Unmarshal(raw, &schema); err != nil {
		return "", fmt.Errorf("read the schema of the configuration: %w", err)
	}
	var b strings.Builder
	b.WriteString("| key | value | meaning |\n|---|---|---|\n")
	rows(&b, "", &schema)
	return b.String(), nil
}

func rows(b *strings.Builder, before string, s *jsonschema.Schema) {
	if s.Properties == nil {
		return
	}
	for p := s.Properties.Oldest(); p != nil; p = p.Next() {
		key, of := before+p.Key, p.Value
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", key, value(of, slices.Contains(s.Required, p.Key)), escape(of.Description))
		rows(b, key+".", of)
		if of.Items != nil {
			rows(b, key+"[].", of.Items)
		}
		if of.AdditionalProperties != nil {
			rows(b, key+".KEY.", of.AdditionalProperties)
		}
	}
}

// value says what a key may be.
func value(s *jsonschema.Schema, required bool) string {
	parts := []string{kind(s)}
	if required {
		parts = append([]string{"required"}, parts...)
	}
	if s.Default != nil && s.Default != false {
		parts = append(parts, "default "+literal(s.Default))
	}
	return strings.Join(parts, ", ")
}

func kind(s *jsonschema.Schema) string {
	switch {
	case len(s.Enum) > 0:
		all := make([]string, 0, len(s.Enum))
		for _, v := range s.Enum {
			all = append(all, literal(v))
		}
		return strings.Join(all, ", ")
	case len(s.Examples) > 0:
		return "such as " + literal(s.Examples[0])
	case s.WriteOnly:
		return "secret"
	case s.Type == "array":
		return "list: " + kind(s.Items)
	case s.Type == "boolean":
		return "`true`, `false`"
	case s.Type == "integer", s.Type == "number":
		return number(s)
	case s.Properties != nil:
		return "section"
	case s.Type == "object" && s.AdditionalProperties != nil:
		return kind(s.AdditionalProperties) + " by key"
	default:
		return "text"
	}
}

// literal is a value of JSON as it is written in a configuration.
func literal(v any) string {
	if s, ok := v.(string); ok {
		return "`" + s + "`"
	}
	// A float64 is written as json has it: without an exponent.
	raw, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return "`" + string(raw) + "`"
}

func number(s *jsonschema.Schema) string {
	switch least, most := s.Minimum.String(), s.Maximum.String(); {
	case least != "" && most != "":
		return least + " to " + most
	case least != "":
		return "number from " + least
	default:
		return "number"
	}
}

// proposals are the plugin's own for what the target's section says.
func proposals(d sdk.Defaults) string {
	var all []string
	if d.Concurrency > 0 {
		all = append(all, fmt.Sprintf("`concurrency: %d`", d.Concurrency))
	}
	if d.Rate > 0 {
		all = append(all, fmt.Sprintf("`rate: {per_second: %v, burst: %d}`", d.Rate, max(d.Burst, 1)))
	}
	if g := d.Group; g != (sdk.GroupDefaults{}) {
		begin := "for groups"
		if g.On {
			begin = "groups"
		}
		all = append(all, begin+fmt.Sprintf(" `by: %s`, `wait: %s`, `max_wait: %s`, `max: %d`", g.By, duration(g.Wait), duration(g.MaxWait), g.Max))
	}
	if len(all) == 0 {
		return ""
	}
	return "\nBeside `config`, unless the target says otherwise: " + strings.Join(all, "; ") + ".\n"
}

// duration is written as in a configuration: 5m and not 5m0s.
func duration(d time.Duration) string {
	return regexp.MustCompile(`([hm])0[ms](0s)?$`).ReplaceAllString(d.String(), "$1")
}

// escape keeps what Markdown would read as markup, and columns, out of a text.
func escape(s string) string {
	return strings.NewReplacer("\n", " ", "|", `\|`, "*", `\*`, "<", `\<`).Replace(s)
}
