package mediaserver

import (
	"context"
	"errors"
	"sync"
	"time"
)

// gates let one scan at a time into each library.
type gates struct {
	mu   sync.Mutex
	byID map[string]*gate
}

// gate is taken by sending a value to it. Its time is when the server can be asked
// whether it is busy, after the last scan; whoever has the gate may use it.
type gate struct {
	taken chan struct{}
	from  time.Time
}

func (g *gates) of(library string) *gate {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.byID == nil {
		g.byID = map[string]*gate{}
	}
	one, ok := g.byID[library]
	if !ok {
		one = &gate{taken: make(chan struct{}, 1)}
		g.byID[library] = one
	}
	return one
}

// scan has the server scan as soon as the library is idle. It reports false when that is
// not before until. A free library is asked for in any case: what was looked at before may
// have taken longer than there was.
func (t *Target) scan(ctx context.Context, s Scan, until time.Time) (bool, error) {
	waiting, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	g := t.gates.of(s.Library.ID)
	if !g.take(waiting) {
		return false, ctx.Err()
	}
	defer func() { <-g.taken }()
	for {
		if d := time.Until(g.from); d > 0 && !sleep(waiting, d) {
			return false, ctx.Err()
		}
		var busy bool
		var err error
		if !t.options.Queues {
			busy, err = t.busy(ctx, s.Library)
		}
		if err != nil {
			return false, err
		}
		if !busy {
			err = t.server.Scan(ctx, s)
			if t.options.Queues && errors.Is(err, ErrBusy) {
				return false, nil // others need not wait behind this one
			}
			g.from = time.Now().Add(t.options.Settle)
			if !errors.Is(err, ErrBusy) {
				t.log.DebugContext(ctx, "asked for a scan", "server", t.options.Kind, "library", s.Library.Name, "folder", s.Folder, "again", s.Again)
				return err == nil, err
			}
		}
		if !sleep(waiting, t.options.Settle/4) {
			return false, ctx.Err()
		}
	}
}

// take waits for a gate until ctx ends, and not at all for one that is free.
func (g *gate) take(ctx context.Context) bool {
	select {
	case g.taken <- struct{}{}:
		return true
	default:
	}
	select {
	case g.taken <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

func (t *Target) busy(ctx context.Context, l Library) (bool, error) {
	b, ok := t.server.(Busier)
	if !ok {
		return false, nil
	}
	return b.Busy(ctx, l)
}

// sleep waits, and reports whether ctx lasted.
func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
