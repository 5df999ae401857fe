package pluginhost

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hookarr/hookarr/sdk/host"
)

// Problem is one thing that keeps an instance, or a whole plugin, from working.
type Problem struct {
	Kind   host.Kind
	Plugin string
	// Instance is empty for a problem of the whole plugin.
	Instance string
	// Key is the dotted path inside the instance's configuration; empty for the
	// whole.
	Key string
	// Message says what is wrong and, for a binary, the command that mends it.
	Message string
}

// Checked is what the plugins make of a configuration.
type Checked struct {
	// Problems and Warnings are ordered by plugin, instance and key.
	Problems, Warnings []Problem
	// NoSandbox says why plugins that could run in a sandbox would run without one here;
	// empty where none of them would.
	NoSandbox string
	plugins   map[pluginKey]host.Description
}

// Describe returns what a plugin that was started for the check says of itself.
func (c Checked) Describe(kind host.Kind, plugin string) (host.Description, bool) {
	d, ok := c.plugins[pluginKey{kind, plugin}]
	return d, ok
}

// Check launches every plugin that an instance uses, has it judge the
// configurations and ends it again. It returns every problem and needs no Start.
func (h *Host) Check(ctx context.Context, instances []Instance) Checked {
	l, err := newLauncher(h.opts)
	if err != nil {
		return Checked{Problems: []Problem{{Message: err.Error()}}}
	}
	defer l.close()
	var (
		wg  sync.WaitGroup
		mu  sync.Mutex
		all = Checked{plugins: map[pluginKey]host.Description{}}
	)
	for key, group := range byPlugin(instances) {
		wg.Go(func() {
			found := l.check(ctx, key, group)
			mu.Lock()
			defer mu.Unlock()
			all.Problems = append(all.Problems, found.Problems...)
			all.Warnings = append(all.Warnings, found.Warnings...)
			maps.Copy(all.plugins, found.plugins)
			all.NoSandbox = cmp.Or(all.NoSandbox, found.NoSandbox)
		})
	}
	wg.Wait()
	for _, found := range [][]Problem{all.Problems, all.Warnings} {
		slices.SortStableFunc(found, func(a, b Problem) int {
			return slices.Compare(a.order(), b.order())
		})
	}
	return all
}

func (k pluginKey) problems(found []host.Problem) []Problem {
	problems := make([]Problem, 0, len(found))
	for _, f := range found {
		problems = append(problems, Problem{Kind: k.kind, Plugin: k.name, Instance: f.Instance, Key: f.Key, Message: f.Message})
	}
	return problems
}

// ConfigKey is where a setting of an instance stands in the configuration; key may be empty.
func ConfigKey(kind host.Kind, instance, key string) string {
	return strings.TrimSuffix(fmt.Sprintf("%ss.%s.config.%s", kind, instance, key), ".")
}

func (p Problem) order() []string {
	return []string{string(p.Kind), p.Plugin, p.Instance, p.Key}
}

// Inspect launches a binary, asks what it is and ends it again.
func (h *Host) Inspect(ctx context.Context, b Binary) (host.Description, error) {
	l, err := newLauncher(h.opts)
	if err != nil {
		return host.Description{}, err
	}
	defer l.close()
	// To say what it is, a plugin needs no other place than it gets at first.
	p, err := l.start(ctx, b.Kind, b.Name, newLogSink(l.opts.Log.With("plugin", string(b.Kind)+"-"+b.Name), nil), func(string) bool {
		return l.opts.Settings(b.Kind, b.Name).Sandbox == SandboxOn
	})
	if err != nil {
		return host.Description{}, err
	}
	defer p.end()
	return p.desc, nil
}

func (l *launcher) check(ctx context.Context, key pluginKey, instances []host.Instance) Checked {
	whole := func(err error) []Problem {
		return []Problem{{Kind: key.kind, Plugin: key.name, Message: strings.TrimSpace(err.Error())}}
	}
	p, err := l.launch(ctx, key.kind, key.name, instances, newLogSink(l.opts.Log.With("plugin", string(key.kind)+"-"+key.name), nil))
	if err != nil {
		return Checked{Problems: whole(err)}
	}
	defer p.end()
	checked := Checked{plugins: map[pluginKey]host.Description{key: p.desc}}
	if p.sandbox.State == SandboxUnsupported {
		checked.NoSandbox = p.sandbox.Reason
	}
	ctx, cancel := context.WithTimeout(ctx, l.opts.Timing.Configure)
	defer cancel()
	begun := time.Now()
	configured, err := p.client.Configure(ctx, instances, true)
	if err != nil {
		checked.Problems = whole(p.explainConfigure(ctx, begun, err))
		return checked
	}
	checked.Problems, checked.Warnings = key.problems(configured.Problems), key.problems(configured.Warnings)
	return checked
}
