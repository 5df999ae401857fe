package backup

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hookarr/hookarr/core/move"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/core/store/sqlite"
)

// Restored is what a restore has done.
type Restored struct {
	Summary
	// Kept is where the database is that was replaced; empty where there was none.
	Kept string `json:"kept,omitempty"`
	// MigratedTo is the schema of this version where that of the backup was older.
	MigratedTo string `json:"migrated_to,omitempty"`
	// Held are the targets that were paused.
	Held []string `json:"held,omitempty"`
}

const (
	// restoringSuffix ends the name of a database that is being restored, and keptSuffix
	// begins the end of that of the one that it replaces.
	restoringSuffix = ".restoring"
	keptSuffix      = ".replaced-"
	keptTime        = "20060102T150405Z"
)

// Restore puts a backup in the place of a database, whichever the backup is of. Nothing of the database changes before
// the backup is checked, and brought to the schema of this version, in a copy beside it.
// A process that is killed meanwhile leaves the former database or the restored one.
func Restore(ctx context.Context, o Options) (Restored, error) {
	o.fill()
	path, ok := sqlitePath(o.Database)
	if !ok {
		return restorePostgres(ctx, o)
	}
	return restoreSQLite(ctx, o, path)
}

func restoreSQLite(ctx context.Context, o Options, path string) (r Restored, err error) {
	unlock, err := sqlite.Lock(path)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	// A link to the database stays one.
	if resolved, err := filepath.EvalSymlinks(path); err == nil {
		path = resolved
	}
	empty, err := canReplace(ctx, path)
	if err != nil {
		return r, err
	}
	if !empty && !o.Force {
		return r, fmt.Errorf("the database %s is not empty: replace it with --force, which keeps it beside the restored one", path)
	}
	fresh := path + restoringSuffix
	if err := sqlite.RemoveFile(fresh); err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, sqlite.RemoveFile(fresh)) }()
	if r, err = prepare(ctx, o, fresh); err != nil {
		return r, err
	}
	if !empty {
		r.Kept = freeName(path + keptSuffix + time.Now().UTC().Format(keptTime))
	}
	o.pass("prepared")
	return r, sqlite.Replace(ctx, path, fresh, r.Kept, o.pass)
}

// prepare writes a database of this version's schema with what the backup holds, into a new
// file that is on disk then.
func prepare(ctx context.Context, o Options, into string) (r Restored, err error) {
	if r.Summary, err = copyBackup(ctx, o, into); err != nil {
		return r, err
	}
	schema, err := o.migrate(ctx, into, &r)
	if err != nil {
		return r, err
	}
	if schema.String() != r.Schema {
		r.MigratedTo = schema.String()
	}
	if err := sqlite.OneFile(ctx, into); err != nil {
		return r, err
	}
	return r, syncFile(into)
}

// copyBackup copies the rows of a backup into a new file, whose tables are those that this
// program makes: nothing in the backup is trusted.
func copyBackup(ctx context.Context, o Options, into string) (s Summary, err error) {
	if err := checkHeader(o.File); err != nil {
		return s, err
	}
	from, err := sqlite.OpenReadOnly(o.File)
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	m, err := readManifest(ctx, from, o.File)
	if err != nil {
		return s, err
	}
	want, err := sqlite.LatestSchema()
	if err != nil {
		return s, err
	}
	if m.Format > format || errors.Is(m.schema().Check(want), store.ErrNewer) {
		return s, fmt.Errorf("%s was written by hookarr %s with schema %s, and this is hookarr %s with schema %s: restore it with that version or a newer one",
			o.File, m.Version, m.schema(), o.Version, want)
	}
	to, err := sqlite.OpenUnshared(into)
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	if err := sqlite.MakeTables(ctx, to, m.schema()); err != nil {
		return s, fmt.Errorf("make the tables of the backup: %w", err)
	}
	if err := checkObjects(ctx, from, to, o.File); err != nil {
		return s, err
	}
	if err := check(ctx, from); err != nil {
		return s, fmt.Errorf("%s is damaged: %w", o.File, err)
	}
	reader, err := sqlite.ReadRows(ctx, from)
	if err != nil {
		return s, fmt.Errorf("%s is damaged: %w", o.File, err)
	}
	sums, err := copyRows(ctx, reader, to, o)
	if err != nil {
		return s, fmt.Errorf("copy %s: %w", o.File, err)
	}
	if err := compare(m.Sums, sums); err != nil {
		return s, fmt.Errorf("%s is damaged: %w", o.File, err)
	}
	return summarize(ctx, to, o.File, m)
}

