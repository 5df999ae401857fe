package move_test

import (
	"context"
	"io"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/move"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/core/store/postgres"
	"github.com/hookarr/hookarr/core/store/rows"
	"github.com/hookarr/hookarr/core/store/sqlite"
	"github.com/hookarr/hookarr/internal/testpg"
)

// engines make empty databases, by the name of their kind.
var engines = map[string]func(t *testing.T) *store.Store{
	"sqlite": func(t *testing.T) *store.Store {
		t.Helper()
		return openSQLite(t, filepath.Join(t.TempDir(), "hookarr.db"))
	},
	"postgres": func(t *testing.T) *store.Store {
		t.Helper()
		return openPostgres(t, testpg.New(t))
	},
}

func openSQLite(t *testing.T, path string) *store.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func openPostgres(t *testing.T, url string) *store.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), url, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// directions runs a test for every pair of engines, with migrated databases.
func directions(t *testing.T, test func(t *testing.T, from, to *store.Store)) {
	t.Helper()
	for source, newSource := range engines {
		for destination, newDestination := range engines {
			t.Run(source+" to "+destination, func(t *testing.T) {
				t.Parallel()
				from, to := newSource(t), newDestination(t)
				require.NoError(t, from.Migrate(t.Context()))
				require.NoError(t, to.Migrate(t.Context()))
				test(t, from, to)
			})
		}
	}
}

// TestCopyIsEqual copies random rows of every table and column.
func TestCopyIsEqual(t *testing.T) {
	t.Parallel()

	directions(t, func(t *testing.T, from, to *store.Store) {
		t.Helper()
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		fill(t, from, rand.New(rand.NewPCG(seed, 0)), 80)
		before := sums(t, from)
		for _, s := range before {
			require.Positive(t, s.Rows, s.Table)
		}
		require.Equal(t, before, copyAll(t, from, to))
		require.Equal(t, before, sums(t, to))
		require.Equal(t, before, sums(t, from))
	})
}

func copyAll(t *testing.T, from, to *store.Store) []move.Sum {
	t.Helper()
	ctx := t.Context()
	reader, err := from.ReadRows(ctx)
	require.NoError(t, err)
	writer, err := to.WriteRows(ctx)
	require.NoError(t, err)
	tables, err := sqlite.Tables(ctx)
	require.NoError(t, err)
	var last move.Progress
	copied, err := move.Copy(ctx, reader, writer, rows.Names(tables), func(p move.Progress) { last = p })
	require.NoError(t, err)
	require.Equal(t, last.Total, last.Rows, "what was to be copied is copied")
	require.NoError(t, writer.Close(ctx))
	require.NoError(t, reader.Close(ctx))
	return copied
}

func sums(t *testing.T, s *store.Store) []move.Sum {
	t.Helper()
	reader, err := s.ReadRows(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, reader.Close(context.WithoutCancel(t.Context()))) }()
	all, err := move.Sums(t.Context(), reader, nil)
	require.NoError(t, err)
	return all
}

// TestEveryTableIsKnown fails when a migration adds a table or a column to one database and
// not to the other, one that the copy has no form for, or a table that it does not know
// whether to copy.
func TestEveryTableIsKnown(t *testing.T) {
	t.Parallel()

	ctx := t.Context()
	tables, err := sqlite.Tables(ctx)
	require.NoError(t, err)
	url := testpg.New(t)
	s := openPostgres(t, url)
	require.NoError(t, s.Migrate(ctx))
	conn, err := pgx.Connect(ctx, url)
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close(context.WithoutCancel(ctx))) }()
	found, err := conn.Query(ctx, `SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public'`)
	require.NoError(t, err)
	all, err := pgx.CollectRows(found, pgx.RowTo[string])
	require.NoError(t, err)
	all = slices.DeleteFunc(all, rows.Own)
	names := rows.Names(tables)
	require.ElementsMatch(t, names, all)
	reader, err := s.ReadRows(ctx)
	require.NoError(t, err)
	defer func() { require.NoError(t, reader.Close(context.WithoutCancel(ctx))) }()
	theirs, err := reader.Tables(ctx, names)
	require.NoError(t, err)
	for i, table := range tables {
		require.NoError(t, table.Same(theirs[i]))
		require.NotEmpty(t, table.Key)
		require.NotContains(t, table.Key, "")
	}
}

