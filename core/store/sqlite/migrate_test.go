package sqlite_test

import (
	"database/sql"
	"log/slog"
	"path/filepath"
	"testing"

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
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(10000)&_txlock=immediate")
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	fsys, err := migrations.SQLite()
	require.NoError(t, err)
	former, err := goose.NewProvider(goose.DialectSQLite3, db, fsys,
		goose.WithTableName(migrations.Table), goose.WithDisableGlobalRegistry(true), goose.WithSlog(slog.New(slog.DiscardHandler)))
	require.NoError(t, err)
	_, err = former.UpTo(ctx, 2)
	require.NoError(t, err)
	queue, err := rivermigrate.New(riversqlite.New(db), &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	_, err = queue.Migrate(ctx, rivermigrate.DirectionUp, nil)
	require.NoError(t, err)
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
