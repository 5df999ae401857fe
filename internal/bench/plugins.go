package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/go-plugin"

	"github.com/hookarr/hookarr/core/pluginhost"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
	"github.com/hookarr/hookarr/sdk/plugintest"
)

const (
	// binaryPrefix begins the names of plugins' files.
	binaryPrefix = "hookarr-"
	// rest is how long a plugin is left alone before its memory is read.
	rest = time.Second
)

// pluginRun is one process, alone on the machine but for this program.
type pluginRun struct {
	StartMS    float64 `json:"start_ms"`     // from fork to the answer of Describe
	StartCPUMS float64 `json:"start_cpu_ms"` // until then, of all threads
	IdleMiB    float64 `json:"idle_mib"`     // PSS
	// The following are 0 for plugins that get no load.
	LoadedMiB float64 `json:"loaded_mib,omitempty"`
	CallUS    float64 `json:"call_us,omitempty"` // median
}

// pluginFigures are of one plugin of one build.
type pluginFigures struct {
	SizeMiB float64     `json:"size_mib"`
	Runs    []pluginRun `json:"runs"`
}

// pluginFinding has builds by their names, and plugins by theirs.
type pluginFinding map[string]map[string]*pluginFigures

func (f pluginFinding) table() table {
	t := table{
		head: []string{"plugin", "build", "size MiB", "start to Describe ms", "its CPU ms", "PSS idle MiB", "PSS after load MiB", "call µs"},
		note: "One process at a time. Calls follow each other: Decode of an import of Radarr's, or Deliver of its event to an endpoint that takes it.\n" +
			together + " are the idle processes of " + strings.Join(usualSet(), ", ") + " under one server, which is " + core + ". Their size is that of the directory with all plugins.",
	}
	for _, name := range keys(f[hookarr]) {
		for _, build := range []string{hookarr, oldBuild} {
			p, ok := f[build][name]
			if !ok {
				continue
			}
			of := func(format string, figure func(pluginRun) float64) string {
				values := figuresOf(p.Runs, figure)
				if slices.Max(values) == 0 {
					return "-"
				}
				return median(format, values)
			}
			t.add(name, build, fmt.Sprintf("%.2f", p.SizeMiB),
				of("%.0f", func(r pluginRun) float64 { return r.StartMS }),
				of("%.0f", func(r pluginRun) float64 { return r.StartCPUMS }),
				of("%.1f", func(r pluginRun) float64 { return r.IdleMiB }),
				of("%.1f", func(r pluginRun) float64 { return r.LoadedMiB }),
				of("%.0f", func(r pluginRun) float64 { return r.CallUS }))
		}
	}
	return t
}

func (f pluginFinding) add(build, name string, size float64, run pluginRun) {
	if f[build] == nil {
		f[build] = map[string]*pluginFigures{}
	}
	if f[build][name] == nil {
		f[build][name] = &pluginFigures{SizeMiB: size}
	}
	f[build][name].Runs = append(f[build][name].Runs, run)
}

// measurePlugins starts every plugin of the builds in turns, without a server, and then those
// that many people have together, with one.
func measurePlugins(ctx context.Context, l *lab) (finding, error) {
	f := pluginFinding{}
	for round := range l.runs {
		for _, b := range l.builds() {
			files, err := filepath.Glob(filepath.Join(b.bin, "plugins", binaryPrefix+"*-*"))
			if err == nil && len(files) == 0 {
				err = errors.New("no plugins: run make plugins")
			}
			if err != nil {
				return nil, fmt.Errorf("%s: %w", b.bin, err)
			}
			for _, file := range files {
				name := strings.TrimPrefix(filepath.Base(file), binaryPrefix)
				l.progress("plugins, round %d of %d: %s, %s", round+1, l.runs, name, b.name)
				info, err := os.Stat(file)
				if err != nil {
					return nil, err
				}
				run, err := l.measurePlugin(ctx, file, name)
				if err != nil {
					return nil, fmt.Errorf("%s: %w", file, err)
				}
				f.add(b.name, name, mebibytes(info.Size()), run)
			}
			l.progress("plugins, round %d of %d: together, %s", round+1, l.runs, b.name)
			if err := l.measureTogether(ctx, b, f); err != nil {
				return nil, fmt.Errorf("%s: %w", b.bin, err)
			}
		}
	}
	return f, nil
}

// together is what the plugins of one server are called.
const together = "together"

// usualSet are the plugins of one server.
func usualSet() []string {
	return []string{"source-radarr", "source-sonarr", "target-discord", "target-ntfy", "target-slack", "target-telegram", "target-webhook"}
}

