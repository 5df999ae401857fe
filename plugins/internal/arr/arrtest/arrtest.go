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

// Decoded is the event of a body.
func Decoded(tb testing.TB, s sdk.Source, body []byte) sdk.Event {
	tb.Helper()
	e, err := Decode(s, body, nil)
	require.NoError(tb, err)
	return e
}

// Event is the event of a sample.
func Event(tb testing.TB, s sdk.Source, name string) sdk.Event {
	tb.Helper()
	e, err := Decode(s, Sample(tb, name), nil)
	require.NoError(tb, err, name)
	return e
}

// Table returns what checks the event of a sample, as people see it, that was sent by
// an agent such as "Radarr/6.0.4.10291 (alpine 3.22.1)".
func Table(t *testing.T, s sdk.Source, agent string) func(sample, native string, want sdk.Type, title, summary, url string) {
	t.Helper()
	product, _, _ := strings.Cut(agent, " ")
	app, version, _ := strings.Cut(product, "/")
	return func(sample, native string, want sdk.Type, title, summary, url string) {
		t.Helper()
		e, err := Decode(s, Sample(t, sample), Agent(agent))
		require.NoError(t, err, sample)
		require.Equal(t, want, e.Type, sample)
		require.Equal(t, native, e.NativeType, sample)
		require.Equal(t, title, e.Title, sample)
		require.Equal(t, summary, e.Summary, sample)
		require.Equal(t, url, e.URL, sample)
		require.Equal(t, strings.ToLower(app), e.App, sample)
		require.Equal(t, version, e.AppVersion, sample)
	}
}

// Refusals returns what checks that a body is refused for a reason, which is a line,
// and whether as a test.
func Refusals(t *testing.T, s sdk.Source) func(body, agent, reason string, test bool) {
	t.Helper()
	return func(body, agent, reason string, test bool) {
		t.Helper()
		_, err := Decode(s, []byte(body), Agent(agent))
		require.ErrorContains(t, err, reason)
		require.NotContains(t, err.Error(), "\n")
		require.Less(t, len(err.Error()), 200)
		isTest, ok := sdk.AsInvalid(err)
		require.True(t, ok, reason)
		require.Equal(t, test, isTest, reason)
	}
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

// ID returns an edit that gives the object under a key another id.
func ID(key string) func(map[string]any) {
	return func(m map[string]any) { Object(m, key)["id"] = 999 }
}

// Swap returns an edit that exchanges the first two elements of the array under a key.
func Swap(key string) func(map[string]any) {
	return func(m map[string]any) {
		all := m[key].([]any)
		all[0], all[1] = all[1], all[0]
	}
}

// Set returns an edit that sets a key.
func Set(key string, value any) func(map[string]any) {
	return func(m map[string]any) { m[key] = value }
}

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

// Collected decodes real bodies, which are no part of the repository, and logs what
// became of them. Those of the source's own application, lower case, are understood;
// those of another are refused with the name of the plugin that they are for.
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
	for _, name := range names {
		body, err := fs.ReadFile(files, name)
		require.NoError(t, err)
		sender, _, _ := strings.Cut(name, "__")
		sender, _, _ = strings.Cut(sender, "-")
		e, err := Decode(s, body, Agent(sender+"/4.0.0.1 (debian 12)"))
		if sender != app {
			_, ok := sdk.AsInvalid(err)
			require.True(t, ok, name)
			require.ErrorContains(t, err, "point it at a source with plugin "+sender, name)
			continue
		}
		require.NoError(t, err, name)
		require.NotEqual(t, sdk.TypeUnknown, e.Type, name)
		require.NotEmpty(t, e.Title, name)
		require.NotEmpty(t, e.Summary, name)
		t.Logf("%s -> %s: %s", name, e.Type, e.Summary)
	}
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
