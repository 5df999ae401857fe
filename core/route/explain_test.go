package route_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/route"
	"github.com/hookarr/hookarr/sdk"
)

func TestExplain(t *testing.T) {
	t.Parallel()
	table, err := route.New([]config.Route{
		{Name: "sonarr", From: []string{"sonarr", "sonarr-*"}, When: "event.upgrade", To: []string{"a"}},
		{Name: "grabs", Types: []string{"release.grabbed"}, When: "event.upgrade", To: []string{"a"}},
		{Name: "new", When: "event.media.year >= 2020", To: []string{"a"}},
		{Name: "health", When: `event.health.level == "error"`, To: []string{"a"}},
		{Name: "films", Types: []string{"media.*"}, When: "event.media.year == 2016", To: []string{"a", "b"}},
		{Name: "all", To: []string{"b", "c", "c"}},
	})
	require.NoError(t, err)
	e := imported()
	normalized, err := json.Marshal(e)
	require.NoError(t, err)

	verdicts := table.Explain("radarr-4k", e, normalized)
	require.Equal(t, []route.Verdict{
		{Route: "sonarr", Failed: route.ConditionFrom, Reason: "source radarr-4k is not among from: sonarr, sonarr-*"},
		{Route: "grabs", Failed: route.ConditionTypes, Reason: "type media.imported is not among types: release.grabbed"},
		{Route: "new", Failed: route.ConditionWhen, Reason: "event.media.year >= 2020: is false"},
		{Route: "health", Failed: route.ConditionWhen, Reason: verdicts[3].Reason},
		{Route: "films", To: []string{"a", "b"}},
		{Route: "all", To: []string{"c"}, Earlier: []string{"b", "c"}},
	}, verdicts)
	require.Contains(t, verdicts[3].Reason, `event.health.level == "error": cannot be answered for this event: `)

	// What it says is what Match does.
	var told []route.Match
	for _, v := range verdicts {
		require.Equal(t, v.Failed == "", v.Matches())
		for _, target := range v.To {
			told = append(told, route.Match{Route: v.Route, Target: target})
		}
	}
	require.Equal(t, table.Match("radarr-4k", e, normalized), told)
}

func TestExplainTypesThatHaveToBeNamed(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		globs []string
		typ   sdk.Type
		want  string
	}{
		{[]string{"*"}, sdk.TypeTest, "type test has to be named, and types is *"},
		{nil, sdk.TypeUnknown, "type unknown has to be named, and types is every type"},
		{[]string{"*"}, sdk.TypeTargetHeld, "type hookarr.target_held needs a pattern that begins with hookarr., and types is *"},
	} {
		t.Run(string(tt.typ), func(t *testing.T) {
			t.Parallel()
			table, err := route.New([]config.Route{{Name: "r", Types: tt.globs, To: []string{"ops"}}})
			require.NoError(t, err)
			verdicts := table.Explain("radarr", &sdk.Event{Type: tt.typ}, nil)
			require.Equal(t, []route.Verdict{{Route: "r", Failed: route.ConditionTypes, Reason: tt.want}}, verdicts)
		})
	}
}

func TestExplainWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	table, err := route.New([]config.Route{{Name: "r", When: "event.upgrade", To: []string{"ops"}}})
	require.NoError(t, err)
	verdicts := table.Explain("radarr", imported(), []byte("not JSON"))
	require.Equal(t, "event.upgrade: cannot be answered for this event: the event cannot be read", verdicts[0].Reason)
}
