// Package migrations holds Hookarr's schema, by database, as goose migrations.
// River's tables have migrations of their own, in River.
package migrations

import (
	"embed"
	"fmt"
	"io/fs"
	"path"

	"github.com/pressly/goose/v3"
)

// Table is where goose keeps what was applied.
const Table = "hookarr_migrations"

//go:embed postgres/*.sql sqlite/*.sql
var files embed.FS

// Postgres returns the migrations for Postgres.
func Postgres() (fs.FS, error) { return fs.Sub(files, "postgres") }

// SQLite returns the migrations for SQLite.
func SQLite() (fs.FS, error) { return fs.Sub(files, "sqlite") }

// Latest returns the highest version among the files of fsys.
func Latest(fsys fs.FS) (int64, error) {
	names, err := fs.Glob(fsys, "*.sql")
	if err != nil {
		return 0, fmt.Errorf("list migrations: %w", err)
	}
	var latest int64
	for _, name := range names {
		v, err := goose.NumericComponent(path.Base(name))
		if err != nil {
			return 0, fmt.Errorf("version of migration %s: %w", name, err)
		}
		latest = max(latest, v)
	}
	return latest, nil
}
