package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
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
	if err := o.checkDestination(ctx, to); err != nil {
		return r, err
	}
	dir, err := os.MkdirTemp("", "hookarr-restore-")
	if err != nil {
		return r, fmt.Errorf("copy backup: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	fresh := filepath.Join(dir, "hookarr.db")
	if r, err = prepare(ctx, o, fresh); err != nil {
		if isFull(err) {
			err = fmt.Errorf("%w: the backup is unpacked in %s first, and TMPDIR=DIR names a directory with more room", err, os.TempDir())
		}
		return r, err
	}
	if err := to.Migrate(ctx); err != nil {
		return r, fmt.Errorf("migrate the database: %w", err)
	}
	return r, o.replaceRows(ctx, fresh)
}

// checkDestination refuses, before anything is copied, a database that cannot take the rows.
func (o *Options) checkDestination(ctx context.Context, to *store.Store) error {
	have, want, err := to.Schema(ctx)
	if err != nil {
		return err
	}
	if err := have.Check(want); errors.Is(err, store.ErrNewer) {
		return fmt.Errorf("%w: restore into a new database, and set database.url to it", err)
	}
	if have.Tables == 0 || o.Force {
		return nil
	}
	events, err := hasEvents(ctx, to)
	if err == nil && events {
		return notEmpty(postgres.ErrNotEmpty)
	}
	return err
}

func notEmpty(err error) error {
	return fmt.Errorf("%w: replace all that it holds with --force, which keeps nothing of it", err)
}

func hasEvents(ctx context.Context, s *store.Store) (has bool, err error) {
	reader, err := s.ReadRows(ctx)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, reader.Close(context.WithoutCancel(ctx))) }()
	tables, err := reader.Tables(ctx, []string{"events"})
	if err != nil || len(tables) == 0 {
		return false, err
	}
	cursor, err := reader.Read(ctx, tables[0], nil)
	if err != nil {
		return false, err
	}
	_, err = cursor.Next(ctx)
	has = err == nil
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return has, errors.Join(err, cursor.Close())
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
		return notEmpty(err)
	}
	return err
}
