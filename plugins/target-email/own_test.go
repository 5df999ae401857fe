package email

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/endpoint"
	"github.com/hookarr/hookarr/plugins/internal/eventtest"
	"github.com/hookarr/hookarr/plugins/internal/message"
	"github.com/hookarr/hookarr/plugins/internal/template"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/plugintest"
)

func parse(t require.TestingT, text string) *template.Template {
	parsed, err := template.Parse("", text)
	require.NoError(t, err)
	return parsed
}

// said is the mail of a template about an event, and why it is another.
func said(t *testing.T, o own, e sdk.Event) (endpoint.Mail, string) {
	t.Helper()
	from := written(t, func(c *config) { c.Templates = template.ByType[own]{"media.*": o} })
	d := eventtest.Delivery(t, e)
	l, err := from.writer.write(d)
	require.NoError(t, err)
	return read(t, from, d), l.fallback
}

func TestTemplatesReplaceTheirPart(t *testing.T) {
	t.Parallel()
	e := imported
	e.Title = "A <b> & more"
	m, fallback := said(t, own{Subject: parse(t, "New\n {{.event.title}}\r\nBcc: x@example.org")}, e)
	require.Equal(t, "[Hookarr] New A <b> & more Bcc: x@example.org", m.Header["Subject"])
	require.Contains(t, m.Text, "Item imported: A <b> & more", "the built-in one")
	require.Empty(t, fallback)

	m, _ = said(t, own{Text: parse(t, "It is {{.event.title}}\n\n.\n")}, e)
	require.Equal(t, "It is A <b> & more\n\n.\n", m.Text)
	require.Contains(t, m.HTML, "It is A &lt;b&gt; &amp; more")
	require.Contains(t, m.Header["Subject"], "imported", "the built-in one")

	m, _ = said(t, own{Text: parse(t, "text"), HTML: parse(t, "<i>{{.event.title}}</i>")}, e)
	require.Equal(t, "text\n", m.Text)
	require.Contains(t, m.HTML, "<body>\n<i>A &lt;b&gt; &amp; more</i>\n</body>")
	m, _ = said(t, own{HTML: parse(t, "<HTML><body>{{.event.title}}</body></HTML>")}, e)
	require.Equal(t, "<HTML><body>A &lt;b&gt; &amp; more</body></HTML>\n", m.HTML)

	m, _ = said(t, own{Subject: parse(t, "x")}, sdk.Event{Type: sdk.TypeTest, Title: "Hookarr"})
	require.NotEqual(t, "[Hookarr] x", m.Header["Subject"], "an event of another type")
}

func TestATemplateThatFailsIsReplaced(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		own  own
		want string
	}{
		"subject": {own{Subject: parse(t, `{{date "2006" .event.title}}`)}, "template media.*.subject: "},
		"text":    {own{Subject: parse(t, "x"), Text: parse(t, `{{date "2006" .event.title}}`)}, "template media.*.text: "},
		"html":    {own{Text: parse(t, "x"), HTML: parse(t, `{{date "2006" .event.title}}`)}, "template media.*.html: "},
		"nothing": {own{Subject: parse(t, " {{.event.media.overview}}")}, "template media.*.subject: it says nothing"},
	} {
		m, fallback := said(t, c.own, imported)
		require.Contains(t, m.Header["Subject"], "Item imported", name)
		require.Contains(t, m.Text, "Item imported", name)
		require.Contains(t, m.HTML, "Item imported", name)
		require.Contains(t, fallback, c.want, name)
		require.True(t, strings.HasSuffix(fallback, ": used the built-in message"), fallback)
	}
	s := &endpoint.SMTP{Refuse: map[string]endpoint.SMTPReply{"a@example.org": {Code: 550, Text: "gone"}}}
	target := setup(t, s, func(c *config) {
		c.Templates = template.ByType[own]{"*": {Text: parse(t, "{{.event.media.overview}}")}}
	})
	receipt, err := target.Deliver(t.Context(), eventtest.Delivery(t, imported))
	require.NoError(t, err)
	require.Contains(t, receipt.Fallback, "gone to the recipient a@example.org; template *.text: it says nothing")
}

// The longest that templates make is a mail that servers take.
func TestLongTemplates(t *testing.T) {
	t.Parallel()
	e := imported
	e.Title = strings.Repeat("ü", 30_000)
	all := own{Subject: parse(t, "{{.event.title}}"), Text: parse(t, "{{.event.title}}"), HTML: parse(t, "<p>{{.event.title}}</p>")}
	m, fallback := said(t, all, e)
	require.Empty(t, fallback)
	require.Equal(t, maxSubject, message.Len(m.Header["Subject"]))
	require.Equal(t, e.Title+"\n", m.Text)
}

func TestTemplatesAreChecked(t *testing.T) {
	t.Parallel()
	config := func(templates any) map[string]any {
		return map[string]any{"host": "127.0.0.1", "from": "a@example.org", "to": []string{"b@example.org"}, "templates": templates}
	}
	target := plugintest.StartTarget(t, info(), newTarget, config(map[string]any{"*": map[string]any{"text": "{{.event.title}}"}}))
	for _, c := range []struct {
		templates any
		key       string
	}{
		{map[string]any{"media.*": map[string]any{"html": "{{.event.titel}}"}}, "templates.media.*.html"},
		{map[string]any{"media.*": map[string]any{}}, "templates.media.*"},
		{map[string]any{"media.[": map[string]any{"text": "a"}}, "templates.media.["},
		{map[string]any{"*": map[string]any{"body": "a"}}, "templates.*.body"},
	} {
		problems, err := target.Configure(t.Context(), plugintest.Config(t, config(c.templates)))
		require.NoError(t, err)
		require.NotEmpty(t, problems)
		require.Equal(t, c.key, problems[0].Key)
	}
	warnings, err := target.Warnings(t.Context(), plugintest.Config(t, config(map[string]any{"film.*": map[string]any{"text": "a"}})))
	require.NoError(t, err)
	require.Len(t, warnings, 1)
	require.Equal(t, "templates.film.*", warnings[0].Key)
}
