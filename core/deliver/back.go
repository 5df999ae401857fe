package deliver

import (
	"context"
	"log/slog"
	"slices"
	"strings"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/core/trace"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// What an attempt may hand back: an event for each of the largest group.
const (
	maxBack      = event.DigestMax
	maxBackBytes = 1 << 20
)

// handedBack has the events that a target handed back accepted with the settlement. Targets
// that tell of what targets told could go on for ever, so they are not heard.
func (w *Workers) handedBack(ctx context.Context, work store.Work, s *store.Settlement, back []host.HandedBack) {
	if len(back) == 0 {
		return
	}
	if w.composer == nil || !slices.ContainsFunc(work.Events, func(e event.Event) bool { return e.Origin != sdk.OriginTarget }) {
		w.tell(ctx, notHeard, s.Target, s.DeliveryID, work.Event, slog.Int("count", len(back)),
			slog.String("reason", "it has only events that targets told"))
		return
	}
	s.Read = work.Delivery
	for i, b := range back {
		var reason string
		switch {
		case i >= maxBack:
			w.tell(ctx, notHeard, s.Target, s.DeliveryID, work.Event, slog.Int("count", len(back)-i), slog.String("reason", "a target tells at most 1000 at once"))
			return
		case len(b.JSON) > maxBackBytes:
			reason = "it is larger than 1 MiB"
		case b.Event.Type == "" || b.Event.Title == "":
			reason = "it has no type or no title"
		case !tellable(b.Event.Type), sourceOf(work, b.Event.Source) == sdk.SourceHookarr:
			reason = "tests, and what Hookarr tells of itself, are not a target's to tell"
		default:
			a, err := w.composer.Compose(s.Target, sourceOf(work, b.Event.Source), b)
			if err == nil {
				a.Event.Traceparent = trace.Traceparent(ctx)
				s.Events = append(s.Events, a)
				w.metrics.back.WithLabelValues(s.Target).Inc()
				continue
			}
			reason = err.Error()
		}
		w.tell(ctx, notHeard, s.Target, s.DeliveryID, work.Event, slog.Int("count", 1), slog.String("reason", cut(reason)))
	}
}

// tellable reports whether a target may tell events of a type.
func tellable(t sdk.Type) bool {
	return t != sdk.TypeTest && !strings.HasPrefix(string(t), sdk.SourceHookarr+".")
}

// sourceOf is the source under whose name an event is told that a target handed back: that
// which it names, if the delivery has an event of it, or that of the first.
func sourceOf(work store.Work, named string) string {
	if slices.ContainsFunc(work.Events, func(e event.Event) bool { return e.Source == named }) {
		return named
	}
	return work.Events[0].Source
}
