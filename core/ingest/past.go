package ingest

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// pastWindow is how long a record of a history is known: longer than histories are
// read back.
const pastWindow = 90 * 24 * time.Hour

// Remember takes in what a source's history tells, unless its webhook came within span
// of its time, or it was told before. Its request is the application's record.
func (in *Intake) Remember(ctx context.Context, source string, p host.PastEvent, span time.Duration) (store.Accepted, error) {
	if in.sources[source] == nil {
		return store.Accepted{}, fmt.Errorf("remember: source %s is not configured", source)
	}
	e := event.Event{
		ID: event.NewID(), Source: source, Origin: sdk.OriginCatchup, ReceivedAt: in.now(), Request: event.Request{Body: p.Record},
	}
	if p.Event.Fingerprint == "" || p.Event.Title == "" {
		return store.Accepted{}, fmt.Errorf("remember: the plugin of source %s tells of an event without fingerprint or title", source)
	}
	r, err := in.routed(e, host.Decoded{Event: &p.Event, JSON: p.JSON})
	if err != nil {
		return store.Accepted{}, err
	}
	a := &r.acceptance
	record := "past:" + strconv.FormatInt(p.Event.Time.UnixMilli(), 10) + ":" + p.Event.Fingerprint
	a.Keys = append(a.Keys, store.DedupKey{Key: record, Window: pastWindow})
	accepted, err := in.store.AcceptPast(ctx, a, p.Event.Time, span)
	if err == nil && !accepted.Duplicate {
		in.journal.stored(ctx, &a.Event)
	}
	return accepted, err
}

// noteMissed has a source's history read when a run of refusals ends: what was refused
// is not sent again.
func (in *Intake) noteMissed(ctx context.Context, s *source, status int) {
	if s == nil {
		return
	}
	switch status {
	case http.StatusUnauthorized, http.StatusRequestEntityTooLarge, http.StatusServiceUnavailable:
		s.missed.Store(true)
	case http.StatusAccepted, http.StatusOK:
		if !s.missed.CompareAndSwap(true, false) {
			return
		}
		asking, cancel := context.WithTimeout(context.WithoutCancel(ctx), in.acceptTimeout)
		defer cancel()
		if err := in.store.AskCatchup(asking, s.name); err != nil {
			s.missed.Store(true)
			in.journal.log.WarnContext(ctx, "catch-up not asked for", slog.String("source", s.name), slog.Any("error", err))
		}
	}
}
