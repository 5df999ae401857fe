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

	"github.com/jackc/pgx/v5"
	_ "modernc.org/sqlite" // the driver

	"github.com/hookarr/hookarr/internal/testpg"
)

// database is an empty database for a server and a way to run River alone beside it.
type database struct {
	name string
	// url is Hookarr's.
	url     string
	version string
	// postmaster is the process of a Postgres server on this machine, else 0.
	postmaster int
	bareRiver  func(context.Context, riverLoad) (float64, error)
	close      func() error
}

func openDatabase(ctx context.Context, name, dir string) (*database, error) {
	switch name {
	case "sqlite":
		return openSQLite(ctx, dir)
	case "postgres":
		return openPostgres(ctx)
	default:
		return nil, errors.New("is neither sqlite nor postgres")
	}
}

func openSQLite(ctx context.Context, dir string) (*database, error) {
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		return nil, err
	}
	defer func() { _ = db.Close() }()
	var version string
	if err := db.QueryRowContext(ctx, "SELECT sqlite_version()").Scan(&version); err != nil {
		return nil, fmt.Errorf("ask SQLite's version: %w", err)
	}
	return &database{
		name:    "sqlite",
		url:     "sqlite://" + filepath.Join(dir, "hookarr.db"),
		version: "SQLite " + version,
		bareRiver: func(ctx context.Context, l riverLoad) (float64, error) {
			return riverOnSQLite(ctx, filepath.Join(dir, "river.db"), l)
		},
		close: func() error { return nil }, // the files go with dir
	}, nil
}

// openPostgres makes two databases on the server of TEST_DATABASE_URL, or on one of
// its own.
func openPostgres(ctx context.Context) (db *database, err error) {
	stop := func() error { return nil }
	server := os.Getenv("TEST_DATABASE_URL")
	if server == "" {
		own, err := testpg.Start(true) //nolint:contextcheck // it bounds its own start
		if err != nil {
			return nil, err
		}
		server, stop = own.URL(), own.Stop
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, stop())
		}
	}()
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		return nil, fmt.Errorf("connect to Postgres: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()

	db = &database{name: "postgres"}
	var version, fsync, commit string
	var backend int
	err = conn.QueryRow(ctx, `SELECT split_part(current_setting('server_version'), ' ', 1),
		current_setting('fsync'), current_setting('synchronous_commit'), pg_backend_pid()`).Scan(&version, &fsync, &commit, &backend)
	if err != nil {
		return nil, fmt.Errorf("ask Postgres's settings: %w", err)
	}
	db.version = fmt.Sprintf("PostgreSQL %s, fsync %s, synchronous_commit %s", version, fsync, commit)
	// A backend of another machine's server is no child of a postgres here.
	if pid := parent(backend); strings.HasPrefix(executable(pid), "postgres") {
		db.postmaster = pid
	}

	suffix := strings.ToLower(rand.Text()[:8])
	names := []string{"hookarr_bench_" + suffix, "river_bench_" + suffix}
	for _, name := range names {
		if _, err := conn.Exec(ctx, "CREATE DATABASE "+name); err != nil {
			return nil, fmt.Errorf("create database: %w", err)
		}
	}
	if db.url, err = withDatabase(server, names[0]); err != nil {
		return nil, err
	}
	riverURL, err := withDatabase(server, names[1])
	if err != nil {
		return nil, err
	}
	db.bareRiver = func(ctx context.Context, l riverLoad) (float64, error) { return riverOnPostgres(ctx, riverURL, l) }
	db.close = func() error { return errors.Join(dropDatabases(context.WithoutCancel(ctx), server, names), stop()) }
	return db, nil
}

func dropDatabases(ctx context.Context, server string, names []string) error {
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		return fmt.Errorf("connect to drop databases: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	var errs []error
	for _, name := range names {
		_, err := conn.Exec(ctx, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func withDatabase(server, name string) (string, error) {
	u, err := url.Parse(server)
	if err != nil {
		return "", errors.New("TEST_DATABASE_URL is not a URL")
	}
	u.Path = "/" + name
	return u.String(), nil
}
