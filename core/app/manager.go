package app

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/hookarr/hookarr/core/config"
)

const (
	// statusEvery is the pause between looks at what the service manager is told.
	statusEvery = 10 * time.Second
	// extendEvery and extendBy give migrations the time that they take, as long as they do
	// take it: a database that is down fails sooner.
	extendEvery = 10 * time.Second
	extendBy    = time.Minute
)

// tellManager keeps the service manager told until ctx ends.
func (a *App) tellManager(ctx context.Context) {
	if a.manager == nil {
		return
	}
	status := time.NewTicker(statusEvery)
	defer status.Stop()
	var alive <-chan time.Time
	waitTimeout := a.manager.Watchdog() / 3
	if waitTimeout > 0 {
		watchdog := time.NewTicker(waitTimeout)
		defer watchdog.Stop()
		alive = watchdog.C
	}
	heartbeats := a.heartbeats.Load()
	for {
		select {
		case <-ctx.Done():
			return
		case <-status.C:
			a.manager.Status(a.status(ctx))
		case <-alive:
			if now := a.heartbeats.Load(); now != heartbeats && a.answers(ctx, waitTimeout) {
				heartbeats = now
				a.manager.Alive()
			}
		}
	}
}

// answers reports whether this process answers on its own socket, to which nobody comes whom
// it does not trust, so that no flood at the other listeners has the watchdog end it. That the
// database is away is no reason either: a restart mends no database.
func (a *App) answers(ctx context.Context, waitTimeout time.Duration) bool {
	if a.servers.local == nil {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, waitTimeout)
	defer cancel()
	socket := a.servers.listeners.local.Addr().String()
	transport := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://localhost/healthz", nil)
	if err != nil {
		return false
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return false
	}
	_ = resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// status is what the process does, in a line.
func (a *App) status(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, statusEvery/2)
	defer cancel()
	if reason := a.database.check(ctx); reason != "" {
		return "not ready: " + reason
	}
	parts := []string{"ready"}
	held := 0
	if targets, _, err := a.store.ListTargets(ctx); err == nil {
		for _, t := range targets {
			if t.Hold != "" {
				held++
			}
		}
	}
	parts = append(parts, counted(held, "target held", "targets held")...)
	parts = append(parts, counted(len(a.sickPlugins()), "plugin not ready", "plugins not ready")...)
	parts = append(parts, a.space.warnings()...)
	if a.reloads.why() != "" {
		parts = append(parts, "last reload refused")
	}
	return strings.Join(parts, ", ")
}

func counted(n int, one, many string) []string {
	switch n {
	case 0:
		return nil
	case 1:
		return []string{"1 " + one}
	default:
		return []string{fmt.Sprintf("%d %s", n, many)}
	}
}

// reading tells the service manager of a reload until its end.
func (a *App) reading(ctx context.Context) (done func()) {
	if a.manager == nil {
		return func() {}
	}
	a.manager.Reloading()
	return func() { a.manager.Ready(a.status(context.WithoutCancel(ctx))) }
}

// migrate migrates the database, for as long as that takes.
func (a *App) migrate(ctx context.Context) error {
	ticker := time.NewTicker(extendEvery)
	defer ticker.Stop()
	ended := make(chan struct{})
	defer close(ended)
	go func() {
		for {
			select {
			case <-ended:
				return
			case <-ticker.C:
				a.manager.Extend(extendBy)
				a.manager.Status("migrating the database: webhooks are answered 503")
			}
		}
	}()
	return a.store.Migrate(ctx)
}

// endsWithin is the longest that Stop may take.
func endsWithin(c *config.Config) time.Duration { return c.Shutdown.Drain + 2*stopTimeout }
