package pluginhost

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

func TestPowers(t *testing.T) {
	t.Parallel()
	b := setup(t, quick, "hookarr-source-chaos")
	b.start(t, b.instance(host.KindSource, "chaos", "arr", nil))

	since := time.Now().UTC().Truncate(time.Second)
	past, err := b.History(t.Context(), "arr", sdk.HistoryQuery{Since: since, Limit: 10})
	require.NoError(t, err)
	require.Equal(t, "end", past.Cursor)
	require.Len(t, past.Events, 1)
	require.Equal(t, []byte("record"), past.Events[0].Record)
	require.Equal(t, sdk.OriginCatchup, past.Events[0].Event.Origin)
	require.Equal(t, since, past.Events[0].Event.Time)

	fetched, err := b.Fetch(t.Context(), "arr", past.Events[0].JSON)
	require.NoError(t, err)
	var e sdk.Event
	require.NoError(t, json.Unmarshal(fetched, &e))
	require.Equal(t, "Past, fetched", e.Summary)

	result, err := b.Connect(t.Context(), "arr", sdk.ConnectRequest{Action: sdk.ConnectCheck, URL: "http://localhost"})
	require.NoError(t, err)
	require.Equal(t, sdk.ConnectResult{Connected: true, AppName: "Chaos", Changes: []sdk.Change{{Field: "url", To: "http://localhost"}}}, result)
}

func TestTroubleOfPowers(t *testing.T) {
	t.Parallel()
	b := setup(t, quick, "hookarr-source-chaos")
	b.start(t, b.instance(host.KindSource, "chaos", "arr", nil))

	_, err := b.History(t.Context(), "arr", sdk.HistoryQuery{Cursor: "down"})
	require.EqualError(t, err, "the application does not answer")
	_, err = b.History(t.Context(), "arr", sdk.HistoryQuery{Cursor: "panic"})
	require.ErrorIs(t, err, ErrPluginBug)
	_, err = b.History(t.Context(), "arr", sdk.HistoryQuery{Cursor: "exit"})
	require.ErrorIs(t, err, ErrCrashed)
	_, err = b.Fetch(t.Context(), "arr", json.RawMessage(`{"type":"test","title":"gone"}`))
	require.EqualError(t, err, "the application knows nothing of it")
	_, err = b.Connect(t.Context(), "arr", sdk.ConnectRequest{Action: sdk.ConnectRemove})
	require.EqualError(t, err, "the application keeps it")
	_, err = b.Fetch(t.Context(), "nobody", nil)
	require.Error(t, err)
	require.NotErrorIs(t, err, host.ErrUnsupported)
}
