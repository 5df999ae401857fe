package ingest_test

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/ingest"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk/host"
)

func pack(tb testing.TB, body string, pack func(io.Writer) io.WriteCloser) string {
	tb.Helper()
	var b bytes.Buffer
	w := pack(&b)
	_, err := io.WriteString(w, body)
	require.NoError(tb, err)
	require.NoError(tb, w.Close())
	return b.String()
}

func gzipped(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }
func zlibbed(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) }

func flated(w io.Writer) io.WriteCloser {
	// The level is a valid one.
	f, _ := flate.NewWriter(w, flate.BestSpeed)
	return f
}

// encoded is signed over what is sent.
func (b *bundle) encoded(encoding, body string) *http.Request {
	b.t.Helper()
	r := b.request(body)
	r.Header.Set("Content-Encoding", encoding)
	return r
}

func TestCompressedBodies(t *testing.T) {
	t.Parallel()
	for name, sent := range map[string]struct {
		encoding string
		pack     func(io.Writer) io.WriteCloser
	}{
		"gzip":            {"gzip", gzipped},
		"an old name":     {" X-GZIP", gzipped},
		"deflate":         {"deflate", zlibbed},
		"deflate, barely": {"deflate", flated},
	} {
		b := setup(t)
		got := b.do(b.encoded(sent.encoding, pack(t, imported, sent.pack)))
		require.Equal(t, http.StatusAccepted, got.status, name)
		e := b.find(got.ID)
		require.Equal(t, event.Routed, e.State, name)
		require.True(t, bytes.Equal([]byte(imported), e.Request.Body), name)
		require.NotContains(t, e.Request.Header, "Content-Encoding", name)
		require.NotContains(t, e.Request.Header, "Content-Length", name)
		require.Equal(t, http.StatusOK, b.post(imported).status, "%s: the same without compression", name)
	}
	b := setup(t)
	require.Equal(t, http.StatusAccepted, b.do(b.encoded("identity", imported)).status)
	r := b.unsigned(pack(t, imported, gzipped))
	require.NoError(t, b.gate.Sign(r, []byte(imported), "", b.clock.Now()))
	r.Header.Set("Content-Encoding", "gzip")
	require.Equal(t, http.StatusUnauthorized, b.do(r).status, "the signature is of what is sent")
}

func TestEqualCompressedBodiesAreDuplicates(t *testing.T) {
	t.Parallel()
	b := setup(t)
	require.Equal(t, http.StatusAccepted, b.do(b.encoded("gzip", pack(t, "not json", gzipped))).status)
	require.Equal(t, http.StatusOK, b.do(b.encoded("deflate", pack(t, "not json", zlibbed))).status)
	require.Equal(t, http.StatusOK, b.post("not json").status)
}

// A small body that becomes a large one is refused when it is too large for any, and
// what it has taken is given back.
func TestBombs(t *testing.T) {
	t.Parallel()
	const limit = mebi
	b := setup(t, with(func(o *ingest.Options) { o.MaxBody, o.MaxBodies = limit, 8*limit }))
	fits := `{"type":"media.imported","title":"` + strings.Repeat("x", limit-36) + `"}`
	require.Len(t, fits, limit)
	require.Equal(t, http.StatusAccepted, b.do(b.encoded("gzip", pack(t, fits, gzipped))).status)
	for _, size := range []int{limit + 1, 64 * limit} {
		got := b.do(b.encoded("gzip", pack(t, strings.Repeat("x", size), gzipped)))
		require.Equal(t, http.StatusRequestEntityTooLarge, got.status)
		require.Contains(t, got.Error, "1048576")
	}
	require.Equal(t, 1, b.stored())
	require.True(t, b.intake.Idle())
}

// What is decompressed counts as what is sent does.
func TestDecompressedBodiesAreCounted(t *testing.T) {
	t.Parallel()
	const limit = mebi
	b := setup(t, with(func(o *ingest.Options) { o.MaxBody, o.MaxBodies = limit, 8*limit }))
	b.decoder.answers(func(context.Context) (host.Decoded, error) {
		_, free := b.intake.Held()
		require.Equal(t, int64(8*limit), free, "nothing is being sent")
		require.False(t, b.intake.Room(7*limit+limit/2))
		return host.Decoded{Skip: "seen"}, nil
	})
	got := b.do(b.encoded("gzip", pack(t, strings.Repeat("x", limit), gzipped)))
	require.Equal(t, http.StatusAccepted, got.status, got.body)
	require.True(t, b.intake.Idle())
}

