package radarr

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
	refused := arrtest.Refusals(t, decoder{})
	refused("", "", "the body is empty", false)
	refused(" \r\n\t", "", "the body is empty", false)
	refused(whole[:len(whole)/2], "", "the body is cut off after", false)
	refused("eventType=Test&x=1", "", "the body is not JSON: invalid character 'e' looking for beginning of value at byte 1", false)
	refused("<html>", "", "the body is not JSON: invalid character '<'", false)
	refused(whole+whole, "", "the body is not JSON: invalid character '{' after top-level value", false)
	refused("\x00\x01\xff", "", "the body is not JSON", false)
	refused("[1]", "", "the body is JSON but not an object", false)
	refused(`"Test"`, "", "the body is JSON but not an object", false)
	refused("null", "", "the body is JSON but not an object", false)
	refused(strings.Repeat("[", 1<<20), "", "the body is not JSON: invalid character '[' exceeded max depth at byte 10001", false)
	refused(`{"eventType":"Download","quality":`+strings.Repeat(`{"quality":`, 20_000), "", "exceeded max depth", false)
	refused(`{"eventType":"`+strings.Repeat("x", 32<<20)+`"}`, "", "the body has 33554448 bytes, more than 33554432", false)
	refused(`{"notification_type":"MEDIA_APPROVED"}`, "", "the body has no eventType: it is not a webhook of Radarr", false)
	refused(`{"eventType":5}`, "", "the body has no eventType: it is not a webhook of Radarr", false)
	refused(`{"eventType":"Health"}`, "Sonarr/4.0.19.2979 (debian 12)", "this looks like Sonarr: point it at a source with plugin sonarr", false)
	refused(`{"eventType":"Health","instanceName":"My SONARR"}`, "", "this looks like Sonarr: point it at a source with plugin sonarr", false)
	refused(`{"eventType":"Download","series":{"id":1},"episodes":[]}`, "curl/8", "this looks like Sonarr: point it at a source with plugin sonarr", false)
	refused(`{"eventType":"ArtistAdd","artist":{"id":1}}`, "", "this looks like Lidarr: point it at a source with plugin lidarr", false)
	refused(`{"eventType":"DownloadFailure","instanceName":"Lidarr"}`, "", "this looks like Lidarr: point it at a source with plugin lidarr", false)
	refused(whole, "Whisparr/3.2.0.1", "this looks like Whisparr: point it at a source with plugin whisparr", false)
	refused(`{"eventType":"Grab","movie":{"itemType":"Scene"}}`, "", "this looks like Whisparr: point it at a source with plugin whisparr", false)
	refused(`{"eventType":"Health"}`, "Prowlarr/1.0", "this looks like Prowlarr: point it at a source with plugin prowlarr", false)
	refused(`{"eventType":"Grab","author":{}}`, "", "this looks like Readarr: point it at a source with plugin readarr", false)
	refused(`{"eventType":"Test","series":{"id":1}}`, "", "this looks like Sonarr: point it at a source with plugin sonarr", true)
	refused(`{"eventType":"test","instanceName":"Lidarr"}`, "", "this looks like Lidarr: point it at a source with plugin lidarr", true)
	refused(string(arrtest.Sample(t, "test_bare")), "Whisparr/2.0.0.987", "this looks like Whisparr: point it at a source with plugin whisparr", true)
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
		e, err := arrtest.Decode(decoder{}, []byte(r.body), arrtest.Agent(r.agent))
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

func FuzzDecode(f *testing.F) { arrtest.Fuzz(f, decoder{}, agent) }
