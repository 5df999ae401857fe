package sdk

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/sdk/internal/pluginv1"
	"github.com/hookarr/hookarr/sdk/internal/process"
)

type nested struct {
	Key    Secret
	hidden Secret
	Next   *nested
	Any    any
}

func TestRedactorFindsEverySecret(t *testing.T) {
	t.Parallel()
	ring := &nested{Key: "in-a-ring"}
	ring.Next = ring
	config := struct {
		One   Secret
		List  []Secret
		Map   map[string]Secret
		Keys  map[Secret]int
		Deep  nested
		Plain string
		Short Secret
		Empty Secret
	}{
		One: "first-secret", List: []Secret{"second-secret"}, Map: map[string]Secret{"x": "third-secret"},
		Keys: map[Secret]int{"fourth-secret": 1}, Deep: nested{hidden: "fifth-secret", Next: ring, Any: &nested{Key: "sixth-secret"}},
		Plain: "no secret", Short: "abc",
	}
	r := newRedactor(&config)
	for _, s := range []string{"first-secret", "second-secret", "third-secret", "fourth-secret", "fifth-secret", "in-a-ring", "sixth-secret"} {
		require.Equal(t, "<[redacted]>", r.text("<"+s+">"))
	}
	require.Equal(t, "no secret, abc", r.text("no secret, abc"))
	require.Equal(t, "as it is", redactor{}.text("as it is"))
}

// An endpoint that echoes a header shows the password in base64, wherever in it.
func TestRedactorFindsEncodedSecrets(t *testing.T) {
	t.Parallel()
	const secret = "p?ss>word~1234"
	r := newRedactor([]Secret{secret})
	for _, user := range []string{"", "a", "ab", "abc", "hookarr"} {
		text := []byte(user + ":" + secret + ":rest")
		for name, encode := range map[string]func([]byte) string{
			"std": base64.StdEncoding.EncodeToString, "raw": base64.RawStdEncoding.EncodeToString,
			"url": base64.URLEncoding.EncodeToString, "hex": hex.EncodeToString,
			"HEX": func(b []byte) string { return strings.ToUpper(hex.EncodeToString(b)) },
		} {
			shown := r.text("Basic " + encode(text))
			require.Contains(t, shown, redacted, "%s of %s", name, text)
			// No more than the neighbours of the secret are left of it.
			require.LessOrEqual(t, len(shown), len("Basic ")+len(redacted)+len(encode([]byte(user+"::rest")))+6, "%s of %s", name, text)
		}
	}
	require.Equal(t, "aHR0cHM6Ly9leGFtcGxl", r.text("aHR0cHM6Ly9leGFtcGxl"))
}

// What an endpoint tells of others may have their passwords in it: Kodi's sources have.
func TestRedactorHidesUsersInURLs(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ given, want string }{
		{`{"directory":"smb://nas-user:pass%21:word@nas/tv/","x":"a:b@c"}`, `{"directory":"smb://[redacted]@nas/tv/","x":"a:b@c"}`},
		{"smb://:pw@nas, nfs://u:p@nas:2049/a", "smb://[redacted]@nas, nfs://[redacted]@nas:2049/a"},
		{"http://host:8080/a:b@c and http://host/?q=a:b@c", "http://host:8080/a:b@c and http://host/?q=a:b@c"},
		{"smb://user@nas/a:b", "smb://user@nas/a:b"},
	} {
		require.Equal(t, c.want, redactor{}.text(c.given))
		require.Equal(t, c.want, newRedactor([]Secret{"something else"}).text(c.want))
	}
	shown, _ := redactor{}.body([]byte(`["smb://u:p4ss@nas/tv/"]`), false)
	require.NotContains(t, string(shown), "p4ss")
}

func TestRedactorKnowsEverySpelling(t *testing.T) {
	t.Parallel()
	const secret = `p@ss "word"/ü&`
	r := newRedactor([]Secret{secret, "https://user:passwordpassword@host/api/webhooks/123/tokentokentoken?key=valuevaluevalue", "tgram://123456789:AAHtokenoftelegram/-100", "Bearer bearerbearer", "three words of a sentence", "longer-secret", "secret"})
	quoted, err := json.Marshal(secret)
	require.NoError(t, err)
	for _, text := range []string{
		secret, url.QueryEscape(secret), url.PathEscape(secret), string(quoted[1 : len(quoted)-1]),
		"/api/webhooks/123/tokentokentoken", "tokentokentoken", "passwordpassword", "valuevaluevalue", "AAHtokenoftelegram", "bearerbearer",
	} {
		require.Equal(t, "<[redacted]>", r.text("<"+text+">"), text)
	}
	require.Equal(t, "[redacted]", r.text("longer-secret"), "the whole, and not the secret inside")
	require.Equal(t, "words of a sentence", r.text("words of a sentence"))
	require.Equal(t, "host 123", r.text("host 123"), "what a URL has that is no secret")
}

func TestLogIsRedactedAndInHclogsForm(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	s := &instances[Target]{log: process.Log{Output: process.Bounded(&b), Level: slog.LevelDebug}}
	log := s.logger(newRedactor([]Secret{`se"cret`})).With("plugin", "p", "instance", "i")
	log.Warn("a message with se\"cret", "key", `se"cret`, "error", errors.New("with se\"cret"), "took", time.Second)
	log.Debug("long", "text", strings.Repeat("x", 100<<10))
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	require.Len(t, lines, 2)
	require.NotContains(t, b.String(), "cret")
	record := map[string]any{}
	require.NoError(t, json.Unmarshal([]byte(lines[0]), &record))
	at, err := time.Parse("2006-01-02T15:04:05.000000Z07:00", fmt.Sprint(record["@timestamp"]))
	require.NoError(t, err)
	require.WithinDuration(t, time.Now(), at, time.Hour)
	delete(record, "@timestamp")
	require.Equal(t, map[string]any{
		"@level": "warn", "@message": "a message with [redacted]", "plugin": "p", "instance": "i",
		"key": "[redacted]", "error": "with [redacted]", "took": "1s",
	}, record)
	require.Less(t, len(lines[1]), 16<<10, "a host cuts longer lines")
	require.True(t, json.Valid([]byte(lines[1])))
}

