package outage

import (
	"context"
	"log/slog"
	"strings"
)

type symptomKey struct{}

// Symptom marks a line, by the context that it is logged with, as one that is written
// because a statement met trouble with the database.
func Symptom(ctx context.Context) context.Context {
	return context.WithValue(ctx, symptomKey{}, true)
}

// handler is a slog.Handler of a Log.
type handler struct {
	slog.Handler
	l *Log
	// atLeast is the lowest level that is written.
	atLeast slog.Level
}

// Enabled reports whether a line is written, or may have to be suppressed.
func (h handler) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= h.atLeast && h.Handler.Enabled(ctx, level)
}

// Handle writes the record, unless it is a symptom.
func (h handler) Handle(ctx context.Context, r slog.Record) error {
	begins, follows := symptom(ctx, r.Message)
	if r.Level < slog.LevelWarn || !begins && !follows || !h.l.suppress(errorOf(r), begins) {
		return h.Handler.Handle(ctx, r)
	}
	if r.Level = slog.LevelDebug; h.Handler.Enabled(ctx, r.Level) {
		return h.Handler.Handle(ctx, r)
	}
	return nil
}

// WithAttrs keeps swallowing.
func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return handler{h.Handler.WithAttrs(attrs), h.l, h.atLeast}
}

// WithGroup keeps swallowing.
func (h handler) WithGroup(name string) slog.Handler {
	return handler{h.Handler.WithGroup(name), h.l, h.atLeast}
}

// symptom reports whether a line begins trouble, or follows from some that has begun.
func symptom(ctx context.Context, message string) (begins, follows bool) {
	if ctx.Value(symptomKey{}) != nil {
		return true, true
	}
	_, what, _ := strings.Cut(message, ": ") // River names the service first
	return rivers[what], what == steppingDown
}

// steppingDown is what River says in an outage, and when a machine wakes.
const steppingDown = "Current leader stepping down because the reelection deadline elapsed"

// errorOf is what a record gives as its error: River has two keys for it.
func errorOf(r slog.Record) string {
	text := ""
	r.Attrs(func(a slog.Attr) bool {
		if a.Key != "err" && a.Key != "error" {
			return true
		}
		text = a.Value.String()
		return false
	})
	return text
}

// rivers are the messages of River 0.51 that say no more than that a statement of its own,
// or its connection for notifications, met trouble with the database. What tells of a job,
// or may have another reason, is not among them.
var rivers = set(
	// producer
	"Error fetching initial queue settings",
	"Error initializing producer state",
	"Error fetching jobs",
	"Error fetching job cancellation requests",
	"Error fetching queue settings",
	"Producer status update, error updating in database",
	"Queue status update, error updating in database",
	// notifier
	"Error unlistening on topic",
	"Error running listener (will attempt reconnect after backoff)",
	"Error closing listener",
	"Error connecting listener",
	"Error on draining notification wait",
	"Error from notification wait",
	// elector
	"Error keeping leadership",
	"Error attempting to elect",
	"Current leader stepping down because the reelection deadline elapsed after an error",
	"Error attempting reelection",
	"Error attempting to resign",
	// maintenance
	"Error starting transaction",
	"Error inserting periodic jobs",
	"Error upserting periodic job next run times",
	"Error committing transaction",
	"Error cleaning jobs",
	"Error cleaning queues",
	"Error cleaning SQLite notifications",
	"Error starting queue maintainer",
	"Queue maintainer failed to start after all attempts, requesting leader resignation",
	"Error listing reindexable indexes",
	"Error listing reindex artifacts",
	"Error rescuing jobs",
	"Error scheduling jobs",
	// completer: what it could not end is taken up again
	"Error completing batch",
	"Completer error (will retry after sleep)",
	"Too many errors; giving up",
	"Hit maximum backlog; completions will wait until below threshold",
	"Error completing job",
	"Error snoozing job",
	// client
	"Failed to send job insert notification",
	"Failed to send queue state change notification",
)

func set(messages ...string) map[string]bool {
	known := make(map[string]bool, len(messages))
	for _, m := range messages {
		known[m] = true
	}
	return known
}
