package pluginhost

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

func TestStartRunsWhatIsUsed(t *testing.T) {
	t.Parallel()
	b := setup(t, Timing{}, "hookarr-target-chaos", "hookarr-source-chaos", "hookarr-target-unused")
	b.start(t,
		b.target("chaos", "ops", nil), b.target("chaos", "dev", nil),
		b.instance(host.KindSource, "chaos", "radarr", nil))

	status := b.Status()
	require.Len(t, status, 2, "one process for each used plugin")
	require.Equal(t, host.KindSource, status[0].Kind)
	require.NotZero(t, status[0].PID)
	require.NotEqual(t, status[0].PID, status[1].PID)

	desc, ok := b.Describe(host.KindTarget, "chaos")
	require.True(t, ok)
	require.Equal(t, "chaos", desc.Name)
	require.Equal(t, "1.2.3", desc.Version)
	require.Equal(t, sdk.ProtocolVersion, desc.ProtocolVersion)
	require.Contains(t, string(desc.ConfigSchema), "refuse")
	_, ok = b.Describe(host.KindTarget, "unused")
	require.False(t, ok)
	require.Equal(t, host.InstanceInfo{Name: "ops"}, b.Info(host.KindTarget, "ops"))

	require.Equal(t, sdk.ClassOK, b.do(t.Context(), "ops", "fine").Class)
	require.Equal(t, sdk.ClassOK, b.do(t.Context(), "dev", "fine").Class)
	o := b.do(t.Context(), "nobody", "fine")
	require.Equal(t, sdk.ClassUnavailable, o.Class)
	require.Contains(t, o.Message, `no plugin is started for target "nobody"`)
}

// TestOneBadPluginStopsNobody starts every kind of plugin that cannot work, beside
// one that can.
func TestOneBadPluginStopsNobody(t *testing.T) {
	t.Parallel()
	// Some live on, and their end is waited for.
	b := setup(t, Timing{Exit: 5 * time.Second, BackoffMin: time.Hour, BackoffMax: time.Hour},
		"hookarr-target-chaos", "hookarr-target-exits", "hookarr-target-prints", "hookarr-target-speaks7",
		"hookarr-target-liar", "hookarr-target-turncoat", "hookarr-target-misbuilt", "hookarr-target-panics",
		"hookarr-target-elsewhere", "hookarr-target-oldcore", "hookarr-target-impostor", "hookarr-target-unencrypted")
	writeBinary(t, filepath.Join(b.dir, "hookarr-target-noexec"), 0o644)
	writeBinary(t, filepath.Join(b.dir, "hookarr-target-text"), 0o755)
	reasons := map[string]string{
		"exits":    "start plugin hookarr-target-exits: it ended: exit status 7: cannot find my library",
		"prints":   `start plugin hookarr-target-prints: it printed "Hello, I am a plugin!" where its handshake belongs`,
		"speaks7":  `start plugin hookarr-target-speaks7: it speaks version "7" of the plugin protocol, this Hookarr speaks 1`,
		"liar":     `start plugin hookarr-target-liar: it says that it is target plugin "saint": rename the file to hookarr-target-saint`,
		"turncoat": `start plugin hookarr-target-turncoat: it says that it is source plugin "turncoat": rename the file to hookarr-source-turncoat`,
		"noexec":   "run chmod a+rx " + filepath.Join(b.dir, "hookarr-target-noexec"),
		"text":     "hookarr-target-text: exec format error",
		"missing":  "plugin " + filepath.Join(b.dir, "hookarr-target-missing") + " does not exist: install the binary there",
		"badconf":  "configure plugin: ",
		"misbuilt": `start plugin hookarr-target-misbuilt: it ended: exit status 1: the plugin is not built right: ` +
			`the version "1" needs the form 1.2.3; field Age: `,
		"panics":    "start plugin hookarr-target-panics: it ended: exit status 2: panic: ",
		"elsewhere": "start plugin hookarr-target-elsewhere: plugin listens on unix /nowhere, not in its own directory",
		// Neither is told what the plugin is configured with.
		"impostor":    "tls: failed to verify certificate: x509: certificate signed by unknown authority",
		"unencrypted": "tls: first record does not look like a TLS handshake",
		"oldcore":     "start plugin hookarr-target-oldcore: incompatible core API version with plugin. Plugin version: 7, Core version: 1",
	}
	// What comes at the end of a reason.
	ends := map[string]string{
		"badconf":  "configure plugin: it ended: exit status 8",
		"misbuilt": `the default old: invalid character 'o' looking for beginning of value`,
		"panics":   "my library is of the wrong version",
	}
	install(t, b.dir, "hookarr-target-badconf")
	instances := []Instance{b.target("chaos", "good", nil)}
	for plugin := range reasons {
		instances = append(instances, b.target(plugin, plugin, map[string]any{"exit": plugin == "badconf"}))
	}
	require.NoError(t, b.Start(t.Context(), instances))

	for _, s := range b.Status() {
		if s.Plugin == "chaos" {
			require.Equal(t, Ready, s.State)
			continue
		}
		if s.Plugin == "noexec" || s.Plugin == "missing" {
			require.Equal(t, Refused, s.State, s.Plugin)
		} else {
			require.Equal(t, Backoff, s.State, s.Plugin)
		}
		require.Contains(t, s.Reason, reasons[s.Plugin])
		require.Contains(t, s.Reason, ends[s.Plugin])
		require.Zero(t, s.PID)
		o := b.do(t.Context(), s.Plugin, "fine")
		require.Equal(t, sdk.ClassUnavailable, o.Class, s.Plugin)
		require.False(t, o.Crashed)
	}
	require.Equal(t, sdk.ClassOK, b.do(t.Context(), "good", "fine").Class)

	problems := b.Check(t.Context(), instances).Problems
	require.Len(t, problems, len(reasons))
	for _, p := range problems {
		require.Contains(t, p.Message, reasons[p.Plugin])
		require.Contains(t, p.Message, ends[p.Plugin])
		require.Empty(t, p.Instance)
	}
}

