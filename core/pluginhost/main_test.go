package pluginhost

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/hookarr/hookarr/internal/testbuild"
	"github.com/hookarr/hookarr/sdk/host"
)

const (
	// waitTimeout is for what must happen and takes the time it takes.
	waitTimeout = time.Minute
	// pollInterval is the pause between two looks.
	pollInterval = 5 * time.Millisecond
	// helperEnv makes the test binary a host of its own that runs one plugin from
	// the directory named.
	helperEnv = "HOOKARR_TEST_PLUGIN_DIR"
	// chaosEnv passes the built plugin to the tests.
	chaosEnv = "HOOKARR_TEST_CHAOS"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(helperEnv); dir != "" {
		helper(dir)
	}
	tmp, err := os.MkdirTemp("", "hookarr-chaos-")
	if err == nil {
		chaos := filepath.Join(tmp, "chaos")
		err = errors.Join(
			testbuild.Program(context.Background(), ".", "./internal/chaos", chaos),
			testbuild.Program(context.Background(), ".", "./internal/hostile", filepath.Join(tmp, "hostile")),
			os.Setenv(chaosEnv, chaos),
		)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "build the chaos plugin:", err)
		os.Exit(1)
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		_ = os.RemoveAll(tmp)
		os.Exit(code)
	}))
}

// helper is a host that starts a plugin, says which process that is, and waits to
// be killed.
func helper(dir string) {
	h := New(Options{Dirs: []string{dir}, Timing: Timing{Start: waitTimeout}})
	err := h.Start(context.Background(), []Instance{{Kind: host.KindTarget, Plugin: "chaos", Name: "ops"}})
	_, _ = fmt.Fprintln(os.Stdout, h.Status()[0].PID, h.Status()[0].State, h.Status()[0].Reason, err)
	select {}
}

// testBundle is a host over a directory of chaos plugins.
type testBundle struct {
	*Host
	dir string
	// signs is where the plugins leave files.
	signs string
	log   *logBuffer
}

// quick is a timing for tests in which plugins crash.
var quick = Timing{BackoffMin: 20 * time.Millisecond, BackoffMax: 100 * time.Millisecond, Ready: waitTimeout}

// setup makes a host with these plugins in its directory, which have the time to start that a
// machine with much to do takes. It is stopped with the test.
func setup(t *testing.T, timing Timing, binaries ...string) *testBundle {
	t.Helper()
	return setupWith(t, timing, nil, binaries...)
}

// setupWith is setup with settings of plugins.
func setupWith(t *testing.T, timing Timing, settings func(host.Kind, string) Settings, binaries ...string) *testBundle {
	t.Helper()
	b := &testBundle{dir: pluginDir(t), signs: t.TempDir(), log: &logBuffer{}}
	timing.Start, timing.Exit, timing.HealthTimeout = cmp.Or(timing.Start, waitTimeout), cmp.Or(timing.Exit, waitTimeout), cmp.Or(timing.HealthTimeout, waitTimeout)
	for _, name := range binaries {
		install(t, b.dir, name)
	}
	b.Host = New(Options{Dirs: []string{b.dir}, LockFile: filepath.Join(b.dir, "plugins.lock"), Log: b.log.logger(), Timing: timing, Settings: settings})
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		_ = b.Stop(ctx)
		if t.Failed() {
			for _, l := range b.log.lines(t) {
				t.Log(l)
			}
		}
	})
	return b
}

// install puts the chaos plugin into a directory under a name. It is a link: a
// copy's descriptor, open for writing, could be inherited by a process that
// another test forks, and a binary open for writing cannot be executed.
func install(t *testing.T, dir, name string) {
	t.Helper()
	require.NoError(t, os.Link(os.Getenv(chaosEnv), filepath.Join(dir, name)))
}

// target is an instance, of the plugin, with a configuration.
func (b *testBundle) target(plugin, name string, config map[string]any) Instance {
	return b.instance(host.KindTarget, plugin, name, config)
}

func (b *testBundle) instance(kind host.Kind, plugin, name string, config map[string]any) Instance {
	if config == nil {
		config = map[string]any{}
	}
	config["dir"] = b.signs
	raw, err := json.Marshal(config)
	if err != nil {
		panic(err) //nolint:forbidigo // a test's own literal
	}
	return Instance{Kind: kind, Plugin: plugin, Name: name, Config: raw}
}

