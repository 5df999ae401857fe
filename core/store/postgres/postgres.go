// Package postgres keeps Hookarr's rows and River's jobs in Postgres. Several nodes
// may share one database.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"github.com/hookarr/hookarr/core/store"
)

const connectTimeout = 5 * time.Second

// Engine is a store.Engine in Postgres.
type Engine struct {
	pool *pgxpool.Pool
	// beats is for the heartbeat alone, which must not wait for a connection.
	beats *pgxpool.Pool
	// moves is for River's own changes to its jobs. They are not waited for until they
	// are on disk: the end of a job that is lost makes it run again, which meets the
	// settled row. A fetch that is lost gives the job to whoever asks first, while its
	// attempt may be under way: this process knows what it has in hand, others do not.
	moves *pgxpool.Pool
	// alone is set while there is no other node, as far as the last beat has told.
	alone atomic.Bool
	// excluding is set while this process has the lock of moves.
	excluding atomic.Bool

	log      *slog.Logger
	schema   store.Schema
	notifier store.Notifier
	// jobs inserts jobs, missing those that are not live; they work none.
	jobs, missing *river.Client[pgx.Tx]
}

var (
	_ store.Engine = (*Engine)(nil)
	_ store.Tx     = (*tx)(nil)
)

// Open prepares a store for the database that url names. The server need not be up:
// every method connects when it must.
func Open(ctx context.Context, url string, log *slog.Logger) (*store.Store, error) {
	config, err := configure(url)
	if err != nil {
		return nil, err
	}
	e, err := openEngine(ctx, config, log)
	if err != nil {
		return nil, err
	}
	return store.New(e), nil
}

// configure returns what connections are opened with.
func configure(url string) (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		// The driver's message repeats parts of the URL, which holds a password.
		return nil, errors.New("database.url: not a Postgres URL: want postgres://USER:PASSWORD@HOST:PORT/DATABASE?OPTIONS")
	}
	if !strings.Contains(url, "pool_max_conns") {
		config.MaxConns = int32(max(16, 4*runtime.NumCPU()))
	}
	if config.ConnConfig.ConnectTimeout == 0 {
		config.ConnConfig.ConnectTimeout = connectTimeout
	}
	params := map[string]string{
		"application_name": "hookarr",
		// Plans made while the tables were empty are kept while they grow, and every
		// query here has its index. Bitmaps of what matches are made as a whole, before a
		// LIMIT ends the reading.
		"enable_seqscan":    "off",
		"enable_bitmapscan": "off",
		"jit":               "off",
	}
	maps.Copy(params, config.ConnConfig.RuntimeParams)
	config.ConnConfig.RuntimeParams = params
	return config, nil
}

func openEngine(ctx context.Context, config *pgxpool.Config, log *slog.Logger) (*Engine, error) {
	schema, err := wantedSchema()
	if err != nil {
		return nil, err
	}
	e := &Engine{log: log, schema: schema}
	if err := e.connect(ctx, config); err != nil {
		e.closePools()
		return nil, err
	}
	return e, nil
}

func (e *Engine) connect(ctx context.Context, config *pgxpool.Config) (err error) {
	if e.pool, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return fmt.Errorf("open connection pool: %w", err)
	}
	beats := config.Copy()
	beats.MaxConns, beats.MinConns = 1, 0
	if e.beats, err = pgxpool.NewWithConfig(ctx, beats); err != nil {
		return fmt.Errorf("open connection pool: %w", err)
	}
	moves := config.Copy()
	moves.ConnConfig.RuntimeParams["synchronous_commit"] = "off"
	if e.moves, err = pgxpool.NewWithConfig(ctx, moves); err != nil {
		return fmt.Errorf("open connection pool: %w", err)
	}
	// The cooldown is how long after telling the workers of new jobs River says
	// nothing: those inserted meanwhile would wait for the next poll.
	jobs := riverpgxv5.New(e.pool)
	options := river.Config{FetchCooldown: river.FetchCooldownMin, Logger: e.log}
	if e.jobs, err = river.NewClient(jobs, &options); err != nil {
		return fmt.Errorf("prepare queue: %w", err)
	}
	if e.missing, err = river.NewClient(missingDriver{jobs}, &options); err != nil {
		return fmt.Errorf("prepare queue: %w", err)
	}
	return nil
}

