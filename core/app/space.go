package app

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/alert"
	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/store"
)

const (
	// lookEvery is the pause between looks at the file system of the database.
	lookEvery = 30 * time.Second
	// tellSpaceAgain is the pause after an alert that came too soon after another of its type.
	tellSpaceAgain = time.Hour
)

// spaceWatch looks whether the file system of the database has room: what is full takes no
// webhook, and cannot even tell anybody.
type spaceWatch struct {
	space  func(context.Context) (store.Space, error)
	config func() *config.Config
	alerts *alert.Alerts
	log    *slog.Logger

	// low is what was found last, or nil where there is room.
	low atomic.Pointer[admin.LowSpace]
	// told is what targets were told last, and not before again.
	told  bool
	again time.Time
}

// Run looks until ctx ends.
func (w *spaceWatch) Run(ctx context.Context) {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		w.look(ctx)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func (w *spaceWatch) look(ctx context.Context) {
	s, err := w.space(ctx)
	if err != nil {
		return // nobody knows, and Guard tells of a directory that is gone
	}
	limit := lowSpace(w.config().Database.LowSpace, s)
	before := w.low.Load()
	switch {
	case s.Free < limit:
		w.low.Store(&admin.LowSpace{Free: s.Free, Limit: limit})
	case before != nil && s.Free < limit+limit/10: // it is not to come and go
		w.low.Store(&admin.LowSpace{Free: s.Free, Limit: limit})
	default:
		w.low.Store(nil)
	}
	now := w.low.Load()
	switch {
	case now != nil && before == nil:
		w.log.WarnContext(ctx, "little space is left for the database: make room, or lower retention.events", slog.String("free", inBytes(s.Free)), slog.String("low_space", inBytes(limit)))
	case now == nil && before != nil:
		w.log.InfoContext(ctx, "there is space for the database again", slog.String("free", inBytes(s.Free)))
	}
	if low := now != nil; low != w.told && !time.Now().Before(w.again) {
		if tell := w.tell(low); tell(ctx, inBytes(s.Free)) {
			w.told = low
		} else {
			w.again = time.Now().Add(tellSpaceAgain)
		}
	}
}

func (w *spaceWatch) tell(low bool) func(ctx context.Context, free string) bool {
	if low {
		return w.alerts.SpaceLow
	}
	return w.alerts.SpaceRestored
}

// warnings are what is wrong, in words for anybody.
func (w *spaceWatch) warnings() []string {
	if w.low.Load() == nil {
		return nil
	}
	return []string{"little space is left for the database"}
}

// lowSpace is the least that is to be free. By default it is 512 MiB, which webhooks of weeks
// take, with their log; or a twentieth of a small file system, of which half a gigabyte is never
// free.
func lowSpace(configured *config.Size, s store.Space) int64 {
	const usual, part = int64(512 * config.MiB), 20
	if configured != nil {
		return int64(*configured)
	}
	return min(usual, s.Total/part)
}

func inBytes(n int64) string { return humanize.IBytes(uint64(max(n, 0))) }

// free is what is free for the database, where that is known.
func (w *spaceWatch) free(ctx context.Context) (float64, bool) {
	s, err := w.space(ctx)
	return float64(s.Free), err == nil
}

func newSpaceWatch(a *App) *spaceWatch {
	return &spaceWatch{
		space: a.store.Space, config: func() *config.Config { return a.current.Load().config }, log: a.log,
		alerts: &alert.Alerts{Router: router{a}, Store: a.store, Log: a.log},
	}
}
