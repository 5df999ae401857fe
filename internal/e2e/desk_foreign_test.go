package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/core/store/sqlite"
	"github.com/hookarr/hookarr/internal/browsertest"
	"github.com/hookarr/hookarr/sdk"
)

// markup is what runs where a text is taken for a page, in each place where one may be.
const markup = `<script>window.ran=1</script>"><img src=x onerror="window.ran=1"><svg onload="window.ran=1">'+window.ran+'`

// foreign is a text of a stranger that tells where it came from, with markup, characters
// that nobody sees or that turn the direction of what follows, and no end.
func foreign(where string) string {
	return "FROM-" + where + markup + "\x01\x1b[31m\x7f\u0085\u202e\u2066 {{.}} " + strings.Repeat("W", 10000)
}

// unseen are the characters that must not be in a page.
const unseen = `/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/`

// ran is what a page has that markup of strangers would have made.
const ran = `[window.ran, ...document.querySelectorAll("script:not([src]), img:not([src*='/assets/']), [onerror], [onload], [onclick], a[href^='javascript'], iframe, object, base")]
  .filter((e) => e !== undefined && e !== null).map((e) => e.outerHTML ?? String(e))`

// TestForeignTexts shows every text of strangers on every page: as text.
func TestForeignTexts(t *testing.T) {
	t.Parallel()

	d := newDesk(t, deskSettings{
		targets: fmt.Sprintf("broken:\n  plugin: webhook\n  config: {url: \"http://127.0.0.1:1/\", %q: 1}", "FROM-plugin-settings"+markup),
		routes:  fmt.Sprintf("- {name: strange, when: %q, to: [phone]}", `event.title == "`+strings.NewReplacer(`"`, `'`, `\`, ``).Replace(printable("FROM-route"+markup))+`"`),
	})
	where := d.strange(t)
	d.start()
	// What endpoints and applications answer.
	d.archive.respond(foreign("answer"))
	body := fmt.Appendf(nil, `{"eventType": "Download", "movie": {"id": 1, "title": %q, "year": 2020}, "instanceName": %q}`, printable(foreign("body")), printable(foreign("instance")))
	id := d.tell(t, "radarr", body).id
	_, err := d.client.Event(t.Context(), id)
	require.NoError(t, err)
	d.sample(t, "radarr", "upgrade", "Tears of Steel", printable(foreign("title")))
	d.awaitTarget(t, "broken", "quarantined")

	found := d.explore(t)
	p := d.open(t)
	p.Width(browsertest.Narrow)
	var text strings.Builder
	look := func(at string) {
		p.CheckLayout()
		require.Empty(t, browsertest.Evaluate[[]string](p, ran), "%s has run or made what a stranger wrote", at)
		content := browsertest.Evaluate[string](p, `document.documentElement.textContent + [...document.querySelectorAll("input, textarea, option")].map((e) => e.value).join("\n")`)
		require.False(t, browsertest.Evaluate[bool](p, unseen+`.test(document.documentElement.outerHTML)`), "%s has characters that nobody sees", at)
		text.WriteString(content)
		p.AssertClean()
	}
	for _, at := range found.first(explored) {
		p.Go(at)
		look(at)
	}
	// What is in an address is foreign, too.
	for _, query := range []string{"FROM-query" + markup, foreign("query")[:1000]} {
		for _, path := range []string{
			"/events?q=", "/events?since=", "/events?cursor=", "/deliveries?target=", "/deliveries?state=", "/dead?source=", "/targets/chat/preview?of=",
			"/silences?expression=", "/routes?event=", "/login?next=", "/events/", "/targets/", "/plugins/", "/",
		} {
			at := path + url.QueryEscape(query)
			if strings.HasSuffix(path, "/") {
				at = path + url.PathEscape(query)
			}
			p.GoTo(at, http.StatusOK, http.StatusNotFound, http.StatusBadRequest, http.StatusUnprocessableEntity)
			look(path + "…")
		}
	}
	// And what is sent by a form.
	p.Go("/targets/archive")
	p.Follow(`form[action$="/test"] button`)
	look("the test of a target")
	p.Go("/targets/archive")
	p.Fill("#reason", "FROM-reason"+markup)
	p.Follow(`form[action$="/pause"] button`)
	look("a paused target")
	for at, with := range answering {
		p.Go(with)
		form := fmt.Sprintf(`form[action*="%s"]`, strings.TrimPrefix(at, "POST "))
		if p.Has(form + " textarea") {
			browsertest.Evaluate[bool](p, fmt.Sprintf("(document.querySelector(%q).value = %s) !== null", form+" textarea", jsonText(string(body))))
		}
		p.Submit(form + " button")
		look(at)
	}

	all := text.String()
	for _, name := range append(where, "route", "reason", "title", "body", "answer", "query") {
		require.Contains(t, all, "FROM-"+name+"<script>window.ran=1</script>", "no page shows %s", name)
	}
}

func jsonText(s string) string {
	text, _ := json.Marshal(s)
	return string(text)
}

// printable leaves out what YAML and JSON do not take as it is.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == 0x85 {
			return -1
		}
		return r
	}, s)
}

