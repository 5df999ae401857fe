package e2e

import (
	"bytes"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/app"
	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/internal/testpg"
	"github.com/hookarr/hookarr/sdk"
)

// TestMove moves what a killed server owes from SQLite to Postgres and back, with the command
// killed again and again, and serves it from each: everything arrives, and nothing twice.
// TEST_MOVE_EVENTS adds as many events, one in twenty of which is owed.
func TestMove(t *testing.T) {
	t.Parallel()

	const events = 40
	more := 0
	if n := os.Getenv("TEST_MOVE_EVENTS"); n != "" {
		var err error
		more, err = strconv.Atoi(n)
		require.NoError(t, err)
	}
	sent, waits, closed, busy := newReceiver(t), newReceiver(t), newReceiver(t), newReceiver(t)
	gathered := newReceiver(t)
	closed.setAnswer(func(delivered) int { return http.StatusForbidden })
	busy.setAnswer(func(delivered) int { return http.StatusServiceUnavailable })
	target := func(name string, r *receiver, also string) string {
		return fmt.Sprintf("%s: {plugin: webhook, timeout: 2m, concurrency: 8, %s config: {url: %q, secrets: [%q]}}\n", name, also, r.URL, targetSecret)
	}
	s := settings{
		database: "sqlite://" + filepath.Join(t.TempDir(), "hookarr.db"),
		targets: target("sent", sent, "") + target("waits", waits, "") + target("closed", closed, "") +
			target("busy", busy, "retry: {initial: 1h, max_interval: 1h},") + target("gathered", gathered, "group: {by: event.source, wait: 1h, max_wait: 1h, max: 1000},"),
		routes: `- {name: everything, types: ["*"], to: [sent, waits, closed, busy, gathered]}`,
	}
	databases := []string{s.database, testpg.New(t), "sqlite://" + filepath.Join(t.TempDir(), "hookarr.db")}
	servers := make([]*server, len(databases))
	for i, database := range databases {
		s.database = database
		servers[i] = newServer(t, s)
	}

	first := servers[0]
	first.start()
	cli(t, first, "targets", "pause", "waits")
	for n := range events {
		require.Equal(t, http.StatusAccepted, first.post(importBody(n+1)).status)
	}
	sent.await(t, events)
	require.Eventually(t, func() bool { return strings.Contains(cli(t, first, "targets", "list"), "misconfigured") }, waitTimeout, 50*time.Millisecond)
	require.Eventually(t, func() bool { return strings.Contains(cli(t, first, "deliveries", "list", "--target", "busy"), "503") }, waitTimeout, 50*time.Millisecond)
	require.Eventually(t, func() bool {
		return strings.Count(cli(t, first, "deliveries", "list", "--target", "sent", "--state", "delivered", "--limit", "100"), "delivered") >= events
	}, waitTimeout, 50*time.Millisecond)
	first.kill()
	owed := crowd(t, databases[0], more)

	// The second is served for what its holds keep, and the third for the rest.
	moveTo(t, first, databases[1], more > 0)
	second := servers[1]
	second.start()
	list := cli(t, second, "targets", "list")
	require.Contains(t, list, "misconfigured")
	require.Contains(t, list, "paused")
	closed.setAnswer(nil)
	cli(t, second, "targets", "resume", "closed")
	arrived(t, closed, events)
	require.NoError(t, second.stop())

	moveTo(t, second, databases[2], more > 0)
	third := servers[2]
	third.start()
	cli(t, third, "targets", "resume", "waits")
	busy.setAnswer(nil)
	cli(t, third, "deliveries", "retry", "--target", "busy", "--state", "pending", "--yes")
	arrived(t, waits, events+owed)
	arrived(t, busy, events)
	require.Empty(t, gathered.all(), "the group is open for an hour")
	require.Contains(t, cli(t, third, "deliveries", "list", "--target", "gathered"), "pending")
	require.NoError(t, third.stop())

	arrived(t, sent, events)
	arrived(t, closed, events)
	for _, moved := range servers[:2] {
		moved.launch()
		require.Eventually(t, func() bool { return !moved.running() }, waitTimeout, 50*time.Millisecond)
		require.Contains(t, moved.log.String(), "the database was moved to ")
	}
}

func cli(t *testing.T, s *server, args ...string) string {
	t.Helper()
	out, err := s.cli(args...)
	require.NoError(t, err, out)
	return out
}

