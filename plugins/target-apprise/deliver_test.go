package apprise

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/endpoint"
	"github.com/hookarr/hookarr/plugins/internal/eventtest"
	"github.com/hookarr/hookarr/plugins/internal/message"
	"github.com/hookarr/hookarr/sdk"
)

type testBundle struct {
	apprise *endpoint.Apprise
	target  sdk.Target
}

func setup(t *testing.T, change func(c *config)) testBundle {
	t.Helper()
	apprise := &endpoint.Apprise{Tags: []string{"family"}}
	server := httptest.NewServer(apprise)
	t.Cleanup(server.Close)
	c := config{URL: sdk.Secret(server.URL), Key: sdk.Secret(apprise.Key()), Format: "text", MaxBody: 2000}
	if change != nil {
		change(&c)
	}
	require.NoError(t, c.Validate())
	target, err := newTarget(t.Context(), sdk.Env{Instance: "all", Log: slog.New(slog.DiscardHandler), HTTP: &sdk.HTTP{}}, c)
	require.NoError(t, err)
	return testBundle{apprise, target}
}

var imported = sdk.Event{Type: sdk.TypeMediaImported, Title: "Dune: Part Two (2024)", Summary: "Imported it"}

func TestEveryWayToReachServices(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(c *config){
		"stored":    nil,
		"tag":       func(c *config) { c.Tag = "family" },
		"slash":     func(c *config) { c.URL += "/" },
		"stateless": func(c *config) { c.Key, c.URLs = "", []sdk.Secret{"json://localhost", "tgram://token/1"} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, change)
			receipt, err := b.target.Deliver(t.Context(), eventtest.Delivery(t, imported))
			require.NoError(t, err, b.apprise.Refused())
			require.Equal(t, http.StatusOK, receipt.Status)
			require.Len(t, b.apprise.Messages(), 1)
		})
	}
}

func TestSeverityIsTheType(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	want := []string{"success", "info", "warning", "failure"}
	for _, e := range []sdk.Event{
		imported, {Type: sdk.TypeReleaseGrabbed, Title: "x"}, {Type: sdk.TypeFileDeleted, Title: "x"}, {Type: sdk.TypeDownloadFailed, Title: "x"},
	} {
		_, err := b.target.Deliver(t.Context(), eventtest.Delivery(t, e))
		require.NoError(t, err)
	}
	var got []string
	for _, m := range b.apprise.Messages() {
		got = append(got, m.Type)
	}
	require.Equal(t, want, got)
}

func TestWhatASentenceSaysIsNotSaidTwice(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *config) { c.Look = message.LookCompact })
	_, err := b.target.Deliver(t.Context(), eventtest.Delivery(t, sdk.Event{Type: sdk.TypeTest, Title: "Hookarr"}))
	require.NoError(t, err, b.apprise.Refused())
	m := b.apprise.Messages()[0]
	require.Empty(t, m.Title, "the body is needed, the title is not")
	require.Equal(t, "🔔 Test message: Hookarr", m.Body)
}

func TestHTMLIsEscapedAndBreaksItsLines(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *config) { c.Format = "html" })
	e := imported
	e.Summary = `<script>alert("x")</script> & more`
	e.Files = []sdk.File{{Quality: "Bluray-1080p"}, {Quality: "WEB-1080p"}}
	_, err := b.target.Deliver(t.Context(), eventtest.Delivery(t, e))
	require.NoError(t, err)
	m := b.apprise.Messages()[0]
	require.Contains(t, m.Body, "&lt;script&gt;")
	require.Contains(t, m.Body, "<br>")
	require.NotContains(t, m.Body, "\n")
}

