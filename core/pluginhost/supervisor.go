package pluginhost

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/hookarr/hookarr/sdk/host"
)

// State says what a plugin's supervisor is doing.
type State string

// The states.
const (
	// Starting: the process is on its way; calls wait a little.
	Starting State = "starting"
	// Ready: calls are taken.
	Ready State = "ready"
	// Backoff: the process ended or could not start, and rests before the next
	// start.
	Backoff State = "backoff"
	// Refused: the binary is missing or must not be run. It is looked at again and
	// again, and calls are turned away.
	Refused State = "refused"
	// Quarantined: the process ended too often. It rests for long, and calls are
	// turned away.
	Quarantined State = "quarantined"
	// Stopped: the host is shutting down.
	Stopped State = "stopped"
)

// everything is the gate's weight of a call that must be alone.
const everything = 1 << 30

// supervisor keeps one plugin's process running, configured and called.
type supervisor struct {
	kind host.Kind
	name string

	launcher *launcher
	timing   Timing
	log      *slog.Logger
	sink     *logSink
	metrics  *metrics
	// gate is held with weight 1 by each call, with everything by one that is
	// alone. It is fair: a call that wants to be alone is not starved.
	gate *semaphore.Weighted
	// reconfigure carries a process that has lost its configuration, excessive one that takes too
	// much: with a fault for good, and without to be replaced.
	reconfigure, excessive chan *process
	// replaced says that current is another process, wake that a rest is over.
	replaced, wake chan struct{}
	// replacing is held while the plugin is reloaded.
	replacing sync.Mutex
	// retiring counts the replacements under way, and the processes that finish their calls
	// after another took over. None is added once the state is Stopped.
	retiring sync.WaitGroup
	// configuring is held while a process is given the instances, which takes its time. They
	// are changed with it and mu held, and read with either.
	configuring sync.Mutex
	instances   []host.Instance
	// settled is closed after the first start, however it went; stopping by stop; done when
	// nothing runs any more.
	settled, stopping, done chan struct{}
	// cancel ends run.
	cancel context.CancelFunc

	mu sync.Mutex
	// changed is closed and replaced with every change of state.
	changed chan struct{}
	// ready is closed while the state is Ready.
	ready chan struct{}
	state State
	since time.Time
	// until is when a rest ends.
	until    time.Time
	reason   error
	current  *process
	restarts int
	// history decides how long the plugin rests.
	history backoff
	// failures counts the starts that failed and the processes that ended.
	failures int
	// lastFailure is the last of them, refusal why the last replacement was refused.
	lastFailure, refusal Failure
	desc                 *host.Description
	verdict
	warnings map[string]string
}

func newSupervisor(kind host.Kind, name string, l *launcher, m *metrics) *supervisor {
	log := l.opts.Log.With("plugin", string(kind)+"-"+name)
	m.restarts.WithLabelValues(string(kind) + "-" + name) // shown before the first restart, for alerts
	stuck := m.stuck.WithLabelValues(string(kind) + "-" + name)
	return &supervisor{
		kind: kind, name: name,
		launcher: l, timing: l.opts.Timing, log: log, sink: newLogSink(log, stuck), metrics: m,
		gate:        semaphore.NewWeighted(everything),
		reconfigure: make(chan *process, 1),
		excessive:   make(chan *process, 1),
		history:     backoff{timing: l.opts.Timing},
		replaced:    make(chan struct{}, 1),
		wake:        make(chan struct{}, 1),
		settled:     make(chan struct{}),
		stopping:    make(chan struct{}),
		done:        make(chan struct{}),
		changed:     make(chan struct{}),
		ready:       make(chan struct{}),
		state:       Starting,
		since:       time.Now(),
	}
}

// label names the plugin in metrics and messages.
func (s *supervisor) label() string { return string(s.kind) + "-" + s.name }

// begin supervises until stop, not until ctx ends.
func (s *supervisor) begin(ctx context.Context, instances []host.Instance) {
	s.instances = instances
	ctx, s.cancel = context.WithCancel(context.WithoutCancel(ctx))
	go s.run(ctx)
}

// start launches a process, configures it and makes it the one that calls go to. Nothing
// of a process that fails is left.
func (s *supervisor) start(ctx context.Context) (*process, error) {
	// Who gives the plugin other instances comes before, or finds the process that needs
	// them.
	p, err := s.launchLocked(ctx)
	if err != nil {
		return nil, err
	}
	defer s.configuring.Unlock()
	if err := s.configureLocked(ctx, p); err != nil {
		p.end()
		return nil, err
	}
	s.publish(p)
	return p, nil
}

