package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/hookarr/hookarr/core/store/rows"
)

// riversTimes are how River and its defaults write times.
var riversTimes = []string{riverTime, "2006-01-02 15:04:05", "2006-01-02 15:04:05.999999999"}

// Tables describes what is copied of a database of this version, by making one in memory: what
// the migrations make is what there is.
func Tables(ctx context.Context) (_ []rows.Table, err error) {
	db, err := open("file::memory:", true)
	if err != nil {
		return nil, fmt.Errorf("open database in memory: %w", err)
	}
	db.SetMaxOpenConns(1) // each would have a database of its own
	defer func() { err = errors.Join(err, db.Close()) }()
	schema, err := LatestSchema()
	if err != nil {
		return nil, err
	}
	if err := MakeTables(ctx, db, schema); err != nil {
		return nil, err
	}
	return TablesOf(ctx, db)
}

const tablesSQL = `
SELECT t.name, c.name, c.type, c.pk FROM pragma_table_list t JOIN pragma_table_info(t.name) c
WHERE t.schema = 'main' AND t.type = 'table' AND t.name NOT LIKE 'sqlite~_%' ESCAPE '~' ORDER BY t.name, c.cid`

// TablesOf describes what is copied of a database.
func TablesOf(ctx context.Context, db querier) ([]rows.Table, error) {
	found, err := db.QueryContext(ctx, tablesSQL)
	if err != nil {
		return nil, fmt.Errorf("describe tables: %w", err)
	}
	defer func() { _ = found.Close() }()
	var all []rows.Table
	for found.Next() {
		var table string
		var c rows.Column
		var pk int
		if err := found.Scan(&table, &c.Name, &c.Type, &pk); err != nil {
			return nil, fmt.Errorf("describe tables: %w", err)
		}
		if rows.Own(table) {
			continue
		}
		if len(all) == 0 || all[len(all)-1].Name != table {
			all = append(all, rows.Table{Name: table})
		}
		t := &all[len(all)-1]
		if c.Kind, err = kindOf(table, c); err != nil {
			return nil, err
		}
		t.Columns = append(t.Columns, c)
		if pk > 0 {
			for len(t.Key) < pk {
				t.Key = append(t.Key, "")
			}
			t.Key[pk-1] = c.Name
		}
	}
	if err := found.Err(); err != nil {
		return nil, fmt.Errorf("describe tables: %w", err)
	}
	rows.Sort(all)
	return all, nil
}

// kindOf is what a column holds by its type. River's blobs are JSON but for the one that it
// compares.
func kindOf(table string, c rows.Column) (rows.Kind, error) {
	switch strings.ToUpper(c.Type) {
	case "INTEGER", "TIMESTAMP":
		return rows.Int, nil
	case "TEXT":
		return rows.Text, nil
	case "BLOB":
		if rows.IsRivers(table) && c.Name != "unique_key" {
			return rows.JSON, nil
		}
		return rows.Bytes, nil
	default:
		return "", fmt.Errorf("column %s of table %s has the type %q, which is not known how to copy", c.Name, table, c.Type)
	}
}

func isTime(c rows.Column) bool { return strings.EqualFold(c.Type, "timestamp") }

// ReadRows begins to read tables as of now.
func (e *Engine) ReadRows(ctx context.Context) (rows.Reader, error) { return ReadRows(ctx, e.read) }

