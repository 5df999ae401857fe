package storetest

import (
	"slices"
	"strconv"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
)

// testFilters compares lists, read page by page, with what their filters say of all rows.
func testFilters(t *testing.T, db Database) {
	sources, kinds := []string{"radarr", "sonarr"}, []sdk.Type{sdk.TypeMediaImported, sdk.TypeTest}
	states := []event.State{event.Routed, event.Deferred, event.Undecodable}
	targets := []string{"chat", "ops"}
	ends := []event.DeliveryState{event.Pending, event.Delivered, event.Dead}
	var all []*store.Acceptance
	for i := range 36 {
		a := acceptance(strconv.Itoa(i), targets[i%2], targets[i/2%2])
		a.Event.Source, a.Event.Type, a.Event.State = sources[i/3%2], kinds[i/7%2], states[i%3]
		for j := range a.Deliveries {
			d := &a.Deliveries[j]
			d.State = ends[(i+j)%3]
		}
		accept(t, db.Store, a)
		for _, d := range a.Deliveries {
			settle(t, db.Store, store.Settlement{DeliveryID: d.ID, State: d.State})
		}
		all = append(all, a)
	}
	slices.Reverse(all) // lists begin with the newest

	for _, source := range append(sources, "", "absent") {
		for _, kind := range append(kinds, "") {
			for _, state := range append(states, "", event.Duplicate) {
				var want []uuid.UUID
				for _, a := range all {
					e := a.Event
					if (source == "" || e.Source == source) && (kind == "" || e.Type == kind) && (state == "" || e.State == state) {
						want = append(want, e.ID)
					}
				}
				f := store.EventFilter{Source: source, Type: kind, State: state, Limit: 4}
				got := pages(t, func(before uuid.UUID) (ids []uuid.UUID) {
					f.Before = before
					page, err := db.Store.ListEvents(t.Context(), f)
					require.NoError(t, err)
					for _, e := range page {
						ids = append(ids, e.ID)
					}
					return ids
				})
				require.Equal(t, want, got, "%+v", f)
			}
		}
	}
	for _, target := range append(targets, "", "absent") {
		for _, state := range append(ends, "", event.Cancelled) {
			for _, id := range []uuid.UUID{uuid.Nil, all[4].Event.ID} {
				var want []uuid.UUID
				for _, a := range all {
					for _, d := range slices.Backward(a.Deliveries) {
						if (target == "" || d.Target == target) && (state == "" || d.State == state) && (id == uuid.Nil || d.EventID == id) {
							want = append(want, d.ID)
						}
					}
				}
				f := store.DeliveryFilter{Target: target, State: state, EventID: id, Limit: 4}
				got := pages(t, func(before uuid.UUID) (ids []uuid.UUID) {
					f.Before = before
					page, err := db.Store.ListDeliveries(t.Context(), f)
					require.NoError(t, err)
					for _, d := range page {
						ids = append(ids, d.ID)
					}
					return ids
				})
				require.Equal(t, want, got, "%+v", f)
			}
		}
	}
}

// pages reads a list to its end, a page of four at a time.
func pages(t *testing.T, list func(before uuid.UUID) []uuid.UUID) (all []uuid.UUID) {
	t.Helper()
	var before uuid.UUID
	for {
		page := list(before)
		require.LessOrEqual(t, len(page), 4)
		all = append(all, page...)
		if len(page) < 4 {
			return all
		}
		before = page[3]
	}
}