// start starts the instances and requires every plugin to be ready.
func (b *testBundle) start(t *testing.T, instances ...Instance) {
	t.Helper()
	require.NoError(t, b.Start(t.Context(), instances))
	for _, s := range b.Status() {
		require.Equal(t, Ready, s.State, "%s: %s", s.Plugin, s.Reason)
	}
}

// do delivers an event whose title says what the plugin is to do.
func (b *testBundle) do(ctx context.Context, target, title string) host.Outcome {
	return b.Deliver(ctx, target, delivery(title), false)
}

// overdue is a context whose deadline passes when the test says so.
type overdue struct {
	context.Context
	passed chan struct{}
}

func (o overdue) Done() <-chan struct{} { return o.passed }

func (o overdue) Err() error {
	if closed(o.passed) {
		return context.DeadlineExceeded
	}
	return nil
}

// late makes a call whose deadline passes once it has come as far as it is to come, however
// long that takes.
func late(arrived func() bool, call func(ctx context.Context)) {
	ctx, returned := overdue{context.Background(), make(chan struct{})}, make(chan struct{})
	defer close(returned)
	go func() {
		for !arrived() {
			select {
			case <-returned:
				return
			case <-time.After(pollInterval):
			}
		}
		close(ctx.passed)
	}()
	call(ctx)
}

// lateAt is late for a call that arrives when a plugin leaves a file.
func (b *testBundle) lateAt(sign string, call func(ctx context.Context)) {
	path := filepath.Join(b.signs, sign)
	_ = os.Remove(path)
	late(func() bool { _, err := os.Stat(path); return err == nil }, call)
}

// doLate is do for what the plugin does not finish before the deadline.
func (b *testBundle) doLate(target, title string) (o host.Outcome) {
	b.lateAt("arrived-"+title, func(ctx context.Context) { o = b.do(ctx, target, title) })
	return o
}

// delivery has its title as id.
func delivery(title string) host.Delivery {
	event, err := json.Marshal(map[string]any{"id": "e1", "type": "test", "title": title, "time": "2026-11-23T10:00:00Z"})
	if err != nil {
		panic(err) //nolint:forbidigo // a test's own literal
	}
	return host.Delivery{ID: strings.ReplaceAll(title, " ", "-"), Attempt: 1, Events: []json.RawMessage{event}}
}

// awaitSign waits until a plugin has left a file.
func (b *testBundle) awaitSign(t *testing.T, name string) {
	t.Helper()
	require.Eventually(t, func() bool {
		_, err := os.Stat(filepath.Join(b.signs, name))
		return err == nil
	}, waitTimeout, pollInterval, "no sign of %s", name)
}

// release lets the calls go on that wait.
func (b *testBundle) release(t *testing.T) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(b.signs, "go"), nil, 0o600))
}

// awaitState waits until a plugin is in a state.
func (b *testBundle) awaitState(t *testing.T, plugin string, state State) Status {
	t.Helper()
	var got Status
	require.Eventually(t, func() bool {
		for _, s := range b.Status() {
			if s.Plugin == plugin {
				got = s
			}
		}
		return got.State == state
	}, waitTimeout, pollInterval, "plugin %s never was %s", plugin, state)
	return got
}

// gone reports whether a process has ended. A zombie of ours has not.
func gone(pid int, ours bool) bool {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return true
	}
	_, rest, _ := strings.Cut(string(data), ") ")
	return !ours && strings.HasPrefix(rest, "Z")
}

// suspend stops a process and waits until all of its threads have stopped: the signal
// reaches one of them, and the others may work on until that one runs.
func suspend(t *testing.T, pid int) {
	t.Helper()
	require.NoError(t, syscall.Kill(pid, syscall.SIGSTOP))
	require.Eventually(t, func() bool {
		threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
		return err == nil && !slices.ContainsFunc(threads, func(stat string) bool {
			data, err := os.ReadFile(stat)
			_, state, _ := strings.Cut(string(data), ") ")
			return err == nil && !strings.HasPrefix(state, "T")
		})
	}, waitTimeout, pollInterval)
}
