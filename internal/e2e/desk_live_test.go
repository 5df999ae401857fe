package e2e

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/internal/browsertest"
)

// TestLiveList has what comes in appear in a list that nobody reloads.
func TestLiveList(t *testing.T) {
	t.Parallel()

	d := startedDesk(t, deskSettings{})
	p := d.open(t)
	p.Go("/events")
	p.AwaitText("#stream", "live")
	stay := func(p *browsertest.Page) func() {
		browsertest.Evaluate[bool](p, "window.hookarrTestStays = true")
		return func() {
			require.True(t, browsertest.Evaluate[bool](p, "window.hookarrTestStays === true"), "the page was loaded anew")
		}
	}
	stayed := stay(p)
	d.tell(t, "radarr", importBody(1))
	p.AwaitText("#live", titleOf(1))
	p.Check()

	// A filter holds for what comes, too.
	filtered := p.Another()
	filtered.Header("X-Api-Key", adaToken)
	filtered.Go("/events?source=sonarr")
	filtered.AwaitText("#stream", "live")
	d.tell(t, "radarr", importBody(2))
	d.tell(t, "sonarr", episodeImported(1))
	filtered.AwaitText("#live", "Chapter 1")
	require.NotContains(t, filtered.Text("#live"), titleOf(2))

	// A page that is paused stays as it is.
	p.AwaitText("#live", "Chapter 1")
	p.Click("#stream")
	p.AwaitText("#stream", "paused")
	d.tell(t, "sonarr", episodeImported(2))
	filtered.AwaitText("#live", "Chapter 2")
	require.NotContains(t, p.Text("#live"), "Chapter 2")
	p.Click("#stream")
	p.AwaitText("#stream", "live")
	p.AwaitText("#live", "Chapter 2")
	stayed()
}

// TestFormsAreNotLost keeps what people write while the page about it changes.
func TestFormsAreNotLost(t *testing.T) {
	t.Parallel()

	d := startedDesk(t, deskSettings{})
	for _, tt := range []struct{ path, field, text string }{
		{"/events", `form.filters input[name="q"]`, "half a wo"},
		{"/targets/phone", "#reason", "Because of"},
		{"/silences", "#comment", "Until Sunday, bec"},
	} {
		p := d.open(t)
		p.Go(tt.path)
		p.AwaitText("#stream", "live")
		p.Fill(tt.field, tt.text)
		browsertest.Evaluate[bool](p, `(document.querySelector("#live").dataset.old = "yes") === "yes"`)
		fetched := len(p.Requests())
		// Each of them changes by one of these.
		d.sample(t, "sonarr", "health", "Indexers unavailable", "Unavailable for "+tt.path)
		_, err := d.client.AddSilence(t.Context(), admin.NewSilence{Expression: `event.source == "nobody"`, For: "1h"}, "")
		require.NoError(t, err)
		require.Eventually(t, func() bool { return len(p.Requests()) > fetched }, waitTimeout, 25*time.Millisecond, "%s is not fetched anew", tt.path)
		p.AwaitTrue(`!document.querySelector("#live").classList.contains("htmx-request")`)
		require.Equal(t, tt.text, p.Value(tt.field), tt.path)
		require.True(t, browsertest.Evaluate[bool](p, `document.activeElement.matches(`+"`"+tt.field+"`"+`)`), "%s: the field has lost the focus", tt.path)
	}
}

// TestServerRestartsUnderAPage has the page say so, and follow again by itself.
func TestServerRestartsUnderAPage(t *testing.T) {
	t.Parallel()

	d := startedDesk(t, deskSettings{})
	p := d.open(t)
	p.Go("/events")
	p.AwaitText("#stream", "live")
	for n, end := range []func(){func() { require.NoError(t, d.stop()) }, d.kill} {
		back := p.Away()
		end()
		p.AwaitText("#stream", "reconnecting")
		d.start()
		d.tell(t, "radarr", importBody(n+1))
		p.AwaitText("#stream", "live")
		p.AwaitText("#live", titleOf(n+1))
		back()
	}
}

// TestServerIsGone leaves the page as it is, which says that it does not follow.
func TestServerIsGone(t *testing.T) {
	t.Parallel()

	d := startedDesk(t, deskSettings{})
	d.tell(t, "radarr", importBody(1))
	p := d.open(t)
	p.Go("/events")
	p.AwaitText("#live", titleOf(1))
	p.AwaitText("#stream", "live")
	p.Away()
	d.kill()
	p.AwaitText("#stream", "reconnecting")
	require.Contains(t, p.Text("#live"), titleOf(1))
}

// TestSevenTabs are more than a browser has connections to a server. The one that is looked
// at loads and follows.
func TestSevenTabs(t *testing.T) {
	t.Parallel()

	d := startedDesk(t, deskSettings{})
	first := d.open(t)
	tabs := []*browsertest.Page{first}
	for len(tabs) < 7 {
		tab := first.Tab()
		tab.Header("X-Api-Key", adaToken)
		tabs = append(tabs, tab)
	}
	for _, tab := range tabs {
		tab.Front()
		tab.Go("/events")
		tab.AwaitText("#stream", "live")
	}
	require.Equal(t, "hidden", browsertest.Evaluate[string](first, "document.visibilityState"))
	d.tell(t, "radarr", importBody(1))
	tabs[6].AwaitText("#live", titleOf(1))
	// One that was behind has it once it is looked at.
	first.Front()
	first.AwaitText("#live", titleOf(1))
	first.AwaitText("#stream", "live")
}

// statusFor is how a page is answered to who has a token.
func (d *desk) statusFor(t *testing.T, token, path string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, d.direct+d.base+path, http.NoBody)
	require.NoError(t, err)
	req.Header.Set("X-Api-Key", token)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return resp.StatusCode
}
