package store

import (
	"context"
	"log/slog"
)

// Background returns a log whose news is for debugging alone; warnings and errors
// stay what they are. It is for libraries that tell of every step.
func Background(log *slog.Logger) *slog.Logger { return slog.New(background{log.Handler()}) }

type background struct{ slog.Handler }

func demoted(level slog.Level) slog.Level {
	if level < slog.LevelWarn {
		return min(level, slog.LevelDebug)
	}
	return level
}

// Enabled reports whether the level, demoted, is logged.
func (b background) Enabled(ctx context.Context, level slog.Level) bool {
	return b.Handler.Enabled(ctx, demoted(level))
}

// Handle logs the record, demoted.
func (b background) Handle(ctx context.Context, r slog.Record) error {
	r.Level = demoted(r.Level)
	return b.Handler.Handle(ctx, r)
}

// WithAttrs keeps demoting.
func (b background) WithAttrs(attrs []slog.Attr) slog.Handler {
	return background{b.Handler.WithAttrs(attrs)}
}

// WithGroup keeps demoting.
func (b background) WithGroup(name string) slog.Handler {
	return background{b.Handler.WithGroup(name)}
}
