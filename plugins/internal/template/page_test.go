package template

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/plugins/internal/eventtest"
	"github.com/hookarr/hookarr/sdk"
)

// Every function is in the documentation, whose examples give what it says.
func TestPage(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../../docs/templates.md")
	require.NoError(t, err)
	usual, group, ok := strings.Cut(string(page), "A season that comes\nas a group")
	require.True(t, ok)
	events, stories := eventtest.Events(), eventtest.Stories()
	upgraded := events[slices.IndexFunc(events, func(c eventtest.Case) bool { return c.Name == "media_upgraded" })].Event
	season := stories[slices.IndexFunc(stories, func(s eventtest.Story) bool { return s.Name == "season_begun" })].Events
	examples := checkExamples(t, usual, upgraded) + checkExamples(t, group, season...)
	for _, name := range append(slices.Collect(maps.Keys((&run{}).functions())), builtins()...) {
		require.Regexp(t, `(^|[^\w.])`+name+`\b`, examples, "%s is not in docs/templates.md", name)
	}
}

// checkExamples executes the first column of a table for events, and wants the second. It
// returns the templates.
func checkExamples(t *testing.T, page string, events ...sdk.Event) string {
	t.Helper()
	var all strings.Builder
	for _, row := range regexp.MustCompile("(?m)^\\| `(.*?{{.*?)` \\| `(.*?)` \\|$").FindAllStringSubmatch(page, -1) {
		source := strings.ReplaceAll(row[1], `\|`, "|")
		parsed, err := Parse("example", source)
		require.NoError(t, err, source)
		said, err := parsed.Execute(events)
		require.NoError(t, err, source)
		require.Equal(t, row[2], strings.TrimSpace(said), source)
		all.WriteString(source + "\n")
	}
	require.NotEmpty(t, all.String())
	return all.String()
}
