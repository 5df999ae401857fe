package e2e

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/testpg"
)

const (
	losslessEvents      = 2000
	losslessConcurrency = 8
)

// importBody is a Radarr import that no other call makes.
func importBody(n int) []byte {
	return fmt.Appendf(nil, `{
  "movie": {"id": %[1]d, "title": "Movie %06[1]d", "year": 2024, "folderPath": "/movies/Movie %06[1]d", "tmdbId": %[1]d, "tags": []},
  "remoteMovie": {"tmdbId": %[1]d, "title": "Movie %06[1]d", "year": 2024},
  "movieFile": {"id": %[1]d, "relativePath": "Movie.mkv", "path": "/movies/Movie %06[1]d/Movie.mkv", "quality": "WEBDL-1080p",
    "qualityVersion": 1, "size": 4823449711, "dateAdded": "2026-11-23T10:00:00Z"},
  "isUpgrade": false, "downloadClient": "qBittorrent", "downloadClientType": "qBittorrent", "downloadId": "D%06[1]d",
  "release": {"releaseTitle": "Movie.%06[1]d.2024.1080p.WEB-DL", "indexer": "Example", "size": 4823449711},
  "eventType": "Download", "instanceName": "Radarr", "applicationUrl": "http://radarr.example"
}`, n)
}

func titleOf(n int) string { return fmt.Sprintf("Movie %06d (2024)", n) }

func webhookTarget(r *receiver) string {
	return fmt.Sprintf(`ops:
  plugin: webhook
  timeout: 2m
  concurrency: %d
  retry: {initial: 200ms, multiplier: 2, max_interval: 2s}
  config: {url: %q, secrets: [%q]}`, losslessConcurrency, r.URL, targetSecret)
}

const everything = `- {name: everything, types: ["*", test, unknown], to: [ops]}`

// ledger is what the sender knows: it lives outside the processes that are killed.
type ledger struct {
	acked [losslessEvents]atomic.Bool
	count atomic.Int64
}

// send posts every event and repeats, as a relay does, what was not acknowledged.
func (l *ledger) send(t *testing.T, post func([]byte) answer) {
	t.Helper()
	next := make(chan int)
	var senders sync.WaitGroup
	deadline := time.Now().Add(2 * waitTimeout)
	for range 8 {
		senders.Go(func() {
			for n := range next {
				body := importBody(n + 1)
				for time.Now().Before(deadline) {
					if a := post(body); a.status/100 == 2 {
						l.acked[n].Store(true)
						l.count.Add(1)
						break
					}
					time.Sleep(20 * time.Millisecond)
				}
			}
		})
	}
	for n := range losslessEvents {
		next <- n
	}
	close(next)
	senders.Wait()
}

// awaitSent waits until so many events are acknowledged.
func (l *ledger) awaitSent(t *testing.T, n int64) {
	t.Helper()
	require.Eventually(t, func() bool { return l.count.Load() >= n }, waitTimeout, 10*time.Millisecond)
}

// TestNothingLost pulls every plug while events pour in: the core three times, two of
// them at failpoints, each plugin three times, and Postgres once.
func TestNothingLost(t *testing.T) {
	t.Parallel()

	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		testNothingLost(t, "sqlite://"+t.TempDir()+"/hookarr.db", func() {}, 0)
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		cluster := testpg.Cluster(t)
		testNothingLost(t, cluster.URL(), func() {
			cluster.StopImmediate()
			time.Sleep(time.Second) // long enough for requests and outcomes to meet it
			cluster.Start()
		}, 1)
	})
}

func testNothingLost(t *testing.T, database string, stopDatabase func(), databaseStops int) {
	t.Helper()
	endpoint := newReceiver(t)
	srv := newServer(t, settings{database: database, targets: webhookTarget(endpoint), routes: everything})
	srv.start()

	var book ledger
	var sending sync.WaitGroup
	sending.Go(func() { book.send(t, srv.post) })

	kills := 0
	killPlugin := func(name string) {
		require.Eventually(t, func() bool {
			pid, ok := srv.pluginPID(name)
			return ok && syscall.Kill(pid, syscall.SIGKILL) == nil
		}, waitTimeout, 5*time.Millisecond)
		kills++
	}
	for round := range 3 {
		book.awaitSent(t, int64(150+500*round))
		killPlugin("hookarr-target-webhook")
		killPlugin("hookarr-source-radarr")
		book.awaitSent(t, int64(300+500*round))
		if srv.running() {
			srv.kill()
		}
		kills++
		switch round {
		case 0: // dies between the endpoint's answer and its record
			srv.launch("HOOKARR_FAILPOINT=after-answer:100")
		case 1: // dies between the record and the end of the job
			srv.launch("HOOKARR_FAILPOINT=after-settle:100")
		default:
			srv.start()
			stopDatabase()
			continue
		}
		require.Eventually(t, func() bool { return !srv.running() }, waitTimeout, time.Millisecond, "the failpoint was not reached")
		kills++
		srv.start()
	}
	kills += databaseStops
	sending.Wait()
	require.EqualValues(t, losslessEvents, book.count.Load(), "not every event was acknowledged")
	lastRestart := time.Now()

	require.Eventually(t, func() bool { return len(endpoint.counts()) >= losslessEvents }, waitTimeout, 50*time.Millisecond,
		"events were lost")
	counts := endpoint.counts()
	duplicates := 0
	for n := range losslessEvents {
		got := counts[titleOf(n+1)]
		require.Positive(t, got, "event %d was acknowledged and not delivered", n+1)
		duplicates += got - 1
	}
	t.Logf("%d events, %d kills, %d duplicates, complete %s after the last event was acknowledged",
		losslessEvents, kills, duplicates, time.Since(lastRestart).Round(time.Millisecond))
	require.LessOrEqual(t, duplicates, kills*losslessConcurrency)
	require.Zero(t, endpoint.forgeries())
	for _, d := range endpoint.all() {
		require.True(t, strings.HasPrefix(d.Event.Title, "Movie "))
	}
	require.NoError(t, srv.stop())
}
