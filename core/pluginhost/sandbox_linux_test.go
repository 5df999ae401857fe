package pluginhost

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/sandbox"
	"github.com/hookarr/hookarr/core/sandbox/sandboxtest"
	"github.com/hookarr/hookarr/internal/testbuild"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// setupSandboxed is setup with settings, where there is a sandbox.
func setupSandboxed(t *testing.T, settings func(host.Kind, string) Settings, binaries ...string) *testBundle {
	t.Helper()
	if s := sandbox.Probe(); !s.Supported() {
		t.Skip("no sandbox here: " + s.Missing)
	}
	return setupWith(t, quick, settings, binaries...)
}

// source is an instance of a source plugin, which uses the network for an upstream.
func (b *testBundle) source(plugin, name, upstream string) Instance {
	return b.instance(host.KindSource, plugin, name, map[string]any{"upstream": upstream})
}

// attempt has a source's plugin try to break out, and says what became of it.
func (b *testBundle) attempt(t *testing.T, source, name string, w sandboxtest.World) string {
	t.Helper()
	d, err := b.Decode(t.Context(), source, sdk.Request{ID: "e1", Method: "POST", Body: []byte("attempt " + name + "\n" + w.String())})
	require.NoError(t, err)
	require.NotNil(t, d.Event)
	return d.Event.Title
}

// hostWorld is what this process has that a plugin must not reach.
func (b *testBundle) hostWorld(t *testing.T, plugin string) sandboxtest.World {
	t.Helper()
	w := sandboxtest.World{Dir: t.TempDir(), Self: filepath.Join(b.dir, plugin), PID: os.Getpid()}
	require.NoError(t, os.WriteFile(filepath.Join(w.Dir, "secret"), []byte("secret"), 0o600))
	listen := func(network, address string) string {
		l, err := new(net.ListenConfig).Listen(t.Context(), network, address)
		require.NoError(t, err)
		t.Cleanup(func() { _ = l.Close() })
		return l.Addr().String()
	}
	w.TCP, w.Unix, w.Abstract = listen("tcp", "127.0.0.1:0"), listen("unix", filepath.Join(w.Dir, "s")), listen("unix", "@"+w.Dir)
	return w
}

// TestHostileSourceStaysInside has a plugin try all that it can think of, in a call.
func TestHostileSourceStaysInside(t *testing.T) {
	t.Parallel()
	b := setupSandboxed(t, nil, "hookarr-source-offline")
	b.start(t, b.source("offline", "movies", ""))
	require.Equal(t, Sandbox{SandboxedOn, ""}, b.Status()[0].Sandbox)
	w := b.hostWorld(t, "hookarr-source-offline")
	for _, a := range sandboxtest.Attempts() {
		require.Contains(t, b.attempt(t, "movies", a.Name, w), "refused: ", a.Name)
	}
	require.Empty(t, b.Status()[0].LastFailure, "it has survived its attempts")
}