func TestPluginThatNeverGreets(t *testing.T) {
	t.Parallel()
	b := setup(t, Timing{Start: 200 * time.Millisecond, BackoffMin: time.Hour, BackoffMax: time.Hour}, "hookarr-target-mute")
	require.NoError(t, b.Start(t.Context(), []Instance{b.target("mute", "ops", nil)}))
	require.Equal(t, Backoff, b.Status()[0].State)
	require.Equal(t, "start plugin hookarr-target-mute: not ready within 200ms", b.Status()[0].Reason)
}

// TestPluginThatHangsWhenConfigured never gets ready, and never stops the others.
func TestPluginThatHangsWhenConfigured(t *testing.T) {
	t.Parallel()
	b := setup(t, Timing{Configure: time.Second, BackoffMin: time.Hour, BackoffMax: time.Hour}, "hookarr-target-chaos")
	require.NoError(t, b.Start(t.Context(), []Instance{b.target("chaos", "ops", map[string]any{"hang": true})}))
	require.Equal(t, Backoff, b.Status()[0].State)
	require.Regexp(t, `^configure plugin: no answer within \d+(\.\d)?s: the constructor does not return$`, b.Status()[0].Reason)
}

func TestCheckReturnsEveryProblem(t *testing.T) {
	t.Parallel()
	b := setup(t, Timing{}, "hookarr-target-chaos", "hookarr-source-chaos")
	bad := b.target("chaos", "z-typo", nil)
	bad.Config = json.RawMessage(`{"refuze":"x","dir":7}`)
	checked := b.Check(t.Context(), []Instance{
		b.target("chaos", "good", nil),
		b.target("chaos", "bad", map[string]any{"refuse": "it is Monday"}),
		bad,
		b.instance(host.KindSource, "chaos", "radarr", map[string]any{"refuse": "no"}),
		b.target("none", "x", nil),
	})
	problems := checked.Problems
	require.GreaterOrEqual(t, len(problems), 4)
	require.Equal(t, Problem{Kind: host.KindSource, Plugin: "chaos", Instance: "radarr", Message: "no"}, problems[0])
	require.Equal(t, Problem{Kind: host.KindTarget, Plugin: "chaos", Instance: "bad", Message: "it is Monday"}, problems[1])
	require.Equal(t, "z-typo", problems[2].Instance)
	last := problems[len(problems)-1]
	require.Equal(t, "none", last.Plugin)
	require.Contains(t, last.Message, "does not exist")
	require.Empty(t, b.Status(), "a check starts nothing that stays")
}

