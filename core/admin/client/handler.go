package client

import (
	"bytes"
	"io"
	"net/http"
	"time"
)

// Handler returns the client of an API in this process, without access and a network.
func Handler(h http.Handler) *Client {
	return &Client{base: "http://localhost", http: &http.Client{Transport: direct{h}, CheckRedirect: noRedirect}}
}

// direct has a handler answer requests.
type direct struct{ handler http.Handler }

func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	in := r.Clone(r.Context())
	in.RequestURI, in.Body = r.URL.RequestURI(), http.NoBody
	if r.Body != nil {
		in.Body = r.Body
		defer func() { _ = r.Body.Close() }()
	}
	w := &recorder{header: http.Header{}}
	d.handler.ServeHTTP(w, in)
	w.WriteHeader(http.StatusOK)
	if err := r.Context().Err(); err != nil {
		return nil, err // as of a server whose client has gone
	}
	return &http.Response{
		Status: http.StatusText(w.status), StatusCode: w.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.header, Body: io.NopCloser(&w.body), ContentLength: int64(w.body.Len()), Request: r,
	}, nil
}

// recorder keeps an answer.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *recorder) Header() http.Header { return w.header }

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

func (w *recorder) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(p)
}

// SetReadDeadline has nothing to bound: the request is here already.
func (*recorder) SetReadDeadline(time.Time) error { return nil }
