package app

import (
	"context"
	"log/slog"
	"maps"
	"slices"

	"github.com/hookarr/hookarr/core/alert"
	"github.com/hookarr/hookarr/core/store"
)

// welcome tells the targets that ask for it, once in the life of a database, that what is
// sent arrives: whoever sets Hookarr up sees it before the first application does anything.
// A database that has events is one that somebody has seen at work.
func (a *App) welcome(ctx context.Context) {
	events, err := a.store.ListEvents(ctx, store.EventFilter{Limit: 1})
	if err != nil || len(events) > 0 {
		return
	}
	alerts := &alert.Alerts{Router: router{a}, Store: a.store, Log: a.log}
	if alerts.Installed(ctx, slices.Sorted(maps.Keys(a.config.Sources))) {
		a.log.InfoContext(ctx, "first start: telling the targets", slog.String("type", "hookarr.installed"))
	}
}