// arrived waits until an endpoint has n deliveries, each once.
func arrived(t *testing.T, r *receiver, n int) {
	t.Helper()
	require.Eventually(t, func() bool { return len(r.all()) >= n }, waitTimeout, 50*time.Millisecond, "%d of %d", len(r.all()), n)
	ids := map[string]int{}
	for _, d := range r.all() {
		ids[d.ID]++
	}
	require.Len(t, ids, n, "deliveries")
	require.Len(t, r.all(), n, "requests: some came twice")
}

// moveTo moves the database of a server, killed at random moments before it is let end: once
// in the middle where that takes long.
func moveTo(t *testing.T, s *server, url string, long bool) {
	t.Helper()
	kills := 3
	if long {
		kills = 1
	}
	for n := 0; ; n++ {
		cmd := exec.Command(filepath.Join(binaries, "hookarr"), "move", "--config", s.config)
		cmd.Env = append(os.Environ(), "HOOKARR_MOVE_TO="+url)
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		begun := time.Now()
		require.NoError(t, cmd.Start())
		var killed atomic.Bool
		if n < kills {
			after := time.Duration(rand.Int64N(int64(time.Second)))
			if long {
				after = 20 * time.Second
			}
			time.AfterFunc(after, func() { killed.Store(cmd.Process.Kill() == nil) })
		}
		err := cmd.Wait()
		usage, _ := cmd.ProcessState.SysUsage().(*syscall.Rusage)
		t.Logf("move: killed %t after %s, %d MiB at most, %s of CPU\n%s", killed.Load(), time.Since(begun).Round(time.Millisecond), usage.Maxrss>>10,
			(cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Round(time.Millisecond), out.String())
		if killed.Load() && err != nil {
			continue
		}
		require.NoError(t, err, out.String())
		require.Contains(t, out.String(), "Now change database.url")
		require.NotContains(t, out.String(), "the copy differs")
		return
	}
}

// crowd adds events to a database, and returns how many deliveries of them are owed to the
// target that waits.
func crowd(t *testing.T, url string, events int) (owed int) {
	t.Helper()
	s, err := app.OpenStore(t.Context(), sdk.Secret(url), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	var next atomic.Int64
	var workers sync.WaitGroup
	var failed atomic.Pointer[error]
	for range 64 {
		workers.Go(func() {
			for n := int(next.Add(1)); n <= events; n = int(next.Add(1)) {
				if err := crowdOne(t, s, n); err != nil {
					failed.Store(&err)
					return
				}
			}
		})
	}
	workers.Wait()
	if err := failed.Load(); err != nil {
		require.NoError(t, *err)
	}
	if events > 0 { // what was settled here was no job's work
		execSQL(t, url, "DELETE FROM river_job WHERE queue = 'target_sent'")
	}
	return events / owedEach
}

// owedEach is of which events one is owed.
const owedEach = 20

func crowdOne(t *testing.T, s *store.Store, n int) error {
	t.Helper()
	id := event.NewID()
	body := importBody(1_000_000 + n)
	if n%20_000 == 0 {
		body = bytes.Repeat(body, (30<<20)/len(body)) // as large as they come
	}
	a := &store.Acceptance{Event: event.Event{
		ID: id, Source: "radarr", Origin: sdk.OriginWebhook, ReceivedAt: time.Now(), State: event.Routed, Type: sdk.TypeMediaImported,
		Title: titleOf(1_000_000 + n), Fingerprint: fmt.Sprintf("imported:%d", n), CorrelationKey: fmt.Sprintf("download:%d", n),
		Normalized: fmt.Appendf(nil, `{"id":%q,"source":"radarr","type":"media.imported","title":%q}`, id, titleOf(1_000_000+n)),
		Request:    event.Request{Method: http.MethodPost, Header: http.Header{"User-Agent": {"Radarr/6"}}, Body: body},
	}, Keys: []store.DedupKey{
		{Key: fmt.Sprintf("body:%064x", n), Window: 24 * time.Hour}, {Key: fmt.Sprintf("fp:imported:%d", n), Window: 24 * time.Hour},
	}}
	name := "sent"
	if n%owedEach == 0 {
		name = "waits"
	}
	delivery := event.Delivery{ID: event.NewID(), EventID: id, Target: name, Route: "everything", State: event.Pending}
	a.Deliveries = []event.Delivery{delivery}
	if _, err := s.Accept(t.Context(), a); err != nil || name == "waits" {
		return err
	}
	_, err := s.Settle(t.Context(), &store.Settlement{
		DeliveryID: delivery.ID, Target: name, State: event.Delivered, Read: delivery,
		Attempt: &event.Attempt{DeliveryID: delivery.ID, Number: 1, Counted: true, StartedAt: time.Now(), Class: sdk.ClassOK, Status: 200},
	})
	return err
}
