package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/store/storetest"
	"github.com/hookarr/hookarr/internal/testpg"
)

// seedSQL makes the database that storetest.Seeded tells of. $1 is its start in
// milliseconds. See there for who is rare and where.
const seedSQL = `
CREATE FUNCTION pg_temp.at(i integer) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS
	$$ SELECT to_timestamp((%[1]d + i * 5000::bigint) / 1000.0) $$;
CREATE FUNCTION pg_temp.id(kind text, i integer) RETURNS uuid LANGUAGE sql IMMUTABLE AS
	$$ SELECT (lpad(to_hex(%[1]d + i * 5000::bigint), 12, '0') || '7000' || kind || '00' || lpad(to_hex(i), 12, '0'))::uuid $$;

ALTER TABLE events SET (autovacuum_enabled = false);
ALTER TABLE deliveries SET (autovacuum_enabled = false);
ALTER TABLE dedup SET (autovacuum_enabled = false);
ALTER TABLE attempts SET (autovacuum_enabled = false);
ALTER TABLE repetitions SET (autovacuum_enabled = false);
ALTER TABLE river_job SET (autovacuum_enabled = false);

INSERT INTO events (id, received_at, purge_after, source, type, state, origin, title, summary, fingerprint, correlation_key, reason, method,
	query, header, body, normalized)
SELECT pg_temp.id('80', i), pg_temp.at(i), pg_temp.at(i), g.v[1], g.v[2], g.v[3], 'webhook', 'A title', '',
	CASE WHEN i %% 100 = 0 THEN 'often' ELSE i::text END, '', '', 'POST', '', '{}', '{}', '{}'
FROM generate_series(1, %[2]d) i, LATERAL (SELECT CASE
	WHEN i <= 5 THEN ARRAY['lidarr', 'health.issue', 'routed']
	WHEN i <= 8 THEN ARRAY['radarr', 'file.renamed', 'routed']
	WHEN i <= 11 THEN ARRAY['radarr', 'media.imported', 'undecodable']
	WHEN i <= 14 THEN ARRAY['prowlarr', 'media.imported', 'routed']
	WHEN i <= 17 THEN ARRAY['sonarr', 'media.added', 'routed']
	WHEN i <= 20 THEN ARRAY['sonarr', 'media.added', 'deferred']
	WHEN i <= 23 THEN ARRAY['prowlarr', 'media.imported', 'deferred']
	WHEN i <= 26 THEN ARRAY['sonarr', 'file.renamed', 'duplicate']
	WHEN i <= 29 THEN ARRAY['sonarr', 'file.renamed', 'undecodable']
	WHEN i > %[2]d - 60000 THEN ARRAY['prowlarr', CASE i %% 2 WHEN 0 THEN 'media.imported' ELSE 'media.added' END, 'undecodable']
	WHEN i %% 20 = 0 THEN ARRAY['prowlarr', 'file.renamed', 'deferred']
	WHEN i %% 20 = 1 THEN ARRAY['sonarr', 'media.imported', 'deferred']
	WHEN i %% 20 < 13 THEN ARRAY['radarr', 'media.imported', 'routed']
	ELSE ARRAY['sonarr', 'file.renamed', 'routed'] END) g (v);

INSERT INTO deliveries (id, event_id, target, route, state, created_at, updated_at, due_at)
SELECT pg_temp.id('81', i), pg_temp.id('80', i), g.v[1], 'all', g.v[2], pg_temp.at(i),
	pg_temp.at(i) + CASE WHEN g.v[2] = 'pending' THEN interval '0' ELSE interval '1 second' END, pg_temp.at(i)
FROM generate_series(1, %[3]d) i, LATERAL (SELECT CASE
	WHEN i <= 3 THEN ARRAY['ops', 'dead']
	WHEN i <= 6 THEN ARRAY['held', 'delivered']
	WHEN i <= 9 THEN ARRAY['ops', 'verifying']
	WHEN i <= 12 THEN ARRAY['chat', 'superseded']
	WHEN i <= 15 THEN ARRAY['ops', 'cancelled']
	WHEN i <= 18 THEN ARRAY['rare', 'delivered']
	WHEN i <= 21 THEN ARRAY['broken', 'pending']
	WHEN i > %[3]d - 20000 THEN ARRAY['ops', 'delivered']
	WHEN i %% 8 = 0 THEN ARRAY['broken', 'dead']
	WHEN i %% 20 = 1 THEN ARRAY['held', 'pending']
	WHEN i %% 200 = 3 THEN ARRAY['chat', 'pending']
	WHEN i %% 200 = 5 THEN ARRAY['chat', 'verifying']
	ELSE ARRAY[CASE i %% 2 WHEN 0 THEN 'ops' ELSE 'chat' END, 'delivered'] END) g (v);

INSERT INTO attempts (delivery_id, started_at, elapsed_us, number, status, counted, class, message, excerpt)
SELECT id, updated_at, 1000, 1, 503, true, 'retryable', '', '' FROM deliveries WHERE state IN ('dead', 'verifying');

INSERT INTO repetitions (id, event_id, seen_at, origin)
SELECT pg_temp.id('82', i), pg_temp.id('80', CASE i %% 2 WHEN 0 THEN 1 ELSE i END), pg_temp.at(i), 'webhook' FROM generate_series(1, 40000) i;

ALTER TABLE operator_actions SET (autovacuum_enabled = false);
ALTER TABLE operator_changes SET (autovacuum_enabled = false);
INSERT INTO operator_actions (id, created_at, updated_at, cursor, what, state, who, via, args)
SELECT pg_temp.id('83', i), pg_temp.at(i), pg_temp.at(i), pg_temp.id('83', i), 'retry', CASE WHEN i = 7 THEN 'running' ELSE 'done' END, 'root', 'socket', '{}'
FROM generate_series(1, 20000) i;
INSERT INTO operator_changes (event_id, action_id, delivery_id)
SELECT pg_temp.id('80', CASE WHEN i < 5000 THEN %[2]d - 60001 ELSE i END), pg_temp.id('83', i), pg_temp.id('81', i) FROM generate_series(1, 20000) i;

INSERT INTO dedup (event_id, source, key, story, expires_at)
SELECT pg_temp.id('80', i), CASE WHEN i %% 10 < 7 THEN 'radarr' ELSE 'sonarr' END, 'fp:' || i,
	CASE WHEN i %% 5 = 0 THEN 'health ' || i %% 5000 END, now() + CASE WHEN i < 25000 THEN -interval '1 hour' ELSE interval '7 days' END
FROM generate_series(1, %[2]d) i;
INSERT INTO dedup (event_id, source, key, expires_at)
SELECT pg_temp.id('80', i), 'radarr', 'past:' || i, now() + interval '7 days' FROM generate_series(1, 1000) i
UNION ALL
SELECT pg_temp.id('80', i), 'radarr', 'accounts:' || replace(pg_temp.id('80', i)::text, '-', ''), now() + interval '7 days'
FROM generate_series(1, 1000) i;

INSERT INTO river_job (state, kind, queue, args, max_attempts, scheduled_at, attempted_at, attempted_by, attempt)
SELECT CASE WHEN i <= 20 THEN 'running' ELSE 'available' END::river_job_state, 'deliver', 'target_' || d.target,
	jsonb_build_object('delivery_id', d.id), 32767, d.due_at, now(), CASE WHEN i <= 20 THEN ARRAY['node'] END, 1
FROM (SELECT *, row_number() OVER (ORDER BY id) i FROM deliveries WHERE state = 'pending') d;
INSERT INTO river_job (kind, queue, args, max_attempts, scheduled_at)
SELECT 'decode', 'decode_' || source, jsonb_build_object('event_id', id), 32767, received_at FROM events WHERE state = 'deferred';
INSERT INTO river_queue (name, created_at, updated_at, metadata, paused_at)
SELECT 'target_' || name, now(), now(), '{}', CASE name WHEN 'held' THEN now() END FROM unnest(ARRAY['ops', 'chat', 'held', 'broken', 'rare']) name;
INSERT INTO targets (name, hold, since) VALUES ('held', 'paused', now()), ('ops', '', NULL);
INSERT INTO nodes (name) VALUES ('node'), ('other');

ALTER TABLE delivery_events SET (autovacuum_enabled = false);
ALTER TABLE correlations SET (autovacuum_enabled = false);
ALTER TABLE correlation_events SET (autovacuum_enabled = false);
ALTER TABLE folds SET (autovacuum_enabled = false);
ALTER TABLE silences SET (autovacuum_enabled = false);
INSERT INTO deliveries (id, event_id, target, route, state, group_key, members, created_at, updated_at, due_at, closed_at)
SELECT pg_temp.id('84', i), pg_temp.id('80', 10 * i), 'news', 'all', CASE WHEN i > %[5]d THEN 'pending' ELSE 'delivered' END, 'key' || i, 10,
	pg_temp.at(i), pg_temp.at(i), pg_temp.at(i), CASE WHEN i <= %[5]d THEN pg_temp.at(i) END
FROM generate_series(1, %[4]d) i;
INSERT INTO delivery_events (delivery_id, event_id)
SELECT pg_temp.id('84', i), pg_temp.id('80', 10 * i + j) FROM generate_series(1, %[4]d) i, generate_series(0, 9) j;
INSERT INTO correlations (target, key, updated_at, delivery_id, message_id, type)
SELECT 'news', 'story' || i, pg_temp.at(i), pg_temp.id('84', i), 'm', 'media.imported' FROM generate_series(1, %[6]d) i;
INSERT INTO correlation_events (target, key, event_id)
SELECT 'news', 'story' || i, pg_temp.id('80', 10 * i + j) FROM generate_series(1, %[6]d) i, generate_series(0, 4) j;
INSERT INTO folds (target, key, expires_at, deletion)
SELECT 'news', 'file' || i, now() + CASE WHEN i < %[7]d / 4 THEN -interval '1 hour' ELSE interval '1 hour' END, pg_temp.id('84', i)
FROM generate_series(1, %[7]d) i;
INSERT INTO silences (id, starts_at, ends_at, target, expression, who, via, comment)
SELECT pg_temp.id('85', i), pg_temp.at(i), CASE WHEN i > %[9]d THEN now() + interval '1 hour' ELSE pg_temp.at(i) END, '', 'true', 'root', 'socket', ''
FROM generate_series(1, %[8]d) i;
ALTER TABLE sessions SET (autovacuum_enabled = false);
ALTER TABLE sign_in_links SET (autovacuum_enabled = false);
INSERT INTO sessions (id, created_at, seen_at, expires_at, who, via, role, agent, proof)
SELECT sha256(i::text::bytea), pg_temp.at(i), pg_temp.at(i), CASE WHEN i > 10000 THEN now() + interval '1 hour' ELSE pg_temp.at(i) END, 'ann', 'token', 'view', '', ''
FROM generate_series(1, 20000) i;
INSERT INTO sign_in_links (id, expires_at, who)
SELECT sha256(i::text::bytea), CASE WHEN i > 10000 THEN now() + interval '1 hour' ELSE pg_temp.at(i) END, 'root' FROM generate_series(1, 20000) i;
ALTER TABLE inventory SET (autovacuum_enabled = false);
INSERT INTO snapshots (source, updated_at, state) VALUES ('radarr', now(), '{}'), ('sonarr', now() - interval '1 day', '{}');
INSERT INTO inventory (source, key, parent, run, digest, fields, about, found)
SELECT s, k || i, CASE k WHEN 'file/' THEN 'movie/' || i ELSE '' END, CASE WHEN i <= %[11]d THEN 1 ELSE 2 END, 'd', '', '{}',
	CASE WHEN i > %[12]d THEN '{}'::bytea END
FROM generate_series(1, %[10]d) i, unnest(ARRAY['movie/', 'file/']) k, unnest(ARRAY['radarr', 'sonarr']) s;`

