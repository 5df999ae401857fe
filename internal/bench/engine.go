package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver
	_ "modernc.org/sqlite"             // the driver

	"github.com/hookarr/hookarr/internal/testpg"
)

// The engines.
const (
	sqlite   = "sqlite"
	postgres = "postgres"
	// noDatabase is for what is measured without a server.
	noDatabase = "none"
)

// engine makes empty databases.
type engine struct {
	name    string
	version string
	// postmaster is the process of a Postgres server on this machine, else 0.
	postmaster int
	// create returns the URL of an empty database, as Hookarr takes it.
	create func(context.Context) (string, error)
	// close removes the databases.
	close func() error
}

func openEngine(ctx context.Context, name, dir string) (*engine, error) {
	switch name {
	case sqlite:
		return openSQLite(ctx, dir)
	case postgres:
		return openPostgres(ctx)
	case noDatabase:
		return &engine{name: name, version: "no database", close: func() error { return nil }}, nil
	default:
		return nil, errors.New("is neither sqlite nor postgres")
	}
}

func openSQLite(ctx context.Context, dir string) (*engine, error) {
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		return nil, err
	}
	defer func() { _ = db.Close() }()
	var version string
	if err := db.QueryRowContext(ctx, "SELECT sqlite_version()").Scan(&version); err != nil {
		return nil, fmt.Errorf("ask SQLite's version: %w", err)
	}
	var made []string
	return &engine{
		name:    sqlite,
		version: "SQLite " + version,
		create: func(context.Context) (string, error) {
			own, err := os.MkdirTemp(dir, "sqlite-")
			made = append(made, own)
			return sqliteScheme + filepath.Join(own, "hookarr.db"), err
		},
		close: func() error {
			var errs []error
			for _, own := range made {
				errs = append(errs, os.RemoveAll(own))
			}
			return errors.Join(errs...)
		},
	}, nil
}

// openPostgres uses the server of TEST_DATABASE_URL, or one of its own.
func openPostgres(ctx context.Context) (e *engine, err error) {
	stop := func() error { return nil }
	server := os.Getenv("TEST_DATABASE_URL")
	if server == "" {
		own, err := testpg.Start(true) //nolint:contextcheck // it bounds its own start
		if err != nil {
			return nil, err
		}
		server, stop = own.URL(), own.Stop
	}
	db, err := sql.Open("pgx", server)
	if err != nil {
		return nil, errors.Join(err, stop())
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, db.Close(), stop())
		}
	}()
	db.SetMaxIdleConns(0) // an idle backend has nothing to do with the server that is measured

	e = &engine{name: postgres}
	var version, fsync, commit string
	var backend int
	err = db.QueryRowContext(ctx, `SELECT split_part(current_setting('server_version'), ' ', 1),
		current_setting('fsync'), current_setting('synchronous_commit'), pg_backend_pid()`).Scan(&version, &fsync, &commit, &backend)
	if err != nil {
		return nil, fmt.Errorf("ask Postgres's settings: %w", err)
	}
	e.version = fmt.Sprintf("PostgreSQL %s, fsync %s, synchronous_commit %s", version, fsync, commit)
	// A backend of another machine's server is no child of a postgres here.
	if pid := parent(backend); strings.HasPrefix(program(pid), "postgres") {
		e.postmaster = pid
	}

	var made []string
	e.create = func(ctx context.Context) (string, error) {
		name := "hookarr_bench_" + strings.ToLower(rand.Text()[:8])
		if _, err := db.ExecContext(ctx, "CREATE DATABASE "+name); err != nil {
			return "", fmt.Errorf("create database: %w", err)
		}
		made = append(made, name)
		return withDatabase(server, name)
	}
	e.close = func() error {
		var errs []error
		for _, name := range made {
			_, err := db.ExecContext(context.WithoutCancel(ctx), "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")
			errs = append(errs, err)
		}
		return errors.Join(append(errs, db.Close(), stop())...)
	}
	return e, nil
}

func withDatabase(server, name string) (string, error) {
	u, err := url.Parse(server)
	if err != nil {
		return "", errors.New("TEST_DATABASE_URL is not a URL")
	}
	u.Path = "/" + name
	return u.String(), nil
}

// sqliteScheme begins Hookarr's URLs of files.
const sqliteScheme = "sqlite://"

// openSQL opens a database beside the server that uses it.
func openSQL(ctx context.Context, databaseURL string) (*sql.DB, error) {
	driver, source := "pgx", databaseURL
	file, isFile := strings.CutPrefix(databaseURL, sqliteScheme)
	if isFile {
		driver, source = "sqlite", sqliteSource(file)
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		return nil, err
	}
	if isFile {
		db.SetMaxOpenConns(1) // SQLite has one writer
	}
	return db, db.PingContext(ctx)
}

// sqliteSource opens a file as Hookarr does: durably.
func sqliteSource(file string) string {
	return "file:" + file + "?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate"
}
