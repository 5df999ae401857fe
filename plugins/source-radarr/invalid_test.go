package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/sdk"
)

func TestInvalid(t *testing.T) {
	t.Parallel()
	whole := string(sample(t, "import"))
	tests := map[string]struct {
		body  string
		agent string
		want  string
		test  bool
	}{
		"empty":               {"", "", "the body is empty", false},
		"white space":         {" \r\n\t", "", "the body is empty", false},
		"truncated":           {whole[:len(whole)/2], "", "the body is cut off after", false},
		"form":                {"eventType=Test&x=1", "", "the body is not JSON: invalid character 'e' looking for beginning of value at byte 1", false},
		"html":                {"<html>", "", "the body is not JSON: invalid character '<'", false},
		"two objects":         {whole + whole, "", "the body is not JSON: invalid character '{' after top-level value", false},
		"binary":              {"\x00\x01\xff", "", "the body is not JSON", false},
		"array":               {"[1]", "", "the body is JSON but not an object", false},
		"string":              {`"Test"`, "", "the body is JSON but not an object", false},
		"null":                {"null", "", "the body is JSON but not an object", false},
		"nested":              {strings.Repeat("[", 1<<20), "", "the body is not JSON: invalid character '[' exceeded max depth at byte 10001", false},
		"nested in a field":   {`{"eventType":"Download","quality":` + strings.Repeat(`{"quality":`, 20_000), "", "exceeded max depth", false},
		"too large":           {`{"eventType":"` + strings.Repeat("x", 32<<20) + `"}`, "", "the body has 33554448 bytes, more than 33554432", false},
		"another service":     {`{"notification_type":"MEDIA_APPROVED"}`, "", "the body has no eventType: it is not a webhook of Radarr", false},
		"event type a number": {`{"eventType":5}`, "", "the body has no eventType: it is not a webhook of Radarr", false},
		"Sonarr by agent":     {`{"eventType":"Health"}`, "Sonarr/4.0.19.2979 (debian 12)", "this looks like Sonarr: point it at a source with plugin sonarr", false},
		"Sonarr by name":      {`{"eventType":"Health","instanceName":"My SONARR"}`, "", "this looks like Sonarr: point it at a source with plugin sonarr", false},
		"Sonarr by shape":     {`{"eventType":"Download","series":{"id":1},"episodes":[]}`, "curl/8", "this looks like Sonarr: point it at a source with plugin sonarr", false},
		"Lidarr by shape":     {`{"eventType":"ArtistAdd","artist":{"id":1}}`, "", "this looks like Lidarr: point it at a source with plugin lidarr", false},
		"Lidarr by name":      {`{"eventType":"DownloadFailure","instanceName":"Lidarr"}`, "", "this looks like Lidarr: point it at a source with plugin lidarr", false},
		"Whisparr by agent":   {whole, "Whisparr/3.2.0.1", "this looks like Whisparr: point it at a source with plugin whisparr", false},
		"Whisparr by shape":   {`{"eventType":"Grab","movie":{"itemType":"Scene"}}`, "", "this looks like Whisparr: point it at a source with plugin whisparr", false},
		"Prowlarr":            {`{"eventType":"Health"}`, "Prowlarr/1.0", "this looks like Prowlarr: this source takes webhooks of Radarr", false},
		"Readarr":             {`{"eventType":"Grab","author":{}}`, "", "this looks like Readarr: this source takes webhooks of Radarr", false},
		"test of Sonarr":      {`{"eventType":"Test","series":{"id":1}}`, "", "this looks like Sonarr: point it at a source with plugin sonarr", true},
		"test of Lidarr":      {`{"eventType":"test","instanceName":"Lidarr"}`, "", "this looks like Lidarr: point it at a source with plugin lidarr", true},
		"test of Whisparr":    {string(sample(t, "test_bare")), "Whisparr/2.0.0.987", "this looks like Whisparr: point it at a source with plugin whisparr", true},
	}
	for name, tt := range tests {
		_, err := decode([]byte(tt.body), agent(tt.agent))
		require.ErrorContains(t, err, tt.want, name)
		require.NotContains(t, err.Error(), "\n", name)
		require.Less(t, len(err.Error()), 200, name)
		test, ok := sdk.AsInvalid(err)
		require.True(t, ok, name)
		require.Equal(t, tt.test, test, name)
	}
}

