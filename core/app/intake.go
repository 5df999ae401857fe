package app

import (
	"errors"
	"fmt"
	"time"

	"github.com/hookarr/hookarr/core/auth"
	"github.com/hookarr/hookarr/core/ingest"
	"github.com/hookarr/hookarr/core/route"
)

// newIntake builds the door: who may come in, and where events go.
func newIntake(a *App) (*ingest.Intake, error) {
	var problems []error
	gates := make(map[string]*auth.Gate, len(a.config.Sources))
	enrich, windows := map[string]bool{}, map[string]time.Duration{}
	for name, source := range a.config.Sources {
		gate, err := auth.New(source, a.config.TrustedProxies)
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: source %s:\n%w", a.config.File, name, err))
		}
		gates[name] = gate
		enrich[name] = source.Enrich
		if w := source.Dedup.Window; w != nil {
			windows[name] = *w
		}
	}
	routes, err := route.New(a.config.Routes)
	if err != nil {
		problems = append(problems, fmt.Errorf("%s: %w", a.config.File, err))
	}
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	a.routes = routes
	return ingest.New(ingest.Options{
		Gates: gates, Enrich: enrich, Windows: windows, Decoder: a.plugins, Router: routes, Store: a.store, Log: a.log, Metrics: a.registry,
	}), nil
}
