package e2e

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/testpg"
	"github.com/hookarr/hookarr/sdk"
)

// takenOver is what a node logs when it holds another for dead.
const takenOver = "jobs of dead nodes taken over"

// request is one that an endpoint was sent. It counts as taken from its first byte on:
// whoever sent it cannot know better.
type request struct {
	node, title  string
	began, ended time.Time
}

// witness is an endpoint that takes everything after a while, and remembers which node
// sent it and when.
type witness struct {
	*httptest.Server
	mu sync.Mutex
	// sent are the requests of each delivery, in their order.
	sent   map[string][]*request
	forged int
}

func newWitness(t *testing.T, answerAfter time.Duration) *witness {
	t.Helper()
	w := &witness{sent: map[string][]*request{}}
	w.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return
		}
		var envelope struct {
			Data sdk.Event `json:"data"`
		}
		_ = json.Unmarshal(body, &envelope)
		r := &request{node: strings.TrimPrefix(req.URL.Path, "/"), title: envelope.Data.Title, began: time.Now()}
		w.mu.Lock()
		id := req.Header.Get("webhook-id")
		w.sent[id] = append(w.sent[id], r)
		if !genuine(req.Header, body) {
			w.forged++
		}
		w.mu.Unlock()
		time.Sleep(answerAfter)
		w.mu.Lock()
		r.ended = time.Now()
		w.mu.Unlock()
	}))
	t.Cleanup(w.Close)
	return w
}

// all returns what was sent so far, by delivery.
func (w *witness) all() map[string][]request {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := make(map[string][]request, len(w.sent))
	for id, requests := range w.sent {
		for _, r := range requests {
			all[id] = append(all[id], *r)
		}
	}
	return all
}

// causes counts the deliveries that were sent more than once, by what the test says of
// one whose first request came before its second.
func (w *witness) causes(why func(id string, first, second request) string) map[string]int {
	causes := map[string]int{}
	for id, requests := range w.all() {
		for _, repeated := range requests[1:] {
			causes[why(id, requests[0], repeated)]++
		}
	}
	return causes
}

// requireEvery checks that each acknowledged event has come, and with one delivery.
func (w *witness) requireEvery(t *testing.T, acked int) {
	t.Helper()
	deliveries := map[string]int{}
	for _, requests := range w.all() {
		deliveries[requests[0].title]++
	}
	lost := 0
	for n := range acked {
		if deliveries[titleOf(n+1)] == 0 {
			lost++
		}
		require.LessOrEqual(t, deliveries[titleOf(n+1)], 1, "event %d was accepted twice", n+1)
	}
	require.Zero(t, lost, "events were lost")
	require.Len(t, deliveries, acked)
	w.mu.Lock()
	defer w.mu.Unlock()
	require.Zero(t, w.forged)
}

// node is one of several servers on a database.
type node struct {
	*server
	// path is what the witness knows it by.
	path string
}

// newNode writes a configuration whose target says which node sends.
func newNode(t *testing.T, database, path string, w *witness, concurrency int, top string) *node {
	t.Helper()
	return &node{path: path, server: newServer(t, settings{
		database: database, routes: everything, top: top,
		targets: fmt.Sprintf(`ops:
  plugin: webhook
  timeout: 5m
  concurrency: %d
  config: {url: %q, secrets: [%q]}`, concurrency, w.URL+"/"+path, targetSecret),
	})}
}

// name is what the node calls itself in the database.
func (n *node) name(t *testing.T) string {
	t.Helper()
	for line := range strings.Lines(n.log.String()) {
		var ready struct{ Msg, Node string }
		if json.Unmarshal([]byte(line), &ready) == nil && ready.Msg == "ready" {
			return ready.Node
		}
	}
	require.Fail(t, "the node has not said its name")
	return ""
}

// traffic is what a relay sends to nodes in turns. It lives outside the processes that
// are killed.
type traffic struct {
	acked   atomic.Int64
	refused atomic.Int64
	done    sync.WaitGroup
}

