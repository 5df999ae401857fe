package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// seeding fills a database in which a server has accepted and delivered one event: the
// event and all that belongs to it is copied, with new ids and older times. What
// belongs to it, and where ids and times are, is found by looking at the rows, so that
// seeding knows next to nothing of the schema.
type seeding struct {
	events int
	// The copies are spread evenly over these ages, oldest first.
	oldest, newest time.Duration
	// dead makes the delivery of each dead-th event a dead letter; 0 makes none.
	dead int
}

// dialect is how an engine's SQL says what seeding needs. Its expressions may use
// copy_n, the number of the copy, and copy_shift, how many milliseconds older it is.
type dialect struct {
	tables, columns string
	// numbers begins a statement with a table "copies" of both.
	numbers string
	// id is an expression for the id of a copy: of the time now in milliseconds, and a
	// digit that tells kinds of ids apart.
	id func(now int64, kind string) string
	// earlier moves a column back; present is the time now in the column's unit. Both are
	// empty when the value is no time near now.
	earlier func(column string, value any, now time.Time) (expression, present string)
	// unlike makes a text differ from the other copies'.
	unlike func(column string, value any) string
	before []string
	after  []string
}

var postgresDialect = dialect{
	tables: `SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema() AND table_type = 'BASE TABLE' ORDER BY 1`,
	columns: `SELECT column_name, is_identity = 'YES' OR is_generated = 'ALWAYS' FROM information_schema.columns
WHERE table_schema = current_schema() AND table_name = $1 ORDER BY ordinal_position`,
	numbers: `WITH copies AS (SELECT n AS copy_n, %[2]d - n * %[3]d / %[1]d AS copy_shift FROM generate_series(1, %[1]d::bigint) n) `,
	id: func(now int64, kind string) string {
		return fmt.Sprintf(`(lpad(to_hex(%d - copy_shift), 12, '0') || '7' || lpad(to_hex(copy_n & 4095), 3, '0') || '%s' || lpad(to_hex(copy_n), 15, '0'))::uuid`, now, kind)
	},
	earlier: func(column string, value any, now time.Time) (expression, present string) {
		if at, isTime := value.(time.Time); isTime && at.Sub(now).Abs() < aYear {
			return column + ` - copy_shift * interval '1 millisecond'`, `now()`
		}
		return "", ""
	},
	unlike: func(column string, value any) string {
		if _, isBytes := value.([]byte); isBytes {
			return column + ` || int8send(copy_n)`
		}
		return column + ` || ':' || copy_n`
	},
	after: []string{"VACUUM ANALYZE", "CHECKPOINT"},
}

var sqliteDialect = dialect{
	tables:  `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY 1`,
	columns: `SELECT name, pk = 1 AND upper(type) = 'INTEGER' FROM pragma_table_info($1) ORDER BY cid`,
	numbers: `WITH RECURSIVE counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < %[1]d),
copies AS (SELECT n AS copy_n, %[2]d - n * %[3]d / %[1]d AS copy_shift FROM counted) `,
	id: func(now int64, kind string) string {
		return fmt.Sprintf(`unhex(printf('%%012x7%%03x%s%%015x', %d - copy_shift, copy_n & 4095, copy_n))`, kind, now)
	},
	earlier: func(column string, value any, now time.Time) (expression, present string) {
		at, _ := value.(int64)
		for _, perMilli := range []int64{1, 1_000, 1_000_000} {
			if time.UnixMilli(at/perMilli).Sub(now).Abs() < aYear {
				return fmt.Sprintf(`%s - copy_shift * %d`, column, perMilli), strconv.FormatInt(now.UnixMilli()*perMilli, 10)
			}
		}
		return "", ""
	},
	unlike: func(column string, value any) string {
		if _, isBytes := value.([]byte); isBytes {
			return `CAST(` + column + ` || copy_n AS BLOB)`
		}
		return column + ` || ':' || copy_n`
	},
	before: []string{"PRAGMA synchronous = OFF", "PRAGMA cache_size = -200000"},
	after:  []string{"PRAGMA synchronous = FULL", "PRAGMA wal_checkpoint(TRUNCATE)"},
}

const aYear = 366 * 24 * time.Hour

// unlikeColumns differ from event to event and are no ids: an index over equal values
// is not what an index is.
var unlikeColumns = []string{"key", "fingerprint", "correlation_key", "story"}

// fill seeds the database of a server that does not run.
func (s seeding) fill(ctx context.Context, databaseURL string) (err error) {
	db, err := openSQL(ctx, databaseURL)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	conn, err := db.Conn(ctx) // temporary tables are a connection's
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	d := postgresDialect
	if strings.HasPrefix(databaseURL, sqliteScheme) {
		d = sqliteDialect
	}
	c := copying{seeding: s, dialect: d, conn: conn, now: time.Now()}
	if err := c.run(ctx); err != nil {
		return fmt.Errorf("seed: %w", err)
	}
	return nil
}

