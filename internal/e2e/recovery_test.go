package e2e

import (
	"context"
	"database/sql"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"
)

// execSQL runs a statement beside the server.
func execSQL(t *testing.T, url, statement string) int64 {
	t.Helper()
	driver, dsn := "pgx", url
	if path, ok := strings.CutPrefix(url, "sqlite://"); ok {
		driver, dsn = "sqlite", "file:"+path+"?_pragma=busy_timeout(10000)&_txlock=immediate"
	}
	db, err := sql.Open(driver, dsn)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	result, err := db.ExecContext(context.Background(), statement)
	require.NoError(t, err)
	n, err := result.RowsAffected()
	require.NoError(t, err)
	return n
}

// TestRowsAreTheTruth deletes jobs under load, again and again: every
// delivery is brought home.
func TestRowsAreTheTruth(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		const (
			events  = 400
			senders = 8
			rounds  = 5
		)
		endpoint := newReceiver(t)
		// Who has the gate keeps jobs in the queue.
		var gate sync.RWMutex
		endpoint.setAnswer(func(delivered) int {
			gate.RLock()
			defer gate.RUnlock()
			return http.StatusOK
		})
		srv := newServer(t, settings{database: url, targets: webhookTarget(endpoint), routes: everything})
		srv.start()

		var posts sync.WaitGroup
		var next, refused, sent atomic.Int64
		for range senders {
			posts.Go(func() {
				for n := next.Add(1); n <= events; n = next.Add(1) {
					if srv.post(importBody(int(n))).status != http.StatusAccepted {
						refused.Add(1)
					}
					sent.Add(1)
				}
			})
		}
		// Running jobs, too: what they do is done twice at worst.
		deleted, running := int64(0), int64(0)
		disturb := func(round int64) {
			gate.Lock()
			defer gate.Unlock()
			require.Eventually(t, func() bool { return sent.Load() >= (round+1)*events/rounds }, waitTimeout, 10*time.Millisecond)
			deleted += execSQL(t, url, "DELETE FROM river_job WHERE state IN ('available', 'scheduled')")
			running += execSQL(t, url, "DELETE FROM river_job WHERE state = 'running'")
		}
		for round := range int64(rounds) {
			disturb(round)
		}
		posts.Wait()
		require.Zero(t, refused.Load())
		require.Greater(t, deleted, int64(events/4), "too few jobs were there to delete")

		// The next look for lost jobs is a minute away, or at the next start.
		require.NoError(t, srv.stop())
		srv.start()
		require.Eventually(t, func() bool { return len(endpoint.counts()) == events }, waitTimeout, 50*time.Millisecond)
		require.Eventually(t, func() bool {
			return execSQL(t, url, "UPDATE deliveries SET state = state WHERE state <> 'delivered'") == 0
		}, waitTimeout, 50*time.Millisecond)
		duplicates := len(endpoint.all()) - events
		t.Logf("%d waiting and %d running jobs deleted, all %d events delivered, %d duplicates", deleted, running, events, duplicates)
		require.LessOrEqual(t, int64(duplicates), running)
	})
}
