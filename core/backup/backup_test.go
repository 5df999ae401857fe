package backup

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/core/store/sqlite"
	"github.com/hookarr/hookarr/sdk"
)

// killAt names the step at which this process ends itself: it is the child of a test.
const killAt = "BACKUP_TEST_KILL_AT"

func TestMain(m *testing.M) {
	if step := os.Getenv(killAt); step != "" {
		o := Options{Database: sdk.Secret(os.Getenv("BACKUP_TEST_DATABASE")), File: os.Getenv("BACKUP_TEST_FILE"), Force: true, pass: func(passed string) {
			if passed == step {
				_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
				select {}
			}
		}}
		if _, err := Restore(context.Background(), o); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// at is a database in a directory of its own.
func at(path string) sdk.Secret { return sdk.Secret("sqlite://" + path) }

func open(t *testing.T, path string) *store.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func newDatabase(t *testing.T, events int) (string, *store.Store) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "data", "hookarr.db")
	s := open(t, path)
	require.NoError(t, s.Migrate(t.Context()))
	accept(t, s, events)
	return path, s
}

// accept stores events with a delivery each.
func accept(t *testing.T, s *store.Store, n int) {
	t.Helper()
	for range n {
		e := event.Event{
			ID: event.NewID(), Source: "radarr", Origin: sdk.OriginWebhook, ReceivedAt: time.Now(), State: event.Routed, Type: sdk.TypeMediaImported,
			Title: "Sintel", Request: event.Request{Method: "POST", Body: []byte(`{"eventType":"Download"}`)}, Normalized: []byte(`{}`),
		}
		_, err := s.Accept(t.Context(), &store.Acceptance{Event: e, Deliveries: []event.Delivery{{ID: event.NewID(), EventID: e.ID, Target: "ops", Route: "all"}}})
		require.NoError(t, err)
	}
}

// count counts rows of a database.
func count(t *testing.T, path, from string) (n int) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	require.NoError(t, db.QueryRowContext(t.Context(), "SELECT count(*) FROM "+from).Scan(&n))
	var sound string
	require.NoError(t, db.QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&sound))
	require.Equal(t, "ok", sound)
	return n
}

func execute(t *testing.T, path, statement string, args ...any) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	_, err = db.ExecContext(t.Context(), statement, args...)
	require.NoError(t, err)
}

func backUp(t *testing.T, path string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "hookarr.backup")
	_, err := Write(t.Context(), Options{Database: at(path), File: file, Version: "v1.2.3"})
	require.NoError(t, err)
	return file
}

func TestBackupAndRestore(t *testing.T) {
	t.Parallel()
	path, s := newDatabase(t, 3)
	require.NoError(t, s.AddSession(t.Context(), &store.Session{ID: store.SecretID{1}, Who: "ci", Via: "token", Role: "operate", Proof: []byte{1}}, store.SecretID{}))
	require.NoError(t, s.Hold(t.Context(), "chat", store.HoldMisconfigured, "404"))

	file := filepath.Join(t.TempDir(), "hookarr.backup")
	before := time.Now().Add(-time.Second)
	wrote, err := Write(t.Context(), Options{Database: at(path), File: file, Version: "v1.2.3"})
	require.NoError(t, err)
	require.Equal(t, file, wrote.File)
	require.Equal(t, "v1.2.3", wrote.Version)
	require.Equal(t, "sqlite", wrote.Engine)
	require.EqualValues(t, 3, wrote.Rows["events"])
	require.EqualValues(t, 3, wrote.Owed.Deliveries)
	require.WithinRange(t, *wrote.Owed.Since, before, time.Now())
	require.Zero(t, count(t, file, "sessions"), "who is signed in is not in it")
	info, err := os.Stat(file)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	require.Equal(t, info.Size(), wrote.Bytes)
	names, err := filepath.Glob(file + "*")
	require.NoError(t, err)
	require.Equal(t, []string{file}, names)

	other := filepath.Join(t.TempDir(), "new", "hookarr.db")
	restored, err := Restore(t.Context(), Options{Database: at(other), File: file, Version: "v1.2.4", Hold: true, Targets: []string{"mail"}})
	require.NoError(t, err)
	require.Equal(t, wrote.Rows, restored.Rows)
	require.Equal(t, []string{"mail", "ops"}, restored.Held)
	require.Empty(t, restored.Kept)
	require.Empty(t, restored.MigratedTo)
	require.Equal(t, 3, count(t, other, "events"))
	require.Equal(t, 3, count(t, other, "river_job"), "jobs come back with what they work")
	require.Equal(t, 3, count(t, other, "targets WHERE hold <> ''"))
	require.Zero(t, count(t, other, "sqlite_schema WHERE name = 'hookarr_backup'"))
	names, err = filepath.Glob(filepath.Dir(other) + "/*")
	require.NoError(t, err)
	require.Equal(t, []string{other, other + ".lock"}, names)
	require.NoError(t, open(t, other).Ready(t.Context()))
}