// recorder keeps the statements that connections run.
type recorder struct {
	mu    sync.Mutex
	calls []call
}

type call struct {
	sql  string
	args []any
}

// add leaves out what begins and ends transactions.
func (r *recorder) add(sql string, args []any) {
	if !strings.ContainsAny(sql, "(=$") {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, call{sql, args})
}

func (r *recorder) take() []call {
	r.mu.Lock()
	defer r.mu.Unlock()
	calls := r.calls
	r.calls = nil
	return calls
}

func (r *recorder) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	r.add(data.SQL, data.Args)
	return ctx
}

func (*recorder) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func (*recorder) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	return ctx
}

func (r *recorder) TraceBatchQuery(_ context.Context, _ *pgx.Conn, data pgx.TraceBatchQueryData) {
	r.add(data.SQL, data.Args)
}

func (*recorder) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

// plan is a node of what EXPLAIN tells, with what is below it.
type plan struct {
	Type      string  `json:"Node Type"`
	Relation  string  `json:"Relation Name"`
	Index     string  `json:"Index Name"`
	Loops     float64 `json:"Actual Loops"`
	Rows      float64 `json:"Actual Rows"`
	Filtered  float64 `json:"Rows Removed by Filter"`
	Rechecked float64 `json:"Rows Removed by Index Recheck"`
	Hit       float64 `json:"Shared Hit Blocks"`
	Read      float64 `json:"Shared Read Blocks"`
	Plans     []plan  `json:"Plans"`
}