// respond has a receiver refuse what it gets with a text.
func (r *receiver) respond(text string) {
	r.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		_, _ = io.Copy(io.Discard, req.Body)
		w.WriteHeader(http.StatusUnprocessableEntity)
		_, _ = io.WriteString(w, text)
	})
}

// strange fills the database of a server that has never run with texts of strangers, and
// returns where they are.
func (d *desk) strange(t *testing.T) []string {
	t.Helper()
	s, err := sqlite.Open(t.Context(), d.database, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	require.NoError(t, s.Migrate(t.Context()))
	at := time.Now().UTC().Add(-time.Minute).Truncate(time.Second)

	a := pastEvent(at, 1, "radarr", sdk.TypeMediaImported, foreign("event-title"), foreign("event-summary"))
	a.Event.Reason, a.Event.Request.Query = foreign("event-reason"), foreign("event-query")
	a.Event.Request.Header.Set("X-Strange", foreign("header-value"))
	a.Event.Request.Body = []byte(foreign("event-body"))
	a.Event.CorrelationKey, a.Event.Fingerprint = "FROM-correlation-key"+markup, "FROM-fingerprint"+markup
	a.Owe("archive", "upgrades", event.Grouping{})
	a.Owe("phone", "trouble", event.Grouping{Note: foreign("note")})
	undecodable := pastEvent(at, 2, "prowlarr", "", "", "")
	undecodable.Event.State, undecodable.Event.Reason, undecodable.Event.Normalized = event.Undecodable, foreign("undecodable-reason"), nil
	for _, accepted := range []*store.Acceptance{a, undecodable} {
		_, err = s.Accept(t.Context(), accepted)
		require.NoError(t, err)
	}
	for i, state := range []event.DeliveryState{event.Dead, event.Delivered} {
		delivery := a.Deliveries[i]
		settlement := &store.Settlement{
			DeliveryID: delivery.ID, Target: delivery.Target, State: state, Reason: foreign("delivery-reason"), MessageID: foreign("message-id"),
			Attempt: &event.Attempt{
				DeliveryID: delivery.ID, Number: 1, StartedAt: at, Elapsed: time.Second, Class: sdk.ClassPermanent, Status: 400, Counted: true,
				Message: foreign("attempt-message"), Excerpt: foreign("attempt-excerpt"), Request: foreign("attempt-request"),
			},
		}
		_, err = s.Settle(t.Context(), settlement)
		require.NoError(t, err)
	}
	_, _, err = s.ChangeTarget(t.Context(), "library", func(target *store.Target, now time.Time) []*store.Settlement {
		target.Hold, target.Reason, target.Since = store.HoldPaused, foreign("hold-reason"), now
		return nil
	})
	require.NoError(t, err)
	silence := &store.Silence{
		ID: event.NewID(), Expression: `event.title == "FROM-expression` + strings.ReplaceAll(markup, `"`, `'`) + `"`, Who: foreign("silence-who"), Via: "token", Comment: foreign("silence-comment"),
	}
	action := &store.Action{
		ID: event.NewID(), What: store.ActionSilence, Who: foreign("action-who"), Via: "token", State: store.ActionDone, Error: foreign("action-error"),
		Args: store.ActionArgs{Silence: silence.ID, When: silence.Expression, Reason: foreign("action-reason")},
	}
	require.NoError(t, s.AddSilence(t.Context(), action, silence, time.Hour))
	return []string{
		"event-title", "event-summary", "event-query", "header-value", "event-body", "correlation-key", "fingerprint", "note", "undecodable-reason",
		"delivery-reason", "message-id", "attempt-message", "attempt-excerpt", "attempt-request", "hold-reason", "expression", "silence-who", "silence-comment",
		"action-who", "action-error", "action-reason", "plugin-settings",
	}
}
