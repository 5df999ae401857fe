package deliver

import (
	"context"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/excerpt"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/core/trace"
	"github.com/hookarr/hookarr/sdk/host"
)

// maxTold bounds, in bytes, a title or a reason in a line: the database has the whole.
const maxTold = 500

// What happens to a delivery and is worth a line of its own.
const (
	deadLetter = "dead letter"
	crash      = "plugin crashed during a delivery"
	tooOld     = "dead letters: older than max_age"
	notAsAsked = "delivered otherwise than was to be"
	notHeard   = "events that a target handed back are left out"
)

// dead tells of a delivery that will not be tried again by itself.
func (w *Workers) dead(ctx context.Context, work store.Work, s *store.Settlement) {
	attempts := work.Delivery.Attempts
	if s.Attempt != nil {
		attempts = s.Attempt.Number
	}
	w.tell(ctx, deadLetter, s.Target, s.DeliveryID, work.Event, slog.Int("attempts", attempts), slog.String("reason", cut(s.Reason)))
	w.alerts.DeliveryDead(ctx, s.Target, work.Event.Title, s.Reason)
}

// crashed tells of a delivery that was under way when its plugin crashed, because of it or
// of another.
func (w *Workers) crashed(ctx context.Context, work store.Work, s *store.Settlement, o host.Outcome) {
	w.tell(ctx, crash, s.Target, s.DeliveryID, work.Event, slog.Int("crashes_alone", s.Crashes), slog.String("reason", cut(o.Message)))
}

// fallback tells of a delivery that is not as it was to be.
func (w *Workers) fallback(ctx context.Context, work store.Work, target, reason string) {
	w.metrics.fallbacks.WithLabelValues(target).Inc()
	w.tell(ctx, notAsAsked, target, work.Delivery.ID, work.Event, slog.String("reason", cut(reason)))
}

// expired tells of deliveries that have waited for too long.
func (w *Workers) expired(ctx context.Context, target string, n int, reason string) {
	if n > 0 && w.sending.allowLine(target, tooOld, n, time.Now()) {
		w.log.WarnContext(ctx, tooOld, slog.String("target", target), slog.Int("count", n), slog.String("reason", cut(reason)))
	}
}

// tell writes a line about a delivery, unless there were many of the kind.
func (w *Workers) tell(ctx context.Context, what, target string, delivery uuid.UUID, e event.Event, attrs ...slog.Attr) {
	if !w.sending.allowLine(target, what, 1, time.Now()) {
		return
	}
	attrs = append([]slog.Attr{
		slog.String("target", target), slog.String("delivery", delivery.String()),
		slog.String("event", e.ID.String()), slog.String("title", cut(e.Title)),
	}, attrs...)
	w.log.LogAttrs(trace.Event(ctx, e.Traceparent), slog.LevelWarn, what, attrs...) //nolint:sloglint // one of two constants
}

// tellRest counts the deliveries that have no line.
func (w *Workers) tellRest(ctx context.Context) {
	for _, o := range w.sending.leftOut(time.Now()) {
		w.log.WarnContext(ctx, "more of the same: see hookarr deliveries list", slog.String("what", o.what),
			slog.String("target", o.target), slog.Int("count", o.deliveries))
	}
}

func cut(s string) string { return excerpt.Of(s, maxTold) }
