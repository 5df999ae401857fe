package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	"golang.org/x/sync/errgroup"
)

// Cooldowns of a queue are Hookarr's.
const (
	sqliteCooldown   = 5 * time.Millisecond
	postgresCooldown = time.Millisecond
)

// openRiver makes River's tables and a client with one queue.
func openRiver[Tx any](ctx context.Context, driver riverdriver.Driver[Tx], workers *river.Workers, queue river.QueueConfig) (*river.Client[Tx], error) {
	quiet := slog.New(slog.DiscardHandler)
	migrator, err := rivermigrate.New(driver, &rivermigrate.Config{Logger: quiet})
	if err != nil {
		return nil, err
	}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return nil, fmt.Errorf("migrate River: %w", err)
	}
	client, err := river.NewClient(driver, &river.Config{
		Logger: quiet, Workers: workers, Queues: map[string]river.QueueConfig{river.QueueDefault: queue},
	})
	if err != nil {
		return nil, fmt.Errorf("make River's client: %w", err)
	}
	return client, nil
}

// openWriter opens the one connection that writes to a file.
func openWriter(file string) (*sql.DB, error) {
	db, err := sql.Open("sqlite", sqliteSource(file))
	if err == nil {
		db.SetMaxOpenConns(1)
	}
	return db, err
}

// riverLoad is what River does alone: each job is inserted in a transaction of its
// own and does nothing.
type riverLoad struct{ jobs, senders, workers int }

type nothingArgs struct {
	N int `json:"n"`
}

func (nothingArgs) Kind() string { return "nothing" }

// riverAlone returns the jobs per second on an empty database.
func riverAlone(ctx context.Context, databaseURL string, l riverLoad) (rate float64, err error) {
	file, isFile := strings.CutPrefix(databaseURL, sqliteScheme)
	if !isFile {
		pool, err := pgxpool.New(ctx, databaseURL)
		if err != nil {
			return 0, err
		}
		defer pool.Close()
		return insertAndWork(ctx, riverpgxv5.New(pool), postgresCooldown, l, func(do func(pgx.Tx) error) error {
			return pgx.BeginFunc(ctx, pool, do)
		})
	}
	db, err := openWriter(file)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return insertAndWork(ctx, riversqlite.New(db), sqliteCooldown, l, func(do func(*sql.Tx) error) error {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		if err := do(tx); err != nil {
			return errors.Join(err, tx.Rollback())
		}
		return tx.Commit()
	})
}

// insertAndWork returns the jobs per second from the first insert until the last job
// has been worked.
func insertAndWork[Tx any](
	ctx context.Context, driver riverdriver.Driver[Tx], cooldown time.Duration, l riverLoad, inTx func(func(Tx) error) error,
) (rate float64, err error) {
	var worked atomic.Int64
	done := make(chan struct{})
	workers := river.NewWorkers()
	river.AddWorker(workers, river.WorkFunc(func(context.Context, *river.Job[nothingArgs]) error {
		if worked.Add(1) == int64(l.jobs) {
			close(done)
		}
		return nil
	}))
	client, err := openRiver(ctx, driver, workers, river.QueueConfig{MaxWorkers: l.workers, FetchCooldown: cooldown})
	if err != nil {
		return 0, err
	}
	if err := client.Start(ctx); err != nil {
		return 0, fmt.Errorf("start River: %w", err)
	}
	defer func() {
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
		defer cancel()
		err = errors.Join(err, client.Stop(stop))
	}()

	start := time.Now()
	var group errgroup.Group
	group.SetLimit(l.senders)
	for n := range l.jobs {
		group.Go(func() error {
			return inTx(func(tx Tx) error {
				_, err := client.InsertTx(ctx, tx, nothingArgs{N: n}, nil)
				return err
			})
		})
	}
	if err := group.Wait(); err != nil {
		return 0, fmt.Errorf("insert into River: %w", err)
	}
	select {
	case <-done:
		return float64(l.jobs) / time.Since(start).Seconds(), nil
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
}
