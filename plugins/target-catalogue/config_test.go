package catalogue

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/sdk/plugintest"
)

func TestConfig(t *testing.T) {
	t.Parallel()
	p := plugintest.StartTarget(t, info(), newTarget, map[string]any{"url": "sqlite:///srv/catalogue.db"})
	for _, good := range []map[string]any{
		{"url": "postgres://hookarr@db/media"},
		{"url": "postgresql://hookarr@db:5433/media?sslmode=verify-full", "password": "secret", "schema": "Media-1"},
		{"url": "postgres://hookarr@/media?host=/run/postgresql"},
		{"url": "dir:///srv/catalogue", "readers": "group", "keep_changes": "7d"},
	} {
		problems, err := p.Configure(t.Context(), plugintest.Config(t, good))
		require.NoError(t, err)
		require.Empty(t, problems, good)
	}
	for _, bad := range []struct {
		config    map[string]any
		key, says string
	}{
		{map[string]any{"url": ""}, "url", "must not be empty"},
		{map[string]any{"url": "/srv/catalogue.db"}, "url", "needs to begin with postgres://, sqlite:// or dir://"},
		{map[string]any{"url": "mysql://db/media"}, "url", "needs to begin with"},
		{map[string]any{"url": "sqlite://data/catalogue.db"}, "url", "needs an absolute path"},
		{map[string]any{"url": "sqlite://./catalogue.db"}, "url", "needs an absolute path"},
		{map[string]any{"url": "dir://catalogue"}, "url", "needs an absolute path"},
		{map[string]any{"url": "sqlite:///srv/"}, "url", "needs the path of a file"},
		{map[string]any{"url": "postgres://hookarr@db"}, "url", "is no URL of a database"},
		{map[string]any{"url": "postgres://db/media"}, "url", "is no URL of a database"},
		{map[string]any{"url": "postgres://hookarr@db:port/media"}, "url", "is no URL of a database"},
		{map[string]any{"url": "postgres://hookarr:t0ken@db/media"}, "url", "has a password in it"},
		{map[string]any{"url": "postgres://hookarr@db/media?password=t0ken"}, "url", "has a password in it"},
		{map[string]any{"url": "postgres://hookarr@db/media?sslmode=maybe"}, "url", "sslmode"},
		{map[string]any{"url": "postgres://hookarr@169.254.169.254/media"}, "url", "is not an address to deliver to"},
		{map[string]any{"url": "sqlite:///srv/catalogue.db", "password": "t0ken"}, "password", "is for Postgres"},
		{map[string]any{"url": "postgres://hookarr@db/media", "schema": "pg_media"}, "schema", "not beginning with"},
		{map[string]any{"url": "postgres://hookarr@db/media", "schema": `me"dia`}, "schema", "needs 1 to 63"},
		{map[string]any{"url": "postgres://hookarr@db/media", "keep_changes": "1m"}, "keep_changes", "needs 1h"},
		{map[string]any{"url": "postgres://hookarr@db/media", "readers": "nobody"}, "readers", "owner"},
	} {
		problems, err := p.Configure(t.Context(), plugintest.Config(t, bad.config))
		require.NoError(t, err)
		require.Len(t, problems, 1, bad.config)
		require.Equal(t, bad.key, problems[0].Key, bad.config)
		require.Contains(t, problems[0].Message, bad.says, bad.config)
		require.NotContains(t, problems[0].Message, "t0ken")
	}
}
