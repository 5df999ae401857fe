package logring_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/logring"
)

// texts are what lines say after their times.
func texts(lines []logring.Line) (said []string) {
	for _, l := range lines {
		_, text, _ := strings.Cut(l.Text, " ")
		said = append(said, text)
	}
	return said
}

func TestHandler(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	level := new(slog.LevelVar)
	upper := &slog.HandlerOptions{Level: level, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == "loud" {
			return slog.String(a.Key, strings.ToUpper(a.Value.String()))
		}
		return a
	}}
	var r logring.Ring
	log := slog.New(r.Handler(slog.NewJSONHandler(&out, upper), upper))
	log.With(slog.String("target", "ops")).WithGroup("g").Info("one\ntwo", slog.String("loud", "x"))
	log.Debug("not for anybody")
	level.Set(slog.LevelDebug)
	log.Debug("since the level was changed")
	log.Warn("careful")

	lines, last, _ := r.After(0, nil)
	require.Equal(t, []string{
		`level=INFO msg="one\ntwo" target=ops g.loud=X`, `level=DEBUG msg="since the level was changed"`, `level=WARN msg=careful`,
	}, texts(lines))
	require.EqualValues(t, 3, last)
	require.Equal(t, slog.LevelWarn, lines[2].Level)
	require.False(t, lines[0].At.IsZero())
	require.Equal(t, 3, strings.Count(out.String(), "\n"), "next takes what is kept")
	require.Contains(t, out.String(), `"loud":"X"`)

	lines, last, _ = r.After(1, func(l logring.Line) bool { return l.Level >= slog.LevelWarn })
	require.Equal(t, []string{"level=WARN msg=careful"}, texts(lines))
	require.EqualValues(t, 3, last)

	lines, _, _ = r.After(99, nil)
	require.Len(t, lines, 3, "the number is of a process before this one")
}

func TestRingIsBounded(t *testing.T) {
	t.Parallel()
	var r logring.Ring
	log := slog.New(r.Handler(slog.DiscardHandler, nil))
	log.Info("nobody takes this one")
	lines, _, _ := r.After(0, nil)
	require.Empty(t, lines)

	log = slog.New(r.Handler(slog.NewTextHandler(new(bytes.Buffer), nil), nil))
	for i := range 2500 {
		log.Info("line", slog.Int("i", i))
	}
	lines, last, _ := r.After(0, nil)
	require.Len(t, lines, 2000)
	require.EqualValues(t, 2500, last)
	require.EqualValues(t, 501, lines[0].Number)

	for range 100 {
		log.Info("long", slog.String("text", strings.Repeat("é", 16<<10)))
	}
	lines, _, _ = r.After(0, nil)
	total := 0
	for _, l := range lines {
		require.LessOrEqual(t, len(l.Text), 16<<10)
		total += len(l.Text)
	}
	require.LessOrEqual(t, total, 1<<20)
	require.Greater(t, total, 1<<19)
	require.True(t, strings.HasSuffix(lines[len(lines)-1].Text, "é…"))
}

func TestRingTellsOfMore(t *testing.T) {
	t.Parallel()
	var r logring.Ring
	log := slog.New(r.Handler(slog.NewTextHandler(new(lockedWriter), nil), nil))
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			var seen []string
			for last := uint64(0); len(seen) < 100; {
				lines, to, added := r.After(last, nil)
				seen, last = append(seen, texts(lines)...), to
				if len(lines) == 0 {
					<-added
				}
			}
			for i, text := range seen {
				if text != fmt.Sprintf("level=INFO msg=line i=%d", i) {
					t.Errorf("line %d is %q", i, text)
				}
			}
		})
	}
	for i := range 100 {
		log.Info("line", slog.Int("i", i))
	}
	readers.Wait()
}

// lockedWriter drops what several write.
type lockedWriter struct{ mu sync.Mutex }

func (w *lockedWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(p), nil
}