// send posts events until more says no, at most senders of them at a time, and repeats at
// the next node what was not acknowledged.
func (r *traffic) send(senders int, more func(n int) bool, nodes ...*node) {
	events := make(chan int)
	for range senders {
		r.done.Go(func() {
			for n := range events {
				r.sendOne(n, nodes)
			}
		})
	}
	r.done.Go(func() {
		defer close(events)
		for n := 0; more(n); n++ {
			events <- n
		}
	})
}

func (r *traffic) sendOne(n int, nodes []*node) {
	body, deadline := importBody(n+1), time.Now().Add(waitTimeout)
	for try := n; time.Now().Before(deadline); try++ {
		if nodes[try%len(nodes)].post(body).status/100 == 2 {
			r.acked.Add(1)
			return
		}
		r.refused.Add(1)
		time.Sleep(20 * time.Millisecond)
	}
}

func (r *traffic) await(t *testing.T, n int64) {
	t.Helper()
	require.Eventually(t, func() bool { return r.acked.Load() >= n }, waitTimeout, 10*time.Millisecond)
}

func upTo(events int) func(int) bool { return func(n int) bool { return n < events } }

// queryTexts returns the first column of a query.
func queryTexts(t *testing.T, url, query string, args ...any) []string {
	t.Helper()
	db, err := sql.Open("pgx", url)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	rows, err := db.QueryContext(context.Background(), query, args...)
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	var texts []string
	for rows.Next() {
		var text string
		require.NoError(t, rows.Scan(&text))
		texts = append(texts, text)
	}
	require.NoError(t, rows.Err())
	return texts
}

// awaitNoJobs waits until nothing is left to send, so that what is sent twice is seen.
func awaitNoJobs(t *testing.T, url string) {
	t.Helper()
	require.Eventually(t, func() bool {
		return len(queryTexts(t, url, "SELECT id::text FROM river_job WHERE kind = 'deliver' LIMIT 1")) == 0
	}, waitTimeout, 100*time.Millisecond, "jobs are left")
	require.Empty(t, queryTexts(t, url, "SELECT id::text FROM deliveries WHERE state <> 'delivered' LIMIT 1"))
}

// TestNodeKilled kills one of two nodes under load for good: the other brings everything
// home, and repeats only what the killed one had under way.
func TestNodeKilled(t *testing.T) {
	t.Parallel()

	const events, concurrency = 2000, 8
	url := testpg.Cluster(t).URL()
	w := newWitness(t, 25*time.Millisecond)
	a, b := newNode(t, url, "a", w, concurrency, ""), newNode(t, url, "b", w, concurrency, "")
	a.start()
	b.start()

	var relay traffic
	relay.send(8, upTo(events), a, b)
	relay.await(t, events/2)
	// Nothing is taken over before the test has looked.
	suspend(t, b.cmd.Process.Pid)
	a.kill()
	killedAt := time.Now()
	// What it had sent to the database may still be carried out.
	time.Sleep(time.Second)
	unsettled := map[string]bool{}
	for _, id := range queryTexts(t, url, `
SELECT j.args->>'delivery_id' FROM river_job j JOIN deliveries d ON d.id = (j.args->>'delivery_id')::uuid
WHERE j.kind = 'deliver' AND j.state = 'running' AND j.attempted_by[array_upper(j.attempted_by, 1)] = $1 AND d.state = 'pending'`, a.name(t)) {
		unsettled[id] = true
	}
	require.NoError(t, syscall.Kill(b.cmd.Process.Pid, syscall.SIGCONT))
	relay.done.Wait()
	require.EqualValues(t, events, relay.acked.Load(), "not every event was acknowledged")
	awaitNoJobs(t, url)

	w.requireEvery(t, events)
	causes := w.causes(func(id string, first, second request) string {
		if unsettled[id] && first.node == a.path && second.node == b.path && first.began.Before(killedAt) {
			return "killed node"
		}
		return "other"
	})
	t.Logf("%d events, %d posts refused, %d deliveries unsettled at the kill, duplicates by cause: %v", events, relay.refused.Load(), len(unsettled), causes)
	require.LessOrEqual(t, causes["killed node"], concurrency)
	require.Zero(t, causes["other"])
	require.Positive(t, b.count(takenOver))
	require.NoError(t, b.stop())
}

