package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/hookarr/hookarr/sdk/signature"
)

var errFull = errors.New("the book is full")

// book is what happened to each event, by number. Times are nanoseconds since its
// epoch, 0 for never.
type book struct {
	epoch  time.Time
	events []entry
	// next is the number of the event that is sent next.
	next   int
	forged atomic.Int64
}

type entry struct {
	sent, acked, arrived atomic.Int64
	arrivals             atomic.Int32
}

func (b *book) now() int64 { return int64(time.Since(b.epoch)) }

// sink is the endpoint. It takes whatever comes, verifies the signature and notes
// which event it was.
type sink struct {
	endpoint
	book   *book
	signer *signature.Signer
}

// startSink makes room for so many events.
func startSink(ctx context.Context, events int) (*sink, error) {
	signer, err := signature.New(signature.StandardWebhooks(), targetSecret)
	if err != nil {
		return nil, fmt.Errorf("start sink: %w", err)
	}
	s := &sink{signer: signer, book: &book{epoch: time.Now().Add(-1), events: make([]entry, events)}}
	s.endpoint, err = serve(ctx, s)
	return s, err
}

// endpoint is an HTTP server.
type endpoint struct {
	url    string
	server *http.Server
}

func serve(ctx context.Context, handler http.Handler) (endpoint, error) {
	var listen net.ListenConfig
	l, err := listen.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return endpoint{}, fmt.Errorf("start endpoint: %w", err)
	}
	e := endpoint{"http://" + l.Addr().String(), &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}}
	go func() { _ = e.server.Serve(l) }() // until close
	return e, nil
}

func (e endpoint) close() error { return e.server.Close() }

// ServeHTTP takes a delivery.
func (s *sink) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	at := s.book.now()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	if _, err := s.signer.Verify(r.Header, body, time.Now()); err != nil {
		s.book.forged.Add(1)
		return
	}
	n, ok := number(body)
	if !ok || n >= len(s.book.events) {
		return
	}
	e := &s.book.events[n]
	e.arrived.CompareAndSwap(0, at)
	e.arrivals.Add(1)
}

// titlePrefix and its digits are what tells the events apart.
const (
	titlePrefix = "Bench "
	titleDigits = 8
)

// number finds the number of an event in a delivered body, wherever the title is.
func number(body []byte) (int, bool) {
	_, rest, found := bytes.Cut(body, []byte(titlePrefix))
	if !found || len(rest) < titleDigits {
		return 0, false
	}
	n, err := strconv.Atoi(string(rest[:titleDigits]))
	return n, err == nil
}