func TestUndecodableBodiesAreNamed(t *testing.T) {
	t.Parallel()
	const (
		form      = "application/x-www-form-urlencoded"
		multipart = "multipart/form-data; boundary=x"
	)
	whole := pack(t, imported, gzipped)
	for name, tt := range map[string]struct{ contentType, encoding, body, want string }{
		"cut off":          {"", "gzip", whole[:len(whole)-9], "Content-Encoding says gzip, and it is not, or breaks off"},
		"not compressed":   {"", "gzip", "not json", "Content-Encoding says gzip, and it is not"},
		"brotli":           {"", "br", "\x8b\x02\x80{}\x03", "it is compressed by br: have the sender use gzip"},
		"zstd":             {"", "zstd", "\x28\xb5\x2f\xfd", "it is compressed by zstd: have the sender use gzip"},
		"twice":            {"", "gzip, br", "x", "Content-Encoding is not known here"},
		"unsaid gzip":      {"", "", whole, "it is gzip: have the sender say so by Content-Encoding: gzip"},
		"unsaid zstd":      {"", "", "\x28\xb5\x2f\xfdx", "it is zstd"},
		"unsaid deflate":   {"", "", pack(t, imported, zlibbed), "it is compressed by deflate"},
		"UTF-16, marked":   {"", "", "\xff\xfe{\x00}\x00", "it is text in UTF-16: have the sender write UTF-8"},
		"UTF-16":           {"", "", "\x00{\x00}", "it is text in UTF-16"},
		"Latin-1":          {"", "", "{\"title\":\"Am\xe9lie\",}", "it is not text in UTF-8"},
		"blank":            {"", "", " \r\n", "it is blank: enter a payload"},
		"HTML":             {"text/html", "", "\n<!DOCTYPE html><title>Sign in</title>", "it is HTML, as of a login"},
		"HTML in capitals": {"", "", "<!-- page --><HTML lang=en>", "it is HTML"},
		"XML":              {"application/xml", "", "<?xml version='1.0'?><event/>", "it is XML: have the sender post JSON"},
		"XML, bare":        {"", "", "<event/>", "it is XML"},
		"form":             {form, "", "payload=%7B%7D&a", "it is a form: have the sender post JSON, with Content-Type: application/json"},
		"unsaid form":      {"text/plain", "", "title=Dune&year=2021", "it is a form"},
		"multipart":        {multipart, "", "--x\r\n", "it is a multipart form: have the sender post JSON"},
		"unsaid multipart": {"", "", "--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--x--", "it is a multipart form"},
		"text":             {"", "", "Dune was imported", ""},
	} {
		b := setup(t)
		r := b.request(tt.body)
		r.Header.Set("Content-Type", tt.contentType)
		if tt.encoding != "" {
			r.Header.Set("Content-Encoding", tt.encoding)
		}
		got := b.do(r)
		require.Equal(t, http.StatusAccepted, got.status, name)
		e := b.find(got.ID)
		require.Equal(t, event.Undecodable, e.State, name)
		require.Equal(t, tt.body, string(e.Request.Body), "%s: kept as it was sent", name)
		require.Contains(t, e.Reason, "not JSON", name)
		if tt.want == "" {
			require.Equal(t, "not JSON", e.Reason, name)
		}
		require.Contains(t, e.Reason, tt.want, name)
		again, err := b.intake.Redecode(t.Context(), e)
		require.NoError(t, err)
		require.Equal(t, e.Reason, again.Event.Reason, "%s: the same when it is decoded again", name)
	}
	b := setup(t)
	require.Equal(t, "the body is empty: have the sender post JSON", b.accepted("").Reason)
	marked := b.accepted("\uFEFF" + imported)
	require.Equal(t, event.Routed, marked.State, "a byte order mark hinders no decoder")
	require.Equal(t, []byte("\uFEFF"+imported), marked.Request.Body, "and is kept")
	require.Equal(t, "of another app", b.accepted(`{"Invalid":"of another app"}`).Reason)
}

// forgetful stores nothing.
type forgetful struct{ ingest.Accepter }

func (forgetful) Accept(_ context.Context, a *store.Acceptance) (store.Accepted, error) {
	return store.Accepted{EventID: a.Event.ID}, nil
}

func (forgetful) AskCatchup(context.Context, string) error { return nil }

func FuzzUnpack(f *testing.F) {
	f.Add("gzip", []byte(pack(f, imported, gzipped)))
	f.Add("deflate", []byte(pack(f, imported, zlibbed)))
	f.Add("deflate", []byte(pack(f, imported, flated)))
	f.Add("br", []byte("\xff\xfe{\x00"))
	f.Add("", []byte("<!-- --><html"))
	f.Add("", []byte("--x\ncontent-"))
	const limit = 4096
	b := setup(f, with(func(o *ingest.Options) { o.MaxBody, o.MaxBodies, o.Store = limit, 1<<20, forgetful{} }))
	f.Fuzz(func(t *testing.T, encoding string, body []byte) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://intake/hooks/radarr", bytes.NewReader(body))
		require.NoError(t, err)
		r.RemoteAddr = "127.0.0.1:1"
		r.Header["Content-Encoding"] = []string{encoding}
		require.NoError(t, b.gate.Sign(r, body, "", now))
		w := &recorder{header: http.Header{}}
		b.intake.ServeHTTP(w, r)
		require.Contains(t, []int{http.StatusAccepted, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity}, w.status, w.body.String())
		require.True(t, b.intake.Idle())
	})
}
