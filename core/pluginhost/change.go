package pluginhost

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/hookarr/hookarr/sdk/host"
)

// Change is a set of instances that was checked and can take the place of the one that
// the host serves. Begin, then Finish; or Abandon. One change is made at a time.
type Change struct {
	host *Host
	next map[pluginKey][]host.Instance
	// started are plugins that were not used before.
	started map[pluginKey]*supervisor
}

// Prepare checks a set of instances against the one that is served. What has changed is
// judged by the plugins that run; plugins that were not used before are started. Nothing
// else changes. With problems there is no change, and what was started is ended again.
func (h *Host) Prepare(ctx context.Context, instances []Instance) (*Change, []Problem) {
	c := &Change{host: h, next: byPlugin(instances), started: map[pluginKey]*supervisor{}}
	var (
		wg       sync.WaitGroup
		mu       sync.Mutex
		problems []Problem
	)
	for key, group := range c.next {
		s := h.supervisor(key)
		used := s != nil
		if !used {
			s = newSupervisor(key.kind, key.name, h.launcher, h.metrics)
			s.begin(ctx, group)
			c.started[key] = s
		} else if s.serves(group) {
			continue
		}
		wg.Go(func() {
			found := h.judge(ctx, s, group, used)
			mu.Lock()
			defer mu.Unlock()
			problems = append(problems, found...)
		})
	}
	wg.Wait()
	if len(problems) == 0 {
		return c, nil
	}
	c.Abandon(ctx)
	slices.SortStableFunc(problems, func(a, b Problem) int { return slices.Compare(a.order(), b.order()) })
	return nil, problems
}

// judge has a plugin judge instances: one that is used without taking them, and one that
// was started with them by how it came up.
func (h *Host) judge(ctx context.Context, s *supervisor, instances []host.Instance, used bool) []Problem {
	whole := func(message string) []Problem {
		return []Problem{{Kind: s.kind, Plugin: s.name, Message: message}}
	}
	var found []host.Problem
	switch p := s.taking(); {
	case !used:
		select {
		case <-s.settled:
		case <-ctx.Done():
			return whole(ctx.Err().Error())
		}
		st := s.status()
		if st.State != Ready {
			return whole(strings.TrimSpace(st.Reason))
		}
		found = st.Problems
	case p == nil:
		return h.launcher.check(ctx, pluginKey{s.kind, s.name}, instances).Problems
	default:
		v, err := s.ask(ctx, p, instances, true)
		if err != nil {
			return whole(err.Error())
		}
		found = v.problems
	}
	return pluginKey{s.kind, s.name}.problems(found)
}

// Begin makes the instances that are new, or have changed, the ones that are called.
// Those that left are still served, for calls that were decided on before.
func (c *Change) Begin(ctx context.Context) error {
	var errs []error
	for key, group := range c.next {
		s := c.host.supervisor(key)
		if s == nil {
			s = c.started[key]
		} else if !s.serves(group) {
			errs = append(errs, s.take(ctx, slices.Concat(group, s.leaving(group))))
		}
		c.host.mu.Lock()
		c.host.add(key, s, group)
		c.host.mu.Unlock()
	}
	return errors.Join(errs...)
}

// Finish ends what the instances do not use any more. Plugins that are not used finish
// their calls first, until ctx ends.
func (c *Change) Finish(ctx context.Context) error {
	h := c.host
	var errs []error
	ended := map[pluginKey]*supervisor{}
	h.mu.Lock()
	for instance, s := range h.byInstance {
		group := c.next[pluginKey{s.kind, s.name}]
		if !slices.ContainsFunc(group, func(in host.Instance) bool { return in.Name == instance.name }) {
			delete(h.byInstance, instance)
		}
	}
	for key, s := range h.plugins {
		if c.next[key] == nil {
			ended[key] = s
			delete(h.plugins, key)
		}
	}
	h.mu.Unlock()
	for key, group := range c.next {
		if s := h.supervisor(key); !s.serves(group) {
			errs = append(errs, s.take(ctx, group))
		}
	}
	var wg sync.WaitGroup
	stopped := make(chan error, len(ended))
	for _, s := range ended {
		wg.Go(func() { stopped <- s.stop(ctx) })
	}
	wg.Wait()
	close(stopped)
	for err := range stopped {
		errs = append(errs, err)
	}
	for _, s := range ended {
		h.metrics.forget(s.label())
	}
	return errors.Join(errs...)
}

// Abandon ends what was started for a change that is not made.
func (c *Change) Abandon(ctx context.Context) {
	var wg sync.WaitGroup
	for _, s := range c.started {
		wg.Go(func() {
			_ = s.stop(ctx) // nobody has called it
			c.host.metrics.forget(s.label())
		})
	}
	wg.Wait()
}

func (h *Host) supervisor(key pluginKey) *supervisor {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.plugins[key]
}

// taking returns the process that takes calls, or nil.
func (s *supervisor) taking() *process {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != Ready {
		return nil
	}
	return s.current
}

// serves reports whether the plugin has these instances and no others.
func (s *supervisor) serves(instances []host.Instance) bool {
	s.configuring.Lock()
	defer s.configuring.Unlock()
	return sameInstances(instances, s.instances)
}

func sameInstances(a, b []host.Instance) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(in host.Instance) bool {
		return !slices.ContainsFunc(b, func(known host.Instance) bool {
			return known.Name == in.Name && bytes.Equal(known.Config, in.Config)
		})
	})
}

// leaving are the instances of the plugin that are not among others, by name.
func (s *supervisor) leaving(others []host.Instance) []host.Instance {
	s.configuring.Lock()
	defer s.configuring.Unlock()
	return slices.DeleteFunc(slices.Clone(s.instances), func(in host.Instance) bool {
		return slices.ContainsFunc(others, func(other host.Instance) bool { return other.Name == in.Name })
	})
}

// take gives the plugin instances. One that is down gets them when it starts, and one that
// cannot serve them in its sandbox, or needs none any more, is replaced.
func (s *supervisor) take(ctx context.Context, instances []host.Instance) error {
	s.configuring.Lock()
	s.mu.Lock()
	s.instances = instances
	s.mu.Unlock()
	p := s.taking()
	suits := p == nil || s.suits(p, instances)
	s.configuring.Unlock()
	var errs []error
	if !suits {
		errs = append(errs, s.reload(ctx))
		if errs[0] == nil {
			return nil
		}
	}
	s.configuring.Lock()
	defer s.configuring.Unlock()
	if p = s.taking(); p == nil {
		return errors.Join(errs...)
	}
	if err := s.configureLocked(ctx, p); err != nil {
		s.configureAgain(p)
		errs = append(errs, fmt.Errorf("configure plugin %s: %w", s.label(), err))
	}
	return errors.Join(errs...)
}
