package database

import (
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/testpg"
	"github.com/hookarr/hookarr/plugins/target-catalogue/internal/library"
	"github.com/hookarr/hookarr/sdk"
)

const schema = "catalogue"

func newPostgres(t *testing.T, address string) *Engine {
	t.Helper()
	e, err := OpenPostgres(address, "", schema, time.Hour, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, e.Close()) })
	return e
}

func newSQLite(t *testing.T, path string) *Engine {
	t.Helper()
	e, err := OpenSQLite(path, 0o640, time.Hour, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, e.Close()) })
	return e
}

// both runs a test on both databases.
func both(t *testing.T, test func(t *testing.T, e *Engine)) {
	t.Helper()
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, newPostgres(t, testpg.New(t)))
	})
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, newSQLite(t, filepath.Join(t.TempDir(), "new", "catalogue.db")))
	})
}

// added is an event that adds a title.
func added(source string, n int) sdk.Event {
	return sdk.Event{
		ID: fmt.Sprintf("event-%s-%06d", source, n), Source: source, App: "radarr", Instance: "Radarr", Type: sdk.TypeMediaAdded,
		Time:  time.Date(2026, 11, 1, 10, 0, 0, n*1000, time.UTC),
		Media: &sdk.Media{Kind: "movie", ID: strconv.Itoa(n), Title: fmt.Sprintf("The Film %d", n), IDs: map[string]string{"tmdb": strconv.Itoa(n)}},
	}
}

// value is one of the database's, as others read it.
func value[T any](t *testing.T, e *Engine, query string) (v T) {
	t.Helper()
	require.NoError(t, e.db.QueryRowContext(t.Context(), e.dialect.sql(query)).Scan(&v))
	return v
}

func requireClass(t *testing.T, want sdk.Class, err error, says string) {
	t.Helper()
	class, _ := sdk.ClassOf(err)
	require.Equal(t, want, class, err)
	require.ErrorContains(t, err, says)
}

func TestDeliveryIsWrittenOnce(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, e *Engine) {
		require.NoError(t, e.Keep(t.Context(), "d", []sdk.Event{added("radarr", 1)}))
		// Another content shows that it is not even looked at.
		require.NoError(t, e.Keep(t.Context(), "d", []sdk.Event{added("radarr", 2)}))
		require.Equal(t, 1, value[int](t, e, "SELECT count(*) FROM {}library"))
		require.Equal(t, 1, value[int](t, e, "SELECT count(*) FROM {}feed"))
		require.Equal(t, "film 1", value[string](t, e, "SELECT sort_title FROM {}movies"))
		require.Equal(t, "Radarr", value[string](t, e, "SELECT instance FROM {}instances"))
	})
}

// All of a delivery is written, or nothing: what cannot be written takes the rest with it.
func TestDeliveryIsWrittenWhole(t *testing.T) {
	t.Parallel()
	e := newPostgres(t, testpg.New(t))
	require.NoError(t, e.Keep(t.Context(), "first", []sdk.Event{added("radarr", 1)}))
	bad := added("radarr", 3)
	bad.Media.Title = "no\x00text"
	err := e.Keep(t.Context(), "d", []sdk.Event{added("radarr", 2), bad})
	requireClass(t, sdk.ClassPermanent, err, "SQLSTATE 22")
	require.Equal(t, 1, value[int](t, e, "SELECT count(*) FROM {}library"))
	require.Equal(t, 1, value[int](t, e, "SELECT count(*) FROM {}deliveries_seen"))
}

func TestNewerVersionIsRefused(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, e *Engine) {
		require.NoError(t, e.Keep(t.Context(), "d", []sdk.Event{added("radarr", 1)}))
		_, err := e.db.ExecContext(t.Context(), e.dialect.sql("UPDATE {}schema_version SET version = 7"))
		require.NoError(t, err)
		err = e.Keep(t.Context(), "d2", []sdk.Event{added("radarr", 2)})
		requireClass(t, sdk.ClassMisconfigured, err, "version 7, made by a newer plugin, and this one knows version 1")
		_, err = e.Check(t.Context())
		requireClass(t, sdk.ClassMisconfigured, err, "version 7")
		require.Equal(t, 1, value[int](t, e, "SELECT count(*) FROM {}library"))
	})
}