// Root restores a database, also into a directory that is yet to be made, for the server, which
// is the user that the directory belongs to.
func TestRootRestoresForTheServer(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("it takes root to make files for others")
	}
	const server = 54321
	path, _ := newDatabase(t, 1)
	file := backUp(t, path)
	dir := t.TempDir()
	require.NoError(t, os.Chown(dir, server, server))
	other := filepath.Join(dir, "data", "hookarr.db")
	for range 2 {
		_, err := Restore(t.Context(), Options{Database: at(other), File: file, Force: true})
		require.NoError(t, err)
	}
	names, err := filepath.Glob(other + "*")
	require.NoError(t, err)
	require.Len(t, names, 3, "the database, the former one and the lock file")
	for _, name := range append(names, filepath.Dir(other)) {
		info, err := os.Stat(name)
		require.NoError(t, err)
		owner, ok := info.Sys().(*syscall.Stat_t)
		require.True(t, ok)
		require.EqualValues(t, server, owner.Uid, name)
	}
}

// A backup is of one moment, and no writer is refused meanwhile.
func TestBackupWhileEventsCome(t *testing.T) {
	t.Parallel()
	path, s := newDatabase(t, 50)
	require.NoError(t, s.Join(t.Context(), "node"))
	stop := make(chan struct{})
	var writer sync.WaitGroup
	writer.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				accept(t, s, 1)
			}
		}
	})
	for range 5 {
		file := backUp(t, path)
		require.Equal(t, count(t, file, "events"), count(t, file, "deliveries"), "an event without its delivery")
		require.Equal(t, count(t, file, "events"), count(t, file, "river_job"))
	}
	close(stop)
	writer.Wait()

	_, err := Restore(t.Context(), Options{Database: at(path), File: backUp(t, path), Force: true})
	require.ErrorIs(t, err, store.ErrInUse)
	require.ErrorContains(t, err, fmt.Sprintf("process %d", os.Getpid()))
	require.ErrorContains(t, err, "stop it first")
}

// TestBackupOfMovedDatabase refuses a database in whose place another is served, also where it
// may replace a file: a command of every night would write over the last good backup.
func TestBackupOfMovedDatabase(t *testing.T) {
	t.Parallel()
	path, s := newDatabase(t, 1)
	url, p := newPostgres(t, 1)
	for _, db := range []struct {
		url   sdk.Secret
		store *store.Store
	}{{at(path), s}, {sdk.Secret(url), p}} {
		state, err := db.store.State(t.Context())
		require.NoError(t, err)
		was := state
		state.Move, state.Peer, state.Since = store.MoveStateMoved, "sqlite:///new.db", time.Now()
		require.NoError(t, db.store.SaveState(t.Context(), was, state, []string{"events"}))
		file := filepath.Join(t.TempDir(), "hookarr.backup")
		require.NoError(t, os.WriteFile(file, []byte("good"), 0o600))
		o := Options{Database: db.url, File: file, Force: true}
		_, err = Write(t.Context(), o)
		require.ErrorContains(t, err, "the database was moved to sqlite:///new.db on ")
		require.ErrorContains(t, err, "; back it up as it is with --moved")
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Equal(t, "good", string(text))
		o.Moved = true
		_, err = Write(t.Context(), o)
		require.NoError(t, err)
		other := filepath.Join(t.TempDir(), "hookarr.db")
		_, err = Restore(t.Context(), Options{Database: at(other), File: file})
		require.NoError(t, err)
		require.NoError(t, open(t, other).Ready(t.Context()))
	}
}