func TestRefusedConfigurationHoldsItsInstanceOnly(t *testing.T) {
	t.Parallel()
	b := setup(t, Timing{}, "hookarr-target-chaos", "hookarr-source-chaos")
	b.start(t,
		b.target("chaos", "good", nil), b.target("chaos", "bad", map[string]any{"refuse": "it is Monday"}),
		b.instance(host.KindSource, "chaos", "radarr", map[string]any{"refuse": "no"}))
	require.Equal(t, sdk.ClassOK, b.do(t.Context(), "good", "fine").Class)
	o := b.do(t.Context(), "bad", "fine")
	require.Equal(t, sdk.ClassMisconfigured, o.Class)
	require.Equal(t, "plugin target-chaos refuses the configuration of bad: it is Monday", o.Message)
	_, err := b.Decode(t.Context(), "radarr", sdk.Request{ID: "1"})
	require.ErrorIs(t, err, ErrUnavailable)
	require.Len(t, b.Status()[1].Problems, 1)
}

func TestInspect(t *testing.T) {
	t.Parallel()
	b := setup(t, Timing{}, "hookarr-source-chaos")
	found, err := Discover(b.dir)
	require.NoError(t, err)
	desc, err := b.Inspect(t.Context(), found[0])
	require.NoError(t, err)
	require.Equal(t, host.KindSource, desc.Kind)
	require.Equal(t, "Does everything wrong, on demand.", desc.Summary)
	require.NoError(t, os.Chmod(b.dir, 0o777))
	_, err = b.Inspect(t.Context(), found[0])
	require.ErrorContains(t, err, "run chmod go-w "+b.dir)
}

func TestLockIsEnforced(t *testing.T) {
	t.Parallel()
	b := setup(t, Timing{BackoffMin: time.Minute}, "hookarr-target-chaos", "hookarr-target-other")
	found, err := Discover(b.dir)
	require.NoError(t, err)
	require.NoError(t, WriteLock(b.opts.LockFile, found[:1]))
	require.NoError(t, b.Start(t.Context(), []Instance{b.target("chaos", "ops", nil), b.target("other", "dev", nil)}))
	status := b.Status()
	require.Equal(t, Ready, status[0].State, status[0].Reason)
	require.Equal(t, Refused, status[1].State)
	require.Contains(t, status[1].Reason, "run hookarr plugins lock")
	require.Contains(t, b.do(t.Context(), "dev", "fine").Message, "run hookarr plugins lock")
}

// TestWhatWasCheckedIsWhatRuns replaces the file between check and execution.
func TestWhatWasCheckedIsWhatRuns(t *testing.T) {
	t.Parallel()
	dir := pluginDir(t)
	install(t, dir, "hookarr-target-chaos")
	f, err := openBinary(dir, "hookarr-target-chaos")
	require.NoError(t, err)
	defer func() { _ = f.Close() }()
	require.NoError(t, os.Remove(f.Name()))
	writeBinary(t, filepath.Join(dir, "hookarr-target-chaos"), 0o755)

	private := t.TempDir()
	path, err := execPath(private, f)
	require.NoError(t, err)
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer func() { _ = r.Close() }()
	p, err := os.StartProcess(path, []string{"hookarr-target-exits"}, &os.ProcAttr{Env: []string{}, Files: []*os.File{nil, nil, w, f}})
	require.NoError(t, err)
	require.NoError(t, w.Close())
	state, err := p.Wait()
	require.NoError(t, err)
	require.Equal(t, 7, state.ExitCode(), "the chaos plugin ran, not what took its name")
}

