package storetest

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
)

// testSettleTogether settles one delivery many times at once: each attempt is there,
// and the highest number of those that count is the delivery's.
func testSettleTogether(t *testing.T, db Database) {
	const n = 50
	a := acceptance("one", "ops")
	id := a.Deliveries[0].ID
	accept(t, db.Store, a)
	errs := make(chan error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			_, err := db.Store.Settle(t.Context(), &store.Settlement{
				DeliveryID: id, State: event.Pending, Attempt: attempt(id, i+1, sdk.ClassRetryable, i < n/2),
			})
			errs <- err
		})
	}
	wg.Wait()
	for range n {
		require.NoError(t, <-errs)
	}
	d, attempts, err := db.Store.FindDelivery(t.Context(), id)
	require.NoError(t, err)
	require.Len(t, attempts, n)
	require.Equal(t, n/2, d.Attempts)
}

// testAcceptAgain accepts what is there already, as after a commit whose answer was
// lost.
func testAcceptAgain(t *testing.T, db Database) {
	a := acceptance("one", "ops")
	for _, keys := range [][]store.DedupKey{nil, {{Key: "id:1", Window: time.Hour}}} {
		a.Keys = keys
		for range 2 {
			require.Equal(t, store.Accepted{EventID: a.Event.ID}, accept(t, db.Store, a))
		}
	}
	_, deliveries, err := db.Store.FindEvent(t.Context(), a.Event.ID)
	require.NoError(t, err)
	require.Len(t, deliveries, 1)
}

func testLongText(t *testing.T, db Database) {
	long := make([]byte, 1<<20)
	for i := range long {
		long[i] = 'a' + byte(i%26)
	}
	a := acceptance(string(long))
	a.Event.CorrelationKey = string(long)
	a.Keys = []store.DedupKey{{Key: "id:" + string(long), Window: time.Hour}, {Key: "fp:" + string(long), Window: time.Hour}}
	accept(t, db.Store, a)
	again := acceptance("again")
	again.Keys = a.Keys
	require.Equal(t, store.Accepted{EventID: a.Event.ID, Duplicate: true}, accept(t, db.Store, again))
}
