// Command catalogue-reader shows a library and its changes as they come, from nothing but
// a catalogue that Hookarr keeps in Postgres or SQLite. It is an example of a program that
// counts on the catalogue's views alone.
package main

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"
)

// poll is the time between looks for changes where nobody tells of them.
const poll = time.Second

func main() {
	address := flag.String("url", "", "`URL` of the catalogue: postgres://reader@host/database or sqlite:///path/to/catalogue.db")
	schema := flag.String("schema", "hookarr_catalogue", "`NAME` of its schema in Postgres")
	follow := flag.Bool("follow", false, "go on with its changes, until interrupted")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Stdout, *address, *schema, *follow)
	stop()
	if err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "catalogue-reader:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, address, schema string, follow bool) (err error) {
	c, err := open(address, schema)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.db.Close()) }()
	last, err := c.show(ctx, out)
	if err != nil || !follow {
		return err
	}
	return c.follow(ctx, out, last)
}

// catalogue is one to read.
type catalogue struct {
	db *sql.DB
	// server is that it is in Postgres.
	server bool
}

func open(address, schema string) (*catalogue, error) {
	scheme, path, _ := strings.Cut(address, "://")
	switch scheme {
	case "postgres", "postgresql":
		config, err := pgx.ParseConfig(address)
		if err != nil {
			return nil, fmt.Errorf("read the URL: %w", err)
		}
		config.RuntimeParams["search_path"] = pgx.Identifier{schema}.Sanitize()
		return &catalogue{db: stdlib.OpenDB(*config), server: true}, nil
	case "sqlite":
		// It is read while Hookarr writes: the file is in WAL mode.
		u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: "mode=ro&_pragma=busy_timeout(5000)"}
		db, err := sql.Open("sqlite", u.String())
		return &catalogue{db: db}, err
	default:
		return nil, errors.New("give -url postgres://… or sqlite:///…")
	}
}

// show prints what there is. It returns the number of the last change that is in it: the
// library and the number are read at one moment.
func (c *catalogue) show(ctx context.Context, out io.Writer) (last int64, err error) {
	options := &sql.TxOptions{ReadOnly: true}
	if c.server {
		options.Isolation = sql.LevelRepeatableRead // SQLite has no other
	}
	tx, err := c.db.BeginTx(ctx, options)
	if err != nil {
		return 0, fmt.Errorf("open the catalogue: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // it has only read
	if err := tx.QueryRowContext(ctx, `SELECT coalesce(max(seq), 0) FROM feed`).Scan(&last); err != nil {
		return 0, fmt.Errorf("read the catalogue: %w", err)
	}
	rows, err := tx.QueryContext(ctx, `SELECT source, kind, coalesce(title, ''), coalesce(year, 0), file_count, coalesce(size_bytes, 0)
FROM library ORDER BY source, kind, sort_title, id`)
	if err != nil {
		return 0, fmt.Errorf("read the library: %w", err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err has it
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for rows.Next() {
		var source, kind, title string
		var year, files int
		var size float64 // a sum of bigint is numeric in Postgres
		if err := rows.Scan(&source, &kind, &title, &year, &files, &size); err != nil {
			return 0, fmt.Errorf("read the library: %w", err)
		}
		if year > 0 {
			title = fmt.Sprintf("%s (%d)", title, year)
		}
		if _, err := fmt.Fprintf(table, "%s\t%s\t%s\t%d files\t%.1f GB\n", source, kind, title, files, size/1e9); err != nil {
			return 0, err
		}
	}
	if err := rows.Err(); err != nil {
		return 0, fmt.Errorf("read the library: %w", err)
	}
	return last, table.Flush()
}

// follow prints changes until ctx ends.
func (c *catalogue) follow(ctx context.Context, out io.Writer, last int64) error {
	wait := func(ctx context.Context) error {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(poll):
			return nil
		}
	}
	if c.server {
		conn, err := c.db.Conn(ctx)
		if err != nil {
			return fmt.Errorf("listen: %w", err)
		}
		defer conn.Close() //nolint:errcheck // the database is closed next
		// Whoever listens first and looks then misses nothing.
		if _, err := conn.ExecContext(ctx, `LISTEN catalogue`); err != nil {
			return fmt.Errorf("listen: %w", err)
		}
		wait = func(ctx context.Context) error {
			return conn.Raw(func(driver any) error {
				_, err := driver.(*stdlib.Conn).Conn().WaitForNotification(ctx)
				return err
			})
		}
	}
	for {
		if err := c.printChanges(ctx, out, &last); err != nil {
			return err
		}
		if err := wait(ctx); err != nil {
			return err
		}
	}
}

// printChanges prints the changes after the last one that was printed.
func (c *catalogue) printChanges(ctx context.Context, out io.Writer, last *int64) error {
	rows, err := c.db.QueryContext(ctx, `SELECT f.seq, f.source, f.op, f.kind, f.id, coalesce(l.title, ''), coalesce(f.path, '')
FROM feed f LEFT JOIN library l ON l.source = f.source AND l.kind = f.kind AND l.id = f.id
WHERE f.seq > $1 ORDER BY f.seq`, *last)
	if err != nil {
		return fmt.Errorf("read changes: %w", err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err has it
	for rows.Next() {
		var source, op, kind, id, title, path string
		if err := rows.Scan(last, &source, &op, &kind, &id, &title, &path); err != nil {
			return fmt.Errorf("read changes: %w", err)
		}
		if _, err := fmt.Fprintln(out, strings.TrimSpace(fmt.Sprintf("%d %s %s %s/%s %s %s", *last, source, op, kind, id, title, path))); err != nil {
			return err
		}
	}
	return rows.Err()
}
