package ingest_test

import (
	"encoding/json"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

func handedBack(t *testing.T, e sdk.Event) host.HandedBack {
	t.Helper()
	raw, err := json.Marshal(e)
	require.NoError(t, err)
	return host.HandedBack{Event: e, JSON: raw}
}

// TestCompose makes events of what targets hand back, also under the name of a source that
// has left the configuration.
func TestCompose(t *testing.T) {
	t.Parallel()
	b := setup(t)
	e := sdk.Event{
		ID: "forged", Source: "forged", Origin: sdk.OriginWebhook, Type: sdk.TypeLibraryAvailable, Title: "Sintel", Summary: "Sintel is there",
		CorrelationKey: "story", Fingerprint: "fp", Library: &sdk.Library{Target: "forged", Server: "Plex"},
	}
	for _, source := range []string{"radarr", "gone"} {
		a, err := b.intake.Compose("ops", source, handedBack(t, e))
		require.NoError(t, err)
		require.Equal(t, event.Routed, a.Event.State)
		require.Equal(t, source, a.Event.Source)
		require.Equal(t, sdk.OriginTarget, a.Event.Origin)
		require.Equal(t, "story", a.Event.CorrelationKey)
		require.Equal(t, "Sintel is there", a.Event.Summary)
		require.Empty(t, a.Keys, "it repeats nothing")
		require.Len(t, a.Deliveries, 1, "not to the target that tells it")
		require.Equal(t, "phone", a.Deliveries[0].Target)

		var told sdk.Event
		require.NoError(t, json.Unmarshal(a.Event.Normalized, &told))
		require.Equal(t, a.Event.ID.String(), told.ID)
		require.NotEqual(t, uuid.Nil, a.Event.ID)
		require.Equal(t, source, told.Source)
		require.Equal(t, sdk.OriginTarget, told.Origin)
		require.Equal(t, &sdk.Library{Target: "ops", Server: "Plex"}, told.Library)
	}
	e.Library = nil
	a, err := b.intake.Compose("ops", "radarr", handedBack(t, e))
	require.NoError(t, err)
	var told sdk.Event
	require.NoError(t, json.Unmarshal(a.Event.Normalized, &told))
	require.Equal(t, &sdk.Library{Target: "ops"}, told.Library, "a replay is not to bring it there")
	_, err = b.intake.Compose("ops", "radarr", host.HandedBack{Event: e, JSON: []byte("nonsense")})
	require.ErrorContains(t, err, "read event")
}

// TestComposeTakesNoOtherName gives fields in spellings that readers of JSON take for the
// same: ſ is an s without regard to case.
func TestComposeTakesNoOtherName(t *testing.T) {
	t.Parallel()
	b := setup(t)
	back := host.HandedBack{
		Event: sdk.Event{Type: sdk.TypeLibraryAvailable, Title: "Sintel"},
	}
	for _, library := range []string{`"library":null,"librarY":{"target":"forged"}`, `"library":{"server":"Plex","Target":"forged","targeT":"forged"}`} {
		back.JSON = []byte(`{"type":"library.available","title":"Sintel","Id":"forged","Type":"test","\u017fource":"forged","oriGin":"webhook",` + library + `}`)
		a, err := b.intake.Compose("ops", "radarr", back)
		require.NoError(t, err)
		var told sdk.Event
		require.NoError(t, json.Unmarshal(a.Event.Normalized, &told))
		require.Equal(t, a.Event.ID.String(), told.ID)
		require.Equal(t, "radarr", told.Source)
		require.Equal(t, sdk.OriginTarget, told.Origin)
		require.Equal(t, sdk.TypeLibraryAvailable, told.Type)
		require.Equal(t, "ops", told.Library.Target)
		require.NotContains(t, string(a.Event.Normalized), "forged")
		require.NotContains(t, string(a.Event.Normalized), "Type")
	}
}
