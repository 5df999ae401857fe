package pluginhost

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// What calls fail with, beside the error of their context.
var (
	// ErrUnavailable is matched when the plugin could not take or finish the call:
	// it is starting, quarantined, was killed, or the host stops. Nobody is to
	// blame; the call is worth repeating.
	ErrUnavailable = errors.New("plugin unavailable")
	// ErrCrashed is matched when the plugin's process ended by itself during the
	// call, because of it or of another.
	ErrCrashed = errors.New("plugin crashed")
	// ErrPluginBug is matched when the plugin panicked or answered nonsense.
	ErrPluginBug = errors.New("plugin bug")

	errStopped  = fmt.Errorf("%w: Hookarr is shutting down", ErrUnavailable)
	errTooLarge = errors.New("message is too large for the plugin")
)

// call makes one call of the plugin. With alone, no other call of the plugin is
// under way meanwhile: not as far as this host waits for, that is, for a handler
// that has outlived its deadline may still run. An error matches one of those
// above, or is the context's own when the plugin did not answer in time.
func (s *supervisor) call(ctx context.Context, method string, alone bool, f func(p *process) error) error {
	weight := int64(1)
	if alone {
		weight = everything
	}
	if err := s.gate.Acquire(ctx, weight); err != nil {
		return fmt.Errorf("%w: plugin %s was busy: %w", ErrUnavailable, s.label(), err)
	}
	defer s.gate.Release(weight)
	p, err := s.acquire(ctx)
	if err != nil {
		return err
	}
	defer p.calls.Done()
	start := time.Now()
	err = f(p)
	s.metrics.observe(s.label(), method, start)
	if err == nil {
		return nil
	}
	return s.explainCall(ctx, p, start, err)
}

// acquire returns the process to call, waiting a little for one that starts. The
// caller ends the call with calls.Done.
func (s *supervisor) acquire(ctx context.Context) (*process, error) {
	var timeout <-chan time.Time // made when it is needed, which is hardly ever
	var deadline time.Time
	for {
		s.mu.Lock()
		state, reason, until, changed := s.state, s.reason, s.until, s.changed
		// A process may have ended and run may not have noticed yet.
		if p := s.current; state == Ready && !p.ended() {
			p.calls.Add(1)
			s.mu.Unlock()
			return p, nil
		}
		s.mu.Unlock()

		if timeout == nil {
			timer := time.NewTimer(s.timing.Ready)
			defer timer.Stop()
			timeout, deadline = timer.C, time.Now().Add(s.timing.Ready)
		}
		switch {
		case state == Stopped:
			return nil, errStopped
		case state == Quarantined, state == Refused, state == Backoff && until.After(deadline):
			return nil, fmt.Errorf("%w: plugin %s is not started before %s: %w", ErrUnavailable, s.label(), until.Format(time.TimeOnly), reason)
		}
		select {
		case <-changed:
		case <-timeout:
			return nil, fmt.Errorf("%w: plugin %s is not ready", ErrUnavailable, s.label())
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: plugin %s is not ready: %w", ErrUnavailable, s.label(), ctx.Err())
		}
	}
}

// explainCall finds out why a call failed.
func (s *supervisor) explainCall(ctx context.Context, p *process, start time.Time, err error) error {
	code := status.Code(err)
	cancelled := errors.Is(ctx.Err(), context.Canceled)
	if cancelled && code != codes.Unavailable {
		return fmt.Errorf("call plugin %s: %w", s.label(), context.Canceled)
	}
	switch code {
	case codes.DeadlineExceeded:
		return fmt.Errorf("plugin %s timed out after %s: %w", s.label(), rounded(time.Since(start)), context.DeadlineExceeded)
	case codes.Unavailable, codes.Canceled:
		// The end of the process is known a little later than the end of its
		// connection.
		gone := p.endsSoon()
		switch {
		case gone && p.crashed:
			return fmt.Errorf("%w: %s ended by itself: %s", ErrCrashed, s.label(), p.state)
		case cancelled:
			return fmt.Errorf("call plugin %s: %w", s.label(), context.Canceled)
		case s.stopped():
			return errStopped
		case code == codes.Canceled && errors.Is(ctx.Err(), context.DeadlineExceeded):
			// The plugin's clock for the deadline was a little faster.
			return fmt.Errorf("plugin %s timed out after %s: %w", s.label(), rounded(time.Since(start)), context.DeadlineExceeded)
		case gone:
			return fmt.Errorf("%w: %s was ended: %s", ErrUnavailable, s.label(), p.how())
		default:
			return fmt.Errorf("%w: %s: %s", ErrUnavailable, s.label(), message(err))
		}
	case codes.FailedPrecondition:
		// The plugin does not know the instance.
		s.configureAgain(p)
		return fmt.Errorf("%w: %s has lost its configuration: %s", ErrUnavailable, s.label(), message(err))
	case codes.ResourceExhausted:
		return fmt.Errorf("%w %s: %s", errTooLarge, s.label(), message(err))
	default:
		return fmt.Errorf("%w: %s: %s", ErrPluginBug, s.label(), message(err))
	}
}

// message is what an error of a call says: the plugin's words for a status, without
// gRPC's.
func message(err error) string {
	if st, ok := errors.AsType[interface {
		error
		GRPCStatus() *status.Status
	}](err); ok {
		return st.GRPCStatus().Message()
	}
	return err.Error()
}

// rounded leaves of a duration what people read.
func rounded(d time.Duration) time.Duration {
	if d >= time.Second {
		return d.Round(100 * time.Millisecond)
	}
	return d.Round(time.Millisecond)
}