func TestAnswersAreClassified(t *testing.T) {
	t.Parallel()
	stateless := func(c *config) { c.Key, c.URLs = "", []sdk.Secret{"json://localhost"} }
	tagged := func(c *config) { c.Tag = "friends" }
	const warned = `{"error":"One or more notification could not be sent","details":[["WARNING","2026-11-23 10:00:00,000","Failed to send Telegram notification"],["WARNING","x","A second\nline"],[]]}`
	for name, c := range map[string]struct {
		change func(c *config)
		status int
		body   string
		class  sdk.Class
		says   string
	}{
		"no key":           {nil, 204, "", sdk.ClassMisconfigured, "no configuration under this key"},
		"no valid URLs":    {stateless, 204, "", sdk.ClassMisconfigured, "none of the services in urls"},
		"a service failed": {nil, 424, warned, sdk.ClassPermanent, "Failed to send Telegram notification; A second line"},
		"to be retried":    {func(c *config) { c.RetryPartial = true }, 424, warned, sdk.ClassRetryable, "Failed to send Telegram"},
		"failed by tag":    {tagged, 424, warned, sdk.ClassPermanent, "Telegram"},
		"tag of none":      {tagged, 424, `{"error":"x","details":[]}`, sdk.ClassMisconfigured, `"friends"`},
		"not said":         {tagged, 424, "", sdk.ClassPermanent, "does not say why"},
		"other shape":      {tagged, 424, `{"error":"One failed","details":["a"]}`, sdk.ClassPermanent, "One failed"},
		"bad request":      {nil, 400, `{"error":"Payload lacks minimum requirements"}`, sdk.ClassPermanent, "Payload lacks"},
		"locked":           {nil, 403, `{"error":"The site has been configured to deny this request"}`, sdk.ClassMisconfigured, "deny this request"},
		"wrong server":     {nil, 404, "<html>", sdk.ClassMisconfigured, "404"},
		"too large":        {nil, 431, `{"error":"JSON Payload provided is to large"}`, sdk.ClassPermanent, "to large"},
		"no access":        {nil, 500, `{"error":"An error occurred accessing configuration"}`, sdk.ClassRetryable, "accessing configuration"},
		"proxy":            {nil, 502, "<html>", sdk.ClassRetryable, "502"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, c.change)
			b.apprise.Next(func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Accept") != "application/json" || r.Header.Get("X-Apprise-Log-Level") != "WARNING" {
					w.WriteHeader(http.StatusTeapot)
					return
				}
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			})
			receipt, err := b.target.Deliver(t.Context(), eventtest.Delivery(t, imported))
			class, _ := sdk.ClassOf(err)
			require.Equal(t, c.class, class, err)
			require.ErrorContains(t, err, c.says)
			require.Equal(t, c.status, receipt.Status)
			require.Equal(t, c.body, receipt.Excerpt)
			require.Empty(t, b.apprise.Messages())
		})
	}
}

// The endpoint's own answers are as the table above has them.
func TestEndpointRefusesAsTheServerDoes(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *config) { c.Key = "another" })
	_, err := b.target.Deliver(t.Context(), eventtest.Delivery(t, imported))
	require.ErrorContains(t, err, "no configuration under this key")
	b = setup(t, func(c *config) { c.Tag = "friends, family urgent" })
	_, err = b.target.Deliver(t.Context(), eventtest.Delivery(t, imported))
	require.ErrorContains(t, err, "no service with the tag")
	b = setup(t, nil)
	b.apprise.Fail("Failed to send Discord notification")
	_, err = b.target.Deliver(t.Context(), eventtest.Delivery(t, imported))
	require.ErrorContains(t, err, "Discord")
}

func TestGoldens(t *testing.T) {
	t.Parallel()
	for _, look := range message.Looks() {
		t.Run(string(look), func(t *testing.T) {
			t.Parallel()
			b := setup(t, func(c *config) { c.Look = look })
			shown := map[string]endpoint.AppriseBody{}
			for _, c := range eventtest.Events() {
				if c.Name == "extreme_everything" || c.Name == "extreme_files" || c.Name == "extreme_rtl_emoji" {
					continue // they are long, and nothing else
				}
				_, err := b.target.Deliver(t.Context(), eventtest.Delivery(t, c.Event))
				require.NoError(t, err, b.apprise.Refused())
				shown[c.Name] = b.apprise.Messages()[len(b.apprise.Messages())-1]
			}
			for _, s := range eventtest.Stories() {
				_, err := b.target.Deliver(t.Context(), eventtest.StoryDelivery(t, s.Events...))
				require.NoError(t, err, b.apprise.Refused())
				shown["story_"+s.Name] = b.apprise.Messages()[len(b.apprise.Messages())-1]
			}
			eventtest.Golden(t, "testdata/"+string(look)+".golden.json", shown)
		})
	}
}

func TestGoldensOfMarkup(t *testing.T) {
	t.Parallel()
	for _, format := range []string{formatMarkdown, formatHTML} {
		b := setup(t, func(c *config) { c.Format = format })
		shown := map[string]string{}
		for _, c := range eventtest.Events() {
			if c.Name == "extreme_everything" || c.Name == "extreme_files" || c.Name == "extreme_rtl_emoji" {
				continue
			}
			_, err := b.target.Deliver(t.Context(), eventtest.Delivery(t, c.Event))
			require.NoError(t, err, b.apprise.Refused())
			shown[c.Name] = b.apprise.Messages()[len(b.apprise.Messages())-1].Body
		}
		eventtest.Golden(t, "testdata/"+format+".golden.json", shown)
	}
}
