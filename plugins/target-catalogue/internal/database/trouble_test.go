package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/testpg"
	"github.com/hookarr/hookarr/sdk"
)

func TestTroubleWithAFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	other := filepath.Join(dir, "other.db")
	db, err := sql.Open("sqlite", other)
	require.NoError(t, err)
	_, err = db.ExecContext(t.Context(), "CREATE TABLE theirs (id)")
	require.NoError(t, errors.Join(err, db.Close()))
	page := filepath.Join(dir, "page.html")
	require.NoError(t, os.WriteFile(page, []byte("<html>this is no database, and it is long enough to be read as one. "+fmt.Sprintf("%4096d", 1)), 0o600))
	for _, tt := range []struct{ path, says string }{
		{other, "has the tables of another program"},
		{page, "is no SQLite database"},
		{filepath.Join(page, "catalogue.db"), "cannot be"},
		{"/proc/hookarr/catalogue.db", "cannot be made"},
		{dir, "cannot be opened"},
	} {
		requireClass(t, sdk.ClassMisconfigured, newSQLite(t, tt.path).Keep(t.Context(), "d", []sdk.Event{added("radarr", 1)}), tt.says)
	}
}

// A full disk takes nothing away, and what did not fit is written once there is room.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	e := newSQLite(t, filepath.Join(t.TempDir(), "catalogue.db"))
	require.NoError(t, e.Keep(t.Context(), "d", []sdk.Event{added("radarr", 1)}))
	pages := value[int](t, e, "PRAGMA page_count")
	_, err := e.db.ExecContext(t.Context(), fmt.Sprintf("PRAGMA max_page_count = %d", pages+2))
	require.NoError(t, err)
	var many []sdk.Event
	for n := range 300 {
		many = append(many, added("radarr", n))
	}
	requireClass(t, sdk.ClassRetryable, e.Keep(t.Context(), "many", many), "is full; nothing of the delivery was written")
	require.Equal(t, 1, value[int](t, e, "SELECT count(*) FROM library"))
	_, err = e.db.ExecContext(t.Context(), "PRAGMA max_page_count = 1000000")
	require.NoError(t, err)
	require.NoError(t, e.Keep(t.Context(), "many", many))
	require.Equal(t, 300, value[int](t, e, "SELECT count(*) FROM library"))
}

func TestReadOnlyFile(t *testing.T) {
	t.Parallel()
	e := newSQLite(t, filepath.Join(t.TempDir(), "catalogue.db"))
	require.NoError(t, e.Keep(t.Context(), "d", []sdk.Event{added("radarr", 1)}))
	_, err := e.db.ExecContext(t.Context(), "PRAGMA query_only = 1")
	require.NoError(t, err)
	requireClass(t, sdk.ClassMisconfigured, e.Keep(t.Context(), "d2", []sdk.Event{added("radarr", 2)}), "is read-only")
}

