package sqlite

import (
	"database/sql"
	"fmt"
	"log/slog"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/hookarr/hookarr/core/store/storetest"
)

// seedSQL makes the database that storetest.Seeded tells of, from its start in
// milliseconds. See there for who is rare and where.
const seedSQL = `
CREATE TEMP TABLE n (i INTEGER PRIMARY KEY, at INTEGER, id TEXT, event BLOB);
INSERT INTO n
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %[2]d)
SELECT i, (%[1]d + i * 5000) * 1000, printf('00%%012x', i), unhex(printf('%%012x7000800%%013x', %[1]d + i * 5000, i)) FROM n;

INSERT INTO events (id, received_at, purge_after, source, type, state, origin, title, summary, fingerprint, correlation_key, reason, method,
	query, header, body, normalized)
SELECT event, at, at, v ->> 0, v ->> 1, v ->> 2, 'webhook', 'A title', '', iif(i %% 100 = 0, 'often', i), '', '', 'POST', '', '{}', '{}', '{}'
FROM (SELECT *, CASE
	WHEN i <= 5 THEN '["lidarr", "health.issue", "routed"]'
	WHEN i <= 8 THEN '["radarr", "file.renamed", "routed"]'
	WHEN i <= 11 THEN '["radarr", "media.imported", "undecodable"]'
	WHEN i <= 14 THEN '["prowlarr", "media.imported", "routed"]'
	WHEN i <= 17 THEN '["sonarr", "media.added", "routed"]'
	WHEN i <= 20 THEN '["sonarr", "media.added", "deferred"]'
	WHEN i <= 23 THEN '["prowlarr", "media.imported", "deferred"]'
	WHEN i <= 26 THEN '["sonarr", "file.renamed", "duplicate"]'
	WHEN i <= 29 THEN '["sonarr", "file.renamed", "undecodable"]'
	WHEN i > %[2]d - 60000 AND i %% 2 = 0 THEN '["prowlarr", "media.imported", "undecodable"]'
	WHEN i > %[2]d - 60000 THEN '["prowlarr", "media.added", "undecodable"]'
	WHEN i %% 20 = 0 THEN '["prowlarr", "file.renamed", "deferred"]'
	WHEN i %% 20 = 1 THEN '["sonarr", "media.imported", "deferred"]'
	WHEN i %% 20 < 13 THEN '["radarr", "media.imported", "routed"]'
	ELSE '["sonarr", "file.renamed", "routed"]' END v FROM n);

INSERT INTO deliveries (id, event_id, target, route, state, created_at, updated_at, due_at)
SELECT unhex(printf('%%012x7000810%%013x', at / 1000, i)), event, v ->> 0, 'all', v ->> 1, at, iif(v ->> 1 = 'pending', at, at + 1000000), at
FROM (SELECT *, CASE
	WHEN i <= 3 THEN '["ops", "dead"]'
	WHEN i <= 6 THEN '["held", "delivered"]'
	WHEN i <= 9 THEN '["ops", "verifying"]'
	WHEN i <= 12 THEN '["chat", "superseded"]'
	WHEN i <= 15 THEN '["ops", "cancelled"]'
	WHEN i <= 18 THEN '["rare", "delivered"]'
	WHEN i <= 21 THEN '["broken", "pending"]'
	WHEN i > %[3]d - 20000 THEN '["ops", "delivered"]'
	WHEN i %% 8 = 0 THEN '["broken", "dead"]'
	WHEN i %% 20 = 1 THEN '["held", "pending"]'
	WHEN i %% 200 = 3 THEN '["chat", "pending"]'
	WHEN i %% 200 = 5 THEN '["chat", "verifying"]'
	WHEN i %% 2 = 0 THEN '["ops", "delivered"]'
	ELSE '["chat", "delivered"]' END v FROM n WHERE i <= %[3]d);

INSERT INTO attempts (delivery_id, started_at, elapsed_us, number, status, counted, class, message, excerpt)
SELECT id, updated_at, 1000, 1, 503, true, 'retryable', '', '' FROM deliveries WHERE state IN ('dead', 'verifying') ORDER BY id;

INSERT INTO repetitions (id, event_id, seen_at, origin)
SELECT unhex(printf('%%012x7000820%%013x', at / 1000, i)), iif(i %% 2 = 0, (SELECT event FROM n WHERE i = 1), event), at, 'webhook'
FROM n WHERE i <= 40000;

INSERT INTO dedup (event_id, source, key, story, seen_at, expires_at)
SELECT event, iif(i %% 10 < 7, 'radarr', 'sonarr'), 'fp:' || i, iif(i %% 5 = 0, 'health ' || i %% 5000, NULL), at,
	(SELECT max(at) FROM n) + iif(i < 25000, -3600, 7 * 86400) * 1000000
FROM n ORDER BY 2, 3;
INSERT INTO dedup (event_id, source, key, seen_at, expires_at)
SELECT event, 'radarr', 'past:' || i, at, (SELECT max(at) FROM n) + 7 * 86400 * 1000000 FROM n WHERE i <= 1000
UNION ALL
SELECT event, 'radarr', 'accounts:' || lower(hex(event)), at, (SELECT max(at) FROM n) + 7 * 86400 * 1000000 FROM n WHERE i <= 1000;

INSERT INTO river_job (state, kind, queue, args, max_attempts, created_at, scheduled_at, attempted_at, attempt, metadata, tags)
SELECT iif(i <= 20, 'running', 'available'), 'deliver', 'target_' || target, jsonb_object('delivery_id', hex(id)), 32767,
	datetime('now', 'subsec'), datetime(due_at / 1000000, 'unixepoch', 'subsec'), datetime('now', 'subsec'), 1, jsonb('{}'), jsonb('[]')
FROM (SELECT *, row_number() OVER (ORDER BY id) i FROM deliveries WHERE state = 'pending');
INSERT INTO river_job (kind, queue, args, max_attempts, created_at, scheduled_at, metadata, tags)
SELECT 'decode', 'decode_' || source, jsonb_object('event_id', hex(id)), 32767, datetime('now', 'subsec'),
	datetime(received_at / 1000000, 'unixepoch', 'subsec'), jsonb('{}'), jsonb('[]') FROM events WHERE state = 'deferred';
INSERT INTO river_queue (name, created_at, updated_at, metadata, paused_at)
SELECT 'target_' || value, datetime('now', 'subsec'), datetime('now', 'subsec'), jsonb('{}'), iif(value = 'held', datetime('now', 'subsec'), NULL)
FROM json_each('["ops", "chat", "held", "broken", "rare"]');
INSERT INTO targets (name, hold, since) VALUES ('held', 'paused', 1), ('ops', '', NULL);
INSERT INTO operator_actions (id, created_at, updated_at, cursor, what, state, who, via, args)
SELECT event, at, at, event, 'retry', iif(i = 7, 'running', 'done'), 'root', 'socket', '{}' FROM n WHERE i <= 20000;
INSERT INTO operator_changes (event_id, action_id, delivery_id)
SELECT iif(i < 5000, (SELECT event FROM n WHERE i = %[2]d - 60001), event), event, event FROM n WHERE i <= 20000;
INSERT INTO deliveries (id, event_id, target, route, state, group_key, members, created_at, updated_at, due_at, closed_at)
SELECT unhex(printf('%%012x7000840%%013x', at / 1000, i)), (SELECT event FROM n e WHERE e.i = 10 * n.i), 'news', 'all',
	iif(i > %[5]d, 'pending', 'delivered'), 'key' || i, 10, at, at, at, iif(i <= %[5]d, at, NULL)
FROM n WHERE i <= %[4]d;
INSERT INTO delivery_events (delivery_id, event_id)
SELECT unhex(printf('%%012x7000840%%013x', g.at / 1000, g.i)), e.event FROM n g JOIN n e ON e.i BETWEEN 10 * g.i AND 10 * g.i + 9 WHERE g.i <= %[4]d;
INSERT INTO correlations (target, key, updated_at, delivery_id, message_id, type)
SELECT 'news', 'story' || i, at, event, 'm', 'media.imported' FROM n WHERE i <= %[6]d;
INSERT INTO correlation_events (target, key, event_id)
SELECT 'news', 'story' || g.i, e.event FROM n g JOIN n e ON e.i BETWEEN 10 * g.i AND 10 * g.i + 4 WHERE g.i <= %[6]d;
INSERT INTO folds (target, key, expires_at, deletion)
SELECT 'news', 'file' || i, (SELECT max(at) FROM n) + iif(i < %[7]d / 4, -3600, 3600) * 1000000, event FROM n WHERE i <= %[7]d;
INSERT INTO silences (id, starts_at, ends_at, target, expression, who, via, comment)
SELECT unhex(printf('%%012x7000850%%013x', at / 1000, i)), at, iif(i > %[9]d, (SELECT max(at) FROM n) + 3600000000, at), '', 'true', 'root', 'socket', ''
FROM n WHERE i <= %[8]d;
INSERT INTO sessions (id, created_at, seen_at, expires_at, who, via, role, agent, proof)
SELECT event, at, at, iif(i > 10000, (SELECT max(at) FROM n) + 3600000000, at), 'ann', 'token', 'view', '', x'00' FROM n WHERE i <= 20000;
INSERT INTO sign_in_links (id, expires_at, who)
SELECT event, iif(i > 10000, (SELECT max(at) FROM n) + 3600000000, at), 'root' FROM n WHERE i <= 20000;
INSERT INTO snapshots (source, updated_at, state)
SELECT 'radarr', (SELECT max(at) FROM n), '{}' UNION ALL SELECT 'sonarr', (SELECT max(at) FROM n) - 86400000000, '{}';
INSERT INTO inventory (source, key, parent, run, digest, fields, about, found)
SELECT s.value, k.value || i, iif(k.value = 'file/', 'movie/' || i, ''), iif(i <= %[11]d, 1, 2), 'd', '', '{}', iif(i > %[12]d, '{}', NULL)
FROM n, json_each('["movie/", "file/"]') k, json_each('["radarr", "sonarr"]') s WHERE i <= %[10]d;
DROP TABLE n;`