func TestBackupRefuses(t *testing.T) {
	t.Parallel()
	path, s := newDatabase(t, 1)
	require.NoError(t, s.Close())
	dir := t.TempDir()
	file := filepath.Join(dir, "taken")
	require.NoError(t, os.WriteFile(file, []byte("mine"), 0o600))
	link := filepath.Join(dir, "link")
	require.NoError(t, os.Symlink(file, link))
	empty := filepath.Join(dir, "empty.db")
	require.NoError(t, os.WriteFile(empty, nil, 0o600))
	for want, o := range map[string]Options{
		"taken is there already: name another file, or replace it with --force": {File: file},
		"name a file":                       {File: "-"},
		"is a directory: name a file in it": {File: dir, Force: true},
		"is a symbolic link and no file":    {File: link, Force: true},
		"none: mkdir -p makes it":           {File: filepath.Join(dir, "none", "x")},
		"is the database itself":            {File: path, Force: true},
		"there is no database at":           {File: filepath.Join(dir, "x"), Database: at(filepath.Join(dir, "none.db"))},
		"has no tables of Hookarr yet":      {File: filepath.Join(dir, "x"), Database: at(empty)},
	} {
		if o.Database == "" {
			o.Database = at(path)
		}
		_, err := Write(t.Context(), o)
		require.ErrorContains(t, err, want)
	}
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, "mine", string(text))
	names, err := filepath.Glob(dir + "/*" + partialSuffix + "*")
	require.NoError(t, err)
	require.Empty(t, names)
}

// TestBackupRemovesWhatWasLeft by processes that were killed, and no file that is being written.
func TestBackupRemovesWhatWasLeft(t *testing.T) {
	t.Parallel()
	path, _ := newDatabase(t, 1)
	file := filepath.Join(t.TempDir(), "hookarr.backup")
	left, other := file+partialSuffix+"1", file+partialSuffix+"2"
	for _, name := range []string{left, other} {
		require.NoError(t, os.WriteFile(name, []byte("half"), 0o600))
	}
	before := time.Now().Add(-leftAfter - time.Minute)
	require.NoError(t, os.Chtimes(left, before, before))
	_, err := Write(t.Context(), Options{Database: at(path), File: file})
	require.NoError(t, err)
	names, err := filepath.Glob(file + "*")
	require.NoError(t, err)
	require.Equal(t, []string{file, other}, names)
	require.Equal(t, 1, count(t, file, "events"))
}

// TestBackupTakesNoLocks: on a file system of another machine, the lock of a file may be one of
// SQLite's, and whoever has it may be this process.
func TestBackupTakesNoLocks(t *testing.T) {
	t.Parallel()
	path, _ := newDatabase(t, 3)
	file := filepath.Join(t.TempDir(), "hookarr.backup")
	lock := func(name string) {
		t.Helper()
		f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, f.Close()) })
		require.NoError(t, unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &unix.Flock_t{Type: unix.F_WRLCK}))
	}
	lock(file)
	s, err := write(t.Context(), filled(Options{Database: at(path)}), file)
	require.NoError(t, err)
	require.EqualValues(t, 3, s.Rows["events"])
	other := filepath.Join(t.TempDir(), "hookarr.db")
	_, err = Restore(t.Context(), Options{Database: at(other), File: file})
	require.NoError(t, err)
	require.Equal(t, 3, count(t, other, "events"))
}

func filled(o Options) Options {
	o.fill()
	return o
}