// ReadRows begins to read the tables of an open database as of now.
func ReadRows(ctx context.Context, db *sql.DB) (rows.Reader, error) {
	tx, err := db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, fmt.Errorf("begin to read: %w", err)
	}
	// The moment is that of the first read.
	var n int
	if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_schema`).Scan(&n); err != nil {
		return nil, errors.Join(fmt.Errorf("begin to read: %w", err), tx.Rollback())
	}
	return &reader{tx}, nil
}

type reader struct{ tx *sql.Tx }

func (r *reader) Tables(ctx context.Context, names []string) ([]rows.Table, error) {
	return named(ctx, r.tx, names)
}

func named(ctx context.Context, db querier, names []string) ([]rows.Table, error) {
	all, err := TablesOf(ctx, db)
	return slices.DeleteFunc(all, func(t rows.Table) bool { return !slices.Contains(names, t.Name) }), err
}

func (r *reader) Close(context.Context) error {
	if err := r.tx.Rollback(); !errors.Is(err, sql.ErrTxDone) {
		return err
	}
	return nil
}

func (r *reader) Count(ctx context.Context, t rows.Table, after rows.Row) (n int64, err error) {
	if err := r.tx.QueryRowContext(ctx, t.Count(after != nil, placeholder), after...).Scan(&n); err != nil {
		return 0, fmt.Errorf("count the rows of table %s: %w", t.Name, err)
	}
	return n, nil
}

func placeholder(int) string { return "?" }

func (r *reader) Read(ctx context.Context, t rows.Table, after rows.Row) (rows.Cursor, error) {
	query := t.Select(func(c rows.Column, expression string) string {
		switch {
		case isTime(c):
			return "CAST(" + expression + " AS TEXT)" // the driver would take it for a time.Time
		case c.Kind == rows.JSON:
			return "json(" + expression + ")"
		default:
			return expression
		}
	}, after != nil, placeholder)
	found, err := r.tx.QueryContext(ctx, query, after...) //nolint:rowserrcheck // the cursor does
	if err != nil {
		return nil, fmt.Errorf("read table %s: %w", t.Name, err)
	}
	c := &cursor{rows: found, table: t, row: make(rows.Row, len(t.Columns)), into: make([]any, len(t.Columns))}
	for i := range c.row {
		c.into[i] = &c.row[i]
	}
	return c, nil
}

type cursor struct {
	rows  *sql.Rows
	table rows.Table
	row   rows.Row
	into  []any
}

func (c *cursor) Close() error { return c.rows.Close() }

func (c *cursor) Next(context.Context) (rows.Row, error) {
	if !c.rows.Next() {
		if err := c.rows.Err(); err != nil {
			return nil, fmt.Errorf("read table %s: %w", c.table.Name, err)
		}
		return nil, io.EOF
	}
	if err := c.rows.Scan(c.into...); err != nil {
		return nil, fmt.Errorf("read table %s: %w", c.table.Name, err)
	}
	for i, column := range c.table.Columns {
		value, err := canonical(column, c.row[i])
		if err != nil {
			return nil, fmt.Errorf("column %s of table %s: %w", column.Name, c.table.Name, err)
		}
		c.row[i] = value
	}
	return c.row, nil
}

// canonical is a value as a rows.Row has it. A column may hold values of another type than
// its own.
func canonical(c rows.Column, value any) (any, error) {
	var text string
	switch v := value.(type) {
	case nil:
		return nil, nil //nolint:nilnil // null
	case int64:
		if c.Kind == rows.Int && !isTime(c) {
			return v, nil
		}
		return nil, fmt.Errorf("%w: want %s", errForeign, c.Kind)
	case string:
		text = v
	case []byte:
		if c.Kind == rows.Bytes {
			if v == nil { // the driver's word for none
				v = []byte{}
			}
			return v, nil
		}
		text = string(v)
	default:
		return nil, fmt.Errorf("%w: want %s", errForeign, c.Kind)
	}
	switch {
	case c.Kind == rows.Text:
		return rows.CanonicalText(text), nil
	case c.Kind == rows.JSON:
		return rows.CanonicalJSON([]byte(text))
	case c.Kind == rows.Bytes:
		return []byte(text), nil
	case isTime(c):
		for _, layout := range riversTimes {
			if at, err := time.Parse(layout, text); err == nil {
				return at.Truncate(time.Millisecond).UnixMicro(), nil
			}
		}
		return nil, errors.New("a time that River does not write")
	default:
		return nil, fmt.Errorf("%w: want %s", errForeign, c.Kind)
	}
}

var errForeign = errors.New("a value of another type than the column's")

// Of the connection that writes a copy: pages in memory for the indexes of large tables, and
// as many in the log, so that not each of them is written for each batch.
const (
	copyCacheKiB = 64 << 10
	copyLogPages = 16 << 10
)

// WriteRows begins to write tables. What a loss of power takes is whole transactions, until
// Finish.
func (e *Engine) WriteRows(ctx context.Context) (rows.Writer, error) {
	db, err := open(dsn(e.path, fmt.Sprintf("_txlock=immediate&_pragma=synchronous(NORMAL)&_pragma=cache_size(-%d)&_pragma=wal_autocheckpoint(%d)",
		copyCacheKiB, copyLogPages)), true) // as one that keeps its mode
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", e.path, err)
	}
	db.SetMaxOpenConns(1)
	if err := db.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", e.path, err), db.Close())
	}
	return WriteRows(db), nil
}

// WriteRows begins to write the tables of an open database, which is closed with the writer.
func WriteRows(db *sql.DB) rows.Writer { return &writer{db} }

type writer struct{ db *sql.DB }

func (w *writer) Close(context.Context) error { return w.db.Close() }

func (w *writer) Tables(ctx context.Context, names []string) ([]rows.Table, error) {
	return named(ctx, w.db, names)
}

func (w *writer) in(ctx context.Context, do func(tx *sql.Tx) error) error {
	tx, err := w.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin to write: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // it has ended, or nothing can be done
	if err := do(tx); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

func (w *writer) Write(ctx context.Context, t rows.Table, next func() (rows.Row, error), progress func() (string, error)) error {
	return w.in(ctx, func(tx *sql.Tx) error {
		names, values := make([]string, len(t.Columns)), make([]string, len(t.Columns))
		for i, c := range t.Columns {
			names[i], values[i] = rows.Quote(c.Name), "?"
			if c.Kind == rows.JSON {
				values[i] = "jsonb(?)"
			}
		}
		statement := fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s)", rows.Quote(t.Name), strings.Join(names, ", "), strings.Join(values, ", ")) //nolint:gosec // they are quoted
		insert, err := tx.PrepareContext(ctx, statement)
		if err != nil {
			return fmt.Errorf("write table %s: %w", t.Name, err)
		}
		defer func() { _ = insert.Close() }()
		for {
			row, err := next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return err
			}
			for i, c := range t.Columns {
				if at, ok := row[i].(int64); ok && isTime(c) {
					row[i] = time.UnixMicro(at).UTC().Format(riverTime)
				}
			}
			if _, err := insert.ExecContext(ctx, row...); err != nil {
				return fmt.Errorf("write table %s: %w", t.Name, err)
			}
		}
		if progress == nil {
			return nil
		}
		text, err := progress()
		if err != nil {
			return err
		}
		return saveProgress(ctx, tx, text)
	})
}

func saveProgress(ctx context.Context, tx *sql.Tx, progress string) error {
	if _, err := tx.ExecContext(ctx, `UPDATE database_state SET progress = ?`, progress); err != nil {
		return fmt.Errorf("save how far the move has come: %w", err)
	}
	return nil
}

func (w *writer) Clear(ctx context.Context, tables []rows.Table) error {
	return w.in(ctx, func(tx *sql.Tx) error {
		for _, t := range tables {
			if _, err := tx.ExecContext(ctx, "DELETE FROM "+rows.Quote(t.Name)); err != nil { //nolint:gosec // which is quoted
				return fmt.Errorf("empty table %s: %w", t.Name, err)
			}
		}
		return nil
	})
}

// Finish puts everything into the file. The numbers that SQLite gives are above those that
// are there.
func (w *writer) Finish(ctx context.Context, _ []rows.Table) error {
	for _, statement := range []string{"PRAGMA synchronous = FULL", "PRAGMA wal_checkpoint(TRUNCATE)"} {
		if _, err := w.db.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("write to the file: %w", err)
		}
	}
	return nil
}