func TestEnvironmentDoesNotLeak(t *testing.T) {
	t.Setenv("DATABASE_URL", "postgres://secret")
	t.Setenv("HOOKARR_RADARR_SECRET", "secret")
	t.Setenv("NOTIFY_SOCKET", "/run/systemd/notify")
	t.Setenv("CREDENTIALS_DIRECTORY", "/run/credentials/hookarr.service")
	t.Setenv("TZ", "Europe/Paris")
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:1")
	b := setup(t, Timing{}, "hookarr-target-chaos")
	b.start(t, b.target("chaos", "ops", nil))
	o := b.do(t.Context(), "ops", "env")
	require.Equal(t, sdk.ClassOK, o.Class, o.Message)
	require.Subset(t, []string{
		"HOOKARR_LOG_LEVEL", "HOOKARR_PLUGIN", "HTTPS_PROXY", "TMPDIR", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR",
		"HTTP_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
		"PLUGIN_CLIENT_CERT", "PLUGIN_MAX_PORT", "PLUGIN_MIN_PORT", "PLUGIN_PROTOCOL_VERSIONS", "PLUGIN_UNIX_SOCKET_DIR",
	}, strings.Fields(o.Receipt.Excerpt))
	require.Subset(t, strings.Fields(o.Receipt.Excerpt), []string{"HTTPS_PROXY", "TMPDIR", "TZ", "PLUGIN_CLIENT_CERT"})

	tmp := b.do(t.Context(), "ops", "tmpdir").Receipt.Excerpt
	info, err := os.Stat(tmp)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), info.Mode().Perm())
	require.NoError(t, b.Stop(t.Context()))
	require.NoDirExists(t, tmp)
	require.NoDirExists(t, filepath.Dir(tmp))
}

func TestStopDrains(t *testing.T) {
	t.Parallel()
	b := setup(t, Timing{}, "hookarr-target-chaos")
	b.start(t, b.target("chaos", "ops", nil))
	pid := b.Status()[0].PID
	outcome := make(chan host.Outcome, 1)
	go func() { outcome <- b.do(context.Background(), "ops", "wait") }()
	b.awaitSign(t, "arrived-wait")

	stopped := make(chan error, 1)
	go func() { stopped <- b.Stop(context.Background()) }()
	b.awaitState(t, "chaos", Stopped)
	require.Equal(t, sdk.ClassInterrupted, b.do(t.Context(), "ops", "late").Class, "no more calls are taken")
	b.release(t)
	require.Equal(t, sdk.ClassOK, (<-outcome).Class, "the call under way was waited for")
	require.NoError(t, <-stopped)
	require.True(t, gone(pid, true), "no zombie is left")
	require.NoError(t, b.Stop(t.Context()), "stopping twice is no error")
}

func TestStopCutsOffAtItsDeadline(t *testing.T) {
	t.Parallel()
	b := setup(t, Timing{}, "hookarr-target-chaos")
	b.start(t, b.target("chaos", "ops", nil))
	pid := b.Status()[0].PID
	outcome := make(chan host.Outcome, 1)
	go func() { outcome <- b.do(context.Background(), "ops", "hang") }()
	b.awaitSign(t, "arrived-hang")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err := b.Stop(ctx)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, "calls of plugin target-chaos were cut off")
	require.Equal(t, sdk.ClassInterrupted, (<-outcome).Class)
	require.True(t, gone(pid, true))
}

func TestStopEndsAStoppedProcess(t *testing.T) {
	t.Parallel()
	b := setup(t, Timing{}, "hookarr-target-chaos")
	b.start(t, b.target("chaos", "ops", nil))
	pid := b.Status()[0].PID
	suspend(t, pid)
	require.NoError(t, b.Stop(t.Context()))
	require.True(t, gone(pid, true))
}

