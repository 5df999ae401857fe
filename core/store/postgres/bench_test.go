package postgres_test

import (
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/store/postgres"
	"github.com/hookarr/hookarr/core/store/storetest"
	"github.com/hookarr/hookarr/internal/testpg"
)

func BenchmarkStore(b *testing.B) {
	s, err := postgres.Open(b.Context(), testpg.Cluster(b).URL(), slog.New(slog.DiscardHandler))
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, s.Close()) })
	require.NoError(b, s.Migrate(b.Context()))
	storetest.Benchmark(b, s)
}
