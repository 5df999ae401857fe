package e2e

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
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

// TestMisconfiguredTargetIsHeld answers 404 until an operator resumes the target: nothing
// is lost, and all arrive in their order.
func TestMisconfiguredTargetIsHeld(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		endpoint := newReceiver(t)
		var refused atomic.Int32
		endpoint.setAnswer(func(delivered) int { refused.Add(1); return http.StatusNotFound })
		target := strings.Replace(webhookTarget(endpoint), "concurrency: 8", "concurrency: 1", 1)
		srv := newServer(t, settings{database: url, targets: target, routes: everything})
		srv.start()

		const events = 30
		for n := range events {
			require.Equal(t, http.StatusAccepted, srv.post(importBody(n+1)).status)
		}
		require.Eventually(t, func() bool {
			out, err := srv.cli("targets", "list")
			return err == nil && strings.Contains(out, "misconfigured")
		}, waitTimeout, 100*time.Millisecond)
		// A second one is tried at once. Later ones would be taken, and disturb the order.
		require.Eventually(t, func() bool { return refused.Load() >= 2 }, waitTimeout, 10*time.Millisecond, "the second witness")
		out, err := srv.cli("deliveries", "list", "--state", "pending", "--json", "--limit", "100")
		require.NoError(t, err, out)
		require.Equal(t, events, strings.Count(out, `"pending"`), out)
		srv.awaitMetrics(t, `hookarr_target_held{kind="misconfigured",target="ops"} 1`)

		// A restart keeps the hold.
		require.NoError(t, srv.stop())
		srv.start()
		require.Empty(t, endpoint.all())

		execSQL(t, url, "UPDATE targets SET probe_at = NULL") // a probe would be taken first
		endpoint.setAnswer(nil)
		out, err = srv.cli("targets", "resume", "ops")
		require.NoError(t, err, out)
		for n, d := range endpoint.await(t, events) {
			require.Equal(t, titleOf(n+1), d.Event.Title, "in order")
		}
		out, err = srv.cli("targets", "list")
		require.NoError(t, err, out)
		require.NotContains(t, out, "misconfigured")
		srv.awaitMetrics(t, `hookarr_target_held{kind="misconfigured",target="ops"} 0`)
		require.Equal(t, http.StatusAccepted, srv.post(importBody(events+1)).status)
		endpoint.await(t, events+1)
	})
}

// TestTroubleIsTold has one target refuse everything: another one is told of it, and of
// its end.
func TestTroubleIsTold(t *testing.T) {
	t.Parallel()

	refusing, told := newReceiver(t), newReceiver(t)
	refusing.setAnswer(func(delivered) int { return http.StatusUnauthorized })
	srv := newServer(t, settings{
		database: "sqlite://" + t.TempDir() + "/hookarr.db",
		targets:  webhookTarget(refusing) + "\n" + strings.Replace(webhookTarget(told), "ops:", "chat:", 1),
		routes:   everything + "\n- {name: trouble, types: [\"hookarr.target_*\", \"hookarr.delivery_*\"], to: [ops, chat]}",
	})
	srv.start()
	require.Equal(t, http.StatusAccepted, srv.post(importBody(1)).status)
	e := told.await(t, 1)[0].Event
	require.Equal(t, sdk.TypeTargetHeld, e.Type)
	require.Contains(t, e.Summary, "Target ops is on hold (misconfigured)")
	refusing.setAnswer(nil)
	out, err := srv.cli("targets", "resume", "ops")
	require.NoError(t, err, out)
	require.Equal(t, sdk.TypeTargetResumed, told.await(t, 2)[1].Event.Type)
	require.Equal(t, titleOf(1), refusing.await(t, 1)[0].Event.Title)
	require.Len(t, refusing.all(), 1, "nothing is told to the target that it is about")
}

