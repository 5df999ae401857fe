// Package backup writes everything that a database holds into one file, while Hookarr
// serves it or not, and puts such a file back. The file is an SQLite database, whichever
// database it is of.
package backup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/hookarr/hookarr/core/store"
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
	// Progress is told how far a long step is, in bytes, where it can be known; it may be nil.
	Progress func(step string, done, total int64)
	Log      *slog.Logger
	// Hold has Restore pause every target, and Targets are those of the configuration.
	Hold    bool
	Targets []string

	// pass is called where a test may end the process.
	pass func(step string)
}

func (o *Options) fill() {
	if o.Progress == nil {
		o.Progress = func(string, int64, int64) {}
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
	// Rows counts those of each table.
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
	p, err := openPartial(o.File)
	if err != nil {
		return Summary{}, err
	}
	s, err := write(ctx, o, p)
	if err = errors.Join(err, p.close()); err != nil {
		return Summary{}, err
	}
	return s, nil
}

func write(ctx context.Context, o Options, p *partial) (Summary, error) {
	taken := time.Now().UTC().Truncate(time.Millisecond)
	engine, err := copyRows(ctx, o, p.name)
	if err != nil {
		return Summary{}, err
	}
	s, err := seal(ctx, p.name, manifest{Version: o.Version, Taken: taken, Engine: engine}, o)
	if err != nil {
		return Summary{}, err
	}
	// Somebody else may have written it meanwhile.
	if err := writable(o); err != nil {
		return Summary{}, err
	}
	if err := p.publish(o.File); err != nil {
		return Summary{}, err
	}
	s.File = o.File
	return s, nil
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

// copyRows copies a database into an empty file, and returns the kind of the database.
func copyRows(ctx context.Context, o Options, into string) (engine string, err error) {
	path, ok := sqlitePath(o.Database)
	if !ok {
		return "postgres", copyPostgres(ctx, o, into)
	}
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("there is no database at %s: hookarr serve makes it", path)
	}
	if err != nil {
		return "", fmt.Errorf("open database: %w", err)
	}
	state, err := sqlite.StateOf(ctx, path)
	if err == nil {
		err = o.current(state)
	}
	if err != nil {
		return "", err
	}
	watched, done := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		watch(watched, into, func(n int64) { o.Progress("copied", n, info.Size()) })
	}()
	err = sqlite.CopyTo(ctx, path, into)
	done()
	<-ended
	return "sqlite", err
}

// current refuses a database that is not served, because of a move: a backup of it lacks what
// the other one has done.
func (o *Options) current(state store.State) error {
	if _, err := state.MayChange(); err != nil && !o.Moved {
		return fmt.Errorf("%w; back it up as it is with --moved", err)
	}
	return nil
}

// watchPause is the time between looks at a file that grows.
const watchPause = 200 * time.Millisecond

// watch tells the size of a file that grows until ctx ends.
func watch(ctx context.Context, name string, tell func(size int64)) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(watchPause):
		}
		if info, err := os.Stat(name); err == nil {
			tell(info.Size())
		}
	}
}
