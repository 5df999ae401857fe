// Package queueui serves River's own page of its jobs, for a look below what Hookarr shows
// of its deliveries.
package queueui

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"riverqueue.com/riverui"
	"riverqueue.com/riverui/uiendpoints"

	"github.com/hookarr/hookarr/core/admin"
)

// path is that of the page, below the base path.
const path = "/queue"

// Page is the page. Nothing of it runs before the first request.
type Page struct {
	// Client returns River's client of either engine: *river.Client[*sql.Tx] or
	// *river.Client[pgx.Tx].
	Client func() any
	Log    *slog.Logger

	mu sync.Mutex
	// prefix is that of handler, which runs until stop is called. Nil stop is not running.
	prefix  string
	handler http.Handler
	stop    context.CancelFunc
}

// ServeHTTP answers those who were let in.
func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	base := admin.BasePathOf(r.Context())
	handler, err := p.open(r.Context(), base+path)
	if err != nil {
		p.Log.ErrorContext(r.Context(), "page of the queue not opened", slog.Any("error", err))
		http.Error(w, "The page of the queue cannot be opened; the server's log says why.", http.StatusInternalServerError)
		return
	}
	whole := r.Clone(r.Context())
	whole.URL.Path = base + r.URL.Path
	if r.URL.RawPath != "" {
		whole.URL.RawPath = base + r.URL.RawPath
	}
	handler.ServeHTTP(w, whole)
}

// open returns the page below a prefix. After a reload that may be another.
func (p *Page) open(ctx context.Context, prefix string) (http.Handler, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stop != nil && p.prefix == prefix {
		return p.handler, nil
	}
	p.close()
	endpoints, err := endpointsOf(p.Client())
	if err != nil {
		return nil, err
	}
	handler, err := riverui.NewHandler(&riverui.HandlerOpts{Endpoints: endpoints, Logger: p.Log, Prefix: prefix})
	if err != nil {
		return nil, fmt.Errorf("open River's page: %w", err)
	}
	// It outlives the request.
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	if err := handler.Start(ctx); err != nil {
		stop()
		return nil, fmt.Errorf("start River's page: %w", err)
	}
	p.prefix, p.handler, p.stop = prefix, handler, stop
	return handler, nil
}

func endpointsOf(client any) (uiendpoints.Bundle, error) {
	switch client := client.(type) {
	case *river.Client[*sql.Tx]:
		return riverui.NewEndpoints(client, nil), nil
	case *river.Client[pgx.Tx]:
		return riverui.NewEndpoints(client, nil), nil
	default:
		return nil, errors.New("the queue does not run")
	}
}

// Close ends what runs for the page. A later request opens it again.
func (p *Page) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.close()
}

func (p *Page) close() {
	if p.stop != nil {
		p.stop()
		p.handler, p.stop = nil, nil
	}
}
