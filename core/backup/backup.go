// Package backup writes everything that a database holds into one file, while Hookarr
// serves it or not, and puts such a file back. The file is an SQLite database, whichever
// database it is of.
package backup

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/hookarr/hookarr/core/move"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/core/store/postgres"
	"github.com/hookarr/hookarr/core/store/rows"
	"github.com/hookarr/hookarr/core/store/sqlite"
	"github.com/hookarr/hookarr/sdk"
)

// errNoTables is of a database that no Hookarr has served.
var errNoTables = errors.New("the database has no tables of Hookarr yet: hookarr serve makes them")

// ErrExists is returned for a file or a database that is there and may not be replaced.
var ErrExists = errors.New("is there already")

// Options are what Write and Restore go by.
type Options struct {
	// Database is the URL of the database.
	Database sdk.Secret
	// File is the backup.
	File string
	// Force has Write replace a backup, and Restore a database that is not empty.
	Force bool
	// Moved has Write back up a database whose rows are moved to another, or not all there.
	Moved bool
	// Version is that of this program.
	Version string
	// Progress is told of each batch that is copied; it may be nil.
	Progress func(move.Progress)
	// Say is told what is waited for, in a sentence; it may be nil.
	Say func(string)
	Log *slog.Logger
	// Hold has Restore pause every target, and Targets are those of the configuration.
	Hold    bool
	Targets []string

	// pass is called where a test may end the process.
	pass func(step string)
}

func (o *Options) fill() {
	if o.Say == nil {
		o.Say = func(string) {}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.pass == nil {
		o.pass = func(string) {}
	}
}

// Summary is what a backup holds.
type Summary struct {
	File  string    `json:"file"`
	Bytes int64     `json:"size_bytes"`
	Taken time.Time `json:"taken_at"`
	// Version is the Hookarr that wrote it, Schema that of the database, and Engine whether
	// that was sqlite or postgres.
	Version string `json:"hookarr"`
	Schema  string `json:"schema"`
	Engine  string `json:"database"`
	// Rows counts those of each table that is backed up.
	Rows map[string]int64 `json:"rows"`
	Owed Owed             `json:"owed"`
	// Dead counts the dead letters.
	Dead int64 `json:"dead_letters"`
}

// Owed are the deliveries that are yet to be made, or to be proven.
type Owed struct {
	Deliveries int64 `json:"deliveries"`
	// Since is when the oldest of them was made; nil for none.
	Since *time.Time `json:"since,omitempty"`
	// Deferred counts events that are to be decoded first.
	Deferred int64 `json:"deferred_events"`
}

// Write backs a database up. The file is there, whole and on disk, or it is not.
func Write(ctx context.Context, o Options) (Summary, error) {
	o.fill()
	if err := writable(o); err != nil {
		return Summary{}, err
	}
	p, err := createPartial(o.File)
	if err != nil {
		return Summary{}, err
	}
	s, err := write(ctx, o, p.Name())
	// Somebody else may have written it meanwhile.
	if err == nil {
		err = writable(o)
	}
	if err == nil {
		err = publish(p, o.File)
	}
	if err != nil {
		return Summary{}, errors.Join(err, p.Close(), remove(p.Name()))
	}
	s.File = o.File
	return s, p.Close()
}

// write copies a database into an empty file.
func write(ctx context.Context, o Options, into string) (s Summary, err error) {
	m := manifest{Format: format, Version: o.Version}
	from, err := o.openSource(ctx, &m)
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	db, err := sqlite.OpenUnshared(into)
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := sqlite.MakeTables(ctx, db, m.schema()); err != nil {
		return s, fmt.Errorf("write backup: %w", err)
	}
	m.Taken = time.Now().UTC().Truncate(time.Millisecond)
	reader, err := from.ReadRows(ctx)
	if err != nil {
		return s, err
	}
	m.Sums, err = copyRows(ctx, reader, db, o)
	if err != nil {
		return s, fmt.Errorf("write backup: %w", err)
	}
	if err := writeManifest(ctx, db, m); err != nil {
		return s, err
	}
	if err := readBack(ctx, db, m.Sums); err != nil {
		return s, fmt.Errorf("the backup was written, and is damaged: %w", err)
	}
	return summarize(ctx, db, into, m)
}

// readBack compares what is in a file with what was to be written.
func readBack(ctx context.Context, db *sql.DB, want []move.Sum) (err error) {
	if err := check(ctx, db); err != nil {
		return err
	}
	reader, err := sqlite.ReadRows(ctx, db)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, reader.Close(context.WithoutCancel(ctx))) }()
	names := make([]string, len(want))
	for i, sum := range want {
		names[i] = sum.Table
	}
	have, err := move.Sums(ctx, reader, names)
	if err != nil {
		return err
	}
	return compare(want, have)
}

