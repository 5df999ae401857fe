package deliver

import (
	"context"
	"time"
)

// awaitPlugin waits for a while, or until Quit, while the target's plugin is down, and
// reports whether it had to. A job that waits here keeps its worker: the others wait
// in the queue, in order, and on Postgres for nodes whose plugin runs.
func (w *Workers) awaitPlugin(ctx context.Context, t *planned) bool {
	if w.runs(t.Name) {
		return false
	}
	timer := time.NewTimer(w.waitTimeout)
	defer timer.Stop()
	select {
	case <-w.deliverer.Ready(t.Name):
	case <-timer.C:
	case <-t.left:
	case <-w.quit:
	case <-ctx.Done():
	}
	return true
}

// runs reports whether the target's plugin takes calls here.
func (w *Workers) runs(target string) bool {
	select {
	case <-w.deliverer.Ready(target):
		return true
	default:
		return false
	}
}
