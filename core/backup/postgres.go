package backup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/hookarr/hookarr/core/move"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/core/store/postgres"
	"github.com/hookarr/hookarr/core/store/rows"
	"github.com/hookarr/hookarr/core/store/sqlite"
)

// copyPostgres copies the rows that a server's database has at one moment into an empty file.
func copyPostgres(ctx context.Context, o Options, into string) (err error) {
	from, err := postgres.Open(ctx, o.Database.Reveal(), o.Log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	have, want, err := from.Schema(ctx)
	if err != nil {
		return err
	}
	switch err := have.Check(want); {
	case errors.Is(err, store.ErrNotMigrated) && have.Tables > 0:
		return fmt.Errorf("the database has schema %s, and this hookarr %s: back it up with the version that served it last, or with pg_dump", have, want)
	case errors.Is(err, store.ErrNotMigrated):
		return errNoTables
	case err != nil:
		return err
	}
	state, err := from.State(ctx)
	if err == nil {
		err = o.current(state)
	}
	if err != nil {
		return err
	}
	to, err := sqlite.Open(ctx, into, o.Log)
	if err != nil {
		return err
	}
	err = to.Migrate(ctx)
	if err == nil {
		err = copyStore(ctx, from, to, o)
	}
	if err = errors.Join(err, to.Close()); err != nil {
		return err
	}
	return sqlite.OneFile(ctx, into)
}

func copyStore(ctx context.Context, from, to *store.Store, o Options) (err error) {
	w, err := to.WriteRows(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close(context.WithoutCancel(ctx))) }()
	_, err = copyRowsTo(ctx, from, w, o)
	return err
}

// copyRowsTo copies all rows, and counts those of each table.
func copyRowsTo(ctx context.Context, from *store.Store, w rows.Writer, o Options) (counts map[string]int64, err error) {
	r, err := from.ReadRows(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close(context.WithoutCancel(ctx))) }()
	sums, err := move.Copy(ctx, r, w, func(p move.Progress) { o.Progress("copied", p.Bytes, 0) })
	if err != nil {
		return nil, err
	}
	counts = make(map[string]int64, len(sums))
	for _, s := range sums {
		counts[s.Table] = s.Rows
	}
	return counts, nil
}

// restorePostgres replaces every row in one transaction, by those of a copy that is checked
// and migrated.
func restorePostgres(ctx context.Context, o Options) (r Restored, err error) {
	url := o.Database.Reveal()
	// Before the schema changes under a server that runs.
	if err := stopped(postgres.Unserved(ctx, url)); err != nil {
		return r, err
	}
	dir, err := os.MkdirTemp("", "hookarr-restore-")
	if err != nil {
		return r, fmt.Errorf("copy backup: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	fresh := filepath.Join(dir, "hookarr.db")
	if r, err = stage(ctx, o, fresh); err != nil {
		return r, err
	}
	to, err := postgres.Open(ctx, url, o.Log)
	if err != nil {
		return r, err
	}
	if err := errors.Join(to.Migrate(ctx), to.Close()); err != nil {
		return r, fmt.Errorf("migrate the database: %w", err)
	}
	from, err := sqlite.Open(ctx, fresh, o.Log)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	tables, err := sqlite.Tables(ctx)
	if err != nil {
		return r, err
	}
	names := make([]string, len(tables))
	for i, t := range tables {
		names[i] = t.Name
	}
	err = postgres.Replace(ctx, url, names, o.Force, func(w rows.Writer) error {
		o.pass("replace")
		counts, err := copyRowsTo(ctx, from, w, o)
		if err == nil && counts["events"] != r.Rows["events"] {
			err = errors.New("not every event was copied")
		}
		o.pass("replaced")
		return err
	})
	if errors.Is(err, postgres.ErrNotEmpty) {
		return r, fmt.Errorf("%w: replace all that it holds with --force, which keeps nothing of it", err)
	}
	return r, stopped(err)
}

// stopped says of a database that is served what to do.
func stopped(err error) error {
	if errors.Is(err, store.ErrInUse) {
		return fmt.Errorf("%w: stop it first, and wait 10 s where it was killed", err)
	}
	return err
}