// TestTargetThatLeftTheConfigurationHolds takes a target away and gives it back.
func TestTargetThatLeftTheConfigurationHolds(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		endpoint := newReceiver(t)
		endpoint.setAnswer(func(delivered) int { return http.StatusServiceUnavailable })
		srv := newServer(t, settings{database: url, targets: webhookTarget(endpoint), routes: everything})
		srv.start()
		require.Equal(t, http.StatusAccepted, srv.post(importBody(1)).status)
		require.NoError(t, srv.stop())

		config, err := os.ReadFile(srv.config)
		require.NoError(t, err)
		other := strings.NewReplacer("ops:", "other:", "[ops]", "[other]").Replace(string(config))
		require.NoError(t, os.WriteFile(srv.config, []byte(other), 0o600))
		srv.start()
		out, err := srv.cli("targets", "list")
		require.NoError(t, err, out)
		require.Contains(t, out, "unconfigured")
		require.NoError(t, srv.stop())

		endpoint.setAnswer(nil)
		require.NoError(t, os.WriteFile(srv.config, config, 0o600))
		srv.start()
		require.Equal(t, titleOf(1), endpoint.await(t, 1)[0].Event.Title)
	})
}

// TestShutdownDrains lets an attempt finish, and does not count one that it cuts off.
func TestShutdownDrains(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		endpoint := newReceiver(t)
		arrived, release := make(chan struct{}, 16), make(chan struct{})
		free := sync.OnceFunc(func() { close(release) })
		t.Cleanup(free)
		endpoint.setAnswer(func(delivered) int {
			arrived <- struct{}{}
			<-release
			return http.StatusOK
		})
		srv := newServer(t, settings{
			database: url, targets: strings.Replace(webhookTarget(endpoint), "timeout: 2m", "timeout: 5m", 1), routes: everything,
			top: "shutdown: {drain: 5m}",
		})
		srv.start()

		require.Equal(t, http.StatusAccepted, srv.post(importBody(1)).status)
		<-arrived
		stopped := make(chan error, 1)
		go func() { stopped <- srv.stop() }()
		srv.awaitCount("waiting for what is under way", 1)
		release <- struct{}{}
		require.NoError(t, <-stopped)
		require.Len(t, endpoint.all(), 1, "the attempt under way was not let finish")

		srv.start("HOOKARR_SHUTDOWN_DRAIN=1s")
		a := srv.post(importBody(2))
		require.Equal(t, http.StatusAccepted, a.status)
		<-arrived
		require.NoError(t, srv.stop()) // nobody releases it within the drain
		free()
		srv.start()
		endpoint.await(t, 2)
		require.Eventually(t, func() bool {
			out, err := srv.cli("events", "show", a.id, "--json")
			return err == nil && strings.Contains(out, `"delivered"`) && strings.Contains(out, `"attempts": 1`)
		}, waitTimeout, 100*time.Millisecond, "the interrupted attempt was counted")
	})
}

// TestStalledRequestCutsNoDeliveryOff lets an attempt finish for as long as the drain is,
// while a stranger's request, which never ends, is let go long before.
func TestStalledRequestCutsNoDeliveryOff(t *testing.T) {
	t.Parallel()

	endpoint := newReceiver(t)
	arrived, release := make(chan struct{}, 1), make(chan struct{})
	endpoint.setAnswer(func(delivered) int {
		arrived <- struct{}{}
		<-release
		return http.StatusOK
	})
	srv := newServer(t, settings{
		database: "sqlite://" + t.TempDir() + "/hookarr.db", routes: everything,
		targets: strings.Replace(webhookTarget(endpoint), "timeout: 2m", "timeout: 5m", 1), top: "shutdown: {drain: 5m}",
	})
	srv.start()
	a := srv.post(importBody(1))
	require.Equal(t, http.StatusAccepted, a.status)
	<-arrived
	stranger, err := net.Dial("tcp", strings.TrimPrefix(srv.url, "http://"))
	require.NoError(t, err)
	defer func() { _ = stranger.Close() }()
	_, err = fmt.Fprintf(stranger, "POST /hooks/radarr HTTP/1.1\r\nHost: x\r\nX-Hub-Signature-256: %s\r\nContent-Length: 100\r\n\r\n{",
		sign("guessed", nil))
	require.NoError(t, err)

	stopped := make(chan error, 1)
	go func() { stopped <- srv.stop() }()
	_, _ = io.Copy(io.Discard, stranger)
	close(release)
	require.NoError(t, <-stopped)
	require.NotContains(t, srv.log.String(), "deliveries interrupted")
	require.Len(t, endpoint.all(), 1)
	srv.start()
	out, err := srv.cli("events", "show", a.id, "--json")
	require.NoError(t, err, out)
	require.Contains(t, out, `"delivered"`)
}