// reads is how many rows of tables were read, and how many were changed. A look for a row
// that is not there counts as one.
func (p plan) reads() (read, changed float64) {
	if p.Type == "ModifyTable" {
		for _, below := range p.Plans {
			changed += below.Rows * below.Loops
		}
	} else if p.Relation != "" || p.Index != "" {
		read = max(p.Rows+p.Filtered+p.Rechecked, 1) * p.Loops
	}
	for _, below := range p.Plans {
		r, c := below.reads()
		read, changed = read+r, changed+c
	}
	return read, changed
}

// explainer runs statements as the engine's connections do, with every plan that the
// server may choose.
type explainer struct {
	conn *pgx.Conn
	n    int
}

// literals are arguments as EXECUTE takes them.
func (x *explainer) literals(t *testing.T, types []uint32, args []any) string {
	t.Helper()
	if len(args) == 0 {
		return ""
	}
	all := make([]string, len(args))
	for i, arg := range args {
		text, err := x.conn.TypeMap().Encode(types[i], pgtype.TextFormatCode, arg, []byte{})
		require.NoError(t, err)
		all[i] = "NULL"
		if text != nil {
			all[i] = "'" + strings.ReplaceAll(string(text), "'", "''") + "'"
		}
	}
	return "(" + strings.Join(all, ", ") + ")"
}

