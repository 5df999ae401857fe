package apprise

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/endpoint"
	"github.com/hookarr/hookarr/plugins/internal/eventtest"
	"github.com/hookarr/hookarr/plugins/internal/template"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/plugintest"
)

func parse(t require.TestingT, text string) *template.Template {
	parsed, err := template.Parse("", text)
	require.NoError(t, err)
	return parsed
}

// said is what a target of a template posts of an event, and what it says of it.
func said(t *testing.T, format string, o own, e sdk.Event) (endpoint.AppriseBody, string) {
	t.Helper()
	b := setup(t, func(c *config) { c.Format, c.Templates = format, template.ByType[own]{"media.*": o} })
	receipt, err := b.target.Deliver(t.Context(), eventtest.Delivery(t, e))
	require.NoError(t, err, b.apprise.Refused())
	return b.apprise.Messages()[0], receipt.Fallback
}

func TestTemplatesAreInTheFormat(t *testing.T) {
	t.Parallel()
	e := imported
	e.Title = "A *star* <b>&"
	for format, want := range map[string]string{
		"text": "*A *star* <b>&*", formatMarkdown: `*A \*star\* \<b\>\&*`, formatHTML: "*A *star* &lt;b&gt;&amp;*",
	} {
		m, fallback := said(t, format, own{Body: parse(t, "*{{.event.title}}*\n")}, e)
		require.Equal(t, want, m.Body)
		require.Equal(t, "✅ Item imported: A *star* <b>&", m.Title, "the built-in one")
		require.Empty(t, fallback)
	}
	m, fallback := said(t, "text", own{Title: parse(t, "New:\n {{.event.title}}")}, e)
	require.Equal(t, "New: A *star* <b>&", m.Title)
	require.Contains(t, m.Body, "Imported it", "the built-in one")
	require.Empty(t, fallback)

	m, _ = said(t, "text", own{Body: parse(t, "x")}, sdk.Event{Type: sdk.TypeTest, Title: "Hookarr", Summary: "tests"})
	require.NotEqual(t, "x", m.Body, "an event of another type")
}

func TestLongTemplatesAreCut(t *testing.T) {
	t.Parallel()
	e := imported
	e.Title = strings.Repeat("a", 3000)
	m, fallback := said(t, "text", own{Title: parse(t, "{{.event.title}}"), Body: parse(t, "{{.event.title}}")}, e)
	require.Len(t, m.Title, 249+len("…"))
	require.Len(t, m.Body, 1999+len("…"))
	require.Empty(t, fallback)
}

func TestATemplateThatFailsIsReplaced(t *testing.T) {
	t.Parallel()
	e := imported
	e.Title = strings.Repeat("a", 3000)
	for name, c := range map[string]struct {
		format string
		own    own
		want   string
	}{
		"body":    {"text", own{Body: parse(t, `{{date "2006" .event.title}}`)}, "template media.*.body: "},
		"title":   {"text", own{Title: parse(t, `{{date "2006" .event.title}}`), Body: parse(t, "x")}, "template media.*.title: "},
		"nothing": {"text", own{Body: parse(t, " {{.event.media.overview}}\n")}, "template media.*.body: it says nothing"},
		"long":    {formatHTML, own{Body: parse(t, "<b>{{.event.title}}</b>")}, "template media.*.body: it makes 3007 characters, and max_body is 2000"},
	} {
		m, fallback := said(t, c.format, c.own, e)
		require.Contains(t, m.Body, "Imported it", name)
		require.Contains(t, m.Title, "imported", name)
		require.Contains(t, fallback, c.want, name)
		require.True(t, strings.HasSuffix(fallback, ": used the built-in message"), fallback)
	}
}

func TestTemplatesAreChecked(t *testing.T) {
	t.Parallel()
	config := func(templates any) map[string]any {
		return map[string]any{"url": "http://127.0.0.1:8000", "key": "k", "templates": templates}
	}
	target := plugintest.StartTarget(t, info(), newTarget, config(map[string]any{"*": map[string]any{"body": "{{.event.title}}"}}))
	for _, c := range []struct {
		templates any
		key       string
	}{
		{map[string]any{"media.*": map[string]any{"body": "{{.event.titel}}"}}, "templates.media.*.body"},
		{map[string]any{"media.*": map[string]any{}}, "templates.media.*"},
		{map[string]any{"media.[": map[string]any{"body": "a"}}, "templates.media.["},
		{map[string]any{"*": map[string]any{"text": "a"}}, "templates.*.text"},
	} {
		problems, err := target.Configure(t.Context(), plugintest.Config(t, config(c.templates)))
		require.NoError(t, err)
		require.NotEmpty(t, problems)
		require.Equal(t, c.key, problems[0].Key)
	}
	warnings, err := target.Warnings(t.Context(), plugintest.Config(t, config(map[string]any{"film.*": map[string]any{"body": "a"}})))
	require.NoError(t, err)
	require.Len(t, warnings, 1)
	require.Equal(t, "templates.film.*", warnings[0].Key)
}
