// Package arrtest is what the tests of the source plugins of Arr applications share.
package arrtest

import (
	"context"
	"encoding/json"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/sdk"
)

// Decode decodes a body as it would come in by HTTP.
func Decode(s sdk.Source, body []byte, header http.Header) (sdk.Event, error) {
	r := sdk.Request{ID: "e1", Method: http.MethodPost, Header: header, Body: body, ReceivedAt: time.Unix(1, 0)}
	return s.Decode(context.Background(), r)
}

// Agent is the header of a request by a sender such as "Radarr/6.0.4.10291".
func Agent(s string) http.Header { return http.Header{"User-Agent": {s}} }

// Sample returns the body testdata/NAME.json.
func Sample(tb testing.TB, name string) []byte {
	tb.Helper()
	body, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	require.NoError(tb, err)
	return body
}

// Edit returns a sample after a change of its top-level object.
func Edit(tb testing.TB, name string, change func(map[string]any)) []byte {
	tb.Helper()
	var m map[string]any
	require.NoError(tb, json.Unmarshal(Sample(tb, name), &m))
	change(m)
	body, err := json.Marshal(m)
	require.NoError(tb, err)
	return body
}

// Object is the object under a key.
func Object(m map[string]any, key string) map[string]any { return m[key].(map[string]any) }

// First is the first object in the array under a key.
func First(m map[string]any, key string) map[string]any { return m[key].([]any)[0].(map[string]any) }

// Change is an edit of a sample.
type Change struct {
	sample string
	edit   func(map[string]any)
	same   bool
}

// Same is a change that leaves the event what it is.
func Same(sample string, edit func(map[string]any)) Change { return Change{sample, edit, true} }

// Other is a change that makes it another event.
func Other(sample string, edit func(map[string]any)) Change { return Change{sample, edit, false} }

// Fingerprints checks that repetitions have equal fingerprints and nothing else has.
func Fingerprints(t *testing.T, s sdk.Source, changes map[string]Change) {
	t.Helper()
	for name, c := range changes {
		before, err := Decode(s, Sample(t, c.sample), nil)
		require.NoError(t, err, name)
		after, err := Decode(s, Edit(t, c.sample, c.edit), nil)
		require.NoError(t, err, name)
		require.Regexp(t, "^[0-9a-f]{32}$", before.Fingerprint, name)
		require.Equal(t, c.same, before.Fingerprint == after.Fingerprint, name)
	}
}

// Collected decodes real bodies, which are no part of the repository. Those of the
// source's own application, lower case, are understood; those of others are refused.
func Collected(t *testing.T, s sdk.Source, app string) {
	t.Helper()
	dir := os.Getenv("HOOKARR_PAYLOADS")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "payloads")
	}
	files := os.DirFS(dir)
	names, err := fs.Glob(files, "*.json")
	require.NoError(t, err)
	if len(names) == 0 {
		t.Skip("set HOOKARR_PAYLOADS to a directory with files like radarr__Grab__01.json")
	}
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	for _, name := range names {
		body, err := fs.ReadFile(files, name)
		require.NoError(t, err)
		sender, _, _ := strings.Cut(name, "__")
		sender, _, _ = strings.Cut(sender, "-")
		e, err := Decode(s, body, Agent(sender+"/4.0.0.1 (debian 12)"))
		if sender != app {
			_, ok := sdk.AsInvalid(err)
			require.True(t, ok, name)
			continue
		}
		require.NoError(t, err, name)
		require.NotEqual(t, sdk.TypeUnknown, e.Type, name)
		require.NotEmpty(t, e.Title, name)
		require.NotEmpty(t, e.Summary, name)
		_, _ = w.Write([]byte(name + "\t" + string(e.Type) + "\t" + e.Summary + "\n"))
	}
	require.NoError(t, w.Flush())
	t.Log("\n" + table.String())
}

// EveryTruncation cuts a sample at every byte.
func EveryTruncation(t *testing.T, s sdk.Source, name string) {
	t.Helper()
	whole := []byte(strings.TrimSpace(string(Sample(t, name))))
	for n := range whole {
		_, err := Decode(s, whole[:n], nil)
		_, ok := sdk.AsInvalid(err)
		require.True(t, ok, "%d bytes: %v", n, err)
	}
}

// Fuzz looks for bodies that a source does not stand, beginning with the samples.
func Fuzz(f *testing.F, s sdk.Source, agent string) {
	f.Helper()
	files, err := filepath.Glob("testdata/*.json")
	require.NoError(f, err)
	for _, file := range files {
		if strings.HasSuffix(file, ".golden.json") {
			continue
		}
		body, err := os.ReadFile(file)
		require.NoError(f, err)
		f.Add(body, agent)
	}
	f.Fuzz(func(t *testing.T, body []byte, userAgent string) {
		e, err := Decode(s, body, Agent(userAgent))
		if err != nil {
			_, invalid := sdk.AsInvalid(err)
			_, skip := sdk.SkipReason(err)
			require.True(t, invalid || skip, "%v", err)
			return
		}
		require.NotEmpty(t, e.Type)
		require.NotEmpty(t, e.Title)
		require.NotEmpty(t, e.Summary)
		require.NotContains(t, e.Title+e.Summary, "\n")
		again, err := Decode(s, body, Agent(userAgent))
		require.NoError(t, err)
		require.Equal(t, e, again)
		_, err = json.Marshal(e)
		require.NoError(t, err)
	})
}

// Benchmark decodes a body again and again.
func Benchmark(b *testing.B, s sdk.Source, body []byte) {
	b.Helper()
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Decode(s, body, nil); err != nil {
			b.Fatal(err)
		}
	}
}
