package backup

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/hookarr/hookarr/core/move"
	"github.com/hookarr/hookarr/core/store"
)

// manifestTable is the table that makes a database a backup. Its one row is a manifest as
// JSON.
const manifestTable = "hookarr_backup"

// format is the version of the manifest.
const format = 2

// manifest says what a backup is and what is in it.
type manifest struct {
	Format  int       `json:"format"`
	Version string    `json:"hookarr"`
	Tables  int64     `json:"tables"`
	Queue   int64     `json:"queue"`
	Taken   time.Time `json:"taken_at"`
	Engine  string    `json:"database"`
	// Sums are of all tables that are backed up.
	Sums []move.Sum `json:"sums"`
}

func (m manifest) schema() store.Schema { return store.Schema{Tables: m.Tables, Queue: m.Queue} }

func writeManifest(ctx context.Context, db *sql.DB, m manifest) error {
	text, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encode manifest: %w", err)
	}
	if _, err := db.ExecContext(ctx, `CREATE TABLE `+manifestTable+` (manifest TEXT NOT NULL)`); err != nil {
		return fmt.Errorf("write manifest: %w", err)
	}
	if _, err := db.ExecContext(ctx, `INSERT INTO `+manifestTable+` VALUES (?)`, string(text)); err != nil {
		return fmt.Errorf("write manifest: %w", err)
	}
	return nil
}

// mostManifest bounds the bytes of a manifest.
const mostManifest = 1 << 20

func readManifest(ctx context.Context, db *sql.DB, file string) (m manifest, err error) {
	// A view could be endless, and modules of virtual tables have faults of their own.
	var others int
	err = db.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_schema WHERE type NOT IN ('table', 'index', 'trigger') OR sql LIKE 'CREATE VIRTUAL%'`).Scan(&others)
	if err != nil {
		return m, fmt.Errorf("%s is damaged: %w", file, err)
	}
	if others > 0 {
		return m, fmt.Errorf("%s is no backup: it has views or virtual tables, which hookarr backup does not write", file)
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
	if m.Format < format {
		return m, fmt.Errorf("%s was written by a version that was never released: restore it with that version", file)
	}
	if m.Tables < 1 || m.Queue < 1 {
		return m, fmt.Errorf("%s is damaged: there is no schema %s", file, m.schema())
	}
	return m, nil
}

// check has SQLite look at everything in a file.
func check(ctx context.Context, db *sql.DB) error {
	var found string
	if err := db.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&found); err != nil {
		return fmt.Errorf("check: %w", err)
	}
	if found != "ok" {
		return errors.New(found)
	}
	return nil
}

// objects are what the schema of a database has, by type and name.
func objects(ctx context.Context, db *sql.DB) (found []string, err error) {
	list, err := db.QueryContext(ctx, `SELECT type || ' ' || name FROM sqlite_schema WHERE name NOT LIKE 'sqlite\_%' ESCAPE '\' ORDER BY 1`)
	if err != nil {
		return nil, fmt.Errorf("read the schema: %w", err)
	}
	defer func() { _ = list.Close() }() // Err tells
	for list.Next() {
		var name string
		if err := list.Scan(&name); err != nil {
			return nil, fmt.Errorf("read the schema: %w", err)
		}
		found = append(found, name)
	}
	if err := list.Err(); err != nil {
		return nil, fmt.Errorf("read the schema: %w", err)
	}
	return found, nil
}

// summarize says what a file holds, of whichever version it is.
func summarize(ctx context.Context, db *sql.DB, name string, m manifest) (Summary, error) {
	s := Summary{File: name, Taken: m.Taken, Version: m.Version, Schema: m.schema().String(), Engine: m.Engine, Rows: make(map[string]int64, len(m.Sums))}
	for _, sum := range m.Sums {
		s.Rows[sum.Table] = sum.Rows
	}
	info, err := os.Stat(name)
	if err != nil {
		return s, fmt.Errorf("look at backup: %w", err)
	}
	s.Bytes = info.Size()
	var since sql.NullInt64
	// Until version 3, who waited for a target on hold was held.
	err = db.QueryRowContext(ctx, `
SELECT (SELECT count(*) FROM deliveries WHERE state IN ('pending', 'held', 'verifying')),
	(SELECT min(created_at) FROM deliveries WHERE state IN ('pending', 'held', 'verifying')),
	(SELECT count(*) FROM deliveries WHERE state = 'dead'),
	(SELECT count(*) FROM events WHERE state = 'deferred')`).Scan(&s.Owed.Deliveries, &since, &s.Dead, &s.Owed.Deferred)
	if err != nil {
		return s, fmt.Errorf("count deliveries: %w", err)
	}
	if since.Valid {
		at := time.UnixMicro(since.Int64).UTC()
		s.Owed.Since = &at
	}
	return s, nil
}

// isFull reports whether an error is that of a disk without room.
func isFull(err error) bool {
	failed, ok := errors.AsType[*sqlite.Error](err)
	return ok && failed.Code()&0xff == sqlite3.SQLITE_FULL
}

// isMissing reports whether an error is that of a table that is not there: SQLite has one code
// for every error in a statement.
func isMissing(err error) bool {
	_, ok := errors.AsType[*sqlite.Error](err)
	return ok && strings.Contains(err.Error(), "no such table")
}