// TestSandboxFollowsInstances: a plugin that begins to use the network, or uses none any
// more, is replaced without a call that fails.
func TestSandboxFollowsInstances(t *testing.T) {
	t.Parallel()
	b := setupSandboxed(t, nil, "hookarr-source-offline", "hookarr-source-chaos")
	b.start(t, b.source("offline", "movies", ""), b.source("chaos", "other", ""))
	w := b.hostWorld(t, "hookarr-source-offline")
	where := func() Sandbox { return b.Status()[1].Sandbox }
	change := func(instances ...Instance) {
		t.Helper()
		c, problems := b.Prepare(t.Context(), append(instances, b.source("chaos", "other", "")))
		require.Empty(t, problems)
		require.NoError(t, c.Begin(t.Context()))
		require.NoError(t, c.Finish(t.Context()))
	}
	pids := []int{b.Status()[1].PID}
	require.Equal(t, SandboxedOn, where().State)
	require.Contains(t, b.attempt(t, "movies", "connect by TCP", w), "refused: ")
	require.Equal(t, SandboxedOff, b.Status()[0].Sandbox.State, "a source that promises nothing")
	require.Equal(t, "escaped", b.attempt(t, "other", "connect by TCP", w))

	change(b.source("offline", "movies", ""), b.source("offline", "uhd", w.TCP))
	require.Equal(t, Sandbox{SandboxedOff, "the plugin uses the network for sources.uhd.config.upstream"}, where())
	require.Equal(t, "escaped", b.attempt(t, "uhd", "connect by TCP", w))
	pids = append(pids, b.Status()[1].PID)
	change(b.source("offline", "movies", w.TCP))
	require.Equal(t, SandboxedOff, where().State)
	require.Equal(t, pids[1], b.Status()[1].PID, "there is no reason to replace it")

	outcome := make(chan error, 1)
	go func() {
		_, err := b.Decode(context.Background(), "movies", sdk.Request{ID: "e1", Body: []byte("wait going on")})
		outcome <- err
	}()
	b.awaitSign(t, "arrived-wait")
	change(b.source("offline", "movies", ""))
	require.Equal(t, SandboxedOn, where().State)
	require.Contains(t, b.attempt(t, "movies", "connect by TCP", w), "refused: ")
	require.NotContains(t, pids, b.Status()[1].PID)
	b.release(t)
	require.NoError(t, <-outcome, "it goes on in the process that began it")
	require.Equal(t, 0, b.Status()[1].Restarts)
}

// TestSandboxedPluginComesBack after its crash, into its sandbox.
func TestSandboxedPluginComesBack(t *testing.T) {
	t.Parallel()
	b := setupSandboxed(t, nil, "hookarr-source-offline")
	b.start(t, b.source("offline", "movies", ""))
	crashed := b.Status()[0].PID
	require.NoError(t, syscall.Kill(crashed, syscall.SIGSEGV))
	require.Eventually(t, func() bool { s := b.Status()[0]; return s.State == Ready && s.PID != crashed }, waitTimeout, pollInterval)
	require.Equal(t, SandboxedOn, b.Status()[0].Sandbox.State)
	require.Contains(t, b.attempt(t, "movies", "read the users of the machine", sandboxtest.World{}), "refused: ")
}

// TestPluginsOfOneFile have promised nothing that another of them has, and are replaced together
// when the file is.
func TestPluginsOfOneFile(t *testing.T) {
	t.Parallel()
	b := setupSandboxed(t, nil, "shared")
	plugins := []string{"hookarr-source-chaos", "hookarr-source-offline", "hookarr-target-chaos"}
	for _, name := range plugins {
		require.NoError(t, os.Symlink("shared", filepath.Join(b.dir, name)))
	}
	b.start(t, b.source("chaos", "other", ""), b.source("offline", "movies", ""), b.target("chaos", "ops", nil))
	all := b.Status()
	require.Len(t, all, len(plugins))
	for _, s := range all {
		offline := s.Plugin == "offline"
		require.Equal(t, offline, s.Sandbox.State == SandboxedOn, s.Plugin)
		require.Equal(t, offline, b.launcher.known(described{pluginKey{s.Kind, s.Plugin}, s.SHA256}).Offline, s.Plugin)
		require.Equal(t, filepath.Join(b.dir, binaryName(s.Kind, s.Plugin)), s.Path)
		require.Equal(t, all[0].SHA256, s.SHA256)
	}

	// Another program may put it there: a descriptor of this process that is open for writing could
	// be inherited.
	next := filepath.Join(b.dir, "next")
	out, err := exec.CommandContext(t.Context(), "sh", "-c", `cp "$0" "$1" && echo other >> "$1" && chmod 755 "$1"`, os.Getenv(chaosEnv), next).CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.NoError(t, os.Rename(next, filepath.Join(b.dir, "shared")))
	b.Renew(t.Context())
	for i, s := range b.Status() {
		require.Equal(t, Ready, s.State, s.Plugin)
		require.NotEqual(t, all[i].PID, s.PID, s.Plugin)
		require.NotEqual(t, all[i].SHA256, s.SHA256, s.Plugin)
		require.Equal(t, all[i].Sandbox, s.Sandbox, s.Plugin)
		require.Zero(t, s.Restarts, s.Plugin)
	}
}