// OpenQueue builds the River client that works jobs.
func (e *Engine) OpenQueue(config *river.Config) (store.Queue, error) {
	config.ReindexerIndexNames = slices.DeleteFunc(river.ReindexerIndexNamesDefault(), func(name string) bool {
		return slices.Contains(needlessIndexes, name)
	})
	durable := riverpgxv5.New(e.pool).GetExecutor()
	return river.NewClient(&store.QueueDriver[pgx.Tx]{
		Driver: riverpgxv5.New(e.moves), Notifier: &e.notifier, Delete: deleteJobs,
		Fetch: func(rivers riverdriver.Executor) riverdriver.Executor {
			if e.alone.Load() {
				return rivers
			}
			return durable
		},
	}, config)
}

const deleteJobsSQL = `DELETE FROM river_job WHERE id = ANY($1) AND state = 'running'`

func deleteJobs(ctx context.Context, exec riverdriver.Executor, ids []int64) error {
	return exec.Exec(ctx, deleteJobsSQL, ids)
}

// Wake has the workers of a queue look for jobs after a while.
func (e *Engine) Wake(queue string, after time.Duration) { e.notifier.NotifyInsertAfter(queue, after) }

// TellPaused tells the workers of a queue that it is paused or resumed.
func (e *Engine) TellPaused(queue string, paused bool) { e.notifier.NotifyPaused(queue, paused) }

// Close closes every connection.
func (e *Engine) Close() error {
	e.notifier.Stop()
	e.closePools()
	return nil
}

func (e *Engine) closePools() {
	for _, pool := range []*pgxpool.Pool{e.pool, e.beats, e.moves} {
		if pool != nil {
			pool.Close()
		}
	}
}

// mostTries bounds how often a transaction is run that the server ends.
const mostTries = 5

// Write runs do in a transaction, and again when the server has chosen it to end a circle of
// transactions that wait for each other: River locks jobs in orders of its own, and a sender
// is not to hear of it.
func (e *Engine) Write(ctx context.Context, do func(ctx context.Context, tx store.Tx) error) error {
	for n := 1; ; n++ {
		err := e.inTx(ctx, func(t pgx.Tx) error { return do(ctx, &tx{Tx: t, jobs: e.jobs, missing: e.missing}) })
		if failed, ok := errors.AsType[*pgconn.PgError](err); !ok || failed.Code != deadlockDetected || n == mostTries {
			return err
		}
	}
}

// deadlockDetected is the server's code for it.
const deadlockDetected = "40P01"

func (e *Engine) inTx(ctx context.Context, do func(t pgx.Tx) error) error {
	return oneLine(pgx.BeginFunc(ctx, e.pool, do))
}

// Reserve does nothing: nodes share a server.
func (*Engine) Reserve() error { return nil }

// Guard does nothing: a server keeps what it has committed.
func (*Engine) Guard(context.Context) error { return nil }

// connectError is the driver's in one line. The driver's own has a line for every
// address that it tried, and repeats parts of the URL.
type connectError struct{ error }

func (e connectError) Unwrap() error { return e.error }

// Error says what kept from connecting, and where to mend it.
func (e connectError) Error() string {
	tries := strings.Split(errors.Unwrap(e.error).Error(), "\n")
	for i, try := range tries {
		tries[i] = strings.TrimSpace(try)
	}
	slices.Sort(tries) // an address is tried with and without TLS
	return "connect to the database: " + strings.Join(slices.Compact(tries), "; ") + " (see database.url)"
}

// oneLine returns a failure to connect in one line, and every other error as it is.
func oneLine(err error) error {
	if failed, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return connectError{failed}
	}
	return err
}

// Outage reports whether err is the server's or the network's, and not that of the
// rows at hand. See https://www.postgresql.org/docs/current/errcodes-appendix.html.
func (*Engine) Outage(err error) bool {
	var pgErr *pgconn.PgError
	if !errors.As(err, &pgErr) {
		return true
	}
	switch pgErr.Code[:2] {
	case "08", // connection
		"53", // insufficient resources: disk, memory, connections
		"57", // operator intervention: shutdown, crash, starting up
		"58", // system error
		"25", // read-only
		"42": // not migrated
		return true
	default:
		return false
	}
}

// uuids is a list of ids as pgx writes it without reflection.
func uuids(ids []uuid.UUID) pgtype.FlatArray[pgtype.UUID] {
	out := make(pgtype.FlatArray[pgtype.UUID], len(ids))
	for i, id := range ids {
		out[i] = pgtype.UUID{Bytes: id, Valid: true}
	}
	return out
}

// toUUID is the id of a nullable column, or uuid.Nil.
func toUUID(id pgtype.UUID) uuid.UUID {
	if !id.Valid {
		return uuid.Nil
	}
	return id.Bytes
}
