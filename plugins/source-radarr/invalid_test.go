package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/plugins/internal/arr/arrtest"
	"github.com/hookarr/hookarr/sdk"
)

func TestInvalid(t *testing.T) {
	t.Parallel()
	whole := string(arrtest.Sample(t, "import"))
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
		"Prowlarr":            {`{"eventType":"Health"}`, "Prowlarr/1.0", "this looks like Prowlarr: point it at a source with plugin prowlarr", false},
		"Readarr":             {`{"eventType":"Grab","author":{}}`, "", "this looks like Readarr: point it at a source with plugin readarr", false},
		"test of Sonarr":      {`{"eventType":"Test","series":{"id":1}}`, "", "this looks like Sonarr: point it at a source with plugin sonarr", true},
		"test of Lidarr":      {`{"eventType":"test","instanceName":"Lidarr"}`, "", "this looks like Lidarr: point it at a source with plugin lidarr", true},
		"test of Whisparr":    {string(arrtest.Sample(t, "test_bare")), "Whisparr/2.0.0.987", "this looks like Whisparr: point it at a source with plugin whisparr", true},
	}
	for name, tt := range tests {
		_, err := decode([]byte(tt.body), arrtest.Agent(tt.agent))
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
		e, err := decode([]byte(r.body), arrtest.Agent(r.agent))
		require.NoError(t, err, name)
		require.Equal(t, sdk.TypeHealthIssue, e.Type, name)
		require.NotEmpty(t, e.Title, name)
		require.NotEmpty(t, e.Summary, name)
	}
}

func TestEveryTruncation(t *testing.T) {
	t.Parallel()
	arrtest.EveryTruncation(t, decoder{}, "upgrade")
}

func TestMemory(t *testing.T) { //nolint:paralleltest // it measures the process's allocations
	arrtest.Memory(t, decoder{}, map[string][]byte{
		"files":        arrtest.Fill(`{"eventType":"Download","deletedFiles":[`, `{},`, `]}`),
		"renames":      arrtest.Fill(`{"eventType":"Rename","renamedMovieFiles":[`, `{},`, `]}`),
		"images":       arrtest.Fill(`{"eventType":"Grab","movie":{"images":[`, `0,`, `]}}`),
		"names":        arrtest.Fill(`{"eventType":"Grab","movie":{"tags":[`, `"a",`, `]}}`),
		"joined names": arrtest.Fill(`{"eventType":"Grab","movie":{"tags":"`, `a,`, `"}}`),
		"messages":     arrtest.Fill(`{"eventType":"ManualInteractionRequired","downloadStatusMessages":[`, `{"messages":["a"]},`, `]}`),
		"unknown":      arrtest.Fill(`{"eventType":"Grab","x":[`, `{},`, `]}`),
		"objects":      arrtest.Fill(`{"eventType":"Grab"`, `,"movie":{}`, `}`),
		"nested names": []byte(`{"eventType":"Download","movieFile":{"quality":` + strings.Repeat(`{"quality":`, 9000) + `"x"` + strings.Repeat("}", 9000) + `}}`),
		"long text":    arrtest.Fill(`{"eventType":"Health","type":"`, `A`, `"}`),
	})
}

func FuzzDecode(f *testing.F) { arrtest.Fuzz(f, decoder{}, "Radarr/6.0.4.10291 (alpine 3.22.1)") }
