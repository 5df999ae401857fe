package sqlite_test

import (
	"database/sql"
	"encoding/hex"
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/google/uuid"
	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/migrations"
)

// TestFormerJobsAreDroppedFirst ends a migration where it drops the jobs of a former
// version, and does it again: a job that stayed would be a second one of its delivery.
func TestFormerJobsAreDroppedFirst(t *testing.T) {
	t.Parallel()

	ctx, path := t.Context(), filepath.Join(t.TempDir(), "hookarr.db")
	s := open(t, path)
	formerly(t, path, 2)
	exec(t, path, `INSERT INTO deliveries (id, event_id, created_at, updated_at, target, route, state) VALUES (x'01', x'02', 1, 1, 'ops', 'all', 'held')`)
	exec(t, path, `INSERT INTO target_state (target, since, kind, reason, probe_at) VALUES ('ops', 1, 'misconfigured', '404', 1)`)
	exec(t, path, `INSERT INTO river_job (args, kind, max_attempts, queue) VALUES (jsonb('{}'), 'deliver', 25, 'target_ops')`)
	exec(t, path, `CREATE TRIGGER crash BEFORE DELETE ON river_job BEGIN SELECT raise(ABORT, 'crash'); END`)
	require.ErrorContains(t, s.Migrate(ctx), "crash")
	exec(t, path, `DROP TRIGGER crash`)
	require.NoError(t, s.Migrate(ctx))
	require.EqualValues(t, 0, exec(t, path, `DELETE FROM river_job`))
	require.EqualValues(t, 1, exec(t, path, `DELETE FROM deliveries WHERE state = 'pending'`))
	require.EqualValues(t, 1, exec(t, path, `DELETE FROM targets WHERE hold = 'misconfigured'`))
}

// formerly makes the database of a former version.
func formerly(t *testing.T, path string, version int64) {
	t.Helper()
	ctx := t.Context()
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(10000)&_txlock=immediate")
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	fsys, err := migrations.SQLite()
	require.NoError(t, err)
	former, err := goose.NewProvider(goose.DialectSQLite3, db, fsys,
		goose.WithTableName(migrations.Table), goose.WithDisableGlobalRegistry(true), goose.WithSlog(slog.New(slog.DiscardHandler)))
	require.NoError(t, err)
	_, err = former.UpTo(ctx, version)
	require.NoError(t, err)
	queue, err := rivermigrate.New(riversqlite.New(db), &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	_, err = queue.Migrate(ctx, rivermigrate.DirectionUp, nil)
	require.NoError(t, err)
}

// TestFormerRowsStay migrates a database from before there were actions: what it holds is
// as it was, its jobs too.
func TestFormerRowsStay(t *testing.T) {
	t.Parallel()

	ctx, path := t.Context(), filepath.Join(t.TempDir(), "hookarr.db")
	s := open(t, path)
	formerly(t, path, 3)
	event, delivery := uuid.New(), uuid.New()
	blob := func(id uuid.UUID) string { return "x'" + hex.EncodeToString(id[:]) + "'" }
	exec(t, path, `INSERT INTO events (id, received_at, purge_after, source, state, origin, type, title, summary, fingerprint, correlation_key,
		reason, method, query, header, body) VALUES (`+blob(event)+`, 1, 1, 'radarr', 'routed', 'webhook', 'test', '', '', '', '', '', '', '', '{}', x'')`)
	exec(t, path, `INSERT INTO deliveries (id, event_id, created_at, updated_at, due_at, target, route, state, attempts, sent_at, elapsed_us, status,
		excerpt) VALUES (`+blob(delivery)+`, `+blob(event)+`, 1, 1, 1, 'ops', 'all', 'delivered', 2, 5, 1000, 200, 'ok')`)
	exec(t, path, `INSERT INTO attempts (delivery_id, started_at, elapsed_us, number, status, counted, class, message, excerpt)
		VALUES (`+blob(delivery)+`, 2, 1000, 1, 503, true, 'retryable', 'busy', '')`)
	exec(t, path, `INSERT INTO river_job (args, kind, max_attempts, queue) VALUES (jsonb('{}'), 'deliver', 25, 'target_ops')`)
	require.NoError(t, s.Migrate(ctx))
	d, attempts, err := s.FindDelivery(ctx, delivery)
	require.NoError(t, err)
	require.Equal(t, 2, d.Attempts)
	require.Equal(t, d.CreatedAt, d.Began())
	require.Len(t, attempts, 2)
	require.Equal(t, "busy", attempts[0].Message)
	require.Equal(t, 200, attempts[1].Status)
	require.EqualValues(t, 1, exec(t, path, `DELETE FROM river_job`))
}
