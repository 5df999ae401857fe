package storetest

import (
	"bytes"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
)

// Benchmark prints what an event of 2 KB costs a migrated store, from acceptance to
// settlement, alone and among 64 callers. River's own work comes on top.
func Benchmark(b *testing.B, s *store.Store) {
	b.Helper()
	for _, callers := range []int{1, 64} {
		var ids []uuid.UUID
		b.Run("Accept/callers="+strconv.Itoa(callers), func(b *testing.B) {
			ids = benchAccept(b, s, callers)
		})
		b.Run("LoadWork/callers="+strconv.Itoa(callers), func(b *testing.B) {
			each(b, callers, func(i int) error {
				_, err := s.LoadWork(b.Context(), ids[i%len(ids)])
				return err
			})
		})
		b.Run("Settle/callers="+strconv.Itoa(callers), func(b *testing.B) {
			each(b, callers, func(i int) error {
				id := ids[i%len(ids)]
				_, err := s.Settle(b.Context(), &store.Settlement{
					DeliveryID: id, State: event.Delivered, Attempt: attempt(id, 1, sdk.ClassOK, true),
				})
				return err
			})
		})
	}
}

func benchAccept(b *testing.B, s *store.Store, callers int) []uuid.UUID {
	b.Helper()
	body := bytes.Repeat([]byte(`{"k":"v"},`), 200)
	items := make([]*store.Acceptance, b.N)
	ids := make([]uuid.UUID, b.N)
	for i := range items {
		a := acceptance(strconv.Itoa(i), "ops")
		a.Event.Request.Body, a.Event.Normalized = body, body
		a.Keys = []store.DedupKey{
			{Key: "body:" + a.Event.ID.String(), Window: 10 * time.Minute}, {Key: "fp:" + a.Event.ID.String(), Window: time.Hour},
		}
		items[i], ids[i] = a, a.Deliveries[0].ID
	}
	each(b, callers, func(i int) error {
		_, err := s.Accept(b.Context(), items[i])
		return err
	})
	return ids
}

// each does b.N things with a number of callers.
func each(b *testing.B, callers int, do func(i int) error) {
	b.Helper()
	next, errs := make(chan int), make(chan error, callers)
	b.ResetTimer()
	for range callers {
		go func() {
			var failed error
			for i := range next {
				if err := do(i); err != nil {
					failed = err
				}
			}
			errs <- failed
		}()
	}
	for i := range b.N {
		next <- i
	}
	close(next)
	for range callers {
		require.NoError(b, <-errs)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "op/s")
}