// ran is a statement that a connection has run, and the steps of SQLite's machine that it
// took.
type ran struct {
	query string
	steps int
}

// counters reads what SQLite counts of the statements that connections keep.
type counters struct{ tls *libc.TLS }

// take returns the statements that the pools have run since the last time. The pools must
// have one connection each.
func (c counters) take(t *testing.T, pools ...*sql.DB) (all []ran) {
	t.Helper()
	for _, pool := range pools {
		held, err := pool.Conn(t.Context())
		require.NoError(t, err)
		require.NoError(t, held.Raw(func(raw any) error {
			cached, ok := raw.(*conn)
			require.True(t, ok)
			for query, s := range cached.idle {
				handle := uintptr(reflect.ValueOf(s.innerStmt).Elem().FieldByName("pstmt").Uint())
				if handle == 0 {
					continue // several statements, which are not kept
				}
				runs := sqlite3.Xsqlite3_stmt_status(c.tls, handle, sqlite3.SQLITE_STMTSTATUS_RUN, 1)
				steps := sqlite3.Xsqlite3_stmt_status(c.tls, handle, sqlite3.SQLITE_STMTSTATUS_VM_STEP, 1)
				if runs > 0 {
					all = append(all, ran{query, int(steps)})
				}
			}
			return nil
		}))
		require.NoError(t, held.Close())
	}
	return all
}

