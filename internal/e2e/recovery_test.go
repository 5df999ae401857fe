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

// TestRowsAreTheTruth deletes jobs under load: the reconciler brings every delivery
// home.
func TestRowsAreTheTruth(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		const events = 200
		endpoint := newReceiver(t)
		endpoint.setAnswer(func(delivered) int {
			time.Sleep(20 * time.Millisecond) // keeps jobs in the queue
			return http.StatusOK
		})
		srv := newServer(t, settings{database: url, targets: webhookTarget(endpoint), routes: everything})
		srv.start()

		var posts sync.WaitGroup
		var refused atomic.Int64
		posts.Go(func() {
			for n := range events {
				if srv.post(importBody(n+1)).status != http.StatusAccepted {
					refused.Add(1)
				}
			}
		})
		deleted := int64(0)
		for deleted == 0 {
			deleted += execSQL(t, url, "DELETE FROM river_job WHERE state IN ('available', 'scheduled')")
		}
		posts.Wait()
		deleted += execSQL(t, url, "DELETE FROM river_job WHERE state IN ('available', 'scheduled')")
		require.Positive(t, deleted)
		require.Zero(t, refused.Load())

		require.Eventually(t, func() bool { return len(endpoint.counts()) == events }, 90*time.Second, 50*time.Millisecond)
		t.Logf("%d jobs deleted, all %d events delivered", deleted, events)
	})
}
