package app

import (
	"context"
	"errors"
	"log/slog"
	"sync"

	"github.com/hookarr/hookarr/core/store"
)

// readiness tells probes of the database in words for anybody, and the log, once, why.
type readiness struct {
	ready func(context.Context) error
	log   *slog.Logger

	mu   sync.Mutex
	last string
}

// check returns why the database cannot be used, or "".
func (r *readiness) check(ctx context.Context) string {
	err := r.ready(ctx)
	reason := publicReason(err)
	r.mu.Lock()
	defer r.mu.Unlock()
	switch reason {
	case r.last:
	case "":
		r.log.InfoContext(ctx, "ready again")
	default:
		r.log.WarnContext(ctx, "not ready", slog.String("reason", reason), slog.Any("error", err))
	}
	r.last = reason
	return reason
}

func publicReason(err error) string {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, store.ErrNotMigrated):
		return "migrations pending"
	case errors.Is(err, store.ErrNewer):
		return "database is newer than this hookarr"
	case errors.Is(err, store.ErrUnwritable):
		return "database cannot be written"
	default:
		return "database unavailable"
	}
}
