package e2e

import (
	"encoding/json"
	"net/http"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestProofIsToldOnce kills the server and its plugin while targets are asked for proofs,
// also right before and after what they hand back is committed: every proof is told by one
// event, which goes to others.
func TestProofIsToldOnce(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		const posted = 20
		told := newReceiver(t)
		srv := newServer(t, settings{
			database: url,
			targets: `library:
  plugin: chaos
  retry: {initial: 50ms, multiplier: 1, max_interval: 200ms}
  config: {prove: 3}
` + strings.Replace(webhookTarget(told), "ops:", "chat:", 1),
			routes: `- {name: library, types: ["media.*"], to: [library]}
- {name: told, types: ["library.*"], to: [library, chat]}`,
			plugins: ownPlugins(t, pluginFile("source-radarr"), pluginFile("target-webhook"), filepath.Join(binaries, "hookarr-target-chaos")),
		})
		sent := 0
		post := func(n int) {
			t.Helper()
			for range n {
				sent++
				// An interrupted one was perhaps taken.
				require.Contains(t, []int{http.StatusAccepted, http.StatusOK}, srv.post(importBody(sent)).status)
			}
		}
		killed := 0
		// more posts one more event, which may be interrupted and is then repeated.
		more := func() {
			if srv.post(importBody(sent+1)).status/100 == 2 {
				sent++
			}
		}
		for _, failpoint := range []string{"after-answer:20", "after-settle:25"} {
			srv.start()
			post(posted)
			srv.kill()
			srv.launch("HOOKARR_FAILPOINT=" + failpoint)
			for begun := time.Now(); srv.running(); time.Sleep(200 * time.Millisecond) {
				require.Less(t, time.Since(begun), waitTimeout, "the failpoint was not reached")
				more() // what the first process has done does not pass it again
			}
			killed += 2
		}
		srv.start()
		post(posted)
		movies := sent
		if pid, ok := srv.pluginPID("hookarr-target-chaos"); ok {
			require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
		}

		list := func(what ...string) (rows []struct{ Title, Origin, Target, State string }) {
			out, err := srv.cli(append(what, "--json", "--limit", "500")...)
			require.NoError(t, err, out)
			require.NoError(t, json.Unmarshal([]byte(out), &rows), out)
			return rows
		}
		require.Eventually(t, func() bool {
			return len(list("deliveries", "list", "--target", "library", "--state", "delivered")) == movies
		}, waitTimeout, 200*time.Millisecond, "not everything was proven")
		counts := map[string]int{}
		for _, e := range list("events", "list", "--type", "library.available") {
			counts[e.Title]++
		}
		for n := range movies {
			require.Equal(t, 1, counts[titleOf(n+1)], "movie %d", n+1)
		}
		require.Eventually(t, func() bool { return len(told.counts()) == movies }, waitTimeout, 100*time.Millisecond)
		require.Empty(t, list("deliveries", "list", "--target", "library", "--state", "dead"))

		out, err := srv.cli("deliveries", "list", "--target", "library", "--limit", "1", "--json")
		require.NoError(t, err, out)
		var one []struct{ ID string }
		require.NoError(t, json.Unmarshal([]byte(out), &one))
		out, err = srv.cli("deliveries", "show", one[0].ID)
		require.NoError(t, err, out)
		require.Contains(t, out, "asked 3 times for proof")
		require.Contains(t, out, "asked 2 of 3 times", "what was missing last")
		require.NoError(t, srv.stop())
		t.Logf("%d kills", killed)
	})
}
