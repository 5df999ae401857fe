package postgres

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/core/store/rows"
)

// ErrNotEmpty is returned by Replace for a database that has events.
var ErrNotEmpty = errors.New("the database is not empty")

// Replace has do write all rows of a migrated database anew, in one transaction. Tables are
// those that do writes: they are empty for it. Unless force is set, they have to be before. The
// caller has Exclude; no node joins even if that session is lost.
func Replace(ctx context.Context, url string, tables []string, force bool, do func(w rows.Writer) error) (err error) {
	config, err := configure(url)
	if err != nil {
		return err
	}
	conn, err := pgx.ConnectConfig(ctx, config.ConnConfig)
	if err != nil {
		return oneLine(err)
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	return nameUser(ctx, conn, oneLine(pgx.BeginFunc(ctx, conn, func(t pgx.Tx) error {
		return boundWait(ctx, t, func(t pgx.Tx) error { return replace(ctx, t, tables, force, do) })
	})))
}

func replace(ctx context.Context, t pgx.Tx, tables []string, force bool, do func(w rows.Writer) error) error {
	if _, err := t.Exec(ctx, "LOCK TABLE nodes IN ACCESS EXCLUSIVE MODE"); err != nil {
		return fmt.Errorf("keep nodes out: %w", err)
	}
	beats, err := lastBeats(ctx, t, store.NodeLease)
	if err != nil {
		return err
	}
	if len(beats) > 0 {
		return &store.NodesError{Nodes: slices.Sorted(maps.Keys(beats))}
	}
	var events bool
	if err := t.QueryRow(ctx, "SELECT EXISTS (SELECT FROM events)").Scan(&events); err != nil {
		return fmt.Errorf("look for events: %w", err)
	}
	if events && !force {
		return ErrNotEmpty
	}
	// What a move has copied is gone.
	if err := giveUpMove(ctx, t); err != nil {
		return err
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
}
