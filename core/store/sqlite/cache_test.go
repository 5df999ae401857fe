package sqlite

import (
	"database/sql"
	"errors"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

func openCached(t *testing.T) *sql.DB {
	t.Helper()
	db, err := open(dsn(filepath.Join(t.TempDir(), "cache.db"), ""), false)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	db.SetMaxOpenConns(1)
	_, err = db.ExecContext(t.Context(), `CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1), (2), (3)`)
	require.NoError(t, err)
	return db
}

func idleStatements(t *testing.T, db *sql.DB) (n int) {
	t.Helper()
	c, err := db.Conn(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, c.Close()) }()
	require.NoError(t, c.Raw(func(c any) error {
		cached, ok := c.(*conn)
		require.True(t, ok)
		n = len(cached.idle)
		return nil
	}))
	return n
}

func TestStatementsAreParsedOnce(t *testing.T) {
	t.Parallel()
	db := openCached(t)
	before := idleStatements(t, db)
	for range 3 {
		_, err := db.ExecContext(t.Context(), `UPDATE t SET a = a + ?`, 1)
		require.NoError(t, err)
	}
	require.Equal(t, before+1, idleStatements(t, db))
}

// A statement whose rows are being read runs again only as another one.
func TestStatementsInUseAreNotShared(t *testing.T) {
	t.Parallel()
	db := openCached(t)
	tx, err := db.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	defer func() { require.NoError(t, tx.Rollback()) }()
	const query = `SELECT a FROM t ORDER BY a`
	outer, err := tx.QueryContext(t.Context(), query)
	require.NoError(t, err)
	defer func() { require.NoError(t, outer.Close()) }()
	var seen, first int
	for outer.Next() {
		require.NoError(t, tx.QueryRowContext(t.Context(), query).Scan(&first))
		require.Equal(t, 1, first)
		seen++
	}
	require.NoError(t, outer.Err())
	require.Equal(t, 3, seen)
}

func TestStatementsSeeTheSchemaChange(t *testing.T) {
	t.Parallel()
	db := openCached(t)
	columns := func() []string {
		rows, err := db.QueryContext(t.Context(), `SELECT * FROM t`)
		require.NoError(t, err)
		defer func() { require.NoError(t, rows.Close()) }()
		require.True(t, rows.Next())
		names, err := rows.Columns()
		require.NoError(t, errors.Join(err, rows.Err()))
		return names
	}
	require.Equal(t, []string{"a"}, columns())
	_, err := db.ExecContext(t.Context(), `ALTER TABLE t ADD COLUMN b INTEGER`)
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b"}, columns())
}

func TestIdleStatementsAreBounded(t *testing.T) {
	t.Parallel()
	db := openCached(t)
	for i := range maxIdle + 10 {
		_, err := db.ExecContext(t.Context(), `SELECT `+strconv.Itoa(i))
		require.NoError(t, err)
	}
	require.Equal(t, maxIdle, idleStatements(t, db))
}

// TestTransactionsAreOnDisk: a commit waits for the disk in a transaction alone.
func TestTransactionsAreOnDisk(t *testing.T) {
	t.Parallel()
	db := openCached(t)
	const normal, full = 1, 2
	synchronous := func(q interface{ QueryRow(string, ...any) *sql.Row }) (level int) {
		require.NoError(t, q.QueryRow("PRAGMA synchronous").Scan(&level))
		return level
	}
	for range 2 {
		tx, err := db.BeginTx(t.Context(), nil)
		require.NoError(t, err)
		require.Equal(t, full, synchronous(tx))
		_, err = tx.ExecContext(t.Context(), "INSERT INTO t VALUES (4)")
		require.NoError(t, err)
		require.Equal(t, full, synchronous(tx))
		require.NoError(t, tx.Commit())
		_, err = db.ExecContext(t.Context(), "INSERT INTO t VALUES (5)")
		require.NoError(t, err)
		require.Equal(t, normal, synchronous(db))
	}
	tx, err := db.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	require.NoError(t, tx.Rollback())
	_, err = db.ExecContext(t.Context(), "INSERT INTO t VALUES (6)")
	require.NoError(t, err)
	require.Equal(t, normal, synchronous(db))
}