// TestSandboxOn keeps any plugin in a sandbox, whatever it says of itself.
func TestSandboxOn(t *testing.T) {
	t.Parallel()
	b := setupSandboxed(t, func(host.Kind, string) Settings { return Settings{Sandbox: SandboxOn} },
		"hookarr-source-chaos", "hookarr-target-chaos")
	w := b.hostWorld(t, "hookarr-source-chaos")
	b.start(t, b.source("chaos", "movies", w.TCP), b.instance(host.KindTarget, "chaos", "ops", map[string]any{"url": "http://" + w.TCP}))
	for _, s := range b.Status() {
		require.Equal(t, SandboxedOn, s.Sandbox.State)
	}
	require.Contains(t, b.attempt(t, "movies", "connect by TCP", w), "refused: ")
	o, err := b.Test(t.Context(), "ops", nil)
	require.NoError(t, err)
	require.Equal(t, sdk.ClassRetryable, o.Class)
	require.Contains(t, o.Message, "operation not permitted")
	_, err = b.Inspect(t.Context(), Binary{Kind: host.KindSource, Name: "chaos"})
	require.NoError(t, err)
}

// TestKernelWithoutSandbox: auto runs without and says so once, and on is refused.
func TestKernelWithoutSandbox(t *testing.T) {
	t.Parallel()
	b := setupWith(t, quick, func(_ host.Kind, name string) Settings {
		if name == "chaos" {
			return Settings{Sandbox: SandboxOn}
		}
		return Settings{}
	}, "hookarr-source-offline", "hookarr-source-chaos")
	b.opts.probe = func() sandbox.Support { return sandbox.Support{Missing: "this kernel is old"} }
	instances := []Instance{b.source("offline", "movies", ""), b.source("offline", "tv", ""), b.source("chaos", "other", "")}
	require.NoError(t, b.Start(t.Context(), instances))
	chaos, offline := b.Status()[0], b.Status()[1]
	const refusal = "start plugin hookarr-source-chaos: plugins.source-chaos.sandbox is on and there is no sandbox: this kernel is old: " +
		"set it to auto to run the plugin without one where there is none"
	require.Equal(t, Refused, chaos.State)
	require.Equal(t, refusal, chaos.Reason)
	require.Equal(t, Ready, offline.State)
	require.Equal(t, Sandbox{SandboxUnsupported, "this kernel is old"}, offline.Sandbox)
	require.Equal(t, "escaped", b.attempt(t, "movies", "read the users of the machine", sandboxtest.World{}))
	require.NoError(t, b.Reload(t.Context(), host.KindSource, "offline"))
	said := 0
	for _, line := range b.log.lines(t) {
		if line["msg"] == "plugins that could run in a sandbox run without one" {
			require.Equal(t, "this kernel is old", line["reason"])
			said++
		}
	}
	require.Equal(t, 1, said)

	checked := b.Check(t.Context(), instances)
	require.Equal(t, "this kernel is old", checked.NoSandbox)
	require.Len(t, checked.Problems, 1)
	require.Equal(t, refusal, checked.Problems[0].Message)
	_, err := b.Inspect(t.Context(), Binary{Kind: host.KindSource, Name: "chaos"})
	require.EqualError(t, err, refusal)
}

// TestSandboxSettingTakesEffect at a reload of the configuration.
func TestSandboxSettingTakesEffect(t *testing.T) {
	t.Parallel()
	var mode atomic.Value
	mode.Store(SandboxAuto)
	b := setupSandboxed(t, func(host.Kind, string) Settings { return Settings{Sandbox: mode.Load().(SandboxMode)} }, "hookarr-source-offline")
	b.start(t, b.source("offline", "movies", ""))
	require.Equal(t, SandboxedOn, b.Status()[0].Sandbox.State)
	mode.Store(SandboxOff)
	require.NoError(t, b.ApplySettings(t.Context()))
	require.Equal(t, SandboxedOff, b.Status()[0].Sandbox.State)
	require.Equal(t, "escaped", b.attempt(t, "movies", "read the users of the machine", sandboxtest.World{}))
}

