package paths

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"
)

const (
	// afterChange is how long after a start or a reload the paths are looked at: plugins and
	// media servers that start together with Hookarr are up by then.
	afterChange = 2 * time.Minute
	// every is the time between two looks.
	every = 24 * time.Hour
)

// Watch looks at the paths of all targets rarely, and tells what is wrong once.
type Watch struct {
	// Targets are those that know libraries.
	Targets func() []string
	// Examine makes the report of a target.
	Examine func(ctx context.Context, target string) (Report, error)
	// Found is given what is wrong with the paths of each target after each look, and New
	// the same of one target with which something is wrong that was not before.
	Found func(problems map[string][]string)
	New   func(ctx context.Context, target string, problems []string)
	Log   *slog.Logger

	mu    sync.Mutex
	again chan struct{}
	told  map[string][]string
}

// Again has Run look soon, as after a reload.
func (w *Watch) Again() {
	select {
	case w.signal() <- struct{}{}:
	default:
	}
}

func (w *Watch) signal() chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.again == nil {
		w.again = make(chan struct{}, 1)
	}
	return w.again
}

// Run looks until ctx ends.
func (w *Watch) Run(ctx context.Context) {
	timer := time.NewTimer(afterChange)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.signal():
			timer.Reset(afterChange)
		case <-timer.C:
			w.Look(ctx)
			timer.Reset(every)
		}
	}
}

// Look examines each target once, and tells of those where something else is wrong than
// before. A target that does not answer is left as it was: that is told elsewhere.
func (w *Watch) Look(ctx context.Context) {
	now := map[string][]string{}
	for _, target := range w.Targets() {
		report, err := w.Examine(ctx, target)
		switch {
		case ctx.Err() != nil:
			return
		case errors.Is(err, ErrNoFolders):
		case err != nil:
			w.Log.DebugContext(ctx, "paths not looked at", slog.String("target", target), slog.Any("error", err))
			now[target] = w.told[target]
		default:
			now[target] = report.Trouble()
		}
	}
	former := w.told
	w.mu.Lock()
	w.told = now
	w.mu.Unlock()
	for _, target := range slices.Sorted(maps.Keys(now)) {
		w.tell(ctx, target, now[target], former[target])
	}
	w.Found(now)
}

// Known is what the last look found wrong with the paths of each target, which were right
// for those that are not there.
func (w *Watch) Known() map[string][]string {
	w.mu.Lock()
	defer w.mu.Unlock()
	known := map[string][]string{}
	for target, problems := range w.told {
		if len(problems) > 0 {
			known[target] = problems
		}
	}
	return known
}

// tell tells what is wrong with the paths of a target that was not before.
func (w *Watch) tell(ctx context.Context, target string, now, former []string) {
	fresh := false
	for _, problem := range now {
		if !slices.Contains(former, problem) {
			fresh = true
			w.Log.WarnContext(ctx, "paths do not meet: see hookarr paths", slog.String("target", target), slog.String("problem", problem))
		}
	}
	if fresh {
		w.New(ctx, target, now)
	}
	if len(now) == 0 && len(former) > 0 {
		w.Log.InfoContext(ctx, "paths meet again", slog.String("target", target))
	}
}