func TestAcceptsUnusualSenders(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]struct{ body, agent string }{
		"no agent":             {`{"eventType":"Health"}`, ""},
		"relay":                {`{"eventType":"Health"}`, "Go-http-client/1.1"},
		"agent without system": {`{"eventType":"Health"}`, "Radarr/3.0.0.4204"},
		"two names":            {`{"eventType":"Health","instanceName":"Radarr (not Sonarr)"}`, ""},
		"own name":             {`{"eventType":"Health","instanceName":"Films"}`, ""},
		"byte order mark":      {"\uFEFF" + `{"eventType":"Health"}`, ""},
		"nothing of another":   {`{"eventType":"Health","series":null}`, ""},
	} {
		e, err := decode([]byte(r.body), agent(r.agent))
		require.NoError(t, err, name)
		require.Equal(t, sdk.TypeHealthIssue, e.Type, name)
		require.NotEmpty(t, e.Title, name)
		require.NotEmpty(t, e.Summary, name)
	}
}

// TestEveryTruncation cuts a body at every byte.
func TestEveryTruncation(t *testing.T) {
	t.Parallel()
	whole := []byte(strings.TrimSpace(string(sample(t, "upgrade"))))
	for n := range whole {
		_, err := decode(whole[:n], nil)
		_, ok := sdk.AsInvalid(err)
		require.True(t, ok, "%d bytes: %v", n, err)
	}
}

// TestMemory feeds bodies that are small on the wire and large in a careless
// decoder's memory.
func TestMemory(t *testing.T) { //nolint:paralleltest // it measures the process's allocations
	const size = 4 << 20
	fill := func(before, element, after string) []byte {
		n := (size - len(before) - len(after)) / len(element)
		return []byte(before + strings.TrimSuffix(strings.Repeat(element, n), ",") + after)
	}
	for name, body := range map[string][]byte{
		"files":        fill(`{"eventType":"Download","deletedFiles":[`, `{},`, `]}`),
		"renames":      fill(`{"eventType":"Rename","renamedMovieFiles":[`, `{},`, `]}`),
		"images":       fill(`{"eventType":"Grab","movie":{"images":[`, `0,`, `]}}`),
		"names":        fill(`{"eventType":"Grab","movie":{"tags":[`, `"a",`, `]}}`),
		"joined names": fill(`{"eventType":"Grab","movie":{"tags":"`, `a,`, `"}}`),
		"messages":     fill(`{"eventType":"ManualInteractionRequired","downloadStatusMessages":[`, `{"messages":["a"]},`, `]}`),
		"unknown":      fill(`{"eventType":"Grab","x":[`, `{},`, `]}`),
		"objects":      fill(`{"eventType":"Grab"`, `,"movie":{}`, `}`),
		"nested names": []byte(`{"eventType":"Download","movieFile":{"quality":` + strings.Repeat(`{"quality":`, 9000) + `"x"` + strings.Repeat("}", 9000) + `}}`),
		"long text":    fill(`{"eventType":"Health","type":"`, `A`, `"}`),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := decode(body, nil)
		runtime.ReadMemStats(&after)
		require.NoError(t, err, name)
		require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(32<<20), name)
	}
}

func FuzzDecode(f *testing.F) {
	files, err := filepath.Glob("testdata/*.json")
	require.NoError(f, err)
	for _, file := range files {
		body, err := os.ReadFile(file)
		require.NoError(f, err)
		f.Add(body, "Radarr/6.0.4.10291 (alpine 3.22.1)")
	}
	f.Fuzz(func(t *testing.T, body []byte, userAgent string) {
		e, err := decode(body, agent(userAgent))
		if err != nil {
			_, ok := sdk.AsInvalid(err)
			require.True(t, ok, "%v", err)
			return
		}
		require.NotEmpty(t, e.Type)
		require.NotEmpty(t, e.Title)
		require.NotEmpty(t, e.Summary)
		require.NotContains(t, e.Title+e.Summary, "\n")
		again, err := decode(body, agent(userAgent))
		require.NoError(t, err)
		require.Equal(t, e, again)
		_, err = json.Marshal(e)
		require.NoError(t, err)
	})
}