// A catalogue that was dropped is begun anew.
func TestTablesAreMadeAgain(t *testing.T) {
	t.Parallel()
	address := testpg.New(t)
	e := newPostgres(t, address)
	require.NoError(t, e.Keep(t.Context(), "d", []sdk.Event{added("radarr", 1)}))
	_, err := e.db.ExecContext(t.Context(), "DROP SCHEMA catalogue CASCADE")
	require.NoError(t, err)
	requireClass(t, sdk.ClassMisconfigured, e.Keep(t.Context(), "d2", []sdk.Event{added("radarr", 2)}), "are not those of version 1")
	require.NoError(t, e.Keep(t.Context(), "d2", []sdk.Event{added("radarr", 2)}))
	require.Equal(t, 1, value[int](t, e, "SELECT count(*) FROM {}library"))
}

func TestFileThatWasReplaced(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "catalogue.db")
	e := newSQLite(t, path)
	require.NoError(t, e.Keep(t.Context(), "d", []sdk.Event{added("radarr", 1)}))
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		require.NoError(t, os.Remove(name))
	}
	require.NoError(t, e.Keep(t.Context(), "d", []sdk.Event{added("radarr", 2)}))
	require.Equal(t, "2", value[string](t, newSQLite(t, path), "SELECT id FROM library"))
}

func TestFilesAreForTheirReaders(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "new", "catalogue.db")
	require.NoError(t, newSQLite(t, path).Keep(t.Context(), "d", []sdk.Event{added("radarr", 1)}))
	for name, mode := range map[string]fs.FileMode{path: 0o640, path + "-wal": 0o640, path + "-shm": 0o640, filepath.Dir(path): 0o750 | fs.ModeDir} {
		info, err := os.Stat(name)
		require.NoError(t, err)
		require.Equal(t, mode, info.Mode(), name)
	}
}

// Whoever follows changes by their numbers misses none: a number is not to be seen before a
// smaller one. A transaction that has drawn one and has not ended holds the next one up.
func TestChangesAreSeenInOrder(t *testing.T) {
	t.Parallel()
	address := testpg.New(t)
	e := newPostgres(t, address)
	require.NoError(t, e.Keep(t.Context(), "d", []sdk.Event{added("radarr", 1)}))

	open, err := e.db.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	slow := &transaction{open, e.dialect, "2026-11-01T10:00:00.000000Z"}
	require.NoError(t, slow.saveChanges(t.Context(), []sourced{{"slow", library.Change{Op: library.OpAdded, Time: "2026-11-01T10:00:00Z"}}}))

	kept := make(chan error, 1)
	go func() { kept <- e.Keep(t.Context(), "d2", []sdk.Event{added("sonarr", 1)}) }()
	require.Eventually(t, func() bool {
		return value[int](t, e, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") > 0
	}, time.Minute, 5*time.Millisecond, "it waits for the slow one")
	require.Equal(t, int64(1), value[int64](t, e, "SELECT max(seq) FROM {}feed"))
	require.NoError(t, open.Commit())
	require.NoError(t, <-kept)
	require.Equal(t, int64(3), value[int64](t, e, "SELECT max(seq) FROM {}feed"))
	require.Equal(t, 3, value[int](t, e, "SELECT count(*) FROM {}feed"))
}

// Many write at once, of several sources in one delivery, in whatever order: nobody waits
// in a circle, and who follows sees each change once.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	e := newPostgres(t, testpg.New(t))
	const writers, each = 6, 25
	sources := []string{"a", "b", "c", "d"}
	require.NoError(t, e.Keep(t.Context(), "first", []sdk.Event{added("a", 0)}))

	done := make(chan struct{})
	followed := make(chan []int64, 1)
	go func() {
		var all []int64
		for last, ended := int64(0), false; !ended; {
			select {
			case <-done:
				ended = true // and look once more
			default:
			}
			err := e.write(t.Context(), func(tx *transaction) error {
				return tx.each(t.Context(), "SELECT seq FROM {}feed WHERE seq > $1 ORDER BY seq", []any{last}, func(rows *sql.Rows) error {
					err := rows.Scan(&last)
					all = append(all, last)
					return err
				})
			})
			if err != nil {
				break // what was not followed is missed below
			}
		}
		followed <- all
	}()
	errs := make([]error, writers)
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for n := range each {
				var events []sdk.Event
				for i := range sources {
					source := sources[(i*(1+2*(w%2))+w+n)%len(sources)] // in different orders
					events = append(events, added(source, w*each+n+1))
				}
				if err := e.Keep(t.Context(), fmt.Sprintf("d-%d-%d", w, n), events); err != nil && errs[w] == nil {
					errs[w] = err
				}
			}
		})
	}
	wg.Wait()
	close(done)
	require.NoError(t, errors.Join(errs...))
	require.Equal(t, writers*each*len(sources)+1, value[int](t, e, "SELECT count(*) FROM {}library"))
	require.Len(t, <-followed, writers*each*len(sources)+1)
}

