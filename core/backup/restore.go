package backup

import (
	"context"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"

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
		return r, stopped(err)
	}
	defer func() { err = errors.Join(err, unlock()) }()
	// A link to the database stays one.
	if resolved, err := filepath.EvalSymlinks(path); err == nil {
		path = resolved
	}
	there, err := contents(ctx, path)
	if err != nil {
		return r, err
	}
	if there == somewhat && !o.Force {
		return r, fmt.Errorf("the database %s is not empty: replace it with --force, which keeps it beside the restored one", path)
	}
	fresh := path + restoringSuffix
	if err := removeAll(fresh); err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, removeAll(fresh)) }()
	if r, err = stage(ctx, o, fresh); err != nil {
		return r, err
	}
	if there == somewhat {
		r.Kept = freeName(path + keptSuffix + time.Now().UTC().Format(keptTime))
	}
	o.pass("staged")
	return r, sqlite.Replace(ctx, path, fresh, r.Kept, o.pass)
}

// stage writes a database of this version's schema with what the backup holds, into a new
// file that is on disk then.
func stage(ctx context.Context, o Options, into string) (r Restored, err error) {
	if err := copyFile(ctx, o, into); err != nil {
		return r, err
	}
	m, err := inspect(ctx, o, into)
	if err != nil {
		return r, err
	}
	db, err := openFile(into)
	if err != nil {
		return r, err
	}
	r.Summary, err = summarize(ctx, db, o.File, m)
	if err = errors.Join(err, strip(ctx, db), db.Close()); err != nil {
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

// inspect checks the copy of a backup, which is not to be trusted.
func inspect(ctx context.Context, o Options, name string) (m manifest, err error) {
	db, err := openFile(name)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if m, err = readManifest(ctx, db, o.File); err != nil {
		return m, err
	}
	want, err := sqlite.Wanted()
	if err != nil {
		return m, err
	}
	if m.Format > format || errors.Is(m.schema().Check(want), store.ErrNewer) {
		return m, fmt.Errorf("%s was written by hookarr %s with schema %s, and this is hookarr %s with schema %s: restore it with that version or a newer one",
			o.File, m.Version, m.schema(), o.Version, want)
	}
	if err := check(ctx, db); err != nil {
		return m, fmt.Errorf("%s is damaged: %w", o.File, err)
	}
	have, err := schemaOf(ctx, db)
	if err != nil {
		return m, err
	}
	rows, sum, err := digest(ctx, db)
	if err != nil {
		return m, fmt.Errorf("%s is damaged: %w", o.File, err)
	}
	if sum != m.Digest || have != m.schema() {
		return m, fmt.Errorf("%s is damaged: %s", o.File, differing(m.Rows, rows))
	}
	return m, nil
}

// differing says how rows differ from those that were written.
func differing(want, have map[string]int64) string {
	for name, n := range want {
		if have[name] != n {
			return fmt.Sprintf("table %s has %d rows, and had %d", name, have[name], n)
		}
	}
	return "its rows are not those that were written"
}

// mostManifest bounds the bytes of a manifest.
const mostManifest = 1 << 20

func readManifest(ctx context.Context, db *sql.DB, file string) (m manifest, err error) {
	var strange int
	// Tables and their indexes do nothing by themselves.
	err = db.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_schema WHERE type NOT IN ('table', 'index') OR sql LIKE 'CREATE VIRTUAL%'`).Scan(&strange)
	if err != nil {
		return m, fmt.Errorf("%s is damaged: %w", file, err)
	}
	var text string
	err = db.QueryRowContext(ctx, `SELECT substr(manifest, 1, ?) FROM `+manifestTable, mostManifest).Scan(&text)
	if err != nil && (isMissing(err) || errors.Is(err, sql.ErrNoRows)) {
		return m, fmt.Errorf("%s is no backup: hookarr backup did not write it. A copy of a database file is put in its place by hand, while hookarr is stopped", file)
	}
	if err != nil {
		return m, fmt.Errorf("%s is damaged: %w", file, err)
	}
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		return m, fmt.Errorf("%s is damaged: its manifest is no JSON", file)
	}
	if strange > 0 {
		return m, fmt.Errorf("%s is no backup: it has views or triggers, which hookarr backup does not write", file)
	}
	return m, nil
}

// headerSize is that of SQLite's header, which begins with magic.
// See https://www.sqlite.org/fileformat.html#the_database_header.
const (
	headerSize = 100
	magic      = "SQLite format 3\x00"
)

// copyFile copies the backup into a new file. It looks at the header first: the file may be
// anything.
func copyFile(ctx context.Context, o Options, into string) (err error) {
	before, err := os.Lstat(o.File)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no file %s", o.File)
	}
	if err == nil && !before.Mode().IsRegular() {
		return fmt.Errorf("%s is %s and no file: name the backup itself", o.File, kindOf(before))
	}
	if err != nil {
		return fmt.Errorf("open backup: %w", err)
	}
	from, err := os.OpenFile(o.File, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
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
		return fmt.Errorf("%s is no backup: hookarr backup writes an SQLite database", o.File)
	}
	page := int64(binary.BigEndian.Uint16(header[16:]))
	if page == 1 {
		page = 1 << 16 // which does not fit
	}
	if want := page * int64(binary.BigEndian.Uint32(header[28:])); want != info.Size() {
		return fmt.Errorf("%s is damaged: it has %d bytes, and is to have %d", o.File, info.Size(), want)
	}
	if _, err := from.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("read backup: %w", err)
	}
	to, err := os.OpenFile(into, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("copy backup: %w", err)
	}
	_, err = io.Copy(to, &counting{ctx: ctx, from: io.LimitReader(from, info.Size()), total: info.Size(), tell: o.Progress})
	if err = errors.Join(err, to.Close()); err != nil {
		return fmt.Errorf("copy backup: %w", err)
	}
	return nil
}

// counting tells how far a file is read.
type counting struct {
	ctx         context.Context //nolint:containedctx // a reader has no other way to be told
	from        io.Reader
	done, total int64
	tell        func(step string, done, total int64)
}

// Read implements io.Reader.
func (c *counting) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := c.from.Read(p)
	c.done += int64(n)
	c.tell("copied", c.done, c.total)
	return n, err
}

// content is what there is at the path of a database.
type content int

const (
	// nothing is no file or one without events; somewhat is everything else, also what
	// cannot be read.
	nothing content = iota
	somewhat
)

func contents(ctx context.Context, path string) (content, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nothing, nil
	}
	if err != nil {
		return somewhat, fmt.Errorf("look at the database: %w", err)
	}
	if !info.Mode().IsRegular() {
		return somewhat, fmt.Errorf("%s is %s and no database: see database.url", path, kindOf(info))
	}
	empty, err := sqlite.IsEmpty(ctx, path)
	if err == nil && empty {
		return nothing, nil
	}
	return somewhat, nil // what is damaged is kept, too
}

// removeAll removes a database with what is beside it.
func removeAll(name string) error {
	for _, side := range []string{"", "-wal", "-shm", "-journal"} {
		if err := os.Remove(name + side); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove %s: %w", name+side, err)
		}
	}
	return nil
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
