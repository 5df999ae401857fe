package pluginhost

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/hookarr/hookarr/sdk/host"
)

// retireTimeout is how long a process that was replaced may finish its calls. Each has a
// deadline of its own.
const retireTimeout = 15 * time.Minute

// ErrNotUsed is matched for a plugin that no source or target is bound to.
var ErrNotUsed = errors.New("plugin is not used by the configuration")

// Reload has a plugin run the binary that is there now. A plugin that takes calls is
// replaced without one that fails: the new process is started and configured beside the
// old one, takes over, and the old one finishes its calls. A binary that does not start,
// or refuses what the old one accepts, leaves the old one in place, and the error says
// why. A plugin that rests after a failure, or was given up, is started at once.
func (h *Host) Reload(ctx context.Context, kind host.Kind, plugin string) error {
	h.mu.RLock()
	s := h.plugins[pluginKey{kind, plugin}]
	h.mu.RUnlock()
	if s == nil {
		return fmt.Errorf("%s plugin %s: %w", kind, plugin, ErrNotUsed)
	}
	return s.reload(ctx)
}

// Renew has every plugin whose binary is another than the one that runs, or that does not
// run, run what is there now. What is refused is logged, and shown by Status.
func (h *Host) Renew(ctx context.Context) {
	h.mu.RLock()
	all := slices.Collect(maps.Values(h.plugins))
	h.mu.RUnlock()
	var wg sync.WaitGroup
	for _, s := range all {
		wg.Go(func() { s.renew(ctx) })
	}
	wg.Wait()
}

// outdated reports whether the binary that is there is worth a try, or the process is not
// where it should be.
func (s *supervisor) outdated() bool {
	p := s.taking()
	if p == nil {
		return true
	}
	s.configuring.Lock()
	suits := s.suits(p, s.instances)
	s.configuring.Unlock()
	if !suits {
		return true
	}
	file := binaryName(s.kind, s.name)
	binary, err := openBinary(dirOf(s.launcher.opts.Dirs, file), file)
	if err != nil {
		return false // it is being written, or was removed: the process serves on
	}
	defer func() { _ = binary.Close() }()
	sum, err := checksum(binary)
	return err == nil && sum != p.checksum
}

func (s *supervisor) reload(ctx context.Context) error {
	s.replacing.Lock()
	defer s.replacing.Unlock()
	return s.reloadLocked(ctx)
}

// renew is reload where the binary that is there is worth a try.
func (s *supervisor) renew(ctx context.Context) {
	s.replacing.Lock()
	defer s.replacing.Unlock()
	if s.outdated() {
		_ = s.reloadLocked(ctx) // it is logged
	}
}

func (s *supervisor) reloadLocked(ctx context.Context) error {
	s.mu.Lock()
	state, old, failures := s.state, s.current, s.failures
	if state == Ready {
		s.retiring.Add(1)
		defer s.retiring.Done()
	}
	s.mu.Unlock()
	switch state {
	case Ready:
	case Stopped:
		return errStopped
	default:
		return s.startNow(ctx, failures)
	}
	err := s.replace(ctx, old)
	switch {
	case err == nil:
		return nil
	case s.stopped():
		return errStopped
	}
	err = fmt.Errorf("replace plugin %s: %w: the one before serves on", s.label(), err)
	if s.taking() != old || ctx.Err() != nil {
		return err // that is no refusal
	}
	s.mu.Lock()
	s.refusal = Failure{At: time.Now(), Reason: err.Error()}
	s.mu.Unlock()
	s.log.ErrorContext(ctx, "replacement of the plugin refused", slog.Any("error", err))
	return err
}

// startNow cuts a rest short and waits for what comes of it.
func (s *supervisor) startNow(ctx context.Context, failures int) error {
	select {
	case s.wake <- struct{}{}:
	default:
	}
	for {
		s.mu.Lock()
		state, failed, last, changed := s.state, s.failures, s.lastFailure, s.changed
		s.mu.Unlock()
		switch {
		case state == Ready:
			return nil
		case state == Stopped:
			return errStopped
		case failed > failures:
			return fmt.Errorf("start plugin %s: %s", s.label(), last.Reason)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("start plugin %s: %w", s.label(), ctx.Err())
		}
	}
}

// replace puts a new process in the place of old.
func (s *supervisor) replace(ctx context.Context, old *process) error {
	begun := time.Now()
	ctx, cancel := until(ctx, s.stopping)
	defer cancel()
	// The instances do not change between being given to the new process and its taking over.
	next, err := s.launchLocked(ctx)
	if err != nil {
		return err
	}
	defer s.configuring.Unlock()
	v, err := s.ask(ctx, next, s.instances, false)
	if err == nil {
		err = s.worse(v.problems)
	}
	if err != nil {
		next.end()
		return err
	}
	s.mu.Lock()
	known := s.verdict
	s.mu.Unlock()
	if !s.succeed(old, next, v) {
		next.end()
		return fmt.Errorf("%w: the process before ended meanwhile, and its binary is started anew", ErrUnavailable)
	}
	s.tell(v, known)
	s.log.InfoContext(ctx, "plugin replaced", "pid", next.pid(), "version", next.desc.Version, "elapsed", time.Since(begun))
	s.retire(old) //nolint:contextcheck // it goes on after the caller
	s.launcher.opts.Changed()
	return nil
}

// worse returns what a new binary refuses and the one before does not.
func (s *supervisor) worse(problems []host.Problem) error {
	s.mu.Lock()
	known := s.problems
	s.mu.Unlock()
	var errs []error
	for _, p := range problems {
		if !slices.ContainsFunc(known, func(k host.Problem) bool { return k.Instance == p.Instance }) {
			errs = append(errs, fmt.Errorf("it refuses %s: %s", ConfigKey(s.kind, p.Instance, p.Key), p.Message))
		}
	}
	return errors.Join(errs...)
}

// succeed makes next the process that calls go to, unless old is not that any more.
func (s *supervisor) succeed(old, next *process, v verdict) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != Ready || s.current != old {
		return false
	}
	s.current, s.desc, s.verdict, s.since = next, &next.desc, v, time.Now()
	s.refusal = Failure{}
	s.wakeWaiting()
	select {
	case s.replaced <- struct{}{}:
	default:
	}
	return true
}

// successor is the process that has taken the place of p, or p itself.
func (s *supervisor) successor(p *process) *process {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current == nil {
		return p
	}
	return s.current
}

// retire ends a process that takes no more calls, once it has finished those under way.
func (s *supervisor) retire(p *process) {
	s.retiring.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), retireTimeout)
		defer cancel()
		ctx, cancel = until(ctx, s.done) // stop has waited for as long as it may
		defer cancel()
		if err := p.drain(ctx); err != nil {
			s.log.WarnContext(ctx, "calls of a replaced plugin were cut off", slog.Int("pid", p.pid()))
		}
		p.end()
	})
}

// until returns a context that ends with ctx, or once done is closed.
func until(ctx context.Context, done <-chan struct{}) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		select {
		case <-done:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}
