package backup

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/url"
	"os"
	"strings"
	"time"

	"modernc.org/sqlite"

	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/core/store/rows"
	"github.com/hookarr/hookarr/migrations"
)

// manifestTable is the table that makes a database a backup. Its one row is a manifest as
// JSON.
const manifestTable = "hookarr_backup"

// format is the version of the manifest.
const format = 1

// manifest says what a backup is and what is in it.
type manifest struct {
	Format  int       `json:"format"`
	Version string    `json:"hookarr"`
	Tables  int64     `json:"tables"`
	Queue   int64     `json:"queue"`
	Taken   time.Time `json:"taken_at"`
	Engine  string    `json:"database"`
	// Rows and Digest are of all tables but the manifest's.
	Rows   map[string]int64 `json:"rows"`
	Digest string           `json:"digest"`
}

func (m manifest) schema() store.Schema { return store.Schema{Tables: m.Tables, Queue: m.Queue} }

// openFile opens the file of a backup, which no other process uses. What it says of itself is
// not believed: functions in its schema do nothing.
func openFile(name string) (*sql.DB, error) {
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: name}).EscapedPath()}
	// Whoever is killed meanwhile leaves a file that is never read, and what is deleted is not
	// to be found in it.
	u.RawQuery = "mode=rw&_pragma=trusted_schema(0)&_pragma=cell_size_check(1)&_pragma=journal_mode(MEMORY)&_pragma=synchronous(OFF)&_pragma=secure_delete(1)"
	db, err := sql.Open("sqlite", u.String())
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", name, err)
	}
	db.SetMaxOpenConns(1)
	return db, nil
}

// seal makes a copy of a database a backup, and checks it.
func seal(ctx context.Context, name string, m manifest, o Options) (s Summary, err error) {
	db, err := openFile(name)
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := strip(ctx, db); err != nil {
		return s, err
	}
	m.Format = format
	have, err := schemaOf(ctx, db)
	if err != nil {
		return s, err
	}
	if m.Tables, m.Queue = have.Tables, have.Queue; m.Tables == 0 {
		return s, errNoTables
	}
	if err := check(ctx, db); err != nil {
		return s, fmt.Errorf("the copy is damaged, and so may the database be: %w", err)
	}
	info, err := os.Stat(name)
	if err != nil {
		return s, fmt.Errorf("look at backup: %w", err)
	}
	o.Progress("checked", 0, info.Size())
	if m.Rows, m.Digest, err = digest(ctx, db); err != nil {
		return s, err
	}
	text, err := json.Marshal(m)
	if err != nil {
		return s, fmt.Errorf("encode manifest: %w", err)
	}
	if _, err := db.ExecContext(ctx, `CREATE TABLE `+manifestTable+` (manifest TEXT NOT NULL)`); err != nil {
		return s, fmt.Errorf("write manifest: %w", err)
	}
	if _, err := db.ExecContext(ctx, `INSERT INTO `+manifestTable+` VALUES (?)`, string(text)); err != nil {
		return s, fmt.Errorf("write manifest: %w", err)
	}
	return summarize(ctx, db, name, m)
}

// strip takes from a copy what is not to come back: who is signed in, since a session that was
// ended after the backup would be open again, what a move made of the database, and the
// manifest of a backup that was put in its place by hand.
func strip(ctx context.Context, db *sql.DB) error {
	triggers, err := names(ctx, db, `SELECT name FROM sqlite_schema WHERE type = 'trigger'`)
	if err != nil {
		return err
	}
	var statements []string
	for _, name := range triggers {
		statements = append(statements, "DROP TRIGGER "+rows.Quote(name))
	}
	statements = append(statements, "DELETE FROM sessions", "DELETE FROM sign_in_links", "DROP TABLE "+manifestTable,
		"UPDATE database_state SET id = randomblob(16), state = '', move = NULL, since = NULL, peer = '', progress = ''")
	for _, statement := range statements {
		if _, err := db.ExecContext(ctx, statement); err != nil && !isMissing(err) {
			return fmt.Errorf("strip the copy: %w", err)
		}
	}
	return nil
}

// schemaOf reads the version of a database; none is 0.0.
func schemaOf(ctx context.Context, db *sql.DB) (v store.Schema, err error) {
	err = db.QueryRowContext(ctx, `SELECT
		coalesce((SELECT max(version_id) FROM `+migrations.Table+` WHERE is_applied), 0),
		coalesce((SELECT max(version) FROM river_migration WHERE line = 'main'), 0)`).Scan(&v.Tables, &v.Queue)
	if err != nil && !isMissing(err) {
		return v, fmt.Errorf("read schema version: %w", err)
	}
	return v, nil
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

// digest counts the rows of every table and hashes what is in them: SQLite does not notice
// when a text has changed on its disk.
func digest(ctx context.Context, db *sql.DB) (rows map[string]int64, sum string, err error) {
	tables, err := names(ctx, db, `
SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\' AND name <> ? ORDER BY name`, manifestTable)
	if err != nil {
		return nil, "", err
	}
	rows = make(map[string]int64, len(tables))
	h := sha256.New()
	for _, name := range tables {
		if rows[name], err = digestTable(ctx, db, name, h); err != nil {
			return nil, "", fmt.Errorf("read table %s: %w", name, err)
		}
	}
	return rows, hex.EncodeToString(h.Sum(nil)), nil
}

// names reads names.
func names(ctx context.Context, db *sql.DB, query string, args ...any) (found []string, err error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read the schema: %w", err)
	}
	defer func() { _ = rows.Close() }() // Err tells
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, fmt.Errorf("read the schema: %w", err)
		}
		found = append(found, name)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read the schema: %w", err)
	}
	return found, nil
}

// digestTable hashes the rows of a table in the order in which they are stored.
func digestTable(ctx context.Context, db *sql.DB, name string, h hash.Hash) (n int64, err error) {
	found, err := db.QueryContext(ctx, "SELECT * FROM "+rows.Quote(name)+" NOT INDEXED") //nolint:gosec // the name is quoted
	if err != nil {
		return 0, err
	}
	defer func() { _ = found.Close() }() // Err tells
	columns, err := found.Columns()
	if err != nil {
		return 0, err
	}
	raw := make([]sql.RawBytes, len(columns))
	dest := make([]any, len(columns))
	for i := range raw {
		dest[i] = &raw[i]
	}
	_, _ = io.WriteString(h, name) // a hash takes everything
	for found.Next() {
		if err := found.Scan(dest...); err != nil {
			return n, err
		}
		for _, value := range raw {
			length := int64(len(value))
			if value == nil {
				length = -1
			}
			_, _ = h.Write(binary.BigEndian.AppendUint64(nil, uint64(length)))
			_, _ = h.Write(value)
		}
		n++
	}
	return n, found.Err()
}

// summarize says what a file holds, of whichever version it is.
func summarize(ctx context.Context, db *sql.DB, name string, m manifest) (Summary, error) {
	s := Summary{File: name, Taken: m.Taken, Version: m.Version, Schema: m.schema().String(), Engine: m.Engine, Rows: m.Rows}
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

// isMissing reports whether an error is that of a table that is not there: SQLite has one code
// for every error in a statement.
func isMissing(err error) bool {
	_, ok := errors.AsType[*sqlite.Error](err)
	return ok && strings.Contains(err.Error(), "no such table")
}
