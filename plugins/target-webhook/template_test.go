package webhook

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/plugins/internal/eventtest"
	"github.com/hookarr/hookarr/plugins/internal/template"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/plugintest"
	"github.com/hookarr/hookarr/sdk/signature"
)

func parse(t *testing.T, text string) template.Template {
	t.Helper()
	parsed, err := template.Parse("template", text)
	require.NoError(t, err)
	return *parsed
}

// endless is a template that fails whatever the event.
const endless = `{{define "a"}}{{template "a" .}}{{end}}{{template "a" .}}`

// parts are of a body alone.
func parts(t *testing.T, contentType, body string) templateParts {
	t.Helper()
	return templateParts{ContentType: contentType, Body: parse(t, body)}
}

// templated is an endpoint that gets what a template makes.
func templated(t *testing.T, p templateParts) testBundle {
	t.Helper()
	return setup(t, func(c *config) { c.Format, c.Template = formatTemplate, &p })
}

func hostile() sdk.Event {
	return sdk.Event{ID: "1", Type: sdk.TypeMediaImported, Time: time.Unix(1, 0).UTC(), Title: "a \"b\" & <c>\r\nX-Evil: d\x00é", Media: &sdk.Media{Title: "T", Year: 2024}}
}

func TestTemplates(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ contentType, body, want string }{
		"inside a string": {"", `{"text": "{{.event.title}}", "n": {{.count}}}`, `{"text": "a \"b\" \u0026 \u003cc\u003e\nX-Evil: dé", "n": 1}`},
		"as JSON":         {"application/json; charset=utf-8", `{"text": {{.event.title | upper | json}}, "year": {{.event.media.year}}}`, ""},
		"other JSON":      {"application/vnd.example+json", `["{{.event.media.title}}"]`, `["T"]`},
		"form":            {"application/x-www-form-urlencoded", `text={{.event.title}}&a=b`, `text=a+%22b%22+%26+%3Cc%3E%0AX-Evil%3A+d%C3%A9&a=b`},
		"HTML":            {"text/html", `<b>{{.event.title}}</b>`, "<b>a &#34;b&#34; &amp; &lt;c&gt;\nX-Evil: dé</b>"},
		"text":            {"text/plain; charset=utf-8", `{{.event.title}}`, "a \"b\" & <c>\nX-Evil: dé"},
		"empty":           {"text/plain", `{{if .event.upgrade}}x{{end}}`, ""},
	} {
		got := templated(t, parts(t, test.contentType, test.body)).deliver(t, eventtest.Delivery(t, hostile()))
		if test.want != "" {
			require.Equal(t, test.want, string(got.body), name)
		}
		if test.contentType == "" {
			test.contentType = "application/json"
		}
		require.Equal(t, test.contentType, got.header.Get("Content-Type"), name)
		if isJSON(test.contentType) {
			require.True(t, json.Valid(got.body), name)
		}
	}
}

func TestTemplateByType(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *config) {
		c.Format, c.HeaderNames.Event = formatTemplate, "X-Event"
		c.Templates = template.ByType[templateParts]{
			"media.*":        parts(t, "text/plain", "media"),
			"media.upgraded": parts(t, "text/plain", "upgraded {{.count}} {{.event.title}}"),
		}
	})
	require.Equal(t, "media", string(b.deliver(t, delivery(t)).body))
	d := eventtest.Delivery(t, sdk.Event{Type: sdk.TypeHealthIssue})
	got := b.deliver(t, d)
	require.JSONEq(t, `{"type": "health.issue", "timestamp": "0001-01-01T00:00:00Z", "data": `+string(d.JSON[0])+`}`, string(got.body), "no template")
	receipt, err := b.target.Deliver(t.Context(), d)
	require.NoError(t, err)
	require.Empty(t, receipt.Fallback, "none is asked for")

	d = group(t)
	d.Events, d.JSON = d.Events[:2], d.JSON[:2]
	got = b.deliver(t, d)
	require.Equal(t, "upgraded 2 Dune: Part Two (2024)", string(got.body), "the last event decides")
	require.Equal(t, "group", got.header.Get("X-Event"))
}

func TestTemplateSeesWhatIsLeft(t *testing.T) {
	t.Parallel()
	p := parts(t, "text/plain", "{{.event.title}} {{.event.media.title}} {{.event.media.overview}}")
	b := setup(t, func(c *config) {
		c.Format, c.Omit = formatTemplate, []string{"media.overview", "title", "type"}
		c.Templates = template.ByType[templateParts]{"media.imported": p}
	})
	require.Equal(t, " Dune: Part Two ", string(b.deliver(t, delivery(t)).body))
}

func TestTemplatesThatFailStopNothing(t *testing.T) {
	t.Parallel()
	want := setup(t, nil).deliver(t, delivery(t))
	for name, test := range map[string]struct{ body, fallback string }{
		"no JSON": {`{"a": {{.event.media.title}}}`, "template.body: the result is not JSON: line 1: invalid character 'D'"},
		"two":     {"{}\n{}", "template.body: the result is not JSON: line 2: invalid character '{' after top-level value"},
		"nothing": {"{{if .event.upgrade}}{}{{end}}", "template.body: the result is not JSON: line 1: unexpected end of JSON input"},
		"endless": {endless, "template.body: "},
	} {
		b := templated(t, parts(t, "", test.body))
		receipt, err := b.target.Deliver(t.Context(), delivery(t))
		require.NoError(t, err, name)
		require.Contains(t, receipt.Fallback, test.fallback, name)
		require.True(t, strings.HasSuffix(receipt.Fallback, ": sent in the format standard"), receipt.Fallback)
		require.Equal(t, string(want.body), string(b.receiver.all[0].body), name)
		require.Equal(t, "application/json", b.receiver.all[0].header.Get("Content-Type"))
	}
}