// fill inserts n random rows into every table, as far as their constraints let.
func fill(t *testing.T, s *store.Store, random *rand.Rand, n int) {
	t.Helper()
	ctx := t.Context()
	tables, err := sqlite.Tables(ctx)
	require.NoError(t, err)
	names := rows.Names(tables)
	types := typesOf(t)
	w, err := s.WriteRows(ctx)
	require.NoError(t, err)
	defer func() { require.NoError(t, w.Close(context.WithoutCancel(ctx))) }()
	tables, err = w.Tables(ctx, names)
	require.NoError(t, err)
	for _, table := range tables {
		left := n
		require.NoError(t, w.Write(ctx, table, func() (rows.Row, error) {
			if left--; left < 0 {
				return nil, io.EOF
			}
			row := make(rows.Row, len(table.Columns))
			for i, c := range table.Columns {
				row[i] = randomValue(random, table, c, types[table.Name][c.Name], n-left)
			}
			return row, nil
		}, nil), table.Name)
	}
	require.NoError(t, w.Finish(ctx, tables))
}

// kinds are the types of Postgres, which say more of a column than those of SQLite.
type kinds map[string]map[string]column

type column struct {
	kind     string
	nullable bool
}

func typesOf(t *testing.T) kinds {
	t.Helper()
	ctx := t.Context()
	url := testpg.New(t)
	s := openPostgres(t, url)
	require.NoError(t, s.Migrate(ctx))
	conn, err := pgx.Connect(ctx, url)
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close(context.WithoutCancel(ctx))) }()
	found, err := conn.Query(ctx, `SELECT table_name, column_name, udt_name, is_nullable = 'YES' FROM information_schema.columns WHERE table_schema = 'public'`)
	require.NoError(t, err)
	all := kinds{}
	var table, name string
	var c column
	_, err = pgx.ForEachRow(found, []any{&table, &name, &c.kind, &c.nullable}, func() error {
		if all[table] == nil {
			all[table] = map[string]column{}
		}
		all[table][name] = c
		return nil
	})
	require.NoError(t, err)
	return all
}

// states are what columns hold that have a constraint.
var states = map[string][]string{
	"events":           {"deferred", "routed", "undecodable", "duplicate"},
	"deliveries":       {"pending", "verifying", "delivered", "superseded", "dead", "cancelled"},
	"operator_actions": {"running", "done", "stopped", "failed"},
	"river_job":        {"available", "pending", "retryable", "running", "scheduled", "completed", "discarded", "cancelled"},
}

func randomValue(random *rand.Rand, table rows.Table, c rows.Column, as column, n int) any {
	switch {
	case c.Name == "state" && states[table.Name] != nil:
		return states[table.Name][n%len(states[table.Name])]
	case c.Name == "finalized_at":
		if state := states[table.Name][n%len(states[table.Name])]; slices.Contains([]string{"completed", "discarded", "cancelled"}, state) {
			return time.Now().UnixMicro()
		}
		return nil
	case c.Name == "priority":
		return 1 + random.Int64N(4)
	case c.Name == "max_attempts":
		return 1 + random.Int64N(32767)
	case as.nullable && random.IntN(4) == 0:
		return nil
	}
	switch as.kind {
	case "bool":
		return random.Int64N(2)
	case "bit":
		return random.Int64N(256)
	case "int2":
		return random.Int64N(1 << 15)
	case "int4":
		return random.Int64N(1<<32) - 1<<31
	case "int8":
		return int64(random.Uint64() >> 1)
	case "timestamptz":
		at := time.Unix(random.Int64N(1<<32), random.Int64N(1e9)).Truncate(time.Microsecond)
		if rows.IsRivers(table.Name) {
			at = at.Truncate(time.Millisecond)
		}
		return at.UnixMicro()
	case "uuid":
		id := uuid.UUID{}
		for i := range id {
			id[i] = byte(random.Uint32())
		}
		return id[:]
	case "bytea":
		b := make([]byte, random.IntN(64)*random.IntN(2))
		for i := range b {
			b[i] = byte(random.Uint32())
		}
		if slices.Contains(table.Key, c.Name) || c.Name == "unique_key" {
			return append(b, byte(n), byte(n>>8), byte(n>>16))
		}
		return b
	case "jsonb":
		return `{"delivery_id":"` + randomText(random) + `","snoozes":` + string(rune('0'+n%10)) + `}`
	case "_jsonb":
		return `[{"at":"2026-11-30T06:00:00Z","error":"` + randomText(random) + `"},{}]`
	case "_text", "_varchar":
		return `["` + randomText(random) + `","\"<é>"]`
	default:
		if slices.Contains(table.Key, c.Name) || slices.Contains([]string{"group_key", "queue", "kind"}, c.Name) {
			return randomText(random) + strings.Repeat("k", n%7) + uuid.NewString()
		}
		return randomText(random)
	}
}

// randomText has letters of several scripts, and none that a JSON string escapes.
func randomText(random *rand.Rand) string {
	letters := []rune("aZ09 -_.:/<&äß語🎬")
	text := make([]rune, random.IntN(20))
	for i := range text {
		text[i] = letters[random.IntN(len(letters))]
	}
	return string(text)
}