func TestListenersAreTold(t *testing.T) {
	t.Parallel()
	address := testpg.New(t)
	listener, err := pgx.Connect(t.Context(), address)
	require.NoError(t, err)
	defer func() { _ = listener.Close(t.Context()) }()
	_, err = listener.Exec(t.Context(), "LISTEN catalogue")
	require.NoError(t, err)
	require.NoError(t, newPostgres(t, address).Keep(t.Context(), "d", []sdk.Event{added("radarr", 1), added("radarr", 2)}))
	n, err := listener.WaitForNotification(t.Context())
	require.NoError(t, err)
	require.Equal(t, "catalogue 2", n.Payload)
}

func TestOldChangesGo(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, e *Engine) {
		begun := time.Now()
		e.now = func() time.Time { return begun }
		require.NoError(t, e.Keep(t.Context(), "d1", []sdk.Event{added("radarr", 1)}))
		e.now = func() time.Time { return begun.Add(2 * time.Hour) }
		require.NoError(t, e.Keep(t.Context(), "d2", []sdk.Event{added("radarr", 2)}))
		require.Equal(t, 1, value[int](t, e, "SELECT count(*) FROM {}feed"), "kept for an hour")
		require.Equal(t, 2, value[int](t, e, "SELECT count(*) FROM {}deliveries_seen"), "kept for weeks")
		e.now = func() time.Time { return begun.Add(keepDeliveries + 3*time.Hour) }
		require.NoError(t, e.Keep(t.Context(), "d3", []sdk.Event{added("radarr", 3)}))
		require.Equal(t, 1, value[int](t, e, "SELECT count(*) FROM {}deliveries_seen"))
	})
}

// The same film in two instances is two titles and one work.
func TestWorks(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, e *Engine) {
		var events []sdk.Event
		for i, quality := range []string{"HDTV-720p", "Bluray-2160p", "WEBDL-1080p"} {
			ev := added([]string{"radarr", "radarr-4k", "radarr"}[i], 5)
			ev.ID, ev.Type = strconv.Itoa(i), sdk.TypeMediaImported
			ev.Files = []sdk.File{{ID: strconv.Itoa(i), Path: fmt.Sprintf("/films/%d.mkv", i), Quality: quality, SizeBytes: 1}}
			events = append(events, ev)
		}
		require.NoError(t, e.Keep(t.Context(), "d", append(events, added("radarr", 6))))
		var sources, best string
		var has bool
		require.NoError(t, e.db.QueryRowContext(t.Context(), e.dialect.sql(`SELECT sources, best_quality, has_file FROM {}works WHERE service = 'tmdb' AND ext_id = '5'`)).
			Scan(&sources, &best, &has))
		require.JSONEq(t, `["radarr", "radarr-4k"]`, sources)
		require.Equal(t, "Bluray-2160p", best)
		require.True(t, has)
		require.Equal(t, 2, value[int](t, e, "SELECT count(*) FROM {}works"))
		require.Equal(t, "WEBDL-1080p", value[string](t, e, "SELECT quality FROM {}movies WHERE source = 'radarr' AND movie_id = '5'"), "the best of two")
	})
}