// withoutConstraint takes the constraint of deliveries out of the schema that a file has.
func withoutConstraint(t *testing.T, file string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+file)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	db.SetMaxOpenConns(1)
	_, err = db.ExecContext(t.Context(), `PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, ' CHECK (state IN (''pending'', ''verifying'', ''delivered'', ''superseded'', ''dead'', ''cancelled''))', '')
WHERE name = 'deliveries'`)
	require.NoError(t, err)
	var with int
	require.NoError(t, db.QueryRowContext(t.Context(), "SELECT count(*) FROM sqlite_schema WHERE name = 'deliveries' AND sql LIKE '%CHECK%'").Scan(&with))
	require.Zero(t, with)
}

// TestRestoreMakesItsOwnTables whatever the file has for them.
func TestRestoreMakesItsOwnTables(t *testing.T) {
	t.Parallel()
	path, s := newDatabase(t, 2)
	require.NoError(t, s.AddSession(t.Context(), &store.Session{ID: store.SecretID{1}, Who: "ci", Via: "token", Role: "operate", Proof: []byte{1}}, store.SecretID{}))
	file := backUp(t, path)
	withoutConstraint(t, file)
	execute(t, file, "PRAGMA application_id = 7; PRAGMA user_version = 7")
	execute(t, file, "INSERT INTO sessions SELECT x'02', 0, 0, 1 << 60, 'eve', 'token', 'operate', '', x'01'")
	restored := filepath.Join(t.TempDir(), "hookarr.db")
	_, err := Restore(t.Context(), Options{Database: at(restored), File: file})
	require.NoError(t, err)
	schema := func(path string) (text string) {
		t.Helper()
		db, err := sql.Open("sqlite", "file:"+path)
		require.NoError(t, err)
		defer func() { require.NoError(t, db.Close()) }()
		require.NoError(t, db.QueryRowContext(t.Context(), `
SELECT group_concat(sql, ';') || (SELECT application_id FROM pragma_application_id) || (SELECT user_version FROM pragma_user_version)
FROM (SELECT sql FROM sqlite_schema ORDER BY name)`).Scan(&text))
		return text
	}
	require.Equal(t, schema(path), schema(restored))
	require.Zero(t, count(t, restored, "sessions"), "nobody is signed in by a backup")
}

// TestRestoreOlderSchema brings the backup of any older version to this one.
func TestRestoreOlderSchema(t *testing.T) {
	t.Parallel()
	latest, err := sqlite.LatestSchema()
	require.NoError(t, err)
	for _, older := range []store.Schema{{Tables: 1, Queue: 6}, {Tables: 5, Queue: 6}, {Tables: 11, Queue: 7}} {
		t.Run(older.String(), func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "hookarr.db")
			db, err := sqlite.OpenUnshared(path)
			require.NoError(t, err)
			require.NoError(t, sqlite.MakeTables(t.Context(), db, older))
			_, err = db.ExecContext(t.Context(), `INSERT INTO cursors (source, from_at, read_to) VALUES ('radarr', 1, 2)`)
			if older.Tables > 1 {
				require.NoError(t, err)
			}
			require.NoError(t, db.Close())
			file := backUp(t, path)
			restored := filepath.Join(t.TempDir(), "hookarr.db")
			r, err := Restore(t.Context(), Options{Database: at(restored), File: file})
			require.NoError(t, err)
			require.Equal(t, older.String(), r.Schema)
			require.Equal(t, latest.String(), r.MigratedTo)
			require.Equal(t, min(1, int(older.Tables)-1), count(t, restored, "cursors"))
			require.NoError(t, open(t, restored).Ready(t.Context()))
		})
	}
}

