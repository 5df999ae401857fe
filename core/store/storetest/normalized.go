package storetest

import (
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
)

// testReadNormalized reads events as a whole, in the order of the list.
func testReadNormalized(t *testing.T, db Database) {
	add := func(normalized string, change func(e *event.Event)) uuid.UUID {
		a := acceptance("it", "ops")
		a.Event.Source, a.Event.Type, a.Event.State, a.Event.Normalized = "radarr", sdk.TypeMediaImported, event.Routed, []byte(normalized)
		change(&a.Event)
		accept(t, db.Store, a)
		return a.Event.ID
	}
	nothing := func(*event.Event) {}
	add(`{"n":1}`, nothing)
	second := add(`{"n":2}`, nothing)
	add(`{"n":3}`, func(e *event.Event) { e.Source = "sonarr" })
	add(`{"n":4}`, func(e *event.Event) { e.Type = sdk.TypeMediaAdded })
	add(`{"n":5,"long":"`+strings.Repeat("x", 512<<10)+`"}`, nothing)
	add(`{"n":6,"long":"`+strings.Repeat("x", 100<<10)+`"}`, nothing)
	read := func(f store.EventFilter) []string {
		f.Source, f.Type, f.State = "radarr", sdk.TypeMediaImported, event.Routed
		all, err := db.Store.ReadNormalized(t.Context(), f)
		require.NoError(t, err)
		var begins []string
		for _, normalized := range all {
			require.Equal(t, byte('}'), normalized[len(normalized)-1])
			begins = append(begins, string(normalized[:6]))
		}
		return begins
	}
	require.Equal(t, []string{`{"n":6`, `{"n":2`, `{"n":1`}, read(store.EventFilter{}))
	require.Equal(t, []string{`{"n":1`, `{"n":2`}, read(store.EventFilter{Oldest: true, Limit: 2}))
	require.Equal(t, []string{`{"n":1`}, read(store.EventFilter{Before: second}))
}
