package testpg_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/testpg"
)

func TestNewDatabasesAreApart(t *testing.T) {
	t.Parallel()

	ctx := context.Background()
	for range 2 {
		conn, err := pgx.Connect(ctx, testpg.New(t))
		require.NoError(t, err)
		_, err = conn.Exec(ctx, "CREATE TABLE mine ()")
		require.NoError(t, err)
		require.NoError(t, conn.Close(ctx))
	}
}

func TestClusterKeepsWhatWasCommitted(t *testing.T) {
	t.Parallel()

	ctx := context.Background()
	cluster := testpg.Cluster(t)
	conn, err := pgx.Connect(ctx, cluster.URL())
	require.NoError(t, err)
	_, err = conn.Exec(ctx, "CREATE TABLE kept AS SELECT 1 AS n")
	require.NoError(t, err)

	cluster.StopImmediate()
	require.Error(t, conn.Ping(ctx))
	cluster.Start()

	conn, err = pgx.Connect(ctx, cluster.URL())
	require.NoError(t, err)
	var n int
	require.NoError(t, conn.QueryRow(ctx, "SELECT n FROM kept").Scan(&n))
	require.Equal(t, 1, n)
	require.NoError(t, conn.Close(ctx))
}
