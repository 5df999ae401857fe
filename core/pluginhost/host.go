// Package pluginhost runs plugins: it finds their binaries, refuses unsafe ones,
// launches those that the configuration uses, configures and supervises them, and
// makes the calls. It is the one place that knows that plugins are processes.
//
// A plugin is trusted to do its work and with nothing else. It gets no environment
// of the host but an allow-list, a temporary directory of its own and a connection
// over mutual TLS; what it says is bounded; and its crash, hang or flood is its own
// affair: the others go on.
package pluginhost

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"sync"

	"github.com/hookarr/hookarr/sdk/host"
)

// Instance is a configured source or target and the plugin that it is bound to.
type Instance struct {
	Kind   host.Kind
	Plugin string
	Name   string
	// Config is the plugin's own, a JSON object.
	Config json.RawMessage
}

// pluginKey names a plugin.
type pluginKey struct {
	kind host.Kind
	name string
}

// Host runs the plugins of a configuration. Its methods may be called concurrently;
// Start is called once and comes before the calls.
type Host struct {
	opts    Options
	metrics *metrics

	mu       sync.RWMutex
	launcher *launcher
	stopped  bool
	plugins  map[pluginKey]*supervisor
	// byInstance has the name of an instance in name.
	byInstance map[pluginKey]*supervisor
}

// New returns a Host that has started nothing.
func New(opts Options) *Host {
	opts = opts.withDefaults()
	h := &Host{opts: opts, metrics: newMetrics(opts.Metrics)}
	if opts.Metrics != nil {
		opts.Metrics.MustRegister(newMemory(h.Status))
	}
	return h
}

// Start launches every plugin that an instance uses, all at once, and returns when
// each is ready or has failed for the first time. A plugin that fails is logged,
// shown by Status and tried again; it stops nobody else and is no error here. The
// plugins run until Stop, not until ctx ends, even after an error.
func (h *Host) Start(ctx context.Context, instances []Instance) error {
	h.mu.Lock()
	if h.launcher != nil {
		h.mu.Unlock()
		return errors.New("start plugins: already started")
	}
	l, err := newLauncher(h.opts)
	if err != nil {
		h.mu.Unlock()
		return fmt.Errorf("start plugins: %w", err)
	}
	if n := RemoveLeftovers(h.opts.TempDir); n > 0 {
		h.opts.Log.InfoContext(ctx, "removed directories of processes that were killed", "count", n)
	}
	h.launcher = l
	h.plugins, h.byInstance = map[pluginKey]*supervisor{}, map[pluginKey]*supervisor{}
	started := make([]*supervisor, 0, len(h.plugins))
	for key, group := range byPlugin(instances) {
		s := newSupervisor(key.kind, key.name, l, h.metrics)
		s.begin(ctx, group)
		h.add(key, s, group)
		started = append(started, s)
	}
	h.mu.Unlock()

	for _, s := range started {
		select {
		case <-s.settled:
		case <-ctx.Done():
			return fmt.Errorf("start plugins: %w", ctx.Err())
		}
	}
	return nil
}

// add makes a plugin the one of instances. It is called with mu held.
func (h *Host) add(key pluginKey, s *supervisor, instances []host.Instance) {
	h.plugins[key] = s
	for _, in := range instances {
		h.byInstance[pluginKey{key.kind, in.Name}] = s
	}
}

// Stop takes no more calls, waits for those under way until ctx ends, and ends all
// processes: a plugin is asked first and killed after a few seconds. When Stop
// returns, nothing of any plugin is left. The error says which calls were cut off.
func (h *Host) Stop(ctx context.Context) error {
	h.mu.Lock()
	l, plugins, stopped := h.launcher, maps.Clone(h.plugins), h.stopped
	h.stopped = true
	h.mu.Unlock()
	if l == nil || stopped {
		return nil
	}
	var wg sync.WaitGroup
	errs := make(chan error, len(plugins))
	for _, s := range plugins {
		wg.Go(func() { errs <- s.stop(ctx) })
	}
	wg.Wait()
	close(errs)
	l.close()
	var all error
	for err := range errs {
		all = errors.Join(all, err)
	}
	return all
}

// Describe returns what a plugin said of itself when it last started.
func (h *Host) Describe(kind host.Kind, plugin string) (host.Description, bool) {
	h.mu.RLock()
	s := h.plugins[pluginKey{kind, plugin}]
	h.mu.RUnlock()
	if s == nil {
		return host.Description{}, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.desc == nil {
		return host.Description{}, false
	}
	return *s.desc, true
}

// Info returns what the plugin said of an instance, or nothing but its name.
func (h *Host) Info(kind host.Kind, instance string) host.InstanceInfo {
	s, err := h.lookup(kind, instance)
	if err == nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		if info, ok := s.infos[instance]; ok {
			return info
		}
	}
	return host.InstanceInfo{Name: instance}
}

// Ready returns a channel that is closed once the target's plugin takes calls; the
// next time that the plugin is down, another must be asked for. A target without a
// plugin has none, which is never closed.
func (h *Host) Ready(target string) <-chan struct{} {
	s, err := h.lookup(host.KindTarget, target)
	if err != nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ready
}

// lookup finds the plugin of an instance.
func (h *Host) lookup(kind host.Kind, instance string) (*supervisor, error) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if s := h.byInstance[pluginKey{kind, instance}]; s != nil {
		return s, nil
	}
	return nil, fmt.Errorf("%w: no plugin is started for %s %q", ErrUnavailable, kind, instance)
}

// byPlugin groups instances by the plugin that they are bound to.
func byPlugin(instances []Instance) map[pluginKey][]host.Instance {
	groups := map[pluginKey][]host.Instance{}
	for _, in := range instances {
		key := pluginKey{in.Kind, in.Plugin}
		groups[key] = append(groups[key], host.Instance{Name: in.Name, Config: in.Config})
	}
	return groups
}