// measureTogether adds what the processes of one server hold when nothing happens.
func (l *lab) measureTogether(ctx context.Context, b build, f pluginFinding) (err error) {
	program, err := os.Stat(filepath.Join(b.bin, hookarr))
	if err != nil {
		return fmt.Errorf("%w: run make build", err)
	}
	size, err := directorySize(filepath.Join(b.bin, "plugins"))
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp(l.dir, "together-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	url := l.endpoint.url
	s := settings{
		bin: b.bin, dir: dir, database: sqliteScheme + filepath.Join(dir, "hookarr.db"), endpoint: url, plugins: []string{"sonarr"},
		others: []target{
			{name: "discord", plugin: "discord", config: map[string]any{"webhook_url": url}},
			{name: "ntfy", plugin: "ntfy", config: map[string]any{"url": url, "topic": "bench"}},
			{name: "slack", plugin: "slack", config: map[string]any{"webhook_url": url}},
			{name: "telegram", plugin: "telegram", config: map[string]any{"token": "1:bench", "chat_id": "1", "api_url": url}},
		},
	}
	return with(ctx, startHookarr, s, func(srv *server) error {
		if err := pause(ctx, 3*rest); err != nil {
			return err
		}
		sum := 0.0
		sizes := memory(srv.processes())
		for _, name := range usualSet() {
			if sizes[name] == 0 {
				return fmt.Errorf("plugin %s does not run", name)
			}
			sum += sizes[name]
		}
		f.add(b.name, core, mebibytes(program.Size()), pluginRun{IdleMiB: sizes[core]})
		f.add(b.name, together, mebibytes(size), pluginRun{IdleMiB: sum})
		return nil
	})
}

// directorySize is what the files of a directory have, in bytes. Links have nothing.
func directorySize(dir string) (size int64, err error) {
	entries, err := os.ReadDir(dir)
	for _, entry := range entries {
		info, infoErr := entry.Info()
		if infoErr == nil && info.Mode().IsRegular() {
			size += info.Size()
		}
		err = errors.Join(err, infoErr)
	}
	return size, err
}

func mebibytes(bytes int64) float64 { return float64(bytes) / (1 << 20) }

func (l *lab) measurePlugin(ctx context.Context, file, name string) (run pluginRun, err error) {
	begun := time.Now()
	p, err := launchPlugin(file)
	if err != nil {
		return run, err
	}
	defer p.process.Kill()
	if _, err := p.client.Describe(ctx); err != nil {
		return run, err
	}
	run.StartMS, run.StartCPUMS = time.Since(begun).Seconds()*1e3, onCPU(p.pid())*1e3
	if err := pause(ctx, rest); err != nil {
		return run, err
	}
	run.IdleMiB = pss(p.pid()) / 1024
	call, err := l.pluginCall(ctx, p.client, name)
	if call == nil || err != nil {
		return run, err
	}
	times := make([]float64, l.calls)
	for i := range times {
		begun := time.Now()
		if err := call(i); err != nil {
			return run, err
		}
		times[i] = float64(time.Since(begun).Microseconds())
	}
	slices.Sort(times)
	run.CallUS = quantile(times, 0.5)
	if err := pause(ctx, rest); err != nil {
		return run, err
	}
	run.LoadedMiB = pss(p.pid()) / 1024
	return run, nil
}

// pluginCall returns what is asked of a plugin again and again, or nil.
func (l *lab) pluginCall(ctx context.Context, client *host.Client, name string) (func(n int) error, error) {
	configs := map[string]map[string]any{
		"source-radarr":  {},
		"target-webhook": webhookConfig(l.endpoint.url),
		"target-discord": {"webhook_url": l.endpoint.url},
	}
	config, ok := configs[name]
	if !ok {
		return nil, nil
	}
	if err := configurePlugin(ctx, client, targetName, config); err != nil {
		return nil, err
	}
	if name == "source-radarr" {
		return func(n int) error {
			decoded, err := client.Decode(ctx, targetName, sdk.Request{
				ID: strconv.Itoa(n), Method: "POST", Body: importBody(n), ReceivedAt: time.Now(),
			})
			if err == nil && decoded.Event == nil {
				err = errors.New("no event")
			}
			return err
		}, nil
	}
	event, err := json.Marshal(plugintest.EventOf(sdk.TypeMediaImported))
	if err != nil {
		return nil, err
	}
	return func(n int) error {
		outcome, err := client.Deliver(ctx, targetName, host.Delivery{ID: strconv.Itoa(n), Attempt: 1, Events: []json.RawMessage{event}})
		if err == nil && outcome.Class != sdk.ClassOK {
			err = errors.New(outcome.Message)
		}
		return err
	}, nil
}

// pluginProcess is a plugin that runs.
type pluginProcess struct {
	process *plugin.Client
	client  *host.Client
	cmd     *exec.Cmd
}

func (p *pluginProcess) pid() int { return p.cmd.Process.Pid }

// launchPlugin starts a plugin, which ends with this process.
func launchPlugin(file string) (*pluginProcess, error) {
	config := pluginhost.ClientConfig()
	config.Managed = true
	config.Cmd = exec.Command(file)
	p := &pluginProcess{process: plugin.NewClient(config), cmd: config.Cmd}
	var err error
	if p.client, err = pluginhost.Connect(p.process); err != nil {
		return nil, fmt.Errorf("start %s: %w", file, err)
	}
	return p, nil
}

// configurePlugin gives a plugin its one instance.
func configurePlugin(ctx context.Context, client *host.Client, instance string, config map[string]any) error {
	text, err := json.Marshal(config)
	if err != nil {
		return err
	}
	configured, err := client.Configure(ctx, []host.Instance{{Name: instance, Config: text}}, false)
	if err == nil && len(configured.Problems) > 0 {
		err = errors.New(configured.Problems[0].Message)
	}
	if err != nil {
		return fmt.Errorf("configure %s: %w", instance, err)
	}
	return nil
}
