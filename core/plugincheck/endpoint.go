package plugincheck

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// goodAnswer is what the endpoint answers with 200. It has the forms in which some services
// name the message that they have made.
const goodAnswer = `{"ok":true,"id":"1000000000000000001","ts":"1700000000.000100","channel":"C0001","result":{"message_id":1001}}`

// maxRequest bounds what the endpoint reads and echoes, in bytes.
const maxRequest = 8 << 20

// endpoint is the HTTP server on the loopback that targets deliver to. Its URL has a token in the
// path, as the webhooks of chat services have, which nothing must show.
type endpoint struct {
	url, token string
	server     *http.Server
	closed     chan struct{}

	mu     sync.Mutex
	answer http.HandlerFunc
	count  int
	last   string
	// tunnel is where somebody wanted to go through the endpoint as a proxy.
	tunnel string
}

func newEndpoint(ctx context.Context) (*endpoint, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for the plugin's requests: %w", err)
	}
	e := &endpoint{url: "http://" + l.Addr().String(), token: "hookarr-check-" + rand.Text(), closed: make(chan struct{})}
	e.server = &http.Server{Handler: e, ReadHeaderTimeout: time.Minute}
	go func() {
		defer close(e.closed)
		_ = e.server.Serve(l) // until it is closed
	}()
	return e, nil
}

func (e *endpoint) close() {
	_ = e.server.Close() // whatever is open ends with it
	<-e.closed
}

// public is where requests are answered, as a key may have it that is shown, and secret as
// one that is not.
func (e *endpoint) public() string { return e.url + "/hooks" }
func (e *endpoint) secret() string { return e.public() + "/" + e.token }

// answers sets what the endpoint does; nil is 200.
func (e *endpoint) answers(h http.HandlerFunc) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.answer = h
}

// requests is how many there were, and the last one for people.
func (e *endpoint) requests() (n int, last string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.count, e.last
}

// wanted is where a plugin wanted to go, and was not let.
func (e *endpoint) wanted() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.tunnel
}

// ServeHTTP implements http.Handler.
func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	if r.Method == http.MethodConnect {
		e.tunnel = r.Host
		e.mu.Unlock()
		http.Error(w, "the check lets nothing out", http.StatusBadGateway)
		return
	}
	e.count++
	e.last = r.Method + " " + strings.ReplaceAll(r.URL.Path, e.token, "TOKEN")
	answer := e.answer
	e.mu.Unlock()
	if answer != nil {
		answer(w, r)
		return
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(r.Body, maxRequest))
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, goodAnswer)
}

// echo answers with a status, and the whole request in its body.
func echo(status int, header http.Header) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(io.LimitReader(r.Body, maxRequest))
		maps.Copy(w.Header(), header)
		w.Header().Set("Content-Type", "text/plain")
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, "%s http://%s%s\n", r.Method, r.Host, r.RequestURI) //nolint:gosec // text/plain, which the plugin alone reads
		_ = r.Header.Write(w)
		_, _ = w.Write(body[:min(len(body), 2000)])
	}
}

// hang answers nothing, and tells on gone when the client has given up.
func hang(gone chan<- time.Time) http.HandlerFunc {
	return func(_ http.ResponseWriter, r *http.Request) {
		// Only after the body is read does the server see the client go.
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
		select {
		case gone <- time.Now():
		default:
		}
	}
}
