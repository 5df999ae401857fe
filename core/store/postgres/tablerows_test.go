package postgres_test

import (
	"errors"
	"io"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/core/store/postgres"
	"github.com/hookarr/hookarr/core/store/rows"
	"github.com/hookarr/hookarr/internal/testpg"
)

// tableOf returns a table as a reader describes it, and its rows.
func tableOf(t *testing.T, r rows.Reader, name string) (rows.Table, []rows.Row) {
	t.Helper()
	tables, err := r.Tables(t.Context(), []string{name})
	require.NoError(t, err)
	require.Len(t, tables, 1)
	return tables[0], read(t, r, tables[0])
}

func read(t *testing.T, r rows.Reader, table rows.Table) (all []rows.Row) {
	t.Helper()
	cursor, err := r.Read(t.Context(), table, nil)
	require.NoError(t, err)
	defer func() { require.NoError(t, cursor.Close()) }()
	for {
		row, err := cursor.Next(t.Context())
		if errors.Is(err, io.EOF) {
			return all
		}
		require.NoError(t, err)
		all = append(all, slices.Clone(row))
	}
}

// TestReadWhileRowsAreReplaced waits for the rows, or says who holds them: tables are never
// empty for it.
func TestReadWhileRowsAreReplaced(t *testing.T) {
	t.Parallel()

	ctx, address := t.Context(), testpg.New(t)
	s := open(t, address)
	require.NoError(t, s.Migrate(ctx))
	_, err := s.Accept(ctx, acceptance())
	require.NoError(t, err)
	before, err := s.ReadRows(ctx)
	require.NoError(t, err)
	table, held := tableOf(t, before, "deliveries")
	require.Len(t, held, 1)
	require.NoError(t, before.Close(ctx))
	require.NoError(t, before.Close(ctx), "again")

	type result struct {
		reader rows.Reader
		err    error
	}
	begun := make(chan result, 1)
	require.NoError(t, postgres.Replace(ctx, address, []string{table.Name}, true, func(w rows.Writer) error {
		r, err := s.ReadRows(ctx)
		if err == nil {
			require.NoError(t, r.Close(ctx))
		}
		var refused *store.MoveError
		require.ErrorAs(t, err, &refused)
		require.Regexp(t, `^begin to read: the tables of the database are in use by process \d+ \(hookarr, `, err.Error())

		go func() {
			r, err := s.ReadRows(ctx)
			begun <- result{r, err}
		}()
		require.Eventually(t, func() bool { //nolint:contextcheck // exec takes the test's
			return exec(t, address, "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") == 1
		}, time.Minute, time.Millisecond)
		left := slices.Clone(held)
		return w.Write(ctx, table, func() (rows.Row, error) {
			if len(left) == 0 {
				return nil, io.EOF
			}
			row := slices.Clone(left[0])
			left = left[1:]
			return row, nil
		}, nil)
	}))
	after := <-begun
	require.NoError(t, after.err)
	require.Equal(t, held, read(t, after.reader, table))
	require.NoError(t, after.reader.Close(ctx))
}

// TestReadTakesAsLongAsItDoes whatever the server or the URL bounds.
func TestReadTakesAsLongAsItDoes(t *testing.T) {
	t.Parallel()

	ctx := t.Context()
	address, err := url.Parse(testpg.New(t))
	require.NoError(t, err)
	query := address.Query()
	query.Set("statement_timeout", "1min")
	query.Set("idle_in_transaction_session_timeout", "1min")
	address.RawQuery = query.Encode()
	s := open(t, address.String())
	require.NoError(t, s.Migrate(ctx))
	r, err := s.ReadRows(ctx)
	require.NoError(t, err)
	name := rows.Column{Name: "name", Type: "text", Kind: rows.Text}
	setting := rows.Column{Name: "setting", Type: "text", Kind: rows.Text}
	settings := map[any]any{}
	for _, row := range read(t, r, rows.Table{Name: "pg_settings", Columns: []rows.Column{name, setting}, Key: []string{name.Name}}) {
		settings[row[0]] = row[1]
	}
	require.Equal(t, "0", settings["statement_timeout"])
	require.Equal(t, "0", settings["idle_in_transaction_session_timeout"])
	require.NoError(t, r.Close(ctx))
}
