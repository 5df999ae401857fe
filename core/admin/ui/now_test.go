package ui_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/admin/admintest"
	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/operate"
	"github.com/hookarr/hookarr/core/pluginhost"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// shown requires that a page shows foreign text as text.
func shown(t *testing.T, a answer) {
	t.Helper()
	require.Less(t, a.status, 300, a.body)
	require.Contains(t, a.body, "&lt;script&gt;alert(1)")
	for _, bad := range []string{"<script>alert", "<img src=x", "\x1b", "\u202e"} {
		require.NotContains(t, a.body, bad)
	}
}

// plugins are those of a server, in states that take a while to bring about.
type plugins []pluginhost.Status

func (p plugins) Status() []pluginhost.Status                   { return p }
func (plugins) Reload(context.Context, host.Kind, string) error { return nil }

// histories are why those of sources cannot be read.
type histories map[string]string

func (h histories) Trouble(source string) (string, time.Time) { return h[source], time.Unix(0, 0) }

func (r *rig) part(role, path string) answer {
	return r.do(role, http.MethodGet, path, nil, "HX-Request", "true")
}

func (r *rig) deliver(t *testing.T, title, target string) {
	t.Helper()
	d := r.Accept(t, admintest.Imported(title, target)).Deliveries[0]
	_, err := r.Store.Settle(t.Context(), &store.Settlement{
		DeliveryID: d.ID, State: event.Delivered,
		Attempt: &event.Attempt{DeliveryID: d.ID, Number: 1, StartedAt: time.Now().UTC(), Elapsed: 120 * time.Millisecond, Class: sdk.ClassOK, Status: 200, Counted: true},
	})
	require.NoError(t, err)
}

var ada = operate.Actor{Who: "ada", Via: "token"}

func TestNowSaysThatAllIsWell(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a := r.get("/")
	require.Equal(t, http.StatusOK, a.status)
	require.Contains(t, a.body, "All is well.")
	require.Contains(t, a.body, "Nothing waits.")
	require.Contains(t, a.body, `<a href="/x/" aria-current="page">Now</a>`)
	require.Contains(t, a.body, "Nothing in this time.")
	require.NotContains(t, a.body, "need you")
	require.Contains(t, a.body, `No event has come from <a href="/x/sources/radarr">radarr</a> yet.`)

	r.deliver(t, "Sintel", "ops")
	r.Accept(t, admintest.Imported("Dune", "ops"))
	a = r.get("/")
	require.Contains(t, a.body, "1 delivery is under way.")
	require.NotContains(t, a.body, "No event has come")
	require.Contains(t, a.body, `aria-label="The last hour by the minute: delivered 1, failed attempts 0, dead letters 0, events received 2"`)
}

func TestNowSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.Service.Plugins = plugins{
		{Kind: host.KindTarget, Plugin: "discord", State: pluginhost.Quarantined, Reason: "crashed: " + foreign},
		{Kind: host.KindTarget, Plugin: "webhook", State: pluginhost.Ready},
		{Kind: host.KindSource, Plugin: "radarr", State: pluginhost.Starting},
	}
	r.Service.KnownPaths = func() map[string][]string { return map[string][]string{"ops": {"folder " + foreign}} }
	r.Service.NotReloaded = func() string { return "hookarr.yaml:3: targets: " + foreign }
	r.Service.Histories = histories{"radarr": "no answer: " + foreign}
	r.MakeDead(t, r.Accept(t, admintest.Imported("Sintel", "ops")).Deliveries[0].ID)
	r.Accept(t, admintest.Imported("Dune", "ops"))
	r.Accept(t, admintest.Imported("Dune", "left"))
	require.NoError(t, r.Store.Hold(t.Context(), "ops", store.HoldMisconfigured, foreign))

	a := r.get("/")
	shown(t, a)
	for _, sentence := range []string{
		"7 things need you.",
		"The last reload was refused: the former configuration holds.", `href="/x/configuration"`,
		"The history of source radarr cannot be read", `href="/x/sources/radarr"`,
		"Plugin target-discord is down (quarantined).", `href="/x/plugins/target-discord"`,
		"Target ops is held: its endpoint refuses what it gets, and 1 delivery waits.", `href="/x/targets/ops"`,
		"Target left has left the configuration, and 1 delivery waits.",
		"1 delivery is a dead letter: it is not tried again until you retry it.", `href="/x/dead"`,
		"The paths of target ops do not fit.", `href="/x/targets/ops/paths"`,
		`action="/x/targets/ops/resume"`,
	} {
		require.Contains(t, a.body, sentence)
	}
	require.NotContains(t, a.body, "All is well")
	require.NotContains(t, a.body, "source-radarr is down")

	a = r.do(config.RoleView, http.MethodGet, "/", nil)
	require.Contains(t, a.body, "7 things need you.")
	require.NotContains(t, a.body, `/resume"`)
}

func TestNowKnowsWhatIsOrdered(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	_, err := r.Operate.PauseTarget(t.Context(), ada, "ops", "the endpoint moves")
	require.NoError(t, err)
	r.Accept(t, admintest.Imported("Dune", "ops"))
	_, err = r.Operate.AddSilence(t.Context(), ada, operate.Silence{Expression: `event.title == "<b>"`, For: time.Hour, Comment: foreign[:400]})
	require.NoError(t, err)

	a := r.get("/")
	shown(t, a)
	require.Contains(t, a.body, "All is well.")
	require.Contains(t, a.body, "1 delivery is under way, some of them held on purpose or for a time.")
	require.Contains(t, a.body, "the endpoint moves")
	require.Contains(t, a.body, "An operator has paused it.")
	require.Contains(t, a.body, "1 active silence")
	require.Contains(t, a.body, "event.title == &#34;&lt;b&gt;&#34;")
}

func TestNowIsFetchedInParts(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a := r.part(config.RoleView, "/")
	require.Contains(t, a.body, "All is well.")
	require.NotContains(t, a.body, "<html")
	require.NotContains(t, a.body, "<h1>")
	require.Contains(t, r.get("/").body, `hx-get="/x/"`)
}
