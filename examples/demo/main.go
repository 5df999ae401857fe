// Command demo shows Hookarr at work: it starts a server on SQLite with its plugins
// as processes, sends it signed Radarr webhooks, and receives what it delivers, whose
// signatures it verifies. Every third delivery is refused once, to show a retry. It gives
// the running server another target, which refuses an event, asks why, and has the dead
// letter retried. Then it connects an imitated Sonarr, which imports a season: an imitated Plex and Jellyfin show it, and
// a message in an imitated Discord turns from imported to available. Last it kills the server while Sonarr imports another
// season, to show that nothing is missed. It exits 0 only if everything arrived, once, and the server
// ended cleanly.
package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// waitTimeout bounds the wait for everything to arrive.
const waitTimeout = 60 * time.Second

func main() {
	bin := flag.String("bin", "bin", "directory of hookarr and plugins/")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, *bin, log.New(os.Stdout, "", 0))
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, bin string, out *log.Logger) (err error) {
	dir, err := os.MkdirTemp("", "hookarr-demo-")
	if err != nil {
		return fmt.Errorf("make a directory: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()

	sourceSecret, targetSecret := rand.Text(), "whsec_"+base64.StdEncoding.EncodeToString([]byte(rand.Text()))
	book := newTally(out)
	endpoint, url, err := serveEndpoint(ctx, targetSecret, book)
	if err != nil {
		return fmt.Errorf("start receiver: %w", err)
	}
	defer func() { err = errors.Join(err, endpoint.Close()) }()

	audit, err := serveAudit(ctx)
	if err != nil {
		return fmt.Errorf("start second receiver: %w", err)
	}
	defer func() { err = errors.Join(err, audit.close()) }()

	home, err := serveServices(ctx)
	if err != nil {
		return fmt.Errorf("start media servers: %w", err)
	}
	defer func() { err = errors.Join(err, home.close()) }()

	sonarr, err := serveSonarr(ctx, home)
	if err != nil {
		return fmt.Errorf("start Sonarr: %w", err)
	}
	defer func() { err = errors.Join(err, sonarr.close()) }()

	srv, err := newServer(ctx, bin, dir, url, sourceSecret, targetSecret, sonarr)
	if err != nil {
		return fmt.Errorf("make server: %w", err)
	}
	defer func() { err = srv.stop(err) }()
	running, err := srv.start(ctx)
	if err != nil {
		return fmt.Errorf("start server: %w", err)
	}
	out.Printf("Hookarr takes webhooks at %s and delivers to %s", srv.url, url)

	err = errors.Join(
		send(running, srv.url, sourceSecret, book),
		await(running, waitTimeout, "complete", func(context.Context) bool { return book.complete() }),
		book.report())
	if err == nil {
		err = audit.operate(running, srv, sourceSecret, book)
	}
	if err == nil {
		err = sonarr.connect(running, srv, out)
	}
	if err == nil {
		err = home.show(running, sonarr, out)
	}
	if err == nil {
		err = sonarr.outage(ctx, running, srv, book)
	}
	if err == nil {
		out.Print("\nNext: bin/hookarr init, then bin/hookarr serve, and in another terminal bin/hookarr send radarr --sample")
	}
	return err
}

// await polls until a condition holds.
func await(ctx context.Context, limit time.Duration, what string, holds func(context.Context) bool) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("not %s within %s", what, limit))
	defer cancel()
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	for !holds(ctx) {
		select {
		case <-poll.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}