// transient are the tables that are not backed up: a session that was ended after the backup
// would be open again.
var transient = []string{"sessions", "sign_in_links"}

// copyRows copies everything that is backed up into tables that are empty, and closes what it
// has read from.
func copyRows(ctx context.Context, from rows.Reader, to *sql.DB, o Options) (sums []move.Sum, err error) {
	defer func() { err = errors.Join(err, from.Close(context.WithoutCancel(ctx))) }()
	tables, err := sqlite.TablesOf(ctx, to)
	if err != nil {
		return nil, err
	}
	names := slices.DeleteFunc(rows.Names(tables), func(name string) bool { return slices.Contains(transient, name) })
	return move.Copy(ctx, from, sqlite.WriteRows(to), names, o.Progress)
}

// openSource opens the database that is backed up, and notes what it is.
func (o *Options) openSource(ctx context.Context, m *manifest) (*store.Store, error) {
	from, err := o.openDatabase(ctx, m)
	if err != nil {
		return nil, err
	}
	if err := o.checkSource(ctx, from, m); err != nil {
		return nil, errors.Join(err, from.Close())
	}
	return from, nil
}

func (o *Options) openDatabase(ctx context.Context, m *manifest) (*store.Store, error) {
	path, ok := sqlitePath(o.Database)
	if !ok {
		m.Engine = "postgres"
		return postgres.Open(ctx, o.Database.Reveal(), o.Log)
	}
	m.Engine = "sqlite"
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no database at %s: hookarr serve makes it", path)
	}
	return sqlite.Open(ctx, path, o.Log)
}

// checkSource refuses a database that cannot be backed up, or is not served because of a move:
// a backup of it lacks what the other one has done.
func (o *Options) checkSource(ctx context.Context, from *store.Store, m *manifest) error {
	have, want, err := from.Schema(ctx)
	if err != nil {
		return err
	}
	behind := have.Check(want)
	switch {
	case have.Tables == 0:
		return errNoTables
	case errors.Is(behind, store.ErrNewer):
		return behind
	case m.Engine == "sqlite":
	case behind != nil:
		return fmt.Errorf("the database has schema %s, and this hookarr %s: back it up with the version that served it last, or with pg_dump", have, want)
	default:
		if have, err = sqlite.LatestSchema(); err != nil {
			return err
		}
	}
	m.Tables, m.Queue = have.Tables, have.Queue
	state, err := from.State(ctx)
	if err != nil {
		return err
	}
	if _, err := state.MayChange(); err != nil && !o.Moved {
		return fmt.Errorf("%w; back it up as it is with --moved", err)
	}
	return nil
}

// writable refuses what is no place for a backup.
func writable(o Options) error {
	if o.File == "-" {
		return errors.New("a backup is checked where it is written: name a file")
	}
	info, err := os.Lstat(o.File)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		dir, err := os.Stat(filepath.Dir(o.File))
		if err == nil && dir.IsDir() {
			return nil
		}
		return fmt.Errorf("there is no directory %s: mkdir -p makes it", filepath.Dir(o.File))
	case err != nil:
		return fmt.Errorf("look at %s: %w", o.File, err)
	case info.IsDir():
		return fmt.Errorf("%s is a directory: name a file in it, such as %s", o.File, filepath.Join(o.File, "hookarr-"+time.Now().Format(time.DateOnly)+".backup"))
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is %s and no file: name another", o.File, kindOf(info))
	case !o.Force:
		return fmt.Errorf("%s %w: name another file, or replace it with --force", o.File, ErrExists)
	}
	if path, ok := sqlitePath(o.Database); ok {
		if database, err := os.Stat(path); err == nil && os.SameFile(database, info) {
			return fmt.Errorf("%s is the database itself: name another file", o.File)
		}
	}
	return nil
}

func sqlitePath(url sdk.Secret) (string, bool) { return strings.CutPrefix(url.Reveal(), "sqlite://") }
