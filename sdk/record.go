package sdk

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/hookarr/hookarr/sdk/internal/pluginv1"
)

const (
	// maxSentBody bounds what is shown of a request's body, in bytes.
	maxSentBody = 16 << 10
	// maxSentHeaders bounds how many headers are shown.
	maxSentHeaders = 64
	// maxPreviewed bounds how many requests a preview shows.
	maxPreviewed = 8
)

// errPreview is what becomes of a request in a preview.
var errPreview = errors.New("nothing is sent in a preview")

// credentialName matches the names of headers and of parts of a query whose values are not
// shown: they often have a secret in an encoding that no redactor knows, or one that is of
// an event, such as the key in a poster's URL.
var credentialName = regexp.MustCompile(`(?i)auth|cookie|token|secret|passw|api[-_]?key`)

// recorder keeps the requests of one call of a target, by reference: only those of a
// call whose requests are asked for cost more.
type recorder struct {
	// preview: nothing is sent, and every request is kept. Else it is the last.
	preview bool

	mu   sync.Mutex
	sent []sent
}

// sent is a request, and the beginning of its body where it cannot be had once more.
type sent struct {
	request *http.Request
	body    *peek
}

type recorderKey struct{}

func (r *recorder) in(ctx context.Context) context.Context {
	return context.WithValue(ctx, recorderKey{}, r)
}

// Previewing reports whether ctx is of a preview, in which no request is sent. It is for a
// target that asks somebody else before it asks its endpoint, such as for a picture: the
// preview shows the first request.
func Previewing(ctx context.Context) bool {
	r, ok := ctx.Value(recorderKey{}).(*recorder)
	return ok && r.preview
}

// Record notes a request with the call of Deliver or Test that its context is of, for
// operators to see. [HTTP] calls it for every request. A target that speaks another
// protocol, and connects with [Dial], calls it before with what it is about to send in
// the form of a request: any method and URL that say it, and a body with GetBody, as
// http.NewRequestWithContext gives to a strings.Reader. The error is for a preview, in
// which nothing must be sent: Deliver returns it.
func Record(req *http.Request) error {
	r, ok := req.Context().Value(recorderKey{}).(*recorder)
	if !ok {
		return nil
	}
	s := sent{request: req}
	if req.Body != nil && req.Body != http.NoBody && req.GetBody == nil {
		s.body = &peek{ReadCloser: req.Body}
		req.Body = s.body
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.preview {
		r.sent = append(r.sent[:0], s)
		return nil
	}
	if s.body != nil {
		_, _ = io.CopyN(io.Discard, s.body, peekLimit) // what there is of it is shown
	}
	if req.Body != nil {
		_ = req.Body.Close()
	}
	if len(r.sent) < maxPreviewed {
		r.sent = append(r.sent, s)
	}
	return errPreview
}

// requests returns what was noted, redacted.
func (r *recorder) requests(red redactor) []*pluginv1.SentRequest {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := make([]*pluginv1.SentRequest, 0, len(r.sent))
	for _, s := range r.sent {
		shown := &pluginv1.SentRequest{
			Method:  red.line(s.request.Method),
			Url:     red.address(s.request.URL),
			Headers: red.headers(s.request.Header),
		}
		shown.Body, shown.Truncated = red.body(s.beginning(maxSentBody + red.longest))
		all = append(all, shown)
	}
	return all
}

// beginning returns at most limit bytes of the body, and whether there may be more.
func (s sent) beginning(limit int) (data []byte, more bool) {
	switch {
	case s.body != nil:
		data = s.body.take(min(limit, peekLimit))
		return data, len(data) == min(limit, peekLimit)
	case s.request.GetBody == nil:
		return nil, false
	}
	body, err := s.request.GetBody()
	if err != nil {
		return nil, false
	}
	defer func() { _ = body.Close() }()
	data, _ = io.ReadAll(io.LimitReader(body, int64(limit))) // what there is of it is shown
	return data, len(data) == limit
}

// peekLimit is what a peek keeps, in bytes: what is shown, and the longest secret.
const peekLimit = maxSentBody + 64<<10

// peek keeps the beginning of a body that is read once.
type peek struct {
	io.ReadCloser
	mu  sync.Mutex
	buf bytes.Buffer
}

func (p *peek) Read(b []byte) (int, error) {
	n, err := p.ReadCloser.Read(b)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.buf.Write(b[:min(n, peekLimit-p.buf.Len())])
	return n, err
}

func (p *peek) take(limit int) []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	return bytes.Clone(p.buf.Bytes()[:min(limit, p.buf.Len())])
}

// address returns a URL without secrets. Whatever is a part of a secret URL is
// replaced, however short it is: the whole may not be in this one.
func (r redactor) address(u *url.URL) string {
	var b strings.Builder
	b.WriteString(u.Scheme + "://")
	if u.User != nil {
		b.WriteString(redacted + "@")
	}
	b.WriteString(u.Host)
	for i, segment := range strings.Split(u.EscapedPath(), "/") {
		if i > 0 {
			b.WriteByte('/')
		}
		b.WriteString(r.part(segment, url.PathUnescape))
	}
	for i, pair := range strings.Split(u.RawQuery, "&") {
		if pair == "" {
			continue
		}
		name, value, ok := strings.Cut(pair, "=")
		if i == 0 {
			b.WriteByte('?')
		} else {
			b.WriteByte('&')
		}
		b.WriteString(r.part(name, url.QueryUnescape))
		if ok {
			if credentialName.MatchString(name) {
				value = redacted
			}
			b.WriteString("=" + r.part(value, url.QueryUnescape))
		}
	}
	return r.line(b.String())
}

// part returns a part of a URL, or the placeholder for what is a secret's.
func (r redactor) part(s string, unescape func(string) (string, error)) string {
	plain, err := unescape(s)
	if r.parts[s] || err == nil && r.parts[plain] {
		return redacted
	}
	return s
}

// headers returns headers without secrets.
func (r redactor) headers(h http.Header) []*pluginv1.Header {
	all := make([]*pluginv1.Header, 0, len(h))
	for _, name := range slices.Sorted(maps.Keys(h)) {
		if len(all) == maxSentHeaders {
			break
		}
		shown := &pluginv1.Header{Name: r.line(name)}
		for _, value := range h[name] {
			if credentialName.MatchString(name) || r.parts[value] {
				value = redacted
			}
			shown.Values = append(shown.Values, r.line(value))
		}
		all = append(all, shown)
	}
	return all
}

// body returns the beginning of a body without secrets, and whether there is more. Where
// there is, as much as the longest secret is taken off its end, so that nothing is left of
// one that the end cuts in two.
func (r redactor) body(beginning []byte, more bool) (shown []byte, truncated bool) {
	text := r.text(string(beginning))
	if more {
		text = text[:max(len(text)-r.longest, 0)]
	}
	return []byte(text[:min(len(text), maxSentBody)]), more || len(text) > maxSentBody
}
