package ingest

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
)

// Found is what a snapshot has found and is to tell.
type Found struct {
	Event sdk.Event
	// JSON is Event by the published schema, with fields that this version may not know.
	JSON json.RawMessage
	// Record is what the application has, as the request of the event.
	Record []byte
	// Fingerprints are those of the webhooks that would tell the same. One that comes later
	// is a repetition.
	Fingerprints []string
	// To is the one target that hears of it, whatever the routes say; empty for these.
	To string
}

// ComposeFound makes of what a snapshot has found what is to be stored.
func (in *Intake) ComposeFound(source string, f Found) (*store.Acceptance, error) {
	g := in.generation()
	if g.sources[source] == nil {
		return nil, fmt.Errorf("tell what was found: source %s is not configured", source)
	}
	e, told, err := in.compose(source, sdk.OriginSnapshot, f.Event, f.JSON)
	if err != nil {
		return nil, fmt.Errorf("tell what was found: %w", err)
	}
	e.Request.Body = f.Record
	r, err := g.route(e, told)
	if err != nil {
		return nil, err
	}
	// The application was just asked.
	a := &r.acceptance
	a.Keys, a.Enrich = nil, false
	if f.To != "" {
		// Others are told by what comes next, and are not to take it for a repetition.
		a.Event.Fingerprint, a.Clears = "", ""
		a.Deliveries, a.Groupings, a.Flushes = nil, nil, nil
		a.Owe(f.To, "", event.Grouping{})
		return a, nil
	}
	window := max(fingerprintWindow(a.Event.Type), lateWindow)
	for _, fingerprint := range f.Fingerprints {
		if fingerprint != "" {
			a.Keys = append(a.Keys, store.DedupKey{Key: "fp:" + fingerprint, Window: window})
		}
	}
	return a, nil
}

// Stored counts an event that a snapshot has told.
func (in *Intake) Stored(ctx context.Context, a *store.Acceptance) { in.journal.stored(ctx, &a.Event) }
