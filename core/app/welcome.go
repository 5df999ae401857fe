package app

import (
	"context"
	"log/slog"
	"maps"
	"slices"

	"github.com/hookarr/hookarr/core/alert"
	"github.com/hookarr/hookarr/core/store"
)

// isNew reports whether nobody has seen the database at work: it has no events.
func (a *App) isNew(ctx context.Context) bool {
	events, err := a.store.ListEvents(ctx, store.EventFilter{Limit: 1})
	return err == nil && len(events) == 0
}

// welcome tells the targets that ask for it, once in the life of a database, that what is
// sent arrives: whoever sets Hookarr up sees it before the first application does anything.
// The first configuration of a container or a package asks for nothing: it is told after the
// reload that brings a route for it.
func (a *App) welcome(ctx context.Context) {
	if !a.unseen {
		return
	}
	alerts := &alert.Alerts{Router: router{a}, Store: a.store, Log: a.log}
	if alerts.Installed(ctx, slices.Sorted(maps.Keys(a.current.Load().config.Sources))) {
		a.unseen = false
		a.log.InfoContext(ctx, "new database: telling the targets", slog.String("type", "hookarr.installed"))
	}
}
