package e2e

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/internal/browsertest"
)

// withAndWithoutScripts runs a flow in a browser at both widths, with scripts and without.
func withAndWithoutScripts(t *testing.T, s deskSettings, flow func(t *testing.T, d *desk, p *browsertest.Page)) {
	t.Helper()
	for _, tt := range []struct {
		name    string
		width   int
		scripts bool
	}{{"with scripts", browsertest.Wide, true}, {"without scripts", browsertest.Narrow, false}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := startedDesk(t, s)
			p := d.open(t)
			p.Width(tt.width)
			if !tt.scripts {
				p.NoScripts()
			}
			flow(t, d, p)
		})
	}
}

// TestStory finds an event in the list and reads how it came in, where it went and why.
func TestStory(t *testing.T) {
	t.Parallel()

	withAndWithoutScripts(t, deskSettings{}, func(t *testing.T, d *desk, p *browsertest.Page) {
		id := d.sample(t, "radarr", "upgrade").id
		d.settled(t, id, event.Delivered, event.Pending, event.Dead)
		p.Go(d.base + "/events")
		p.Follow("#event-" + id + " a")
		for _, text := range []string{"Tears of Steel", "hmac", "media.upgraded"} {
			p.AwaitText("main", text)
		}
		for _, route := range []string{"family", "trouble", "films", "upgrades"} {
			p.AwaitText("#routes", route)
		}
		for _, text := range []string{"422", "401", "misconfigured"} {
			p.AwaitText("main", text)
		}
		p.Check()
		p.Follow(`a[href$="/body"]`)
		p.AwaitText("main", `"eventType": "Download"`)
		p.Check()
	})
}

// TestRetry has an endpoint mended, and its dead letter delivered.
func TestRetry(t *testing.T) {
	t.Parallel()

	withAndWithoutScripts(t, deskSettings{}, func(t *testing.T, d *desk, p *browsertest.Page) {
		d.settled(t, d.sample(t, "radarr", "upgrade").id, event.Delivered, event.Pending, event.Dead)
		p.Go(d.base + "/dead")
		p.AwaitText("#live", "422")
		d.archive.setAnswer(nil)
		p.Follow(`#live a[href*="/deliveries/0"]`)
		p.Follow(`form[action$="/retry"] button`)
		p.AwaitText(".notice", "retried")
		p.AwaitText("#live", "delivered")
		d.archive.await(t, 1)
		p.Go(d.base + "/actions")
		p.AwaitText("#live", "ada")
		p.Check()
	})
}

// TestReplay sends an event to a target that its routes do not lead to.
func TestReplay(t *testing.T) {
	t.Parallel()

	withAndWithoutScripts(t, deskSettings{}, func(t *testing.T, d *desk, p *browsertest.Page) {
		d.archive.setAnswer(nil)
		id := d.sample(t, "radarr", "rename").id
		d.settled(t, id)
		p.Go(d.base + "/events/" + id)
		p.Follow(`a[href$="/replay"]`)
		p.Check()
		p.Click(`input[name="to"][value="archive"]`)
		p.Follow(`form[action$="/replay"] button`)
		p.AwaitText("main", "archive")
		p.AwaitText("main", "delivered")
		require.Len(t, d.archive.await(t, 1), 1)
	})
}

// TestPauseAndResume keeps what comes meanwhile.
func TestPauseAndResume(t *testing.T) {
	t.Parallel()

	withAndWithoutScripts(t, deskSettings{}, func(t *testing.T, d *desk, p *browsertest.Page) {
		p.Go(d.base + "/targets")
		p.Follow(`#target-phone a`)
		p.Fill("#reason", "The phone is being charged.")
		p.Follow(`form[action$="/pause"] button`)
		p.AwaitText("#live", "paused")
		p.AwaitText("#live", "The phone is being charged.")
		p.Check()
		id := d.sample(t, "sonarr", "health").id
		d.settled(t, id, event.Pending)
		require.Empty(t, d.phone.Messages())
		p.Follow(`form[action$="/resume"] button`)
		p.AwaitText("#live", "open")
		d.settled(t, id, event.Delivered)
		require.Len(t, d.phone.Messages(), 1)
	})
}

