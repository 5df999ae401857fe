package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/core/store/rows"
)

// moveLock is the advisory lock of a move, which who joins shares for a moment: that of
// migrations, plus one.
const moveLock = migrateLock + 1

const (
	// lockWait is how long a move waits for those who join, and lockPoll the time between
	// looks.
	lockWait = 5 * time.Second
	lockPoll = 100 * time.Millisecond
	// tablesWait is how long who changes whole tables waits for those who use them: a move
	// that reads them and a server that starts would wait for each other.
	tablesWait = "10s"
)

// FindState reads the state of the database.
func (e *Engine) FindState(ctx context.Context) (store.State, error) { return findState(ctx, e.pool) }

func findState(ctx context.Context, db querier) (s store.State, err error) {
	found, err := db.Query(ctx, `SELECT id, state, move, since, peer, progress FROM database_state`)
	all, err := collect(found, err, func(row pgx.Rows) (s store.State, err error) {
		var move pgtype.UUID
		var since *time.Time
		if err = row.Scan((*[16]byte)(&s.ID), (*string)(&s.Move), &move, &since, &s.Peer, &s.Progress); err != nil {
			return s, err
		}
		if s.MoveID = toUUID(move); since != nil {
			s.Since = since.UTC()
		}
		return s, nil
	})
	if pgErr, ok := errors.AsType[*pgconn.PgError](err); ok && pgErr.Code == undefinedTable {
		return store.State{}, nil
	}
	if err != nil || len(all) == 0 {
		return store.State{}, oneLine(err)
	}
	return all[0], nil
}

// SaveState changes the state, if it is as it was, and with it whether the tables can be
// changed.
func (e *Engine) SaveState(ctx context.Context, was, s store.State, tables []string) error {
	return e.inTablesTx(ctx, func(t pgx.Tx) error { return saveState(ctx, t, was, s, tables) })
}

// inTablesTx runs do, which changes whole tables, in a transaction. It does not wait for ever
// for those who use them.
func (e *Engine) inTablesTx(ctx context.Context, do func(t pgx.Tx) error) error {
	return nameUser(ctx, e.pool, e.inTx(ctx, func(t pgx.Tx) error { return boundWait(ctx, t, do) }))
}

func boundWait(ctx context.Context, t pgx.Tx, do func(t pgx.Tx) error) error {
	if _, err := t.Exec(ctx, "SET LOCAL lock_timeout = '"+tablesWait+"'"); err != nil {
		return err
	}
	return do(t)
}

// lockNotAvailable is the server's code for a lock that was not waited for any longer.
const lockNotAvailable = "55P03"

// userSQL is whose transaction has used our tables for the longest time.
const userSQL = `
SELECT format('process %s (%s, %s, since %s UTC)', a.pid, coalesce(nullif(a.application_name, ''), 'a program without a name'),
	coalesce('from ' || host(a.client_addr), 'on its own machine'), to_char(a.xact_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'))
FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid JOIN pg_class c ON c.oid = l.relation
WHERE l.granted AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
	AND c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND a.pid <> pg_backend_pid()
ORDER BY a.xact_start LIMIT 1`

// nameUser says of an error that is a wait which was ended who was waited for.
func nameUser(ctx context.Context, db querier, err error) error {
	if failed, ok := errors.AsType[*pgconn.PgError](err); !ok || failed.Code != lockNotAvailable {
		return err
	}
	found, asked := db.Query(ctx, userSQL)
	users, asked := collect(found, asked, scanText)
	if asked != nil || len(users) == 0 {
		return err // it has ended
	}
	return &store.MoveError{UnderWay: true, By: users[0]}
}

func saveState(ctx context.Context, t pgx.Tx, was, s store.State, tables []string) error {
	var since *time.Time
	if !s.Since.IsZero() {
		since = &s.Since
	}
	id := func(id uuid.UUID) pgtype.UUID { return pgtype.UUID{Bytes: id, Valid: id != uuid.Nil} }
	r, err := t.Exec(ctx, `
UPDATE database_state SET state = $1, move = $2, since = $3, peer = $4, progress = $5 WHERE state = $6 AND move IS NOT DISTINCT FROM $7`,
		string(s.Move), id(s.MoveID), since, s.Peer, s.Progress, string(was.Move), id(was.MoveID))
	if err != nil {
		return err
	}
	if r.RowsAffected() == 0 {
		return store.ErrStateChanged
	}
	if s.Move == store.MoveStateMoving || s.Move == store.MoveStateMoved {
		return refuseChanges(ctx, t, tables)
	}
	return allowChanges(ctx, t)
}

const (
	// refusalSQL makes what refuses a change. Its code is that of a transaction that may only
	// read: Outage.
	refusalSQL = `
CREATE OR REPLACE FUNCTION hookarr_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'the database is moved: see hookarr move' USING ERRCODE = 'read_only_sql_transaction';
END $$`
	triggersSQL = `
SELECT c.relname::text FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid
WHERE g.tgname = 'hookarr_moved' AND c.relnamespace = current_schema()::regnamespace`
)

// refuseChanges has every change of tables refused. It waits for transactions that change them.
func refuseChanges(ctx context.Context, t pgx.Tx, tables []string) error {
	if _, err := t.Exec(ctx, refusalSQL); err != nil {
		return err
	}
	for _, name := range tables {
		if _, err := t.Exec(ctx, "CREATE OR REPLACE TRIGGER hookarr_moved BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON "+rows.Quote(name)+
			" FOR EACH STATEMENT EXECUTE FUNCTION hookarr_moved()"); err != nil {
			return fmt.Errorf("guard table %s: %w", name, err)
		}
	}
	return nil
}

