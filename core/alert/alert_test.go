package alert_test

import (
	"encoding/json"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/alert"
	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/route"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/core/store/sqlite"
	"github.com/hookarr/hookarr/sdk"
)

// TestInstalledIsToldOnce, however often and by however many it is told, and to nobody
// who does not ask for it.
func TestInstalledIsToldOnce(t *testing.T) {
	t.Parallel()

	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "hookarr.db"), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	require.NoError(t, s.Migrate(t.Context()))
	routes, err := route.New([]config.Route{{Name: "everything", To: []string{"never"}}})
	require.NoError(t, err)
	a := &alert.Alerts{Router: routes, Store: s, Log: slog.New(slog.DiscardHandler)}
	require.False(t, a.Installed(t.Context(), []string{"radarr"}))
	list, err := s.ListEvents(t.Context(), store.EventFilter{})
	require.NoError(t, err)
	require.Empty(t, list, "what nobody gets is not kept")

	a.Router, err = route.New([]config.Route{{Name: "hookarr", Types: []string{"hookarr.*"}, To: []string{"chat", "ops"}}})
	require.NoError(t, err)
	require.True(t, a.Installed(t.Context(), []string{"radarr", "sonarr"}))
	require.False(t, a.Installed(t.Context(), []string{"lidarr"}))
	list, err = s.ListEvents(t.Context(), store.EventFilter{})
	require.NoError(t, err)
	require.Len(t, list, 1)
	found, deliveries, err := s.FindEvent(t.Context(), list[0].ID)
	require.NoError(t, err)
	require.Equal(t, sdk.TypeInstalled, found.Type)
	require.Equal(t, "Events of radarr, sonarr arrive here from now on.", found.Summary)
	require.Len(t, deliveries, 2)
}

// TestAlerts are stored once an hour, and routed to those who ask for them by name, but
// not to the target that they are about.
func TestAlerts(t *testing.T) {
	t.Parallel()

	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "hookarr.db"), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	require.NoError(t, s.Migrate(t.Context()))
	routes, err := route.New([]config.Route{
		{Name: "everything", From: []string{"*"}, Types: []string{"*"}, To: []string{"never"}},
		{Name: "no types", To: []string{"never"}},
		{Name: "trouble", Types: []string{"hookarr.*"}, To: []string{"ops", "chat"}},
	})
	require.NoError(t, err)
	a := &alert.Alerts{Router: routes, Store: s, Log: slog.New(slog.DiscardHandler)}
	held := store.Target{Name: "ops", Hold: store.HoldThrottled, Reason: "429", Until: time.Date(2026, 11, 28, 14, 3, 20, 0, time.UTC)}
	for range 3 {
		a.TargetHeld(t.Context(), held)
		a.TargetResumed(t.Context(), "ops", store.HoldThrottled)
		a.DeliveryDead(t.Context(), "ops", "Dune (2021)", "400 Bad Request")
		a.PathsApart(t.Context(), "ops", []string{"root folder /tv of sonarr: reaches no library"})
		a.PathsApart(t.Context(), "ops", []string{"root folder /tv of sonarr: reaches no library", "library folder /movies: empty"})
	}
	a.DeliveryDead(t.Context(), "never", "", "404")
	a.DeliveriesDead(t.Context(), "slow", 1, "older than max_age")
	a.DeliveriesDead(t.Context(), "gone", 43, "older than max_age")

	list, err := s.ListEvents(t.Context(), store.EventFilter{Source: sdk.SourceHookarr})
	require.NoError(t, err)
	require.Len(t, list, 8)
	targets := map[string][]string{}
	summaries := map[string]string{}
	for _, e := range list {
		found, deliveries, err := s.FindEvent(t.Context(), e.ID)
		require.NoError(t, err)
		require.Equal(t, event.Routed, found.State)
		var normalized sdk.Event
		require.NoError(t, json.Unmarshal(found.Normalized, &normalized))
		require.Equal(t, sdk.OriginHookarr, normalized.Origin)
		require.Equal(t, found.ID.String(), normalized.ID)
		summaries[found.Summary] = string(found.Type)
		for _, d := range deliveries {
			targets[string(found.Type)] = append(targets[string(found.Type)], d.Target)
		}
	}
	require.Equal(t, map[string]string{
		"Target ops is on hold until 2026-11-28 14:03:20 UTC (throttled): 429":                                          "hookarr.target_held",
		"Target ops was on hold (throttled) and takes deliveries again":                                                 "hookarr.target_resumed",
		"Dune (2021) was not delivered to ops: 400 Bad Request":                                                         "hookarr.delivery_dead",
		"a delivery was not delivered to never: 404":                                                                    "hookarr.delivery_dead",
		"a delivery was not delivered to slow: older than max_age":                                                      "hookarr.delivery_dead",
		"43 deliveries were not delivered to gone: older than max_age":                                                  "hookarr.delivery_dead",
		"Paths of target ops do not meet: root folder /tv of sonarr: reaches no library":                                "hookarr.paths_apart",
		"Paths of target ops do not meet: root folder /tv of sonarr: reaches no library; library folder /movies: empty": "hookarr.paths_apart",
	}, summaries)
	require.Equal(t, []string{"chat"}, targets["hookarr.target_held"])
	require.Equal(t, []string{"chat"}, targets["hookarr.target_resumed"])
	require.Equal(t, []string{"chat", "chat"}, targets["hookarr.paths_apart"])
	require.ElementsMatch(t, []string{"chat", "ops", "chat", "ops", "chat", "ops", "chat"}, targets["hookarr.delivery_dead"])
}
