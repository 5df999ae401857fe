package process

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRecordsAreBoundedWhole(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	log := Log{Output: Bounded(&b), Level: slog.LevelInfo}.Logger().With("plugin", "p", "instance", "i")
	huge := strings.Repeat("<\x00\"é\n", 20_000)
	log.Error("plugin panicked", "method", "Deliver", "panic", "the reason: "+huge, "stack", "goroutine 1 "+huge, "error", errors.New(huge),
		"list", []string{huge, huge})
	require.LessOrEqual(t, b.Len(), maxRecord)
	require.Equal(t, 1, strings.Count(b.String(), "\n"))
	record := map[string]any{}
	require.NoError(t, json.Unmarshal(b.Bytes(), &record))
	require.Equal(t, "error", record["@level"])
	require.Equal(t, "plugin panicked", record["@message"])
	require.NotEmpty(t, record["@timestamp"])
	require.Equal(t, "i", record["instance"])
	require.Equal(t, true, record["truncated"])
	require.Regexp(t, "^the reason: <", record["panic"])
	require.Regexp(t, "^goroutine 1 <", record["stack"])

	b.Reset()
	log.Info("short", "key", strings.Repeat("x", 10<<10))
	require.NoError(t, json.Unmarshal(b.Bytes(), &record))
	require.Len(t, record["key"], 10<<10, "what fits stays as it is")

	b.Reset()
	many := make([]any, 0, 20_000)
	for range 10_000 {
		many = append(many, slog.String(strings.Repeat("k", 1+len(many)%7), "value"), slog.Int("n", 1))
	}
	log.Info("many", append(many, "text", huge)...)
	require.LessOrEqual(t, b.Len(), maxRecord)
	require.NoError(t, json.Unmarshal(b.Bytes(), &record))
}

func TestDurationIsText(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	Log{Output: &b, Level: slog.LevelInfo}.Logger().Info("stuck", "after", 10*time.Second, slog.Group("call", "took", time.Minute))
	record := map[string]any{}
	require.NoError(t, json.Unmarshal(b.Bytes(), &record))
	require.Equal(t, "10s", record["after"])
	require.Equal(t, map[string]any{"took": "1m0s"}, record["call"])
}

func FuzzBounded(f *testing.F) {
	f.Add([]byte(`{"@message":"x","k":[{}]}`), 3000)
	f.Add([]byte("\xff\x00"), 20_000)
	f.Fuzz(func(t *testing.T, piece []byte, times int) {
		if len(piece) == 0 || len(piece) > 1000 {
			return
		}
		times = min(max(times, 1), 4*maxRecord/len(piece))
		value, err := json.Marshal(strings.Repeat(string(piece), times))
		require.NoError(t, err)
		for _, record := range [][]byte{
			[]byte(`{"@message":` + string(value) + `,"@level":"error","a":` + string(value) + "}\n"),
			[]byte(`{` + string(value) + `:1,"b":[` + string(value) + "]}\n"),
			bytes.Repeat(piece, times),
		} {
			var b bytes.Buffer
			n, err := Bounded(&b).Write(record)
			require.NoError(t, err)
			require.Len(t, record, n)
			require.LessOrEqual(t, b.Len(), maxRecord)
			require.True(t, !json.Valid(record) || json.Valid(b.Bytes()), b.String())
		}
	})
}