// explain returns the plan that a call takes.
func (x *explainer) explain(t *testing.T, c call) (p plan, text string) {
	t.Helper()
	ctx := t.Context()
	tx, err := x.conn.Begin(ctx)
	require.NoError(t, err)
	defer func() { require.NoError(t, tx.Rollback(ctx)) }()
	x.n++
	name := fmt.Sprintf("explained_%d", x.n)
	prepared, err := x.conn.Prepare(ctx, name, c.sql)
	require.NoError(t, err, c.sql)
	require.NoError(t, tx.QueryRow(ctx, "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON, TIMING OFF) EXECUTE "+name+
		x.literals(t, prepared.ParamOIDs, c.args), pgx.QueryExecModeSimpleProtocol).Scan(&text))
	require.NoError(t, x.conn.Deallocate(ctx, name))
	var plans []struct{ Plan plan }
	require.NoError(t, json.Unmarshal([]byte(text), &plans))
	return plans[0].Plan, text
}

// breaks tells of the statements of a call that read more than they return: rows by what
// the nodes of their plans saw, and pages, since a scan passes over parts of an index
// without telling. A change of a row is a change of its indexes.
func (x *explainer) breaks(t *testing.T, name string, returned int, calls []call) (all []string) {
	t.Helper()
	for _, mode := range []string{"force_generic_plan", "force_custom_plan"} {
		_, err := x.conn.Exec(t.Context(), "SET plan_cache_mode = "+mode)
		require.NoError(t, err)
		for _, c := range calls {
			p, text := x.explain(t, c)
			read, changed := p.reads()
			rows, pages := max(p.Rows, changed, float64(returned)), p.Hit+p.Read
			if read > 10*rows+100 || pages > 10*rows+100*changed+500 {
				all = append(all, fmt.Sprintf("%s, %s: reads %.0f rows and %.0f pages for %.0f rows:\n%s\n%v\n%s",
					name, mode, read, pages, rows, c.sql, c.args, text))
			}
		}
	}
	return all
}

// TestStatementsReadWhatTheyReturn holds every statement that runs by itself, and every list,
// to a cost by what it returns, whatever the server knows of the tables.
func TestStatementsReadWhatTheyReturn(t *testing.T) {
	t.Parallel()

	ctx := t.Context()
	config, err := configure(testpg.New(t))
	require.NoError(t, err)
	conn, err := pgx.ConnectConfig(ctx, config.ConnConfig.Copy())
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close(context.WithoutCancel(ctx))) }()
	var statements recorder
	config.ConnConfig.Tracer = &statements
	e, err := openEngine(ctx, config, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, e.Close()) })
	require.NoError(t, e.Migrate(ctx))
	seeded := storetest.NewSeeded()
	_, err = conn.Exec(ctx, fmt.Sprintf(seedSQL, seeded.Start.UnixMilli(), storetest.SeededEvents, storetest.SeededDeliveries,
		storetest.SeededGroups, storetest.SeededClosed, storetest.SeededMessages, storetest.SeededFolds, storetest.SeededSilences, storetest.SeededEnded,
		storetest.SeededItems, storetest.SeededGone, storetest.SeededFound))
	require.NoError(t, err)

	x := &explainer{conn: conn}
	calls, rows := make(map[string][]call), make(map[string]int)
	var broken []string
	for _, s := range seeded.Statements() {
		statements.take()
		rows[s.Name], err = s.Run(ctx, e)
		require.NoError(t, err, s.Name)
		calls[s.Name] = statements.take()
		require.NotEmpty(t, calls[s.Name], s.Name)
		broken = append(broken, x.breaks(t, "unknown tables, "+s.Name, rows[s.Name], calls[s.Name])...)
	}
	// What was undone is swept away too.
	_, err = conn.Exec(ctx, "VACUUM (ANALYZE, INDEX_CLEANUP ON)")
	require.NoError(t, err)
	for _, s := range seeded.Statements() {
		broken = append(broken, x.breaks(t, "known tables, "+s.Name, rows[s.Name], calls[s.Name])...)
	}
	require.Empty(t, broken, strings.Join(broken, "\n"))
}