func TestRestoreRefuses(t *testing.T) {
	t.Parallel()
	path, s := newDatabase(t, 200)
	require.NoError(t, s.Close())
	good := backUp(t, path)
	dir := t.TempDir()
	change := func(name string, how func(file string)) string {
		file := filepath.Join(dir, name)
		text, err := os.ReadFile(good)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(file, text, 0o600))
		how(file)
		return file
	}
	rewrite := func(how func(m *manifest)) func(file string) {
		return func(file string) {
			var text string
			db, err := sql.Open("sqlite", "file:"+file)
			require.NoError(t, err)
			require.NoError(t, db.QueryRowContext(t.Context(), "SELECT manifest FROM hookarr_backup").Scan(&text))
			require.NoError(t, db.Close())
			var m manifest
			require.NoError(t, json.Unmarshal([]byte(text), &m))
			how(&m)
			changed, err := json.Marshal(m)
			require.NoError(t, err)
			execute(t, file, "UPDATE hookarr_backup SET manifest = ?", string(changed))
		}
	}
	link, pipe := filepath.Join(dir, "link"), filepath.Join(dir, "pipe")
	require.NoError(t, os.Symlink(good, link))
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	for file, want := range map[string]string{
		filepath.Join(dir, "none"): "there is no file",
		dir:                        "is a directory and no file: name the backup itself",
		link:                       "is a symbolic link and no file: name the backup itself",
		pipe:                       "is a pipe and no file: name the backup itself",
		change("text", func(file string) { require.NoError(t, os.WriteFile(file, []byte(strings.Repeat("x", 200)), 0o600)) }): "is no backup: hookarr backup writes an SQLite database",
		change("empty", func(file string) { require.NoError(t, os.Truncate(file, 0)) }):                                       "is no backup: hookarr backup writes an SQLite database",
		change("short", func(file string) { require.NoError(t, os.Truncate(file, 8192)) }):                                    "is damaged: it has 8192 bytes, and is to have",
		change("copy", func(file string) { execute(t, file, "DROP TABLE hookarr_backup") }):                                   "is no backup: hookarr backup did not write it",
		change("fewer", func(file string) {
			execute(t, file, "DELETE FROM deliveries WHERE id IN (SELECT id FROM deliveries LIMIT 1)")
		}): "is damaged: table deliveries has 199 rows, and had 200",
		change("other", func(file string) { execute(t, file, "UPDATE events SET title = 'Sintol'") }): "is damaged: the rows of table events are not those that were written",
		change("trigger", func(file string) {
			execute(t, file, "CREATE TRIGGER t AFTER INSERT ON events BEGIN DELETE FROM events; END")
		}): `is no backup: it has "trigger t", which hookarr backup does not write`,
		change("view", func(file string) { execute(t, file, "CREATE VIEW v AS SELECT * FROM events") }):            `it has views or virtual tables, which`,
		change("table", func(file string) { execute(t, file, "CREATE TABLE more (id INTEGER)") }):                  `it has "table more", which`,
		change("index", func(file string) { execute(t, file, "CREATE INDEX more ON events (upper(title))") }):      `it has "index more", which`,
		change("virtual", func(file string) { execute(t, file, "CREATE VIRTUAL TABLE more USING fts5(a)") }):       `it has views or virtual tables, which`,
		change("column", func(file string) { execute(t, file, "ALTER TABLE deliveries ADD COLUMN more INTEGER") }): "table deliveries has the columns",
		change("dropped", func(file string) { execute(t, file, "DROP TABLE inventory") }):                          "table inventory is missing",
		change("constraint", func(file string) {
			withoutConstraint(t, file)
			execute(t, file, "UPDATE deliveries SET state = 'nonsense' WHERE id = (SELECT min(id) FROM deliveries)")
		}): "write table deliveries: constraint failed: CHECK constraint failed: state IN",
		change("schema", rewrite(func(m *manifest) { m.Tables = -1 })):                       "is damaged: there is no schema -1.8",
		change("sums", rewrite(func(m *manifest) { m.Sums = nil })):                          "is damaged: it has no sum of table",
		change("newer", rewrite(func(m *manifest) { m.Tables, m.Version = 9999, "v9.9.9" })): "was written by hookarr v9.9.9 with schema 9999.8, and this is hookarr v1.2.3 with schema ",
		change("former", rewrite(func(m *manifest) { m.Format = 1 })):                        "was written by a version that was never released",
		change("format", rewrite(func(m *manifest) { m.Format = 3 })):                        "restore it with that version or a newer one",
		change("flipped", func(file string) {
			f, err := os.OpenFile(file, os.O_RDWR, 0)
			require.NoError(t, err)
			info, err := f.Stat()
			require.NoError(t, err)
			for at := int64(8192); at < info.Size(); at += 8192 {
				_, err = f.WriteAt([]byte{0xff, 0xff, 0xff, 0xff}, at)
				require.NoError(t, err)
			}
			require.NoError(t, f.Close())
		}): "is damaged",
	} {
		_, err := Restore(t.Context(), Options{Database: at(path), File: file, Force: true, Version: "v1.2.3"})
		require.ErrorContains(t, err, want, file)
		require.Equal(t, 200, count(t, path, "events"))
	}
	_, err := Restore(t.Context(), Options{Database: at(path), File: good})
	require.ErrorContains(t, err, "is not empty: replace it with --force")

	// Another program would go on with the former files.
	other := open(t, path)
	_, err = Restore(t.Context(), Options{Database: at(path), File: good, Force: true})
	require.ErrorContains(t, err, "another program has the database open")
	require.NoError(t, other.Close())
	names, err := filepath.Glob(filepath.Dir(path) + "/*")
	require.NoError(t, err)
	require.Equal(t, []string{path, path + ".lock"}, names, "a refused restore leaves nothing")
}