// allowChanges is the end of refuseChanges.
func allowChanges(ctx context.Context, t pgx.Tx) error {
	found, err := t.Query(ctx, triggersSQL)
	guarded, err := collect(found, err, scanText)
	if err != nil || len(guarded) == 0 {
		return err
	}
	for _, name := range guarded {
		if _, err := t.Exec(ctx, "DROP TRIGGER hookarr_moved ON "+rows.Quote(name)); err != nil {
			return fmt.Errorf("release table %s: %w", name, err)
		}
	}
	_, err = t.Exec(ctx, `DROP FUNCTION hookarr_moved()`)
	return err
}

// prepareChange has the writer of rows refused, or gives up the move that has not ended. Until
// the transaction ends no move begins.
func (e *Engine) prepareChange(ctx context.Context, t pgx.Tx) error {
	alone := e.excluding.Load()
	if !alone {
		if err := t.QueryRow(ctx, `SELECT pg_try_advisory_xact_lock_shared($1)`, moveLock).Scan(&alone); err != nil {
			return err
		}
	}
	if !alone {
		return &store.MoveError{UnderWay: true}
	}
	return giveUpMove(ctx, t)
}

func giveUpMove(ctx context.Context, t pgx.Tx) error {
	s, err := findState(ctx, t)
	if err != nil {
		return err
	}
	givesUp, err := s.MayChange()
	if err != nil || !givesUp {
		return err
	}
	was := s
	s.Move, s.Progress = store.MoveStateNone, ""
	return saveState(ctx, t, was, s, nil)
}

// lastBeats returns when the nodes have beaten whose lease has not ended.
func lastBeats(ctx context.Context, db querier, lease time.Duration) (map[string]time.Time, error) {
	found, err := db.Query(ctx, `
SELECT name, beat_at FROM nodes WHERE beat_at >= now() - $1::bigint * interval '1 microsecond'`, lease.Microseconds())
	beats := map[string]time.Time{}
	var name string
	var beat time.Time
	if err == nil {
		_, err = pgx.ForEachRow(found, []any{&name, &beat}, func() error {
			beats[name] = beat
			return nil
		})
	}
	if failed, ok := errors.AsType[*pgconn.PgError](err); ok && failed.Code == undefinedTable {
		return beats, nil // of an empty database
	}
	if err != nil {
		return nil, fmt.Errorf("look for nodes: %w", oneLine(err))
	}
	return beats, nil
}

// Exclude takes the lock of moves, then looks for nodes that live.
func (e *Engine) Exclude(ctx context.Context, lease time.Duration, tell func(string)) (release func(context.Context) error, err error) {
	conn, err := e.pool.Acquire(ctx)
	if err != nil {
		return nil, oneLine(err)
	}
	unlock := func(ctx context.Context) error {
		if conn == nil {
			return nil
		}
		e.excluding.Store(false)
		// Not by the end of the connection alone, which the server notes later.
		_, err := conn.Exec(ctx, `SELECT pg_advisory_unlock($1)`, moveLock)
		closing := conn.Hijack()
		conn = nil
		if closing.IsClosed() {
			return nil // the server has ended the session, and the lock with it
		}
		return errors.Join(err, closing.Close(ctx))
	}
	err = lockMoves(ctx, conn.Conn())
	if err == nil {
		e.excluding.Store(true)
		err = awaitNoNodes(ctx, conn.Conn(), lease, tell)
	}
	if err != nil {
		return nil, errors.Join(oneLine(err), unlock(context.WithoutCancel(ctx)))
	}
	return unlock, nil
}

// lockMoves takes the lock of moves for a session.
func lockMoves(ctx context.Context, conn *pgx.Conn) error {
	// The session holds the lock, and does nothing else for as long as the move takes.
	if _, err := conn.Exec(ctx, `SELECT set_config(name, '0', false) FROM pg_settings WHERE name = 'idle_session_timeout'`); err != nil {
		return err
	}
	for begun := time.Now(); ; {
		var alone bool
		if err := conn.QueryRow(ctx, `SELECT pg_try_advisory_lock($1)`, moveLock).Scan(&alone); err != nil || alone {
			return err
		}
		if time.Since(begun) > lockWait {
			return &store.MoveError{UnderWay: true}
		}
		if err := sleep(ctx, lockPoll); err != nil {
			return err
		}
	}
}

// awaitNoNodes waits until the lease of every node has ended. None can join meanwhile: one that
// beats lives.
func awaitNoNodes(ctx context.Context, conn *pgx.Conn, lease time.Duration, tell func(string)) error {
	first, err := lastBeats(ctx, conn, lease)
	if err != nil {
		return err
	}
	for name := range first {
		tell("node " + name + " ran a moment ago: looking whether it still does")
	}
	for {
		beats, err := lastBeats(ctx, conn, lease)
		if err != nil || len(beats) == 0 {
			return err
		}
		live := &store.NodesError{}
		for name, beat := range beats {
			if beat.After(first[name]) {
				live.Nodes = append(live.Nodes, name)
			}
		}
		if len(live.Nodes) > 0 {
			slices.Sort(live.Nodes)
			return live
		}
		if err := sleep(ctx, lockPoll); err != nil {
			return err
		}
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