func TestStopWhileStarting(t *testing.T) {
	t.Parallel()
	b := setup(t, Timing{}, "hookarr-target-mute")
	started := make(chan error, 1)
	go func() { started <- b.Start(context.Background(), []Instance{b.target("mute", "ops", nil)}) }()
	require.Eventually(t, func() bool { return len(b.Status()) == 1 }, waitTimeout, pollInterval)
	require.NoError(t, b.Stop(t.Context()))
	require.NoError(t, <-started)
}

// TestStartIsParallel starts plugins each of which waits for all others before its
// handshake.
func TestStartIsParallel(t *testing.T) {
	t.Parallel()
	b := setup(t, Timing{})
	var instances []Instance
	for _, name := range []string{"meets-a", "meets-b", "meets-c", "meets-d"} {
		install(t, b.dir, "hookarr-target-"+name)
		instances = append(instances, b.target(name, name, nil))
	}
	b.start(t, instances...)
}

// measure registers the host's metrics and returns a function that sums up one of the
// chaos plugin, or counts for histograms.
func (b *testBundle) measure() func(t *testing.T, name string) float64 {
	registry := prometheus.NewRegistry()
	opts := b.opts
	opts.Metrics = registry
	b.Host = New(opts)
	return func(t *testing.T, name string) (sum float64) {
		t.Helper()
		families, err := registry.Gather()
		require.NoError(t, err)
		for _, f := range families {
			if f.GetName() != name {
				continue
			}
			for _, m := range f.GetMetric() {
				require.Equal(t, "target-chaos", m.GetLabel()[len(m.GetLabel())-1].GetValue())
				sum += m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
			}
		}
		return sum
	}
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	b := setup(t, Timing{}, "hookarr-target-chaos")
	value := b.measure()
	b.start(t, b.target("chaos", "ops", nil))
	b.do(t.Context(), "ops", "fine")
	require.InDelta(t, 1, value(t, "hookarr_plugin_up"), 0)
	require.InDelta(t, 1, value(t, "hookarr_plugin_call_seconds"), 0)
	require.InDelta(t, 0, value(t, "hookarr_plugin_restarts_total"), 0)
	require.InDelta(t, 0, value(t, "hookarr_plugin_stuck_calls_total"), 0)
	require.Greater(t, value(t, "hookarr_plugin_resident_memory_bytes"), 1e6)
	require.NoError(t, unix.Kill(b.Status()[0].PID, unix.SIGKILL))
	require.Eventually(t, func() bool { return value(t, "hookarr_plugin_restarts_total") == 1 }, waitTimeout, pollInterval)
	require.NoError(t, b.Stop(t.Context()))
	require.InDelta(t, 0, value(t, "hookarr_plugin_up"), 0)
	require.Zero(t, value(t, "hookarr_plugin_resident_memory_bytes"), "of no process")
}

// TestStuckCall hangs in a call for as long as it takes the plugin to say so.
func TestStuckCall(t *testing.T) {
	t.Parallel()
	b := setup(t, Timing{}, "hookarr-target-chaos")
	value := b.measure()
	b.start(t, b.target("chaos", "ops", nil))
	require.Equal(t, sdk.ClassRetryable, b.doLate("ops", "hang").Class)
	require.Eventually(t, func() bool { return b.log.find(t, host.StuckCall) != nil }, waitTimeout, pollInterval)
	record := b.log.find(t, host.StuckCall)
	require.Equal(t, "ERROR", record["level"])
	require.Equal(t, "target-chaos", record["plugin"])
	require.Equal(t, "ops", record["instance"])
	require.Equal(t, "Deliver", record["method"])
	require.InDelta(t, 1, value(t, "hookarr_plugin_stuck_calls_total"), 0)
}

func TestTempDirTooLongForSockets(t *testing.T) {
	t.Parallel()
	h := New(Options{Dirs: []string{t.TempDir()}, TempDir: "/" + strings.Repeat("x", 60)})
	require.ErrorContains(t, h.Start(t.Context(), nil), "set TMPDIR to one of at most 34 characters")
}
