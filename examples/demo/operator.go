package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hookarr/hookarr/sdk/signature"
)

// audit is a second endpoint, which refuses everything until it is mended.
type audit struct {
	url     string
	mended  atomic.Bool
	arrived atomic.Int64
	close   func() error
}

func serveAudit(ctx context.Context) (*audit, error) {
	var listen net.ListenConfig
	l, err := listen.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	a := &audit{url: "http://" + l.Addr().String()}
	handler := func(w http.ResponseWriter, _ *http.Request) {
		if !a.mended.Load() {
			http.Error(w, "the schema has no field for this", http.StatusUnprocessableEntity)
			return
		}
		a.arrived.Add(1)
	}
	s := &http.Server{Handler: http.HandlerFunc(handler), ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = s.Serve(l) }() // until Close
	a.close = s.Close
	return a, nil
}

// operate adds a target to the running server, lets it refuse an event, asks why, and has
// the dead letter retried once the endpoint is mended.
func (a *audit) operate(ctx context.Context, srv *server, sourceSecret string, book *tally) error {
	show := func(args ...string) error {
		said, err := srv.run(ctx, args...)
		if err != nil {
			return err
		}
		book.out.Printf("\n$ hookarr %s\n%s", strings.Join(args, " "), strings.TrimSpace(said))
		return nil
	}
	if err := srv.addTarget("audit", a.url, "media.imported"); err != nil {
		return fmt.Errorf("change the configuration: %w", err)
	}
	if err := show("reload"); err != nil {
		return err
	}
	signer, err := signature.New(signature.GitHub(), sourceSecret)
	if err != nil {
		return err
	}
	id, err := post(ctx, signer, srv.url+"/hooks/radarr", fmt.Appendf(nil, movieImport, 5000))
	if err != nil {
		return fmt.Errorf("send: %w", err)
	}
	dead := func(ctx context.Context) bool {
		said, err := srv.run(ctx, "deliveries", "list", "--target", "audit", "--state", "dead", "--json")
		var list []struct{}
		return err == nil && json.Unmarshal([]byte(said), &list) == nil && len(list) == 1
	}
	if err := await(ctx, waitTimeout, "a dead letter", dead); err != nil {
		return err
	}
	if err := show("events", "why", id); err != nil {
		return err
	}
	a.mended.Store(true)
	if err := show("deliveries", "retry", "--target", "audit", "--yes"); err != nil {
		return err
	}
	if err := await(ctx, waitTimeout, "delivered", func(context.Context) bool { return a.arrived.Load() > 0 }); err != nil {
		return err
	}
	if n := a.arrived.Load(); n != 1 {
		return errors.New("the dead letter was delivered more than once")
	}
	return nil
}

// addTarget gives the configuration one more target and a route to it.
func (s *server) addTarget(name, url, eventType string) error {
	old, err := os.ReadFile(s.config)
	if err != nil {
		return err
	}
	text := strings.Replace(string(old), "\nroutes:\n",
		fmt.Sprintf("\n  %s:\n    plugin: webhook\n    config: {url: %q}\nroutes:\n  - {name: %[1]s, types: [%[3]s], to: [%[1]s]}\n", name, url, eventType), 1)
	next := s.config + ".next"
	if err := os.WriteFile(next, []byte(text), 0o600); err != nil { //nolint:gosec // in a directory of the demo's own
		return err
	}
	return os.Rename(next, s.config)
}