// A database that is damaged is what restore is for, and it is kept as it was.
func TestRestoreOverDamage(t *testing.T) {
	t.Parallel()
	path, s := newDatabase(t, 5)
	file := backUp(t, path)
	require.NoError(t, s.Close())
	require.NoError(t, sqlite.OneFile(t.Context(), path)) // or its log mends it
	damage := strings.Repeat("damage", 1000)
	require.NoError(t, os.WriteFile(path, []byte(damage), 0o644))
	_, err := Restore(t.Context(), Options{Database: at(path), File: file})
	require.ErrorContains(t, err, "is not empty")
	restored, err := Restore(t.Context(), Options{Database: at(path), File: file, Force: true})
	require.NoError(t, err)
	require.Equal(t, 5, count(t, path, "events"))
	text, err := os.ReadFile(restored.Kept)
	require.NoError(t, err)
	require.Equal(t, damage, string(text))
}

// A link to the database stays one.
func TestRestoreThroughLink(t *testing.T) {
	t.Parallel()
	path, s := newDatabase(t, 5)
	file := backUp(t, path)
	require.NoError(t, s.Close())
	link := filepath.Join(t.TempDir(), "link.db")
	require.NoError(t, os.Symlink(path, link))
	restored, err := Restore(t.Context(), Options{Database: at(link), File: file, Force: true})
	require.NoError(t, err)
	require.Equal(t, filepath.Dir(path), filepath.Dir(restored.Kept))
	info, err := os.Lstat(link)
	require.NoError(t, err)
	require.Equal(t, os.ModeSymlink, info.Mode().Type())
	require.Equal(t, 5, count(t, link, "events"))
}

// Killed at any step, a restore leaves the former database or the restored one, and can be
// run again.
func TestRestoreKilled(t *testing.T) {
	t.Parallel()
	from, s := newDatabase(t, 7)
	file := backUp(t, from)
	require.NoError(t, s.Close())
	for _, step := range []string{"prepared", "log", "keep", "rename", "renamed"} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			path, s := newDatabase(t, 3)
			require.NoError(t, s.Close())
			cmd := exec.CommandContext(t.Context(), os.Args[0])
			cmd.Env = append(os.Environ(), killAt+"="+step, "BACKUP_TEST_DATABASE="+string(at(path)), "BACKUP_TEST_FILE="+file)
			out, err := cmd.CombinedOutput()
			require.ErrorContains(t, err, "killed", string(out))
			want := 3
			if step == "renamed" {
				want = 7
			}
			require.Equal(t, want, count(t, path, "events"))
			require.NoError(t, open(t, path).Close())

			restored, err := Restore(t.Context(), Options{Database: at(path), File: file, Force: true})
			require.NoError(t, err)
			require.Equal(t, 7, count(t, path, "events"))
			require.Equal(t, want, count(t, restored.Kept, "events"))
			names, err := filepath.Glob(path + restoringSuffix + "*")
			require.NoError(t, err)
			require.Empty(t, names)
		})
	}
}
