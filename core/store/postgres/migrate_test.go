package postgres_test

import (
	"log/slog"
	"strconv"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/internal/testpg"
	"github.com/hookarr/hookarr/migrations"
)

// TestFormerJobsAreDroppedFirst ends a migration where it drops the jobs of a former
// version, and does it again: a job that stayed would be a second one of its delivery.
func TestFormerJobsAreDroppedFirst(t *testing.T) {
	t.Parallel()

	ctx, url := t.Context(), testpg.New(t)
	s := open(t, url)
	formerly(t, url, 2)
	exec(t, url, `INSERT INTO deliveries (id, event_id, target, route, state) VALUES ('`+uuid.NewString()+`', '`+uuid.NewString()+`', 'ops', 'all', 'held')`)
	exec(t, url, `INSERT INTO target_state (target, kind, reason, probe_at) VALUES ('ops', 'misconfigured', '404', now())`)
	exec(t, url, `INSERT INTO river_job (args, kind, max_attempts, queue) VALUES ('{}', 'deliver', 25, 'target_ops')`)
	exec(t, url, `CREATE FUNCTION crash() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'crash'; END $$`)
	exec(t, url, `CREATE TRIGGER crash BEFORE DELETE ON river_job FOR EACH ROW EXECUTE FUNCTION crash()`)
	require.ErrorContains(t, s.Migrate(ctx), "crash")
	exec(t, url, `DROP TRIGGER crash ON river_job`)
	require.NoError(t, s.Migrate(ctx))
	require.EqualValues(t, 0, exec(t, url, `DELETE FROM river_job`))
	require.EqualValues(t, 1, exec(t, url, `DELETE FROM deliveries WHERE state = 'pending'`))
	require.EqualValues(t, 1, exec(t, url, `DELETE FROM targets WHERE hold = 'misconfigured'`))
}

// TestMigrationThatWasKilled goes on from any version of River's.
func TestMigrationThatWasKilled(t *testing.T) {
	t.Parallel()
	latest, err := rivermigrate.New(riverpgxv5.New(nil), nil)
	require.NoError(t, err)
	for version := range len(latest.AllVersions()) {
		t.Run(strconv.Itoa(version), func(t *testing.T) {
			t.Parallel()
			ctx, url := t.Context(), testpg.New(t)
			s := open(t, url)
			_, want, err := s.Schema(ctx)
			require.NoError(t, err)
			killed(t, url, want.Tables, version)
			have, want, err := s.Schema(ctx)
			require.NoError(t, err)
			require.ErrorIs(t, have.Check(want), store.ErrNotMigrated)
			require.NoError(t, s.Migrate(ctx))
			require.NoError(t, s.Ready(ctx))
		})
	}
}

// formerly makes the database of a former version.
func formerly(t *testing.T, url string, version int64) {
	t.Helper()
	killed(t, url, version, -1)
}

// killed makes the database of a former version, or of one whose migration ended at a version of
// River's that is not the last. 0 is before River's first, and -1 the last.
func killed(t *testing.T, url string, version int64, river int) {
	t.Helper()
	ctx := t.Context()
	pool, err := pgxpool.New(ctx, url)
	require.NoError(t, err)
	defer pool.Close()
	fsys, err := migrations.Postgres()
	require.NoError(t, err)
	db := stdlib.OpenDBFromPool(pool)
	former, err := goose.NewProvider(goose.DialectPostgres, db, fsys,
		goose.WithTableName(migrations.Table), goose.WithDisableGlobalRegistry(true), goose.WithSlog(slog.New(slog.DiscardHandler)))
	require.NoError(t, err)
	_, err = former.UpTo(ctx, version)
	require.NoError(t, err)
	require.NoError(t, db.Close())
	if river == 0 {
		return
	}
	queue, err := rivermigrate.New(riverpgxv5.New(pool), &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	_, err = queue.Migrate(ctx, rivermigrate.DirectionUp, &rivermigrate.MigrateOpts{TargetVersion: max(river, 0)})
	require.NoError(t, err)
}

// TestFormerRowsStay migrates a database from before there were actions: what it holds is
// as it was, its jobs too.
func TestFormerRowsStay(t *testing.T) {
	t.Parallel()

	ctx, url := t.Context(), testpg.New(t)
	s := open(t, url)
	formerly(t, url, 3)
	event, delivery := uuid.New(), uuid.New()
	exec(t, url, `INSERT INTO events (id, received_at, purge_after, source, state, origin, type, title, summary, fingerprint, correlation_key,
		reason, method, query, header, body) VALUES ('`+event.String()+`', now(), now(), 'radarr', 'routed', 'webhook', 'test', '', '', '', '', '', '', '', '{}', '')`)
	exec(t, url, `INSERT INTO deliveries (id, event_id, target, route, state, attempts, sent_at, elapsed_us, status, excerpt)
		VALUES ('`+delivery.String()+`', '`+event.String()+`', 'ops', 'all', 'delivered', 2, now(), 1000, 200, 'ok')`)
	exec(t, url, `INSERT INTO attempts (delivery_id, started_at, elapsed_us, number, status, counted, class, message, excerpt)
		VALUES ('`+delivery.String()+`', now() - interval '1 minute', 1000, 1, 503, true, 'retryable', 'busy', '')`)
	exec(t, url, `INSERT INTO river_job (args, kind, max_attempts, queue) VALUES ('{}', 'deliver', 25, 'target_ops')`)
	require.NoError(t, s.Migrate(ctx))
	d, attempts, err := s.FindDelivery(ctx, delivery)
	require.NoError(t, err)
	require.Equal(t, 2, d.Attempts)
	require.Equal(t, d.CreatedAt, d.Began())
	require.Len(t, attempts, 2)
	require.Equal(t, "busy", attempts[0].Message)
	require.Equal(t, 200, attempts[1].Status)
	require.EqualValues(t, 1, exec(t, url, `DELETE FROM river_job`))
}