// TestPreviewPage shows what a target would send, and sends nothing.
func TestPreviewPage(t *testing.T) {
	t.Parallel()

	withAndWithoutScripts(t, deskSettings{}, func(t *testing.T, d *desk, p *browsertest.Page) {
		p.Go(d.base + "/targets/chat")
		p.Follow(`a[href$="/preview"]`)
		p.Choose(`select[name="of"]`, "story:season")
		p.Follow(`form[action$="/preview"] button`)
		p.AwaitText("main", "12 episodes imported")
		p.Check()
		p.GoTo(d.base+"/targets/chat/preview?event=0", http.StatusUnprocessableEntity)
		require.True(t, p.Has(".problem"), "an id of nothing is told")
		require.Empty(t, d.chat.Messages())
	})
}

// TestReloadPage tells what a reload would change, why a broken configuration is not taken,
// and reloads a sound one.
func TestReloadPage(t *testing.T) {
	t.Parallel()

	withAndWithoutScripts(t, deskSettings{}, func(t *testing.T, d *desk, p *browsertest.Page) {
		d.rewrite(func(old string) string {
			return strings.Replace(old, "archive:\n    plugin: webhook\n", "archive:\n    plugin: webhook\n    concurency: 3\n", 1)
		})
		p.Go(d.base + "/configuration")
		p.Check()
		require.NotContains(t, p.Text("body"), sourceSecret)
		p.FollowTo(`form[action$="/reload"] button`, http.StatusUnprocessableEntity)
		p.AwaitText("main", "targets.archive.concurency")
		p.Check()
		require.Zero(t, d.count(reloaded))
		d.rewrite(func(old string) string { return strings.Replace(old, "concurency: 3", "concurrency: 3", 1) })
		p.Go(d.base + "/configuration")
		p.AwaitText("main", "targets.archive")
		p.Follow(`form[action$="/reload"] button`)
		d.awaitCount(reloaded, 1)
		p.AwaitText(".notice", "configuration")
	})
}

// TestBulkWithAnotherCount does nothing when another number matches than was shown.
func TestBulkWithAnotherCount(t *testing.T) {
	t.Parallel()

	withAndWithoutScripts(t, deskSettings{}, func(t *testing.T, d *desk, p *browsertest.Page) {
		for n := range 3 {
			body := strings.Replace(string(importBody(n+1)), `"isUpgrade": false`, `"isUpgrade": true`, 1)
			d.settled(t, d.tell(t, "radarr", []byte(body)).id, event.Delivered, event.Pending, event.Dead)
		}
		p.Go(d.base + "/dead")
		p.Follow(`#dead-archive .buttons a`)
		p.AwaitText(".figure", "3")
		p.Check()

		d.archive.setAnswer(nil)
		letters := admin.DeliveryFilter{Target: "archive", State: event.Dead}
		list, err := d.client.ListDeliveries(t.Context(), letters, admin.Page{})
		require.NoError(t, err)
		_, err = d.client.RetryDelivery(t.Context(), list.Items[0].ID, "")
		require.NoError(t, err)
		d.archive.await(t, 1)
		p.FollowTo(`form[action*="/deliveries/retry"] button`, http.StatusConflict)
		p.AwaitText(".figure", "2")
		require.True(t, p.Has(".problem"))
		p.Check()
		require.Len(t, d.archive.all(), 1, "nothing was done")

		p.Follow(`form[action*="/deliveries/retry"] button`)
		p.AwaitText("main", "done")
		require.Len(t, d.archive.await(t, 3), 3)
	})
}

// TestBadInput gets a page with one sentence and the way on, and nothing is done.
func TestBadInput(t *testing.T) {
	t.Parallel()

	d := startedDesk(t, deskSettings{})
	p := d.open(t)
	gone := "01970000-0000-7000-8000-000000000000"
	for _, tt := range []struct {
		path   string
		status int
	}{
		{"/events/" + gone, http.StatusNotFound},
		{"/deliveries/" + gone, http.StatusNotFound},
		{"/events/nonsense", http.StatusUnprocessableEntity},
		{"/targets/nobody", http.StatusNotFound},
		{"/sources/nobody", http.StatusNotFound},
		{"/nowhere", http.StatusNotFound},
		{"/events?since=yesterdayish", http.StatusUnprocessableEntity},
		{"/deliveries?state=lost", http.StatusUnprocessableEntity},
	} {
		p.GoTo(d.base+tt.path, tt.status)
		p.Check()
		require.True(t, p.Has(".problem, .wrong"), "%s: what is wrong is not told", tt.path)
		require.True(t, p.Has("main a, main form"), "%s: there is no way on", tt.path)
	}
	list, err := d.client.ListActions(t.Context(), admin.Page{})
	require.NoError(t, err)
	require.Empty(t, list.Items)
}
