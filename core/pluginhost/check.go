package pluginhost

import (
	"context"
	"slices"
	"strings"
	"sync"

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

// Check launches every plugin that an instance uses, has it judge the
// configurations and ends it again. It returns every problem, ordered by plugin,
// instance and key, and needs no Start.
func (h *Host) Check(ctx context.Context, instances []Instance) []Problem {
	l, err := newLauncher(h.opts)
	if err != nil {
		return []Problem{{Message: err.Error()}}
	}
	defer l.close()
	var (
		wg       sync.WaitGroup
		mu       sync.Mutex
		problems []Problem
	)
	for key, group := range byPlugin(instances) {
		wg.Go(func() {
			found := l.check(ctx, key, group)
			mu.Lock()
			defer mu.Unlock()
			problems = append(problems, found...)
		})
	}
	wg.Wait()
	slices.SortStableFunc(problems, func(a, b Problem) int {
		return slices.Compare(a.order(), b.order())
	})
	return problems
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
	p, err := l.launch(ctx, b.Kind, b.Name, newLogSink(l.opts.Log.With("plugin", string(b.Kind)+"-"+b.Name), nil))
	if err != nil {
		return host.Description{}, err
	}
	defer p.end()
	return p.desc, nil
}

func (l *launcher) check(ctx context.Context, key pluginKey, instances []host.Instance) []Problem {
	whole := func(err error) []Problem {
		return []Problem{{Kind: key.kind, Plugin: key.name, Message: strings.TrimSpace(err.Error())}}
	}
	p, err := l.launch(ctx, key.kind, key.name, newLogSink(l.opts.Log.With("plugin", string(key.kind)+"-"+key.name), nil))
	if err != nil {
		return whole(err)
	}
	defer p.end()
	ctx, cancel := context.WithTimeout(ctx, l.opts.Timing.Start)
	defer cancel()
	found, _, err := p.client.Configure(ctx, instances, true)
	if err != nil {
		return whole(p.explainConfigure(err))
	}
	problems := make([]Problem, 0, len(found))
	for _, f := range found {
		problems = append(problems, Problem{Kind: key.kind, Plugin: key.name, Instance: f.Instance, Key: f.Key, Message: f.Message})
	}
	return problems
}