// checkObjects refuses a backup with objects that no backup has.
func checkObjects(ctx context.Context, from, to *sql.DB, file string) error {
	have, err := objects(ctx, from)
	if err != nil {
		return fmt.Errorf("%s is damaged: %w", file, err)
	}
	want, err := objects(ctx, to)
	if err != nil {
		return err
	}
	want = append(want, "table "+manifestTable)
	for _, object := range have {
		if !slices.Contains(want, object) {
			return fmt.Errorf("%s is no backup: it has %q, which hookarr backup does not write", file, object)
		}
	}
	return nil
}

// compare says how rows differ from those that were written.
func compare(want, have []move.Sum) error {
	written := make(map[string]move.Sum, len(want))
	for _, sum := range want {
		written[sum.Table] = sum
	}
	for _, sum := range have {
		was, ok := written[sum.Table]
		switch {
		case !ok:
			return fmt.Errorf("it has no sum of table %s", sum.Table)
		case was.Rows != sum.Rows:
			return fmt.Errorf("table %s has %d rows, and had %d", sum.Table, sum.Rows, was.Rows)
		case was != sum:
			return fmt.Errorf("the rows of table %s are not those that were written", sum.Table)
		}
		delete(written, sum.Table)
	}
	for table := range written {
		return fmt.Errorf("table %s is missing", table)
	}
	return nil
}

// migrate brings the copy to the schema of this version, and pauses the targets.
func (o *Options) migrate(ctx context.Context, name string, r *Restored) (schema store.Schema, err error) {
	s, err := sqlite.Open(ctx, name, o.Log)
	if err != nil {
		return schema, fmt.Errorf("open the copy: %w", err)
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := s.Migrate(ctx); err != nil {
		return schema, fmt.Errorf("bring the backup to this version: %w", err)
	}
	if _, schema, err = s.Schema(ctx); err != nil || !o.Hold {
		return schema, err
	}
	open, err := s.OpenTargets(ctx)
	if err != nil {
		return schema, err
	}
	r.Held = slices.Compact(slices.Sorted(slices.Values(append(open, o.Targets...))))
	for _, target := range r.Held {
		if err := s.Hold(ctx, target, store.HoldPaused, "restored from a backup: look first"); err != nil {
			return schema, err
		}
	}
	return schema, nil
}

// headerSize is that of SQLite's header, which begins with magic.
// See https://www.sqlite.org/fileformat.html#the_database_header.
const (
	headerSize = 100
	magic      = "SQLite format 3\x00"
)

// checkHeader looks at a file that may be anything, before SQLite does.
func checkHeader(file string) error {
	before, err := os.Lstat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no file %s", file)
	}
	if err == nil && !before.Mode().IsRegular() {
		return fmt.Errorf("%s is %s and no file: name the backup itself", file, kindOf(before))
	}
	if err != nil {
		return fmt.Errorf("open backup: %w", err)
	}
	from, err := os.OpenFile(file, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return fmt.Errorf("open backup: %w", err)
	}
	defer func() { _ = from.Close() }() // it was read
	info, err := from.Stat()
	if err != nil {
		return fmt.Errorf("open backup: %w", err)
	}
	header := make([]byte, headerSize)
	if _, err := io.ReadFull(from, header); err != nil || string(header[:len(magic)]) != magic || !info.Mode().IsRegular() {
		return fmt.Errorf("%s is no backup: hookarr backup writes an SQLite database", file)
	}
	page := int64(binary.BigEndian.Uint16(header[16:]))
	if page == 1 {
		page = 1 << 16 // which does not fit
	}
	if want := page * int64(binary.BigEndian.Uint32(header[28:])); want != info.Size() {
		return fmt.Errorf("%s is damaged: it has %d bytes, and is to have %d", file, info.Size(), want)
	}
	return nil
}

// canReplace refuses what is no database, and reports whether there is nothing at its path to
// keep: no file, or one without events. What cannot be read is kept.
func canReplace(ctx context.Context, path string) (empty bool, err error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("look at the database: %w", err)
	}
	if !info.Mode().IsRegular() {
		return false, fmt.Errorf("%s is %s and no database: see database.url", path, kindOf(info))
	}
	empty, err = sqlite.IsEmpty(ctx, path)
	return err == nil && empty, nil
}

// freeName returns a name that no file has.
func freeName(name string) string {
	free := name
	for n := 2; ; n++ {
		if _, err := os.Lstat(free); errors.Is(err, fs.ErrNotExist) {
			return free
		}
		free = fmt.Sprintf("%s-%d", name, n)
	}
}

func syncFile(name string) error {
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("sync %s: %w", name, err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("sync %s: %w", name, err)
	}
	return nil
}