// publish makes p the process that calls go to.
func (s *supervisor) publish(p *process) {
	select {
	case <-s.wake: // it has come up
	default:
	}
	s.mu.Lock()
	s.current = p
	s.desc = &p.desc
	s.refusal = Failure{}
	s.mu.Unlock()
	s.enter(Ready, nil, 0)
	s.launcher.opts.Changed()
}

// watch returns why a process, or the last that took its place, is no good any more, or
// nil when ctx ends.
func (s *supervisor) watch(ctx context.Context, p *process) (*process, error) {
	ticker := time.NewTicker(s.timing.Health)
	defer ticker.Stop()
	failures := 0
	for {
		if next := s.successor(p); next != p {
			p, failures = next, 0
		}
		var err error
		select {
		case <-ctx.Done():
			return s.successor(p), nil
		case <-s.replaced:
		case <-p.exited:
			err = p.endError()
		case excessive := <-s.excessive:
			if excessive != p {
				continue
			}
			if p.fault.Load() == nil {
				go s.replaceProcess(ctx, p)
				continue
			}
			err = p.endError()
		case lost := <-s.reconfigure:
			if lost != p {
				continue
			}
			if err = s.configure(ctx, p); err != nil {
				err = fmt.Errorf("plugin lost its configuration: %w", err)
			}
		case <-ticker.C:
			if err = s.checkHealth(ctx, p); err == nil {
				failures = 0
				continue
			}
			failures++
			s.log.Warn("plugin fails health check", "error", err, "failures", failures)
			if failures < healthFailures {
				continue
			}
			err = fmt.Errorf("process was ended after %d failed health checks: %w", failures, err)
		}
		if err == nil || !s.lose(p) {
			continue
		}
		if failures == healthFailures { // it would not end when asked
			p.kill()
			<-p.exited
		}
		return p, err
	}
}

// lose keeps calls from a process that is no good any more, and reports whether they went
// to it. Otherwise another has taken its place.
func (s *supervisor) lose(p *process) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current != p {
		return false
	}
	s.enterLocked(Starting, nil, 0)
	return true
}

func (s *supervisor) checkHealth(ctx context.Context, p *process) error {
	ctx, cancel := context.WithTimeout(ctx, s.timing.HealthTimeout)
	defer cancel()
	warnings, err := p.client.CheckHealth(ctx)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for instance, text := range warnings {
		if s.warnings[instance] != text {
			s.log.Warn("plugin warns", "instance", instance, "warning", text)
		}
	}
	s.warnings = warnings
	return nil
}

// enter changes the state and wakes who waits for it. Stopped is the last.
func (s *supervisor) enter(state State, reason error, rest time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.enterLocked(state, reason, rest)
}

func (s *supervisor) enterLocked(state State, reason error, rest time.Duration) {
	if s.state == Stopped {
		return
	}
	s.state, s.reason, s.since = state, reason, time.Now()
	s.until = s.since.Add(rest)
	if reason != nil {
		s.failures++
		s.lastFailure = Failure{At: s.since, Reason: reason.Error()}
	}
	if state != Ready && state != Stopped {
		s.current = nil
	}
	s.wakeWaiting()
	switch wasReady := closed(s.ready); {
	case state == Ready && !wasReady:
		close(s.ready)
	case state != Ready && wasReady:
		s.ready = make(chan struct{})
	}
	up := s.metrics.up.WithLabelValues(s.label())
	if state == Ready {
		up.Set(1)
	} else {
		up.Set(0)
	}
}

// wakeWaiting wakes who waits for another state. It is called with mu held.
func (s *supervisor) wakeWaiting() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// stop takes no more calls, waits for those under way until ctx ends, and ends the
// process and its supervision. It is called once.
func (s *supervisor) stop(ctx context.Context) error {
	s.enter(Stopped, nil, 0)
	close(s.stopping)
	s.mu.Lock()
	p := s.current
	s.mu.Unlock()
	var err error
	if p != nil {
		if err = p.drain(ctx); err != nil {
			err = fmt.Errorf("calls of plugin %s were cut off: %w", s.label(), err)
		}
	}
	_ = await(ctx, &s.retiring)
	s.cancel()
	<-s.done
	s.retiring.Wait()
	return err
}

func (s *supervisor) stopped() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state == Stopped
}

// problem says what the plugin refuses of an instance's configuration; empty for
// nothing.
func (s *supervisor) problem(instance string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.problems {
		if p.Instance == instance || p.Instance == "" {
			return fmt.Sprintf("plugin %s refuses the configuration of %s: %s", s.label(), instance,
				strings.TrimPrefix(p.Key+": "+p.Message, ": "))
		}
	}
	return ""
}

// closed reports whether c is closed. Nothing is sent on it.
func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