// TestDatabaseAwayFromNodes takes the database away for much longer than a node may miss
// its beats: what was answered meanwhile is not sent again, and no node takes another
// for dead.
func TestDatabaseAwayFromNodes(t *testing.T) {
	t.Parallel()

	const events, concurrency, away = 1000, 24, 30 * time.Second
	cluster := testpg.Cluster(t)
	url := cluster.URL()
	w := newWitness(t, time.Second)
	a, b := newNode(t, url, "a", w, concurrency, ""), newNode(t, url, "b", w, concurrency, "")
	a.start()
	b.start()

	var relay traffic
	relay.send(4, func(n int) bool {
		time.Sleep(10 * time.Millisecond)
		return n < events
	}, a, b)
	relay.await(t, events/3)
	cluster.StopImmediate()
	wentAt := time.Now()
	time.Sleep(away)
	backAt := time.Now()
	cluster.Start()
	relay.done.Wait()
	require.EqualValues(t, events, relay.acked.Load(), "not every event was acknowledged")
	awaitNoJobs(t, url)

	w.requireEvery(t, events)
	carried := 0
	for _, requests := range w.all() {
		if r := requests[0]; r.ended.After(wentAt) && r.ended.Before(backAt) {
			carried++
		}
	}
	causes := w.causes(func(id string, first, second request) string {
		t.Logf("%s: %s at %s to %s, again %s at %s", id, first.node, first.began.Sub(wentAt), first.ended.Sub(wentAt), second.node, second.began.Sub(backAt))
		switch {
		case second.began.Before(wentAt):
			return "before the outage"
		case first.node == second.node:
			return "same node"
		case first.ended.Before(wentAt):
			return "other node, answered before"
		}
		return "other node, answered while away"
	})
	t.Logf("%d events, %d posts refused, %d outcomes carried, duplicates by cause: %v", events, relay.refused.Load(), carried, causes)
	require.Positive(t, carried, "nothing was under way as the database went")
	require.Empty(t, causes)
	for _, n := range []*node{a, b} {
		require.Zero(t, n.count(takenOver), "node %s took over live jobs", n.path)
		require.NoError(t, n.stop())
	}
}

// TestPurgeStarvesNobody deletes many old events on one node while slow deliveries are
// under way on two: no heartbeat is late.
func TestPurgeStarvesNobody(t *testing.T) {
	t.Parallel()

	const old, concurrency = 40_000, 16
	url := testpg.Cluster(t).URL()
	w := newWitness(t, 2*time.Second)
	a := newNode(t, url, "a", w, concurrency, "retention: {events: 24h, dead_letters: 24h}")
	b := newNode(t, url, "b", w, concurrency, "")
	b.start() // migrates
	require.EqualValues(t, old, execSQL(t, url, fmt.Sprintf(`
WITH old AS (
	INSERT INTO events (id, received_at, purge_after, source, state, origin, type, title, summary, fingerprint, correlation_key,
		reason, method, query, header, body, normalized)
	SELECT gen_random_uuid(), now() - interval '9 days', now() - interval '9 days', 'radarr', 'routed', 'webhook', 'media.imported',
		'Old ' || n, '', 'old-' || n, '', '', 'POST', '', '{}', '{}', '{}'
	FROM generate_series(1, %d) n RETURNING id
)
INSERT INTO deliveries (id, event_id, target, route, state, created_at, updated_at, due_at)
SELECT gen_random_uuid(), id, 'ops', 'everything', 'delivered', now() - interval '9 days', now() - interval '9 days', now() - interval '9 days'
FROM old`, old)))

	a.start()
	const purged = "rows beyond their retention deleted"
	until := time.Now().Add(8 * time.Minute)
	var relay traffic
	var sent atomic.Int64
	relay.send(4, func(int) bool {
		time.Sleep(80 * time.Millisecond) // a little less than the target takes
		if a.count(purged) > 0 || time.Now().After(until) {
			return false
		}
		sent.Add(1)
		return true
	}, a, b)
	relay.done.Wait()
	require.Equal(t, 1, a.count(purged), "the purge has not come to its end")
	require.Equal(t, sent.Load(), relay.acked.Load())
	awaitNoJobs(t, url)

	w.requireEvery(t, int(sent.Load()))
	by := map[string]int{}
	for _, requests := range w.all() {
		by[requests[0].node]++
	}
	causes := w.causes(func(string, request, request) string { return "any" })
	t.Logf("%d old events purged, %d sent meanwhile, by node: %v, duplicates: %v", old, sent.Load(), by, causes)
	require.Empty(t, causes)
	require.Len(t, by, 2)
	require.Empty(t, queryTexts(t, url, "SELECT id::text FROM events WHERE title LIKE 'Old %' LIMIT 1"))
	for _, n := range []*node{a, b} {
		require.Zero(t, n.count(takenOver), "node %s took over live jobs", n.path)
		require.NoError(t, n.stop())
	}
}

