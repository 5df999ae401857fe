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

// restorePostgres replaces every row in one transaction, by those of a copy that is checked
// and migrated. Servers and moves are kept out meanwhile.
func restorePostgres(ctx context.Context, o Options) (r Restored, err error) {
	to, err := postgres.Open(ctx, o.Database.Reveal(), o.Log)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	release, err := to.Exclude(ctx, store.NodeLease, o.Say)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, release(context.WithoutCancel(ctx))) }()
	dir, err := os.MkdirTemp("", "hookarr-restore-")
	if err != nil {
		return r, fmt.Errorf("copy backup: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	fresh := filepath.Join(dir, "hookarr.db")
	if r, err = prepare(ctx, o, fresh); err != nil {
		return r, err
	}
	if err := to.Migrate(ctx); err != nil {
		return r, fmt.Errorf("migrate the database: %w", err)
	}
	return r, o.replaceRows(ctx, fresh)
}

// replaceRows puts the rows of a file into the database.
func (o *Options) replaceRows(ctx context.Context, file string) (err error) {
	db, err := sqlite.OpenReadOnly(file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	tables, err := sqlite.TablesOf(ctx, db)
	if err != nil {
		return err
	}
	from, err := sqlite.ReadRows(ctx, db)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close(context.WithoutCancel(ctx))) }()
	names := rows.Names(tables)
	err = postgres.Replace(ctx, o.Database.Reveal(), names, o.Force, func(w rows.Writer) error {
		o.pass("replace")
		_, err := move.Copy(ctx, from, w, names, o.Progress)
		o.pass("replaced")
		return err
	})
	if errors.Is(err, postgres.ErrNotEmpty) {
		return fmt.Errorf("%w: replace all that it holds with --force, which keeps nothing of it", err)
	}
	return err
}
