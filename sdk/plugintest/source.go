package plugintest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// Source is a served source plugin with one instance.
type Source struct{ *Plugin }

// StartSource serves a source plugin until the test ends. See [Config] for config.
func StartSource[C any](tb testing.TB, info sdk.Info, ctor sdk.NewSource[C], config any) *Source {
	tb.Helper()
	p, err := sdk.NewSourcePlugin(info, ctor)
	return &Source{start(tb, p, err, config)}
}

// Decode decodes a request over the wire. The error is for a call that broke: the
// plugin panicked, or made an event without type or title. The event is complete.
func (s *Source) Decode(ctx context.Context, r sdk.Request) (host.Decoded, error) {
	d, err := s.client.Decode(ctx, Instance, r)
	if err != nil || d.Event == nil {
		return d, err
	}
	d.Event = new(sdk.Event)
	if err := json.Unmarshal(d.JSON, d.Event); err != nil {
		return host.Decoded{}, fmt.Errorf("the event is not one: %w", err)
	}
	return d, nil
}

// Request returns a request with a body, as the sources' suite makes it: id and
// time are fixed, so that golden files are.
func Request(body []byte) sdk.Request {
	return sdk.Request{
		ID:         "01980000-0000-7000-8000-000000000001",
		Method:     http.MethodPost,
		Header:     http.Header{"Content-Type": {"application/json"}},
		Query:      url.Values{},
		Body:       body,
		ReceivedAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	}
}

// SourceSuite says how to hold a source to what hosts rely on.
type SourceSuite struct {
	// Config is the instance's configuration; nil is an empty one.
	Config any
	// Testdata is the directory of request bodies, NAME.json. What a body decodes to
	// is in NAME.golden.json: the event, or {"skip": reason}, or {"invalid": reason}.
	// Lines such as "User-Agent: Radarr/6.0" in NAME.headers are sent along. Empty is
	// "testdata".
	Testdata string
}

func (s SourceSuite) dir() string {
	if s.Testdata == "" {
		return "testdata"
	}
	return s.Testdata
}

// TestSource holds a source plugin to what hosts rely on: what it says of itself and
// its configuration, that options can be asked for if it has any, that every body decodes to its golden file and to a type that it
// lists, that decoding is pure, that fingerprints tell events apart, and that no input makes it panic.
//
// Golden files are written when the test binary gets -update, a flag that [Main]
// declares.
func TestSource[C any](t *testing.T, info sdk.Info, ctor sdk.NewSource[C], suite SourceSuite) {
	t.Helper()
	start := func(t *testing.T) *Source {
		t.Helper()
		t.Parallel()
		return StartSource(t, info, ctor, suite.Config)
	}
	t.Run("describe", func(t *testing.T) { checkDescription(t, start(t).Plugin, host.KindSource) })
	t.Run("configuration", func(t *testing.T) { checkProblems(t, start(t).Plugin, Config(t, suite.Config)) })
	t.Run("options", func(t *testing.T) { checkOptions(t, start(t).Plugin, Config(t, suite.Config)) })
	t.Run("golden", func(t *testing.T) { checkGolden(t, start(t), suite) })
	t.Run("bad input", func(t *testing.T) { checkBadInput(t, start(t), suite) })
}

// FuzzSource fuzzes a source's Decode over the wire, beginning with the bodies in
// the suite's directory: it must not panic, and must decode alike twice.
func FuzzSource[C any](f *testing.F, info sdk.Info, ctor sdk.NewSource[C], suite SourceSuite) {
	f.Helper()
	for _, file := range bodies(f, suite.dir()) {
		body, err := os.ReadFile(file)
		require.NoError(f, err)
		f.Add(body)
	}
	s := StartSource(f, info, ctor, suite.Config)
	f.Fuzz(func(t *testing.T, body []byte) { decodeTwice(t, s, Request(body)) })
}

func bodies(tb testing.TB, dir string) []string {
	tb.Helper()
	all, err := filepath.Glob(filepath.Join(dir, "*.json"))
	require.NoError(tb, err)
	var files []string
	for _, file := range all {
		if !strings.HasSuffix(file, ".golden.json") {
			files = append(files, file)
		}
	}
	require.NotEmpty(tb, files, "no request bodies in %s", dir)
	return files
}

// decodeTwice returns what a request decodes to, and wants it to be the same when it
// comes again, which it does with another id and at another time. A plugin may answer that
// it cannot at present; that it broke it may not.
func decodeTwice(t *testing.T, s *Source, r sdk.Request) host.Decoded {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), wait)
	defer cancel()
	first, err := s.Decode(ctx, r)
	if err != nil {
		require.Equal(t, codes.Unavailable, status.Code(err), "%v", err)
		return first
	}
	again := r
	again.ID, again.ReceivedAt = "01980000-0000-7000-8000-000000000002", r.ReceivedAt.Add(26*time.Hour)
	second, err := s.Decode(ctx, again)
	require.NoError(t, err)
	requireSame(t, r, first, again, second)
	if first.Event != nil {
		require.NotEmpty(t, first.Event.Type)
		require.NotEmpty(t, first.Event.Title)
		require.NotEmpty(t, first.Event.App, "App is the application, lower case")
		require.Equal(t, time.UTC, first.Event.Time.Location())
	}
	return first
}