func TestTroubleWithAServer(t *testing.T) {
	t.Parallel()
	address := testpg.New(t)
	owner, err := pgx.Connect(t.Context(), address)
	require.NoError(t, err)
	defer func() { _ = owner.Close(t.Context()) }()
	role := owner.Config().Database // a name that no other test has
	_, err = owner.Exec(t.Context(), "CREATE ROLE "+role+" LOGIN; REVOKE ALL ON DATABASE "+role+" FROM PUBLIC; GRANT CONNECT ON DATABASE "+role+" TO "+role)
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		again, err := pgx.Connect(ctx, address)
		require.NoError(t, err)
		_, err = again.Exec(ctx, "DROP OWNED BY "+role+"; DROP ROLE "+role)
		require.NoError(t, err)
		require.NoError(t, again.Close(ctx))
	})
	as := func(user, database string) *Engine {
		config := owner.Config()
		return newPostgres(t, fmt.Sprintf("postgres://%s@%s:%d/%s?sslmode=disable", user, config.Host, config.Port, database))
	}
	one := []sdk.Event{added("radarr", 1)}
	requireClass(t, sdk.ClassMisconfigured, as(role, role).Keep(t.Context(), "d", one), "lacks rights on the schema catalogue")
	_, err = as(role, role).Check(t.Context())
	requireClass(t, sdk.ClassMisconfigured, err, `run CREATE SCHEMA "catalogue" AUTHORIZATION "`+role+`"`)
	requireClass(t, sdk.ClassMisconfigured, as("nobody_"+role, role).Keep(t.Context(), "d", one), "does not let the user nobody_"+role+" in")
	requireClass(t, sdk.ClassMisconfigured, as(owner.Config().User, "no_"+role).Keep(t.Context(), "d", one), "there is no database no_"+role)

	_, err = owner.Exec(t.Context(), "CREATE SCHEMA catalogue")
	require.NoError(t, err)
	_, err = as(role, role).Check(t.Context())
	requireClass(t, sdk.ClassMisconfigured, err, `run GRANT USAGE, CREATE ON SCHEMA "catalogue" TO "`+role+`"`)
	// Rights on a schema that is there are enough.
	_, err = owner.Exec(t.Context(), "GRANT USAGE, CREATE ON SCHEMA catalogue TO "+role)
	require.NoError(t, err)
	said, err := as(role, role).Check(t.Context())
	require.NoError(t, err)
	require.Contains(t, said, "the tables are made with the first delivery")
	require.NoError(t, as(role, role).Keep(t.Context(), "d", one))
	said, err = as(role, role).Check(t.Context())
	require.NoError(t, err)
	require.Contains(t, said, "version 1; sources: 1, titles: 1,")

	_, err = owner.Exec(t.Context(), "ALTER ROLE "+role+" SET default_transaction_read_only = on")
	require.NoError(t, err)
	requireClass(t, sdk.ClassMisconfigured, as(role, role).Keep(t.Context(), "d2", one), "the database is read-only")
}

func TestNobodyListens(t *testing.T) {
	t.Parallel()
	e := newPostgres(t, "postgres://hookarr@127.0.0.1:1/media")
	requireClass(t, sdk.ClassRetryable, e.Keep(t.Context(), "d", []sdk.Event{added("radarr", 1)}), "127.0.0.1:1")
	refused := newPostgres(t, "postgres://hookarr@169.254.169.254/media")
	requireClass(t, sdk.ClassMisconfigured, refused.Keep(t.Context(), "d", []sdk.Event{added("radarr", 1)}), "is not an address to deliver to")
}

// The server goes away in the middle, and comes back.
func TestServerThatIsRestarted(t *testing.T) {
	t.Parallel()
	cluster := testpg.Cluster(t)
	e := newPostgres(t, cluster.URL())
	require.NoError(t, e.Keep(t.Context(), "d1", []sdk.Event{added("radarr", 1)}))
	cluster.StopImmediate()
	err := e.Keep(t.Context(), "d2", []sdk.Event{added("radarr", 2)})
	requireClass(t, sdk.ClassRetryable, err, "")
	cluster.Start()
	require.Eventually(t, func() bool { return e.Keep(t.Context(), "d2", []sdk.Event{added("radarr", 2)}) == nil }, time.Minute, 50*time.Millisecond)
	require.Equal(t, 2, value[int](t, e, "SELECT count(*) FROM {}feed"))
}

func TestStatesOfPostgres(t *testing.T) {
	t.Parallel()
	d := inServer{schema: "s", database: "d", user: "u"}
	for code, want := range map[string]sdk.Class{
		"28P01": sdk.ClassMisconfigured, "28000": sdk.ClassMisconfigured, "3D000": sdk.ClassMisconfigured, "42501": sdk.ClassMisconfigured,
		"42P01": sdk.ClassMisconfigured, "42703": sdk.ClassMisconfigured, "3F000": sdk.ClassMisconfigured, "25006": sdk.ClassMisconfigured,
		"22021": sdk.ClassPermanent, "23505": sdk.ClassPermanent, "54000": sdk.ClassPermanent,
		"53100": sdk.ClassRetryable, "53300": sdk.ClassRetryable, "40001": sdk.ClassRetryable, "40P01": sdk.ClassRetryable,
		"57P01": sdk.ClassRetryable, "57014": sdk.ClassRetryable, "08006": sdk.ClassRetryable, "XX000": sdk.ClassRetryable,
	} {
		err := d.explain(fmt.Errorf("write: %w", &pgconn.PgError{Code: code}))
		class, _ := sdk.ClassOf(err)
		require.Equal(t, want, class, code)
	}
	require.ErrorContains(t, d.explain(&pgconn.PgError{Code: "53100"}), "the disk of the database is full; nothing of the delivery was written")
}
