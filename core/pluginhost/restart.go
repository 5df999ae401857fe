package pluginhost

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"
)

// run supervises until ctx ends.
func (s *supervisor) run(ctx context.Context) {
	defer close(s.done)
	settle := sync.OnceFunc(func() { close(s.settled) })
	defer settle()
	said := ""
	for {
		s.enter(Starting, nil, 0)
		begun := time.Now()
		p, err := s.start(ctx)
		if err == nil {
			s.log.Info("plugin ready", "pid", p.pid(), "version", p.desc.Version, "elapsed", time.Since(begun))
			said = ""
			settle()
			p, err = s.watch(ctx, p)
		}
		if ctx.Err() != nil || s.stopped() {
			s.enter(Stopped, nil, 0)
			if p != nil {
				p.end()
			}
			return
		}
		//nolint:gosec // spreads restarts and is no secret
		spread := rand.Float64()
		state, pause := s.judgeEnd(err, begun, spread)
		s.enter(state, err, pause)
		level := slog.LevelDebug
		if now := string(state) + ": " + err.Error(); now != said { // once for all tries that fail alike
			level, said = slog.LevelError, now
		}
		s.log.Log(ctx, level, "plugin is down", "state", string(state), "error", err, "pause", pause.Round(time.Millisecond))
		if p != nil {
			p.end()
		}
		settle()
		switch s.rest(ctx, pause) {
		case restEnded:
		case restCut:
			s.mu.Lock()
			s.history = backoff{timing: s.timing}
			s.mu.Unlock()
		case restStopped:
			s.enter(Stopped, nil, 0)
			return
		}
		s.mu.Lock()
		s.restarts++
		s.mu.Unlock()
		s.metrics.restarts.WithLabelValues(s.label()).Inc()
	}
}

// judgeEnd returns how long the plugin rests, and as what, after a process ended that was
// begun then, or a start failed. Spread is from 0 to 1.
func (s *supervisor) judgeEnd(err error, begun time.Time, spread float64) (State, time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := errors.AsType[*refusedError](err); ok {
		return Refused, s.history.refused(spread)
	}
	pause, quarantined := s.history.ended(begun, time.Now(), spread)
	if quarantined {
		return Quarantined, pause
	}
	return Backoff, pause
}

// What ended a rest.
const (
	restEnded = iota
	restCut
	restStopped
)

// rest waits before the next start, unless somebody asks for it.
func (s *supervisor) rest(ctx context.Context, d time.Duration) int {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return restEnded
	case <-s.wake:
		return restCut
	case <-ctx.Done():
		return restStopped
	}
}