func TestOutcomeIsRedactedAndBounded(t *testing.T) {
	t.Parallel()
	const secret = "tokentokentoken"
	r := newRedactor([]Secret{secret})
	// A cut before the redaction would leave half a secret at the end.
	excerpt := strings.Repeat("é", 2045) + secret + strings.Repeat("é", 4000)
	o := toOutcome(Receipt{Status: 503, Excerpt: excerpt, MessageID: "m\xff", State: []byte("s"), Limit: &Limit{Remaining: -1, ResetAfter: -time.Second}},
		Throttled(3*time.Second, errors.New("first line\nsecond "+secret+strings.Repeat("é", 1000))), r)
	require.Equal(t, pluginv1.Class_CLASS_THROTTLED, o.GetClass())
	require.Equal(t, 3*time.Second, o.GetRetryAfter().AsDuration())
	require.True(t, strings.HasPrefix(o.GetMessage(), "first line second [redacted]é"), o.GetMessage())
	require.LessOrEqual(t, len(o.GetMessage()), 1<<10)
	require.True(t, utf8.ValidString(o.GetMessage()))
	require.LessOrEqual(t, len(o.GetExcerpt()), 4<<10)
	require.NotContains(t, o.GetExcerpt(), "token")
	require.True(t, utf8.ValidString(o.GetExcerpt()))
	require.Equal(t, "m\uFFFD", o.GetReceipt().GetMessageId())
	require.Zero(t, o.GetLearntRate().GetRemaining())
	require.Zero(t, o.GetLearntRate().GetResetAfter().AsDuration())

	for _, large := range []Receipt{{MessageID: "m", State: make([]byte, 5000)}, {MessageID: strings.Repeat("m", 1025)}} {
		require.Nil(t, toOutcome(large, nil, redactor{}).GetReceipt(), "half an id is another's, and half a state none")
	}
	o = toOutcome(Receipt{Status: -1}, nil, redactor{})
	require.Equal(t, pluginv1.Class_CLASS_OK, o.GetClass())
	require.Empty(t, o.GetMessage())
	require.Zero(t, o.GetStatus())
	require.Nil(t, o.GetRetryAfter())

	for err, want := range map[error]pluginv1.Class{
		errors.New("x"):            pluginv1.Class_CLASS_RETRYABLE,
		Permanent(errors.New("x")): pluginv1.Class_CLASS_PERMANENT,
		fmt.Errorf("wrapped: %w", Permanent(errors.New("x"))):       pluginv1.Class_CLASS_PERMANENT,
		Misconfigured(errors.New("x")):                              pluginv1.Class_CLASS_MISCONFIGURED,
		RetryAfter(time.Second, errors.New("x")):                    pluginv1.Class_CLASS_RETRYABLE,
		errors.Join(errors.New("y"), Throttled(0, errors.New("x"))): pluginv1.Class_CLASS_THROTTLED,
	} {
		require.Equal(t, want, toOutcome(Receipt{}, err, redactor{}).GetClass(), err)
	}
}

func TestSecretDoesNotShow(t *testing.T) {
	t.Parallel()
	s := Secret("hunter2hunter2")
	var b bytes.Buffer
	slog.New(slog.NewTextHandler(&b, nil)).Info("x", "s", s, "struct", struct{ S Secret }{s})
	data, err := json.Marshal(map[string]any{"s": s, "list": []Secret{s}})
	require.NoError(t, err)
	for _, text := range []string{
		fmt.Sprint(s), fmt.Sprintf("%s %v %q %+v %#v", s, s, s, s, s), fmt.Sprintf("%+v %#v", struct{ S Secret }{s}, []Secret{s}), b.String(), string(data),
	} {
		require.NotContains(t, text, "hunter2")
		require.Contains(t, text, "[redacted]")
	}
	require.Equal(t, "hunter2hunter2", s.Reveal())
	require.Empty(t, Secret("").String())
	require.NoError(t, json.Unmarshal([]byte(`"plain"`), &s))
	require.Equal(t, Secret("plain"), s)
}

func TestDuration(t *testing.T) {
	t.Parallel()
	var d Duration
	require.NoError(t, json.Unmarshal([]byte(`"1m30s"`), &d))
	require.Equal(t, Duration(90*time.Second), d)
	data, err := json.Marshal(d)
	require.NoError(t, err)
	require.JSONEq(t, `"1m30s"`, string(data))
	for text, want := range map[string]time.Duration{
		"7d": 168 * time.Hour, "2w": 336 * time.Hour, "1d12h": 36 * time.Hour, "1w1d1h": 193 * time.Hour, "-0.5d": -12 * time.Hour, "0": 0,
	} {
		got, err := ParseDuration(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{"soon", "", "d", "7", "7 d", "1y", "1e3d", "99999999999w"} {
		require.ErrorContains(t, json.Unmarshal([]byte(strconv.Quote(text)), &d), fmt.Sprintf("%q is not a duration", text))
	}
	require.Error(t, json.Unmarshal([]byte(`5`), &d))
}