// TestNodeStopped stops one of two nodes under load: it ends what it has begun, and the
// other does the rest.
func TestNodeStopped(t *testing.T) {
	t.Parallel()

	const events, concurrency = 3000, 8
	url := testpg.Cluster(t).URL()
	w := newWitness(t, 50*time.Millisecond)
	a, b := newNode(t, url, "a", w, concurrency, ""), newNode(t, url, "b", w, concurrency, "")
	a.start()
	b.start()

	var relay traffic
	relay.send(8, upTo(events), a, b)
	relay.await(t, events/2)
	require.NoError(t, a.stop())
	stoppedAt := time.Now()
	relay.done.Wait()
	require.EqualValues(t, events, relay.acked.Load(), "not every event was acknowledged")
	awaitNoJobs(t, url)

	w.requireEvery(t, events)
	by := map[string]int{}
	for _, requests := range w.all() {
		by[requests[0].node]++
		if requests[0].node == a.path {
			require.True(t, requests[0].began.Before(stoppedAt))
		}
	}
	causes := w.causes(func(string, request, request) string { return "any" })
	t.Logf("%d events, %d posts refused, by node: %v, duplicates: %v", events, relay.refused.Load(), by, causes)
	require.Empty(t, causes)
	require.Len(t, by, 2)
	require.Zero(t, b.count(takenOver), "it left jobs behind")
	require.NoError(t, b.stop())
}

// TestDatabaseCrashesAsNodesBegin takes the database away, again and again, the moment
// that jobs have been handed out: who has a job keeps it, also when the database comes
// back as of a moment before.
func TestDatabaseCrashesAsNodesBegin(t *testing.T) {
	t.Parallel()

	const rounds, burst, concurrency = 6, 16, 8
	cluster := testpg.Cluster(t)
	url := cluster.URL()
	w := newWitness(t, time.Second)
	a, b := newNode(t, url, "a", w, concurrency, ""), newNode(t, url, "b", w, concurrency, "")
	a.start()
	b.start()
	// A node that joins is known to the others with their next beat.
	require.Eventually(t, func() bool {
		return len(queryTexts(t, url, "SELECT name FROM nodes WHERE beat_at > (SELECT max(joined_at) FROM nodes) + interval '1 second'")) == 2
	}, waitTimeout, 100*time.Millisecond)

	var relay traffic
	for round := range rounds {
		for n := range burst {
			relay.done.Go(func() { relay.sendOne(round*burst+n, []*node{a, b}) })
		}
		require.Eventually(t, func() bool { return len(w.all()) >= round*burst+burst/2 }, waitTimeout, 10*time.Millisecond)
		cluster.StopImmediate()
		time.Sleep(2 * time.Second) // the requests are answered meanwhile
		cluster.Start()
		relay.done.Wait()
		awaitNoJobs(t, url)
	}
	require.EqualValues(t, rounds*burst, relay.acked.Load(), "not every event was acknowledged")

	w.requireEvery(t, rounds*burst)
	causes := w.causes(func(_ string, first, second request) string {
		if first.node == second.node {
			return "same node"
		}
		return "job handed to another node"
	})
	t.Logf("%d events, %d crashes, duplicates by cause: %v", rounds*burst, rounds, causes)
	require.Empty(t, causes)
	for _, n := range []*node{a, b} {
		require.Zero(t, n.count(takenOver), "node %s took over live jobs", n.path)
		require.NoError(t, n.stop())
	}
}
