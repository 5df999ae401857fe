package store_test

import (
	"bytes"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/store"
)

func TestBackground(t *testing.T) {
	t.Parallel()
	say := func(at slog.Level) string {
		var b bytes.Buffer
		log := store.Background(slog.New(slog.NewTextHandler(&b, &slog.HandlerOptions{
			Level:       at,
			ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr { return map[bool]slog.Attr{false: a}[a.Key == slog.TimeKey] },
		})))
		log = log.With("a", 1).WithGroup("g")
		log.Debug("one")
		log.Info("two", "b", 2)
		log.Warn("three")
		log.Error("four")
		return b.String()
	}
	require.Equal(t, "level=WARN msg=three a=1\nlevel=ERROR msg=four a=1\n", say(slog.LevelInfo))
	require.Equal(t, "level=DEBUG msg=one a=1\nlevel=DEBUG msg=two a=1 g.b=2\nlevel=WARN msg=three a=1\nlevel=ERROR msg=four a=1\n",
		say(slog.LevelDebug))
}
