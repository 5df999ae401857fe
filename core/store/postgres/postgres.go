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
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"github.com/hookarr/hookarr/core/store"
)

const (
	connectTimeout = 5 * time.Second
	// batchTimeout bounds one transaction of a batch, for servers that fall silent.
	batchTimeout = 15 * time.Second
	// outagePause is the time between tries while the server is away.
	outagePause = 100 * time.Millisecond
)

// Store is a store.Store in Postgres.
type Store struct {
	pool   *pgxpool.Pool
	log    *slog.Logger
	schema store.Schema
	// jobs inserts jobs; it works none.
	jobs    *river.Client[pgx.Tx]
	accepts store.Batcher[*store.Acceptance, store.Accepted]
	settles store.Batcher[*store.Settlement, struct{}]
	works   store.Batcher[uuid.UUID, *store.Work]
}

var _ store.Store = (*Store)(nil)

// Open prepares a store for the database that url names. The server need not be up:
// every method connects when it must.
func Open(ctx context.Context, url string, log *slog.Logger) (*Store, error) {
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
		// query here has its index.
		"enable_seqscan": "off",
		"jit":            "off",
	}
	maps.Copy(params, config.ConnConfig.RuntimeParams)
	config.ConnConfig.RuntimeParams = params
	schema, err := wantedSchema()
	if err != nil {
		return nil, err
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("open connection pool: %w", err)
	}
	s := &Store{pool: pool, log: log, schema: schema}
	// The cooldown is how long after telling the workers of new jobs River says
	// nothing: those inserted meanwhile would wait for the next poll.
	s.jobs, err = river.NewClient(riverpgxv5.New(pool), &river.Config{FetchCooldown: river.FetchCooldownMin, Logger: log})
	if err != nil {
		pool.Close()
		return nil, fmt.Errorf("prepare queue: %w", err)
	}
	s.accepts.Work, s.accepts.Shared, s.accepts.Timeout = s.acceptBatch, isOutage, batchTimeout
	s.accepts.Size = func(a *store.Acceptance) int { return len(a.Event.Request.Body) + len(a.Event.Normalized) }
	s.settles.Work, s.settles.Shared, s.settles.Timeout = s.settleBatch, isOutage, batchTimeout
	s.works.Work, s.works.Shared, s.works.Timeout = s.loadBatch, isOutage, batchTimeout
	return s, nil
}

// OpenQueue builds the River client that works jobs.
func (s *Store) OpenQueue(config *river.Config) (store.Queue, error) {
	client, err := river.NewClient(riverpgxv5.New(s.pool), config)
	if err != nil {
		return nil, fmt.Errorf("prepare queue: %w", err)
	}
	return client, nil
}

// Close lets batches under way end and closes every connection.
func (s *Store) Close() error {
	s.accepts.Close()
	s.settles.Close()
	s.works.Close()
	s.pool.Close()
	return nil
}

// inTx runs do in a transaction.
func (s *Store) inTx(ctx context.Context, do func(tx pgx.Tx) error) error {
	return oneLine(pgx.BeginFunc(ctx, s.pool, do))
}

// Reserve does nothing: nodes share a server.
func (*Store) Reserve() error { return nil }

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

// isOutage reports whether err is the server's or the network's, and not that of the
// rows at hand. See https://www.postgresql.org/docs/current/errcodes-appendix.html.
func isOutage(err error) bool {
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