// TestDatabaseDownAtStartAndForAWhile waits for Postgres, answers 503 without it, and
// catches up by itself. The log has a line about the outage, one when it is over, and
// nothing of what each part of the process has met meanwhile.
func TestDatabaseDownAtStartAndForAWhile(t *testing.T) {
	t.Parallel()

	cluster := testpg.Cluster(t)
	cluster.StopImmediate()
	endpoint := newReceiver(t)
	srv := newServer(t, settings{database: cluster.URL(), targets: webhookTarget(endpoint), routes: everything})
	srv.launch(inTime)
	srv.awaitCount("waiting for the database", 1)
	require.Equal(t, http.StatusServiceUnavailable, srv.get("/readyz"))
	require.Equal(t, http.StatusOK, srv.get("/healthz"))
	require.Equal(t, http.StatusServiceUnavailable, srv.post(importBody(1)).status)
	cluster.Start()
	srv.awaitReady()

	require.Equal(t, http.StatusAccepted, srv.post(importBody(1)).status)
	endpoint.await(t, 1)
	cluster.StopImmediate()
	require.Equal(t, http.StatusServiceUnavailable, srv.post(importBody(2)).status)
	require.Equal(t, http.StatusServiceUnavailable, srv.get("/readyz"))
	swallowed := []string{"producer: ", "notifier.Notifier: ", "upkeep interrupted"}
	for _, line := range swallowed {
		srv.awaitCount(line, 1) // at level debug it is there
	}
	cluster.Start()
	require.Eventually(t, func() bool { return srv.post(importBody(2)).status == http.StatusAccepted }, waitTimeout, 200*time.Millisecond)
	endpoint.await(t, 2)

	srv.awaitCount("database can be used again", 1)
	var loud []string
	for line := range strings.Lines(srv.log.String()) {
		if !strings.Contains(line, `"level":"DEBUG"`) && !strings.Contains(line, "webhook rejected") {
			loud = append(loud, line)
		}
	}
	log := strings.Join(loud, "")
	require.Equal(t, 1, strings.Count(log, "database cannot be used: deliveries wait"), log)
	for _, line := range swallowed {
		require.NotContains(t, log, line)
	}
}

// TestSecondServeOfAFileIsRefused names the file.
func TestSecondServeOfAFileIsRefused(t *testing.T) {
	t.Parallel()

	url := "sqlite://" + t.TempDir() + "/hookarr.db"
	endpoint := newReceiver(t)
	first := newServer(t, settings{database: url, targets: webhookTarget(endpoint), routes: everything})
	first.start()
	second := newServer(t, settings{database: url, targets: webhookTarget(endpoint), routes: everything})
	second.launch()
	require.Error(t, <-second.done)
	second.done <- nil
	require.Contains(t, second.log.String(), "in use")
	require.True(t, first.running())
}

// TestPluginTrouble breaks plugins in every way that a file can be broken; the others
// run, and what the broken one missed is made up for.
func TestPluginTrouble(t *testing.T) {
	t.Parallel()

	own := ownPlugins(t, pluginFile("source-radarr"), pluginFile("target-webhook"))
	decoder := filepath.Join(own, "hookarr-source-radarr")
	// A file has one mode under all of its names. Another process writes the copy, so that no fork of this one keeps it open.
	require.NoError(t, os.Remove(decoder))
	require.NoError(t, exec.Command("cp", pluginFile("source-radarr"), decoder).Run())
	require.NoError(t, os.Chmod(decoder, 0o777))

	endpoint := newReceiver(t)
	srv := newServer(t, settings{
		database: "sqlite://" + t.TempDir() + "/hookarr.db", targets: webhookTarget(endpoint), routes: everything, plugins: own,
	})

	out, err := srv.cli("check")
	require.Error(t, err)
	require.Contains(t, out, "chmod go-w "+decoder)

	srv.start()
	require.Contains(t, srv.log.String(), "chmod go-w "+decoder)
	a := srv.post(importBody(1))
	require.Equal(t, http.StatusAccepted, a.status, "a sender is not hurt by a broken decoder")
	out, err = srv.cli("events", "show", a.id)
	require.NoError(t, err, out)
	require.Contains(t, out, "deferred")

	require.NoError(t, os.Chmod(decoder, 0o755))
	require.Equal(t, titleOf(1), endpoint.await(t, 1)[0].Event.Title)
}