// TestPluginThatCannotStartInSandbox names the setting.
func TestPluginThatCannotStartInSandbox(t *testing.T) {
	t.Parallel()
	b := setupSandboxed(t, func(host.Kind, string) Settings { return Settings{Sandbox: SandboxOn} }, "hookarr-target-exits")
	require.NoError(t, b.Start(t.Context(), []Instance{b.target("exits", "ops", nil)}))
	require.Equal(t, "start plugin hookarr-target-exits: it ended: exit status 7: cannot find my library "+
		"(in a sandbox; with plugins.target-exits.sandbox: off it runs without)", b.Status()[0].Reason)
}

// TestBuiltInSourcesDecodeInside: all that the built-in sources are tested with decodes in
// the sandbox as it does outside.
func TestBuiltInSourcesDecodeInside(t *testing.T) {
	t.Parallel()
	var off atomic.Bool
	b := setupSandboxed(t, func(host.Kind, string) Settings {
		if off.Load() {
			return Settings{Sandbox: SandboxOff}
		}
		return Settings{}
	})
	sources, err := filepath.Glob("../../plugins/source-*")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(sources), 7)
	require.NoError(t, testbuild.Plugins(t.Context(), b.dir))
	var instances []Instance
	bodies := map[string][]string{}
	for _, dir := range sources {
		name := strings.TrimPrefix(filepath.Base(dir), "source-")
		config := `{}`
		if name == "generic" {
			config = `{"type_path": "notification_type", "types": {"MEDIA_APPROVED": "media.added"}, "title": "A request"}`
		}
		instances = append(instances, Instance{Kind: host.KindSource, Plugin: name, Name: name, Config: json.RawMessage(config)})
		bodies[name], err = filepath.Glob(filepath.Join(dir, "testdata", "*.json"))
		require.NoError(t, err)
		require.NotEmpty(t, bodies[name])
	}
	b.start(t, instances...)
	decodeAll := func() map[string]string {
		decoded := map[string]string{}
		for source, files := range bodies {
			for _, file := range files {
				body, err := os.ReadFile(file)
				require.NoError(t, err)
				d, err := b.Decode(t.Context(), source, sdk.Request{ID: "e1", Method: "POST", Body: body})
				require.NoError(t, err, file)
				decoded[file] = strconv.Itoa(len(d.JSON)) + string(d.JSON) + d.Skip + d.Invalid
			}
		}
		return decoded
	}
	for _, s := range b.Status() {
		require.Equal(t, Sandbox{SandboxedOn, ""}, s.Sandbox, s.Plugin)
	}
	inside := decodeAll()
	off.Store(true)
	require.NoError(t, b.ApplySettings(t.Context()))
	for _, s := range b.Status() {
		require.Equal(t, SandboxedOff, s.Sandbox.State, s.Plugin)
	}
	require.Equal(t, decodeAll(), inside)
	t.Logf("%d bodies", len(inside))
}

// TestSandboxedStartThatFailsLate leaves nothing behind: neither the thread of the sandbox,
// which waits for the end of its process, nor the goroutine, which the package's check for
// leaks would find.
func TestSandboxedStartThatFailsLate(t *testing.T) {
	t.Parallel()
	b := setupSandboxed(t, nil, "hookarr-target-chaos")
	b.opts.setLimits = func(int) error { return errors.New("no limits to be had") }
	l, err := newLauncher(b.opts)
	require.NoError(t, err)
	defer l.close()
	p, err := l.run(t.Context(), host.KindTarget, "chaos", newLogSink(b.opts.Log, nil), func(string) bool { return true })
	require.ErrorContains(t, err, "no limits to be had")
	require.NotNil(t, p.policy)
	require.True(t, closed(p.over))
	require.Empty(t, l.processes())
}