// scans finds the steps of a plan that go through a table from end to end.
var scans = regexp.MustCompile(`SCAN (events|deliveries|attempts|dedup|repetitions|river_job|delivery_events|correlations|correlation_events|folds|silences|sessions|sign_in_links|snapshots|inventory)\b`)

// plan is what SQLite tells of how it runs a statement.
func plan(t *testing.T, db *sql.DB, query string) string {
	t.Helper()
	var args []any
	for range strings.Count(query, "?") {
		args = append(args, nil)
	}
	steps, err := collect(t.Context(), db, func(row scanner) (step string, err error) {
		var id, parent, unused int
		err = row.Scan(&id, &parent, &unused, &step)
		return step, err
	}, "EXPLAIN QUERY PLAN "+query, args...)
	require.NoError(t, err, query)
	return strings.Join(steps, "\n")
}

// TestStatementsReadWhatTheyReturn holds every statement that runs by itself, and every list,
// to a cost by what it returns, whether or not somebody had SQLite analyze the tables. A
// row that is read takes a step at least, and mostly about three; one that is returned or
// changed about two hundred.
func TestStatementsReadWhatTheyReturn(t *testing.T) {
	t.Parallel()

	ctx := t.Context()
	e, err := openEngine(ctx, filepath.Join(t.TempDir(), "hookarr.db"), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, e.Close()) })
	require.NoError(t, e.Migrate(ctx))
	seeded := storetest.NewSeeded()
	_, err = e.write.ExecContext(ctx, "PRAGMA synchronous = OFF; BEGIN;"+
		fmt.Sprintf(seedSQL, seeded.Start.UnixMilli(), storetest.SeededEvents, storetest.SeededDeliveries, storetest.SeededGroups,
			storetest.SeededClosed, storetest.SeededMessages, storetest.SeededFolds, storetest.SeededSilences, storetest.SeededEnded,
			storetest.SeededItems, storetest.SeededGone, storetest.SeededFound)+"COMMIT")
	require.NoError(t, err)
	e.read.SetMaxOpenConns(1)

	c := counters{libc.NewTLS()}
	defer c.tls.Close()
	var broken []string
	for _, pass := range []string{"unknown", "known"} {
		if pass == "known" {
			_, err = e.write.ExecContext(ctx, "ANALYZE")
			require.NoError(t, err)
			e.read.SetMaxIdleConns(0) // a connection knows what it found when it began
			e.read.SetMaxIdleConns(1)
		}
		planned := make(map[string]bool)
		for _, s := range seeded.Statements() {
			c.take(t, e.read, e.write)
			rows, err := s.Run(ctx, e)
			require.NoError(t, err, s.Name)
			for _, r := range c.take(t, e.read, e.write) {
				told := ""
				if !planned[r.query] && !strings.HasPrefix(r.query, "begin") {
					told = plan(t, e.write, r.query)
					planned[r.query] = true
				}
				if r.steps > 1000+175*rows || scans.MatchString(told) {
					broken = append(broken, fmt.Sprintf("%s tables, %s: takes %d steps for %d rows:\n%s\n%s",
						pass, s.Name, r.steps, rows, r.query, plan(t, e.write, r.query)))
				}
			}
		}
	}
	require.Empty(t, broken, strings.Join(broken, "\n"))
}
