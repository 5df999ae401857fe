package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/core/store/rows"
)

// nodeLease is how long a node lives that does not beat.
const nodeLease = 10 * time.Second

const aliveSQL = `
SELECT name, extract(epoch FROM now() - beat_at)::bigint FROM nodes
WHERE beat_at >= now() - $1::bigint * interval '1 microsecond' ORDER BY name`

// Unserved returns store.ErrInUse, with the names of the nodes, while hookarr serve works the
// database at url.
func Unserved(ctx context.Context, url string) error {
	return withSession(ctx, url, func(conn *pgx.Conn) error { return unserved(ctx, conn) })
}

func unserved(ctx context.Context, db querier) error {
	found, err := db.Query(ctx, aliveSQL, nodeLease.Microseconds())
	nodes, err := collect(found, err, func(row pgx.Rows) (text string, err error) {
		var name string
		var ago int64
		err = row.Scan(&name, &ago)
		return fmt.Sprintf("node %s, heard of %d s ago", name, ago), err
	})
	if failed, ok := errors.AsType[*pgconn.PgError](err); ok && failed.Code == undefinedTable {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for nodes: %w", oneLine(err))
	}
	if len(nodes) > 0 {
		return fmt.Errorf("%s: %w", strings.Join(nodes, "; "), store.ErrInUse)
	}
	return nil
}

// ErrNotEmpty is returned by Replace for a database that has events.
var ErrNotEmpty = errors.New("the database is not empty")

// Replace has do write all rows of a migrated database anew, in one transaction, in which no
// node can join. Tables are those that do writes: they are empty for it. Unless force is set,
// they have to be before.
func Replace(ctx context.Context, url string, tables []string, force bool, do func(w rows.Writer) error) error {
	return withSession(ctx, url, func(conn *pgx.Conn) error {
		return oneLine(pgx.BeginFunc(ctx, conn, func(t pgx.Tx) error {
			// Who joins waits for it, and what is written then belongs to the restored rows.
			if _, err := t.Exec(ctx, "LOCK TABLE nodes IN ACCESS EXCLUSIVE MODE"); err != nil {
				return fmt.Errorf("keep nodes out: %w", err)
			}
			if err := unserved(ctx, t); err != nil {
				return err
			}
			var events bool
			if err := t.QueryRow(ctx, "SELECT EXISTS (SELECT FROM events)").Scan(&events); err != nil {
				return fmt.Errorf("look for events: %w", err)
			}
			if events && !force {
				return ErrNotEmpty
			}
			w := &writer{conn: t, end: func(context.Context) error { return nil }}
			described, err := w.Tables(ctx, tables)
			if err != nil {
				return err
			}
			if err := w.Clear(ctx, described); err != nil {
				return err
			}
			return do(w)
		}))
	})
}

// withSession runs do on a connection of its own.
func withSession(ctx context.Context, url string, do func(conn *pgx.Conn) error) (err error) {
	config, err := configure(url)
	if err != nil {
		return err
	}
	conn, err := pgx.ConnectConfig(ctx, config.ConnConfig)
	if err != nil {
		return oneLine(err)
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	return do(conn)
}
