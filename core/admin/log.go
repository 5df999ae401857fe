package admin

import (
	"context"
	"log/slog"
	"time"

	"github.com/hookarr/hookarr/core/logring"
)

// Logs are the last lines that a server logged. logring.Ring is one.
type Logs interface {
	After(number uint64, want func(logring.Line) bool) (lines []logring.Line, last uint64, added <-chan struct{})
}

// LogLines is a part of the log.
type LogLines struct {
	Lines []LogLine `json:"lines" nullable:"false" doc:"Oldest first."`
	Next  uint64    `json:"next" doc:"Give it as after for what follows."`
}

// LogLine is a line of the log as JSON.
type LogLine struct {
	Number uint64    `json:"number" doc:"Counts the lines since the server started."`
	At     time.Time `json:"at"`
	Level  string    `json:"level" doc:"DEBUG, INFO, WARN or ERROR."`
	Text   string    `json:"text" doc:"The whole line, as log.format text has it."`
}

// ReadLogs returns the lines above a number of a level or higher, and waits up to a time
// for the first.
func (s *Service) ReadLogs(ctx context.Context, after uint64, level slog.Level, wait time.Duration) (LogLines, error) {
	if s.Logs == nil {
		return LogLines{}, errNoServer
	}
	enough := func(l logring.Line) bool { return l.Level >= level }
	timeout := time.After(wait)
	for {
		lines, last, added := s.Logs.After(after, enough)
		if len(lines) > 0 || wait == 0 {
			return viewLines(lines, last), nil
		}
		select {
		case <-added:
		case <-timeout:
			return viewLines(nil, last), nil
		case <-ctx.Done():
			return LogLines{}, ctx.Err()
		}
	}
}

func viewLines(lines []logring.Line, next uint64) LogLines {
	v := LogLines{Lines: make([]LogLine, len(lines)), Next: next}
	for i, l := range lines {
		v.Lines[i] = LogLine{Number: l.Number, At: l.At, Level: l.Level.String(), Text: l.Text}
	}
	return v
}
