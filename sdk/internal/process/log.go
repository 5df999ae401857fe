package process

import (
	"io"
	"log/slog"
	"os"

	"github.com/hookarr/hookarr/sdk/internal/handshake"
)

// timestampFormat is hclog's.
const timestampFormat = "2006-01-02T15:04:05.000000Z07:00"

// Log is where a process's log goes and from which level on.
type Log struct {
	Output io.Writer
	Level  slog.Level
}

// HostLog returns the log of a process that a host launched: standard error, at
// the host's level.
func HostLog() Log {
	l := Log{Output: Bounded(os.Stderr), Level: slog.LevelInfo}
	if text := os.Getenv(handshake.LogLevelEnv); text != "" {
		// An unknown level is one of a later host's; info is a good guess.
		_ = l.Level.UnmarshalText([]byte(text))
	}
	return l
}

// Logger returns a logger that writes JSON under hclog's keys, by which go-plugin
// knows a record's level and attributes.
func (l Log) Logger() *slog.Logger {
	return slog.New(slog.NewJSONHandler(l.Output, &slog.HandlerOptions{Level: l.Level, ReplaceAttr: hclogAttr}))
}

func hclogAttr(groups []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindDuration {
		// JSON would have nanoseconds, which a host prints as 1e+10.
		return slog.String(a.Key, a.Value.Duration().String())
	}
	if len(groups) == 0 {
		switch a.Key {
		case slog.TimeKey:
			if a.Value.Kind() == slog.KindTime {
				return slog.String("@timestamp", a.Value.Time().Format(timestampFormat))
			}
		case slog.LevelKey:
			if level, ok := a.Value.Any().(slog.Level); ok {
				return slog.String("@level", levelName(level))
			}
		case slog.MessageKey:
			a.Key = "@message"
		}
	}
	return a
}

// levelName returns hclog's name of a level.
func levelName(l slog.Level) string {
	switch {
	case l < slog.LevelInfo:
		return "debug"
	case l < slog.LevelWarn:
		return "info"
	case l < slog.LevelError:
		return "warn"
	default:
		return "error"
	}
}
