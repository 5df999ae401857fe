package pluginnew_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/pluginnew"
	"github.com/hookarr/hookarr/sdk/host"
)

func TestPayloadsThatAreNone(t *testing.T) {
	t.Parallel()
	const save = ": save the body alone, which is what it sends"
	for body, want := range map[string]string{
		"":                           "is empty: save the body of a webhook in it",
		" \r\n":                      "is empty: save the body of a webhook in it",
		"[]":                         "has an array, and a source makes one event of a request: give one of its objects: jq '.[0]' 'my body' > one.json",
		`[{"a":1},{"a":2}]`:          "has an array, and a source makes one event of a request: give one of its objects: jq '.[0]' 'my body' > one.json",
		`"text"`:                     "has a string and no object with keys: give the whole body of a webhook",
		"12":                         "has a number and no object with keys: give the whole body of a webhook",
		"null":                       "has a null and no object with keys: give the whole body of a webhook",
		"{}":                         "has an object without keys: give a body that says something",
		"{\"a\":\"\xff\"}":           "is not UTF-8 from byte 6 on, as JSON has to be: save the body as it was sent",
		"\xff\xfe{\x00}\x00":         "is UTF-16, and JSON is UTF-8: iconv -f UTF-16 -t UTF-8 'my body' > utf8.json",
		`{"a":1`:                     "is no JSON: it ends in the middle: save the whole body",
		"{\"a\":1,\n\"b\":}":         "is no JSON: line 2: invalid character '}' looking for beginning of value",
		"{\"a\":1}\n{\"a\":2}":       "is no JSON: more follows the first value: save one body in a file",
		"event: imported\n":          "is no JSON: line 1: invalid character 'e' looking for beginning of value",
		"title=Sintel&event=done":    "has a form, and a source that is begun from a body needs JSON: save the field that holds JSON, decoded; else begin without --from",
		"payload=%7B%22a%22%3A1%7D":  "has a form, and a source that is begun from a body needs JSON: save the field that holds JSON, decoded; else begin without --from",
		"<event/>":                   "has XML or HTML, and a source that is begun from a body needs JSON: begin without --from, and decode it in decode.go",
		"curl -d '{}' http://a.test": "has a curl command: save what follows its -d or --data, without the quotes of the shell",
		"POST /hooks/a HTTP/1.1\r\nHost: a\r\n\r\n{\"a\":1}":                                  "has a whole request: save what follows the empty line: sed '1,/^\\r*$/d' 'my body' > only-body.json",
		"--x\r\nContent-Disposition: form-data; name=\"payload_json\"\r\n\r\n{}\r\n--x--\r\n": "has a form with parts, and a source that is begun from a body needs JSON" + save + " in one part",
		strings.Repeat("[", 20_000):                                                           "is no JSON: ",
		strings.Repeat(`{"a":`, 20_000) + "1" + strings.Repeat("}", 20_000):                   "is no JSON: line 1: invalid character '{' exceeded max depth",
		`{"a":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + "}":                   "nests 101 levels, and no webhook more than 100: give a body that an application sent",
		`{"a":"` + strings.Repeat("x", 1<<20) + `"}`:                                          "has more than 1.0 MiB: give a shorter body of the same kind",
	} {
		_, err := pluginnew.ReadPayload("my body", strings.NewReader(body))
		require.ErrorContains(t, err, want, "%.60q", body)
	}
}

func TestPayloadsOfFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, err := pluginnew.OpenPayload(dir)
	require.EqualError(t, err, "is a directory: give a file that has the body of one webhook")
	_, err = pluginnew.OpenPayload(filepath.Join(dir, "none.json"))
	require.EqualError(t, err, "cannot be read: no such file or directory")
	_, err = pluginnew.OpenPayload("/dev/zero")
	require.EqualError(t, err, "has more than 1.0 MiB: give a shorter body of the same kind")
	// As Windows' editors save it.
	file := filepath.Join(dir, "body.json")
	require.NoError(t, os.WriteFile(file, []byte("\ufeff{\"event\":\"x\"}\r\n"), 0o600))
	_, err = pluginnew.OpenPayload(file)
	require.NoError(t, err)
}

func TestPayloadsMayBeDeep(t *testing.T) {
	t.Parallel()
	const deep = 100
	body := strings.Repeat(`{"a":`, deep) + "1" + strings.Repeat("}", deep)
	o := pluginnew.Options{Kind: host.KindSource, Name: "deep", Dir: t.TempDir(), SDK: pluginnew.ReleasedSDK(), Payload: payload(t, body)}
	_, err := pluginnew.Write(o)
	require.NoError(t, err)
	code, err := os.ReadFile(filepath.Join(o.Dir, "body.go"))
	require.NoError(t, err)
	require.Contains(t, string(code), "A json.RawMessage `json:\"a\"`")
	require.Less(t, len(code), 2000)
}

func TestCredentialsStayOut(t *testing.T) {
	t.Parallel()
	const secret = "0123456789abcdef"
	body := `{
  "event": "imported", "api_key": "` + secret + `", "X-Auth-Token": "` + secret + `", "PASSWORD": 12345678,
  "author": {"name": "Sam", "key": "AUTH-1"}, "nextPage": {"access_token": "` + secret + `"},
  "tokens": ["` + secret + `", "` + secret + `"], "credentials": {"value": "` + secret + `", "more": [{"pin": 1234}]},
  "list": [{"secret": "` + secret + `"}, {"secret": "", "pass": null}],
  "self": "https://sam:` + secret + `@radarr.example/", "poster": "https://images.example/p.jpg?size=2&apikey=` + secret + `",
  "hook": "https://discord.com/api/webhooks/1/` + secret + `", "slack": "https://hooks.slack.com/services/T/B/` + secret + `",
  "bot": "https://api.telegram.org/bot1:` + secret + `/sendMessage", "header": "Bearer ` + secret + `", "jot": "eyJhbGciOi.` + secret + `.x",
  "pem": "-----BEGIN RSA PRIVATE KEY-----\n` + secret + `", "link": "https://radarr.example/movie/1", "passage": "kept", "keyboard": "kept"
}`
	o := pluginnew.Options{Kind: host.KindSource, Name: "demo", Dir: t.TempDir(), SDK: pluginnew.ReleasedSDK(), Payload: payload(t, body)}
	written, err := pluginnew.Write(o)
	require.NoError(t, err)
	require.Equal(t, []string{
		"api_key", "X-Auth-Token", "PASSWORD", "nextPage.access_token", "tokens[]", "credentials.value", "credentials.more[].pin", "list[].secret",
		"self", "poster", "hook", "slack", "bot", "header", "jot", "pem",
	}, written.Redacted)
	for _, f := range written.Files {
		data, err := os.ReadFile(filepath.Join(o.Dir, f))
		require.NoError(t, err)
		require.NotContains(t, string(data), secret, f)
		require.NotContains(t, string(data), "12345678", f)
	}
	kept, err := os.ReadFile(filepath.Join(o.Dir, "testdata", "demo.json"))
	require.NoError(t, err)
	require.Contains(t, string(kept), `"tokens": ["[redacted]", "[redacted]"]`)
	require.Contains(t, string(kept), `"author": {"name": "Sam", "key": "AUTH-1"}`)
	require.Contains(t, string(kept), `"passage": "kept", "keyboard": "kept"`)
	_, err = pluginnew.ReadPayload("my body", strings.NewReader(string(kept)))
	require.NoError(t, err)

	// What has none stays as it is, byte for byte.
	body = "{\"event\" :\t\"x\",\n\n \"id\":1.0}\n"
	o.Dir, o.Payload = t.TempDir(), payload(t, body)
	written, err = pluginnew.Write(o)
	require.NoError(t, err)
	require.Empty(t, written.Redacted)
	kept, err = os.ReadFile(filepath.Join(o.Dir, "testdata", "demo.json"))
	require.NoError(t, err)
	require.Equal(t, body, string(kept))
}