func TestTemplateHeaders(t *testing.T) {
	t.Parallel()
	p := parts(t, "text/plain", "x")
	p.Headers = map[string]template.Template{
		"X-Title": parse(t, "{{.event.title}}"), "X-Year": parse(t, " {{.event.media.year}}\n"), "X-None": parse(t, "{{.event.delete_reason}}"),
		"X-Long": parse(t, "{{.event.media.overview}}"), "X-Fails": parse(t, endless),
	}
	e := hostile()
	e.Media.Overview = strings.Repeat("long ", 10_000)
	b := templated(t, p)
	receipt, err := b.target.Deliver(t.Context(), eventtest.Delivery(t, e))
	require.NoError(t, err)
	require.Contains(t, receipt.Fallback, "template.headers.X-Title: has line breaks or control characters: sent without them")
	h := b.receiver.all[0].header
	require.Equal(t, `a "b" & <c> X-Evil: dé`, h.Get("X-Title"))
	require.Equal(t, "2024", h.Get("X-Year"))
	require.Empty(t, h.Values("X-None"))
	require.Empty(t, h.Values("X-Fails"))
	require.Empty(t, h.Values("X-Evil"))
	require.Less(t, len(h.Get("X-Long")), 5_000)

	delete(p.Headers, "X-Title")
	receipt, err = templated(t, p).target.Deliver(t.Context(), eventtest.Delivery(t, e))
	require.NoError(t, err)
	require.Contains(t, receipt.Fallback, "template.headers.X-Fails: ")
	require.Contains(t, receipt.Fallback, ": sent without it")
}

// TestTemplateOverTheWire signs what a template makes, and holds what operators write to
// what their template can say.
func TestTemplateOverTheWire(t *testing.T) {
	t.Parallel()
	b := setup(t, nil) // for its endpoint
	settings := func(body string) map[string]any {
		return map[string]any{
			"url": b.url, "format": formatTemplate, "secrets": []string{"secret"},
			"template":  map[string]any{"body": body, "headers": map[string]string{"X-Title": "{{.event.title}}"}},
			"templates": map[string]any{"media.upgraded": map[string]any{"body": body, "content_type": "text/plain"}},
		}
	}
	target := plugintest.StartTarget(t, info(), newTarget, settings(`{"text": "{{.message.headline}}"}`))
	d := plugintest.Delivery(t, "delivery", plugintest.EventOf(sdk.TypeMediaImported), plugintest.EventOf(sdk.TypeMediaUpgraded), plugintest.EventOf(sdk.TypeMediaImported))
	o, err := target.Deliver(t.Context(), d)
	require.NoError(t, err)
	require.Equal(t, sdk.ClassOK, o.Class, o.Message)
	require.Empty(t, o.Receipt.Fallback)
	got := b.receiver.all[0]
	require.True(t, json.Valid(got.body), "%s", got.body)
	require.NotEmpty(t, got.header.Get("X-Title"))
	verify(t, signature.StandardWebhooks(), "secret", got)

	for body, want := range map[string]string{
		"{{.event.titel}}": `there is no field "titel" here`,
		"{{.event.title":   "line 1",
		"":                 "must not be empty",
	} {
		problems, err := target.Configure(t.Context(), plugintest.Config(t, settings(body)))
		require.NoError(t, err)
		require.Len(t, problems, 2, body)
		require.Equal(t, []string{"template.body", "templates.media.upgraded.body"}, []string{problems[0].Key, problems[1].Key})
		require.Contains(t, problems[0].Message, want)
	}
	warnings, err := target.Warnings(t.Context(), plugintest.Config(t, map[string]any{
		"url": b.url, "format": formatTemplate, "templates": map[string]any{"media.imprted": map[string]any{"body": "x"}},
	}))
	require.NoError(t, err)
	require.Len(t, warnings, 1)
	require.Equal(t, "templates.media.imprted", warnings[0].Key)
	require.Equal(t, http.MethodPost, got.method)
}

func TestTemplatesTakeAnyEvent(t *testing.T) {
	t.Parallel()
	p := parts(t, "", `{"text": "{{.message.headline}} {{.event.title}}", "files": [{{range $i, $f := .event.files}}{{if $i}},{{end}}{{$f.path | json}}{{end}}], "all": {{json .event}}}`)
	b := templated(t, p)
	for _, c := range eventtest.Events() {
		receipt, err := b.target.Deliver(t.Context(), eventtest.Delivery(t, c.Event))
		require.NoError(t, err, c.Name)
		if c.Name != "extreme_everything" && c.Name != "extreme_files" {
			require.Empty(t, receipt.Fallback, c.Name)
		}
	}
	for _, got := range b.receiver.all {
		require.True(t, json.Valid(got.body))
	}
}