// requireSame wants two requests that differ in id and time to have been decoded alike.
func requireSame(t *testing.T, r sdk.Request, first host.Decoded, again sdk.Request, second host.Decoded) {
	t.Helper()
	const impure = "decoding is not pure: the same request with another id and time gave another"
	require.Equal(t, first.Event == nil, second.Event == nil, impure+" kind of result")
	require.Equal(t, []string{first.Skip, first.Invalid}, []string{second.Skip, second.Invalid}, impure+" reason")
	require.Equal(t, first.Test, second.Test, impure+" reason")
	if first.Event == nil {
		return
	}
	one, other := *first.Event, *second.Event
	// What an event has of its request, it has of its own request.
	if one.ID == r.ID {
		require.Equal(t, again.ID, other.ID, "the event has the id of a former request: leave ID empty")
		other.ID = one.ID
	}
	if one.Time.Equal(r.ReceivedAt) {
		require.True(t, other.Time.Equal(again.ReceivedAt),
			"the event has a time of its own, %s, and not that of its request, %s: leave Time empty", other.Time, again.ReceivedAt)
		other.Time = one.Time
	}
	require.Equal(t, one, other, impure+" event")
}

func checkGolden(t *testing.T, s *Source, suite SourceSuite) {
	t.Helper()
	fingerprints := map[string]string{}
	for _, file := range bodies(t, suite.dir()) {
		base := strings.TrimSuffix(file, ".json")
		body, err := os.ReadFile(file)
		require.NoError(t, err)
		r := Request(body)
		addHeaders(t, r.Header, base+".headers")
		d := decodeTwice(t, s, r)
		compareGolden(t, base+".golden.json", d)
		checkDeclared(t, s, d, file)
		if d.Event == nil || d.Event.Fingerprint == "" {
			continue
		}
		key := d.Event.Fingerprint
		// The same body in two files is the same event.
		if other, ok := fingerprints[key]; ok && !sameBody(t, file, other) {
			require.Failf(t, "fingerprints do not tell events apart", "%s and %s", other, file)
		}
		fingerprints[key] = file
	}
}

// checkDeclared wants the type of an event among those that the plugin lists, if it does.
func checkDeclared(t *testing.T, s *Source, d host.Decoded, file string) {
	t.Helper()
	desc, err := s.Describe(t.Context())
	require.NoError(t, err)
	if d.Event == nil || len(desc.EventTypes) == 0 {
		return
	}
	require.True(t, slices.ContainsFunc(desc.EventTypes, func(e sdk.EventType) bool { return e.Type == d.Event.Type }),
		"%s is %s, which Info.EventTypes does not list", file, d.Event.Type)
}

func sameBody(t *testing.T, a, b string) bool {
	t.Helper()
	x, err := os.ReadFile(a)
	require.NoError(t, err)
	y, err := os.ReadFile(b)
	require.NoError(t, err)
	return bytes.Equal(x, y)
}

func addHeaders(t *testing.T, h http.Header, file string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	require.NoError(t, err)
	for line := range strings.Lines(string(data)) {
		if name, value, ok := strings.Cut(line, ":"); ok {
			h.Set(strings.TrimSpace(name), strings.TrimSpace(value))
		}
	}
}

func compareGolden(t *testing.T, file string, d host.Decoded) {
	t.Helper()
	var got any = d.Event
	switch {
	case d.Skip != "":
		got = map[string]any{"skip": d.Skip}
	case d.Invalid != "":
		got = map[string]any{"invalid": d.Invalid, "test": d.Test}
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	require.NoError(t, enc.Encode(got))
	if f := flag.Lookup("update"); f != nil && f.Value.String() == "true" {
		require.NoError(t, os.WriteFile(file, b.Bytes(), 0o644))
		return
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err, "run the test with -update")
	require.Equal(t, string(want), b.String(), "%s; -update writes it anew", file)
}

// checkBadInput decodes what no application sends, and every body cut short or with
// a value of another type.
func checkBadInput(t *testing.T, s *Source, suite SourceSuite) {
	t.Helper()
	inputs := [][]byte{
		nil, []byte(" "), []byte("null"), []byte("true"), []byte("0"), []byte(`""`), []byte("[]"), []byte("{}"), []byte("{"),
		[]byte("<xml/>"), []byte("\xff\xfe\x00"), []byte(`{"eventType":null}`), []byte(`{"eventType":[]}`), []byte(`[{}]`),
		[]byte(strings.Repeat("[", 100_000)), []byte(strings.Repeat(`{"a":`, 100_000)),
		bytes.Repeat([]byte("a"), 5<<20),
		[]byte(`{"eventType":"` + strings.Repeat("x", 5<<20) + `"}`),
	}
	for _, in := range inputs {
		decodeTwice(t, s, Request(in))
	}
	for _, file := range bodies(t, suite.dir()) {
		body, err := os.ReadFile(file)
		require.NoError(t, err)
		for i := range 8 {
			decodeTwice(t, s, Request(body[:len(body)*i/8]))
		}
		for _, wrong := range wrongTypes(t, body) {
			decodeTwice(t, s, Request(wrong))
		}
	}
}

// wrongTypes returns a body with each of its top-level values replaced by others.
func wrongTypes(t *testing.T, body []byte) [][]byte {
	t.Helper()
	object := map[string]json.RawMessage{}
	if json.Unmarshal(body, &object) != nil {
		return nil
	}
	var bodies [][]byte
	for key, value := range object {
		for _, wrong := range []string{"null", "-1", `"x"`, "[]", "[null]", "{}", "[[{}]]"} {
			object[key] = json.RawMessage(wrong)
			b, err := json.Marshal(object)
			require.NoError(t, err)
			bodies = append(bodies, b)
		}
		object[key] = value
	}
	return bodies
}
