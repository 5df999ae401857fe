package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/hookarr/hookarr/core/store/rows"
)

// tablesSQL reads the catalogue, of the schema that unqualified names mean. An array's type
// is its elements' with an underscore, and that of an enumeration is enum.
const tablesSQL = `
SELECT c.relname, a.attname, CASE WHEN t.typtype = 'e' THEN 'enum' ELSE t.typname END,
	coalesce(array_position(i.indkey::int2[], a.attnum), -1)
FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND c.relname = ANY($1)
ORDER BY c.relname, a.attnum`

// querier is a connection or a transaction.
type querier interface {
	Query(ctx context.Context, query string, args ...any) (pgx.Rows, error)
}

func tables(ctx context.Context, db querier, names []string) ([]rows.Table, error) {
	var all []rows.Table
	found, err := db.Query(ctx, tablesSQL, names)
	if err != nil {
		return nil, fmt.Errorf("describe tables: %w", oneLine(err))
	}
	var table string
	var c rows.Column
	var place int
	_, err = pgx.ForEachRow(found, []any{&table, &c.Name, &c.Type, &place}, func() error {
		if len(all) == 0 || all[len(all)-1].Name != table {
			all = append(all, rows.Table{Name: table})
		}
		t := &all[len(all)-1]
		var err error
		if c.Kind, err = kindOf(table, c); err != nil {
			return err
		}
		t.Columns = append(t.Columns, c)
		if place >= 0 {
			for len(t.Key) <= place {
				t.Key = append(t.Key, "")
			}
			t.Key[place] = c.Name
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("describe tables: %w", oneLine(err))
	}
	rows.Sort(all)
	return all, nil
}

func kindOf(table string, c rows.Column) (rows.Kind, error) {
	switch c.Type {
	case "int2", "int4", "int8", "bool", "timestamptz", "bit":
		return rows.Int, nil
	case "text", "varchar", "enum":
		return rows.Text, nil
	case "uuid", "bytea":
		return rows.Bytes, nil
	case "jsonb", "_text", "_varchar", "_jsonb":
		return rows.JSON, nil
	default:
		return "", fmt.Errorf("column %s of table %s has the type %s, which is not known how to copy", c.Name, table, c.Type)
	}
}

// unboundedSQL lets a transaction take as long as it does. Servers know some of the settings.
const unboundedSQL = `
SELECT set_config(name, '0', true) FROM pg_settings
WHERE name IN ('statement_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout')`

// ReadRows begins to read tables as of now. It does not wait for ever for who replaces them.
func (e *Engine) ReadRows(ctx context.Context) (rows.Reader, error) {
	conn, err := e.pool.Acquire(ctx)
	if err != nil {
		return nil, fmt.Errorf("begin to read: %w", oneLine(err))
	}
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err == nil {
		if err = boundWait(ctx, tx, func(t pgx.Tx) error { return fixMoment(ctx, t) }); err != nil {
			_ = tx.Rollback(ctx) // the pool closes what is still in a transaction
		}
	}
	if err != nil {
		err = nameUser(ctx, conn, oneLine(err))
		conn.Release()
		return nil, fmt.Errorf("begin to read: %w", err)
	}
	return &reader{conn: conn, tx: tx}, nil
}

// fixMoment has a transaction see the tables as they are now. Who replaces the rows locks nodes
// until all of them are there. As of a moment before that, the tables would be empty: a TRUNCATE
// is seen by every transaction. The lock itself fixes no moment, the first query does.
func fixMoment(ctx context.Context, t pgx.Tx) error {
	if _, err := t.Exec(ctx, "LOCK TABLE nodes IN ACCESS SHARE MODE"); err != nil {
		return err
	}
	_, err := t.Exec(ctx, unboundedSQL)
	return err
}

type reader struct {
	conn *pgxpool.Conn
	tx   pgx.Tx
}

func (r *reader) Tables(ctx context.Context, names []string) ([]rows.Table, error) {
	return tables(ctx, r.tx, names)
}

func (r *reader) Close(ctx context.Context) error {
	defer r.conn.Release()
	if err := r.tx.Rollback(ctx); !errors.Is(err, pgx.ErrTxClosed) {
		return err
	}
	return nil
}

func (r *reader) Count(ctx context.Context, t rows.Table, after rows.Row) (n int64, err error) {
	if err := r.tx.QueryRow(ctx, t.Count(after != nil, placeholder), ids(t, after)...).Scan(&n); err != nil {
		return 0, fmt.Errorf("count the rows of table %s: %w", t.Name, oneLine(err))
	}
	return n, nil
}

func placeholder(n int) string { return fmt.Sprintf("$%d", n) }

func (r *reader) Read(ctx context.Context, t rows.Table, after rows.Row) (rows.Cursor, error) {
	query := t.Select(func(c rows.Column, expression string) string {
		switch {
		case c.Type == "enum":
			return "(" + expression + ")::text"
		case c.Type == "bit":
			return "(" + expression + ")::integer"
		case c.Kind == rows.JSON:
			return "to_jsonb(" + expression + ")::text"
		case c.Type == "timestamptz" && rows.IsRivers(t.Name): // which has no more in SQLite
			return "date_trunc('milliseconds', " + expression + ")"
		default:
			return expression
		}
	}, after != nil, placeholder)
	found, err := r.tx.Query(ctx, query, ids(t, after)...)
	if err != nil {
		return nil, fmt.Errorf("read table %s: %w", t.Name, oneLine(err))
	}
	return &cursor{rows: found, table: t}, nil
}

// ids are the values of a key as parameters.
func ids(t rows.Table, key rows.Row) []any {
	args := make([]any, len(key))
	for i, value := range key {
		args[i] = native(t.Columns[t.Index(t.Key[i])], value)
	}
	return args
}

type cursor struct {
	rows  pgx.Rows
	table rows.Table
}

func (c *cursor) Close() error {
	c.rows.Close()
	return nil
}

func (c *cursor) Next(context.Context) (rows.Row, error) {
	if !c.rows.Next() {
		if err := c.rows.Err(); err != nil {
			return nil, fmt.Errorf("read table %s: %w", c.table.Name, oneLine(err))
		}
		return nil, io.EOF
	}
	values, err := c.rows.Values()
	if err != nil {
		return nil, fmt.Errorf("read table %s: %w", c.table.Name, err)
	}
	for i, column := range c.table.Columns {
		if values[i], err = canonical(column, values[i]); err != nil {
			return nil, fmt.Errorf("column %s of table %s: %w", column.Name, c.table.Name, err)
		}
	}
	return values, nil
}

// canonical is a value as a rows.Row has it.
func canonical(c rows.Column, value any) (any, error) {
	switch v := value.(type) {
	case nil, int64:
		return v, nil
	case int16:
		return int64(v), nil
	case int32:
		return int64(v), nil
	case bool:
		if v {
			return int64(1), nil
		}
		return int64(0), nil
	case time.Time:
		return v.UnixMicro(), nil
	case [16]byte:
		return v[:], nil
	case []byte:
		return v, nil
	case string:
		if c.Kind == rows.JSON {
			return rows.CanonicalJSON([]byte(v))
		}
		return v, nil
	default:
		return nil, fmt.Errorf("the driver reads a %T", v)
	}
}

// WriteRows begins to write tables.
func (e *Engine) WriteRows(ctx context.Context) (rows.Writer, error) {
	conn, err := e.pool.Acquire(ctx)
	if err != nil {
		return nil, fmt.Errorf("begin to write: %w", oneLine(err))
	}
	return &writer{conn: conn, end: func(ctx context.Context) error { return conn.Hijack().Close(ctx) }}, nil
}

// session is a connection, or a transaction on one.
type session interface {
	querier
	Begin(ctx context.Context) (pgx.Tx, error)
	Exec(ctx context.Context, statement string, args ...any) (pgconn.CommandTag, error)
	Conn() *pgx.Conn
}

// writer has a connection of its own, which knows more types than others.
type writer struct {
	conn session
	end  func(ctx context.Context) error
}

// Close closes the connection.
func (w *writer) Close(ctx context.Context) error { return w.end(ctx) }

func (w *writer) Tables(ctx context.Context, names []string) ([]rows.Table, error) {
	return tables(ctx, w.conn, names)
}

func (w *writer) Write(ctx context.Context, t rows.Table, next func() (rows.Row, error), progress func() (string, error)) error {
	names := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = c.Name
		if c.Type == "enum" {
			if err := w.learn(ctx, "river_job_state"); err != nil {
				return err
			}
		}
	}
	err := pgx.BeginFunc(ctx, w.conn, func(tx pgx.Tx) error {
		source := &copySource{table: t, next: next}
		if _, err := tx.CopyFrom(ctx, pgx.Identifier{t.Name}, names, source); err != nil {
			return fmt.Errorf("write table %s: %w", t.Name, err)
		}
		if progress == nil {
			return nil
		}
		text, err := progress()
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE database_state SET progress = $1`, text); err != nil {
			return fmt.Errorf("save how far the move has come: %w", err)
		}
		return nil
	})
	return oneLine(err)
}

// learn has the connection know a type that is not Postgres's own.
func (w *writer) learn(ctx context.Context, name string) error {
	types := w.conn.Conn().TypeMap()
	if _, known := types.TypeForName(name); known {
		return nil
	}
	t, err := w.conn.Conn().LoadType(ctx, name)
	if err != nil {
		return fmt.Errorf("describe type %s: %w", name, oneLine(err))
	}
	types.RegisterType(t)
	return nil
}

// copySource is a pgx.CopyFromSource.
type copySource struct {
	table rows.Table
	next  func() (rows.Row, error)
	row   rows.Row
	err   error
}

func (s *copySource) Next() bool {
	s.row, s.err = s.next()
	if errors.Is(s.err, io.EOF) {
		s.err = nil
		return false
	}
	return s.err == nil
}

func (s *copySource) Values() ([]any, error) {
	for i, c := range s.table.Columns {
		s.row[i] = native(c, s.row[i])
	}
	return s.row, nil
}

func (s *copySource) Err() error { return s.err }

// native is a value of a rows.Row as the driver writes a column's type.
func native(c rows.Column, value any) any {
	switch v := value.(type) {
	case int64:
		switch c.Type {
		case "bool":
			return v != 0
		case "timestamptz":
			return time.UnixMicro(v)
		case "bit":
			return pgtype.Bits{Bytes: []byte{byte(v)}, Len: 8, Valid: true}
		}
	case []byte:
		if c.Type == "uuid" && len(v) == len(pgtype.UUID{}.Bytes) {
			return pgtype.UUID{Bytes: [16]byte(v), Valid: true}
		}
	case string:
		switch c.Type {
		case "_text", "_varchar":
			var list []string
			if json.Unmarshal([]byte(v), &list) == nil {
				return list
			}
		case "_jsonb":
			var list []json.RawMessage
			if json.Unmarshal([]byte(v), &list) == nil {
				return list
			}
		}
	}
	return value // the driver says what does not fit
}

func (w *writer) Clear(ctx context.Context, tables []rows.Table) error {
	names := make([]string, len(tables))
	for i, t := range tables {
		names[i] = rows.Quote(t.Name)
	}
	if len(names) == 0 {
		return nil
	}
	if _, err := w.conn.Exec(ctx, "TRUNCATE "+strings.Join(names, ", ")); err != nil {
		return fmt.Errorf("empty tables: %w", oneLine(err))
	}
	return nil
}

// numberedSQL are the columns whose numbers the database gives, and their sequences.
const numberedSQL = `
SELECT column_name, pg_get_serial_sequence(quote_ident(table_name), column_name) FROM information_schema.columns
WHERE table_schema = current_schema() AND table_name = $1 AND (is_identity = 'YES' OR column_default LIKE 'nextval(%')`

// Finish lets the numbers go on, and the planner know the tables.
func (w *writer) Finish(ctx context.Context, tables []rows.Table) error {
	for _, t := range tables {
		found, err := w.conn.Query(ctx, numberedSQL, t.Name)
		numbered, err := collect(found, err, func(row pgx.Rows) (c [2]string, err error) {
			err = row.Scan(&c[0], &c[1])
			return c, err
		})
		if err != nil {
			return fmt.Errorf("find the sequences of table %s: %w", t.Name, oneLine(err))
		}
		for _, c := range numbered {
			// What the sequence has given is never given again.
			if _, err := w.conn.Exec(ctx, fmt.Sprintf(
				"SELECT setval($1::regclass, greatest((SELECT max(%s) FROM %s), (SELECT last_value FROM %s)))",
				rows.Quote(c[0]), rows.Quote(t.Name), c[1]), c[1]); err != nil {
				return fmt.Errorf("set the sequence of table %s: %w", t.Name, oneLine(err))
			}
		}
		if _, err := w.conn.Exec(ctx, "ANALYZE "+rows.Quote(t.Name)); err != nil {
			return fmt.Errorf("analyze table %s: %w", t.Name, oneLine(err))
		}
	}
	return nil
}
