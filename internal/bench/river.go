package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
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

// riverLoad is what River does alone: each job is inserted in a transaction of its
// own and does nothing.
type riverLoad struct{ jobs, senders, workers int }

type nothingArgs struct {
	N int `json:"n"`
}

func (nothingArgs) Kind() string { return "nothing" }

func riverOnPostgres(ctx context.Context, url string, l riverLoad) (float64, error) {
	pool, err := pgxpool.New(ctx, url)
	if err != nil {
		return 0, err
	}
	defer pool.Close()
	return insertAndWork(ctx, riverpgxv5.New(pool), time.Millisecond, l, func(do func(pgx.Tx) error) error {
		return pgx.BeginFunc(ctx, pool, do)
	})
}

func riverOnSQLite(ctx context.Context, file string, l riverLoad) (rate float64, err error) {
	db, err := sql.Open("sqlite", "file:"+file+"?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1) // SQLite has one writer
	return insertAndWork(ctx, riversqlite.New(db), 5*time.Millisecond, l, func(do func(*sql.Tx) error) error {
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
	migrator, err := rivermigrate.New(driver, &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return 0, err
	}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return 0, fmt.Errorf("migrate River: %w", err)
	}
	var worked atomic.Int64
	done := make(chan struct{})
	workers := river.NewWorkers()
	river.AddWorker(workers, river.WorkFunc(func(context.Context, *river.Job[nothingArgs]) error {
		if worked.Add(1) == int64(l.jobs) {
			close(done)
		}
		return nil
	}))
	client, err := river.NewClient(driver, &river.Config{
		Logger: slog.New(slog.DiscardHandler), Workers: workers,
		Queues: map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: l.workers, FetchCooldown: cooldown}},
	})
	if err != nil {
		return 0, fmt.Errorf("make River's client: %w", err)
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