// TestStoppedPluginTimesOut stops a target's process: attempts end at their deadline,
// and go on with the process.
func TestStoppedPluginTimesOut(t *testing.T) {
	t.Parallel()

	endpoint := newReceiver(t)
	target := strings.Replace(webhookTarget(endpoint), "timeout: 2m", "timeout: 500ms", 1)
	srv := newServer(t, settings{database: "sqlite://" + t.TempDir() + "/hookarr.db", targets: target, routes: everything})
	srv.start()
	pid, ok := srv.pluginPID("hookarr-target-webhook")
	require.True(t, ok)
	suspend(t, pid)
	a := srv.post(importBody(1))
	require.Equal(t, http.StatusAccepted, a.status)
	require.Eventually(t, func() bool {
		out, err := srv.cli("events", "show", a.id)
		return err == nil && strings.Contains(out, "timed out")
	}, waitTimeout, 100*time.Millisecond)
	require.NoError(t, syscall.Kill(pid, syscall.SIGCONT))
	endpoint.await(t, 1)
}

// TestRefusedPluginConfigurationHoldsItsTarget takes webhooks all the same: what comes in
// goes out once the configuration is mended.
func TestRefusedPluginConfigurationHoldsItsTarget(t *testing.T) {
	t.Parallel()

	endpoint := newReceiver(t)
	srv := newServer(t, settings{
		database: "sqlite://" + t.TempDir() + "/hookarr.db", routes: everything,
		targets: strings.Replace(webhookTarget(endpoint), "config: {url:", "config: {urll:", 1),
	})
	srv.start()
	log := srv.log.String()
	require.Contains(t, log, srv.config)
	require.Contains(t, log, "targets.ops.config.urll")
	require.NotContains(t, log, sourceSecret)
	require.Equal(t, http.StatusAccepted, srv.post(importBody(1)).status)
	require.Eventually(t, func() bool {
		out, err := srv.cli("targets", "list")
		return err == nil && strings.Contains(out, "quarantined") && strings.Contains(out, "urll")
	}, waitTimeout, 100*time.Millisecond)
	require.NoError(t, srv.stop())

	config, err := os.ReadFile(srv.config)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(srv.config, []byte(strings.Replace(string(config), "urll:", "url:", 1)), 0o600))
	srv.start()
	endpoint.await(t, 1)
}

// TestHistoryCannotBeAskedFor has the database refuse the first question at the start: the
// process ends with the reason.
func TestHistoryCannotBeAskedFor(t *testing.T) {
	t.Parallel()

	endpoint := newReceiver(t)
	url := "sqlite://" + t.TempDir() + "/hookarr.db"
	srv := newServer(t, settings{database: url, targets: webhookTarget(endpoint), routes: everything})
	out, err := srv.cli("migrate")
	require.NoError(t, err, out)
	execSQL(t, url, "CREATE TRIGGER refuse BEFORE INSERT ON river_job WHEN NEW.kind = 'catchup' BEGIN SELECT raise(ABORT, 'no questions'); END")
	srv.launch()
	err = <-srv.done
	srv.done <- nil
	exit, ok := errors.AsType[*exec.ExitError](err)
	require.True(t, ok, err)
	require.Equal(t, 1, exit.ExitCode(), srv.log.tail(20))
	require.Contains(t, srv.log.String(), "no questions")
	require.NotContains(t, srv.log.String(), "panic")
}

// TestWrongConfigurationStartsNothing names file and key.
func TestWrongConfigurationStartsNothing(t *testing.T) {
	t.Parallel()

	endpoint := newReceiver(t)
	srv := newServer(t, settings{
		database: "sqlite://" + t.TempDir() + "/hookarr.db", routes: everything,
		targets: strings.Replace(webhookTarget(endpoint), "concurrency:", "concurency:", 1),
	})
	srv.launch()
	require.Error(t, <-srv.done)
	srv.done <- nil
	log := srv.log.String()
	require.Contains(t, log, srv.config)
	require.Contains(t, log, "targets.ops.concurency")
	require.NotContains(t, log, sourceSecret)
}
