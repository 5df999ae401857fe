package database

import (
	"context"
	_ "embed"
	"errors"
	"fmt"

	"github.com/hookarr/hookarr/sdk"
)

//go:embed tables.sql
var tables string

//go:embed views.sql
var views string

// ensure makes the tables unless they are there.
func (e *Engine) ensure(ctx context.Context) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	replaced, err := e.ensureFile()
	if err != nil {
		return err
	}
	if e.ready && !replaced {
		return nil
	}
	err = e.write(ctx, func(tx *transaction) error {
		version, err := tx.dialect.version(ctx, tx.Tx)
		if err != nil || version > 0 {
			return err // each delivery looks at the version
		}
		if err := tx.dialect.prepare(ctx, tx.Tx); err != nil {
			return err
		}
		for _, statements := range []string{tables, views} {
			if _, err := tx.ExecContext(ctx, tx.dialect.sql(statements)); err != nil {
				return fmt.Errorf("make tables: %w", err)
			}
		}
		return tx.exec(ctx, `INSERT INTO {}schema_version (version) VALUES ($1)`, Version)
	})
	e.ready = err == nil
	return err
}

// ensureFile makes the file unless it is there. Another one at its path is opened: the old
// one has no name any more, and what is written into it is lost.
func (e *Engine) ensureFile() (replaced bool, err error) {
	if e.file == nil {
		return false, nil
	}
	if replaced, err = e.file.ensure(); err != nil {
		return false, e.dialect.explain(err)
	}
	if replaced {
		e.db.SetMaxIdleConns(0) // closes the connection to the old one
		e.db.SetMaxIdleConns(1)
	}
	return replaced, nil
}

// checkVersion refuses tables that a newer version has made: what it keeps in them is not
// known here.
func (tx *transaction) checkVersion(ctx context.Context) error {
	var found int
	ok, err := tx.row(ctx, `SELECT version FROM {}schema_version`, nil, &found)
	switch {
	case err != nil:
		return err
	case !ok:
		return sdk.Misconfigured(errors.New("the catalogue has tables and no version: restore it, or drop it to begin anew"))
	case found > Version:
		return sdk.Misconfigured(fmt.Errorf("the catalogue has version %d, made by a newer plugin, and this one knows version %d: install the newer plugin, or use another schema or file",
			found, Version))
	default:
		return nil
	}
}

// Check says in one sentence what there is: the database, the rights, the version and what
// is in the catalogue. It makes a file that is missing, to prove that it may, and writes
// nothing into it.
func (e *Engine) Check(ctx context.Context) (string, error) {
	e.mu.Lock()
	_, err := e.ensureFile()
	e.mu.Unlock()
	if err != nil {
		return "", err
	}
	var said string
	err = e.write(ctx, func(tx *transaction) error {
		about, err := tx.dialect.describe(ctx, tx.Tx)
		if err != nil {
			return err
		}
		version, err := tx.dialect.version(ctx, tx.Tx)
		if err != nil {
			return err
		}
		if version == 0 {
			said = about + "; the tables are made with the first delivery"
			return nil
		}
		if err := tx.checkVersion(ctx); err != nil {
			return err
		}
		var sources, titles, parts, files, last int64
		if _, err := tx.row(ctx, `SELECT (SELECT count(*) FROM {}sources), (SELECT count(*) FROM {}titles WHERE removed_at IS NULL),
  (SELECT count(*) FROM {}parts WHERE removed_at IS NULL), (SELECT count(*) FROM {}files WHERE removed_at IS NULL),
  (SELECT coalesce(max(seq), 0) FROM {}changes)`, nil, &sources, &titles, &parts, &files, &last); err != nil {
			return err
		}
		said = fmt.Sprintf("%s, version %d; sources: %d, titles: %d, episodes, albums and tracks: %d, files: %d, last change: %d",
			about, version, sources, titles, parts, files, last)
		return nil
	})
	return said, err
}