type copying struct {
	seeding
	dialect
	conn *sql.Conn
	now  time.Time
	// event and delivery are the ids of what is copied.
	event, delivery string
}

func (c *copying) run(ctx context.Context) error {
	for _, id := range []struct {
		of    string
		value *string
	}{{"events", &c.event}, {"deliveries", &c.delivery}} {
		_, found, err := c.read(ctx, "SELECT id FROM "+id.of)
		if err != nil {
			return err
		}
		if len(found) != 1 {
			return fmt.Errorf("%d %s to copy, want 1", len(found), id.of)
		}
		*id.value = text(found[0][0])
	}
	if err := c.execAll(ctx, append(c.before, "BEGIN")); err != nil {
		return err
	}
	_, tables, err := c.read(ctx, c.tables)
	if err != nil {
		return err
	}
	for _, row := range tables {
		name := text(row[0])
		if strings.HasPrefix(name, "river_") || strings.HasPrefix(name, "goose_") {
			continue
		}
		if err := c.copy(ctx, name); err != nil {
			return fmt.Errorf("table %s: %w", name, err)
		}
	}
	return c.execAll(ctx, append([]string{"COMMIT"}, c.after...))
}

// copy multiplies the rows of a table if they belong to the event.
func (c *copying) copy(ctx context.Context, table string) error {
	columns, rows, err := c.read(ctx, "SELECT * FROM "+table)
	if err != nil || len(rows) == 0 {
		return err
	}
	_, described, err := c.read(ctx, c.columns, table)
	if err != nil {
		return err
	}
	var names, expressions []string
	belongs, condition := false, ""
	for i, column := range columns {
		expression, isID := c.expression(column, rows[0][i])
		belongs = belongs || isID
		if numbered := text(described[i][1]); !isID && (numbered == "1" || numbered == "true") {
			continue // the database numbers the copies
		}
		names, expressions = append(names, column), append(expressions, expression)
		if earlier, present := c.earlier(column, rows[0][i], c.now); column == "expires_at" && earlier != "" {
			// A server lives with what has not expired; the rest it deletes.
			condition = " WHERE " + earlier + " > " + present
		}
	}
	if !belongs {
		return nil
	}
	numbers := fmt.Sprintf(c.numbers, c.events, c.oldest.Milliseconds(), (c.oldest - c.newest).Milliseconds())
	return c.execAll(ctx, []string{
		fmt.Sprintf("CREATE TEMPORARY TABLE template_%[1]s AS SELECT * FROM %[1]s", table),
		fmt.Sprintf("%sINSERT INTO %s (%s) SELECT %s FROM copies CROSS JOIN template_%s%s",
			numbers, table, strings.Join(names, ", "), strings.Join(expressions, ", "), table, condition),
	})
}

// Digits that tell the copies' ids apart.
const (
	eventKind    = "8"
	deliveryKind = "9"
)

// expression is what a column of a copy is made of; isID is of those that say to which
// event it belongs.
func (c *copying) expression(column string, value any) (expression string, isID bool) {
	switch earlier, _ := c.earlier(column, value, c.now); {
	case value == nil:
		return column, false
	case text(value) == c.event:
		return c.id(c.now.UnixMilli(), eventKind), true
	case text(value) == c.delivery:
		return c.id(c.now.UnixMilli(), deliveryKind), true
	case earlier != "":
		return earlier, false
	case slices.Contains(unlikeColumns, column):
		return c.unlike(column, value), false
	case c.dead > 0 && column == "state" && text(value) == "delivered":
		return fmt.Sprintf("CASE WHEN copy_n %% %d = 0 THEN 'dead' ELSE state END", c.dead), false
	default:
		return column, false
	}
}

// read returns all that a query finds.
func (c *copying) read(ctx context.Context, query string, args ...any) (columns []string, all [][]any, err error) {
	rows, err := c.conn.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = rows.Close() }()
	if columns, err = rows.Columns(); err != nil {
		return nil, nil, err
	}
	for rows.Next() {
		row, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			return nil, nil, err
		}
		all = append(all, row)
	}
	return columns, all, rows.Err()
}

func (c *copying) execAll(ctx context.Context, statements []string) error {
	for _, statement := range statements {
		if _, err := c.conn.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("%.60s: %w", statement, err)
		}
	}
	return nil
}

func text(value any) string {
	if bytes, isBytes := value.([]byte); isBytes {
		return string(bytes)
	}
	return fmt.Sprint(value)
}
