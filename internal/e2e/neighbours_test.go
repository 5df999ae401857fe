package e2e

import (
	"fmt"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	// neighbourRate is the events per second of TestPluginNeighbours.
	neighbourRate = 100
	// neighboursEnv is how long it sends events, for figures that say more.
	neighboursEnv = "TEST_NEIGHBOURS"
)

// badPlugins are targets by the names of their plugins, with what their configuration is,
// and what is said of them, in which place.
var badPlugins = []struct {
	name, target string
	// log is a part of a line; inspect of what hookarr plugins inspect says.
	log, inspect string
}{
	{
		name: "leaking", target: `rate: {per_second: 10, burst: 1}, config: {do: "leak 1"}`,
		log: "plugin takes too much", inspect: "plugins.target-leaking.memory, which is 64 MiB",
	},
	{
		name: "spinning", target: `timeout: 1s, concurrency: 1, config: {do: spin}`,
		log: "call is stuck: it goes on after its deadline",
	},
	{
		name: "flooding", target: `timeout: 1s, concurrency: 1, config: {do: "flood 100000"}`,
		log: "plugin logs too much, lines dropped",
	},
	{
		name: "forking", target: `config: {do: "sh setsid sleep 600 &"}`,
		log: "plugin takes too much", inspect: "processes, more than 64",
	},
	{
		name: "hostile", target: `timeout: 5s, concurrency: 2, retry: {initial: 200ms}`,
		log: "plugin writes to its standard output",
	},
}

// TestPluginNeighbours runs every bad plugin beside a good one, all of which get the same
// 100 events a second. Nothing of the good one is lost, and each bad one is named. The times
// from sending a webhook to its arrival are printed, alone and beside the others.
//
//nolint:paralleltest // the other tests would be neighbours too
func TestPluginNeighbours(t *testing.T) {
	alone, beside := 3*time.Second, 9*time.Second
	if text := os.Getenv(neighboursEnv); text != "" {
		d, err := time.ParseDuration(text)
		require.NoError(t, err, neighboursEnv)
		alone, beside = d, d
	}
	own := ownPlugins(t, pluginFile("source-radarr"), pluginFile("target-webhook"), filepath.Join(binaries, "hookarr-target-hostile"))
	for _, bad := range badPlugins[:len(badPlugins)-1] {
		require.NoError(t, os.Link(filepath.Join(binaries, "hookarr-target-chaos"), filepath.Join(own, "hookarr-target-"+bad.name)))
	}

	t.Logf("alone:  %s", neighbourLatencies(t, alone, own, "", everything, nil))

	var targets strings.Builder
	to := []string{"ops"}
	for _, bad := range badPlugins {
		fmt.Fprintf(&targets, "%s: {plugin: %[1]s, %s}\n", bad.name, bad.target)
		to = append(to, bad.name)
	}
	routes := fmt.Sprintf(`- {name: all, from: ["*"], types: ["*"], to: [%s]}`, strings.Join(to, ", "))
	t.Logf("beside: %s", neighbourLatencies(t, beside, own, targets.String(), routes, func(srv *server) {
		for _, bad := range badPlugins {
			plugin := fmt.Sprintf(`"plugin":"target-%s"`, bad.name)
			require.Eventually(t, func() bool {
				for line := range strings.Lines(srv.log.String()) {
					if strings.Contains(line, plugin) && strings.Contains(line, bad.log) {
						return true
					}
				}
				return false
			}, waitTimeout, 200*time.Millisecond, "%s is not named by the log", bad.name)
			out, err := srv.cli("plugins", "inspect", "target-"+bad.name)
			require.NoError(t, err)
			require.Contains(t, out, bad.inspect)
			for line := range strings.Lines(out) {
				if what, _, _ := strings.Cut(line, " "); slices.Contains([]string{"state", "problem", "last"}, what) {
					t.Logf("%s: %s", bad.name, strings.TrimSpace(line))
				}
			}
		}
		out, err := srv.cli("targets", "list")
		require.NoError(t, err)
		t.Log("\n" + out)
	}))
}

// neighbourLatencies sends events to a server whose target ops is good, and requires each to
// arrive.
func neighbourLatencies(t *testing.T, d time.Duration, plugins, targets, routes string, while func(*server)) string {
	t.Helper()
	endpoint := newReceiver(t)
	var mu sync.Mutex
	posted, arrived := map[string]time.Time{}, map[string]time.Duration{}
	endpoint.setAnswer(func(got delivered) int {
		now := time.Now()
		mu.Lock()
		defer mu.Unlock()
		if _, again := arrived[got.Event.Title]; !again {
			arrived[got.Event.Title] = now.Sub(posted[got.Event.Title])
		}
		return http.StatusOK
	})
	srv := newServer(t, settings{
		database: "sqlite://" + t.TempDir() + "/hookarr.db", plugins: plugins,
		targets: webhookTarget(endpoint) + "\n" + targets, routes: routes,
	})
	srv.start("HOOKARR_PLUGINS__TARGET_LEAKING__MEMORY=64MiB", "HOOKARR_LOG_LEVEL=info")
	var senders sync.WaitGroup
	refused := map[string]int{}
	ticker := time.NewTicker(time.Second / neighbourRate)
	defer ticker.Stop()
	n := int(d.Seconds() * neighbourRate)
	for i := range n {
		<-ticker.C
		senders.Go(func() {
			mu.Lock()
			posted[titleOf(i+1)] = time.Now()
			mu.Unlock()
			if a := srv.post(importBody(i + 1)); a.status != http.StatusAccepted {
				mu.Lock()
				refused[fmt.Sprint(a.status, " ", a.body)]++
				mu.Unlock()
			}
		})
	}
	senders.Wait()
	require.Empty(t, refused, "webhooks are refused")
	require.Eventually(t, func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(arrived) == n
	}, waitTimeout, 50*time.Millisecond, "something is lost")
	if while != nil {
		while(srv)
	}
	require.NoError(t, srv.stop())
	times := make([]time.Duration, 0, n)
	for _, took := range arrived {
		times = append(times, took)
	}
	slices.Sort(times)
	at := func(q float64) time.Duration {
		return times[int(math.Ceil(q*float64(n)))-1].Round(100 * time.Microsecond)
	}
	return fmt.Sprintf("%d events at %d/s: p50 %s, p99 %s, longest %s, lost 0", n, neighbourRate, at(.5), at(.99), at(1))
}
