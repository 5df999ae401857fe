// Package outage tells of a database that cannot be used in a few lines of the log, in
// place of the many that everything which uses the database writes meanwhile.
package outage

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

const (
	// lookEvery is the pause between looks at the database while there is trouble.
	lookEvery = time.Second
	// lookTimeout bounds one look.
	lookTimeout = 5 * time.Second
	// calm is how long nothing must have complained before the trouble is over. It is
	// longer than the pauses of the keeper and of most of River's services.
	calm = 5 * time.Second
	// tellEvery is the pause between lines about one outage.
	tellEvery = time.Minute
)

// Log suppresses the lines that an outage of the database brings, and tells of the outage:
// when it begins, each minute, and when it is over. At level debug the suppressed lines are
// written too. What it does not know passes as it is.
type Log struct {
	out   slog.Handler
	log   *slog.Logger
	ready func(context.Context) error

	mu    sync.Mutex
	ended bool
	now   trouble
}

// trouble is what is known of one outage.
type trouble struct {
	// since is zero while all is well, last is when a line was suppressed, told when the
	// outage was last told of.
	since, last, told time.Time
	lines             int
	// first and latest are what the suppressed lines give as their errors.
	first, latest string
}

// New returns a Log that writes to out. The error of ready says why the database cannot be
// used.
func New(out slog.Handler, ready func(context.Context) error) *Log {
	return &Log{out: out, log: slog.New(out), ready: ready}
}

// Logger returns a log for our own parts. It suppresses what is marked by Symptom.
func (l *Log) Logger() *slog.Logger { return slog.New(handler{l.out, l, slog.LevelDebug}) }

// River returns a log for River, whose news below warn is not the operator's.
func (l *Log) River() *slog.Logger { return slog.New(handler{l.out, l, slog.LevelWarn}) }

// Run looks at the database while there is trouble, and tells of it, until ctx ends.
// After that, nothing is suppressed.
func (l *Log) Run(ctx context.Context) {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			l.end(context.WithoutCancel(ctx))
			return
		case <-ticker.C:
		}
		l.look(ctx)
	}
}

// suppress counts a line, and reports whether it did: not when Run has ended, nor of one
// that begins no trouble while there is none.
func (l *Log) suppress(err string, begins bool) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended || !begins && l.now.since.IsZero() {
		return false
	}
	l.now.last = time.Now()
	l.now.lines++
	l.now.latest = err
	if l.now.since.IsZero() {
		l.now.since, l.now.first = l.now.last, err
	}
	return true
}

func (l *Log) look(ctx context.Context) {
	l.mu.Lock()
	quiet := l.now.since.IsZero()
	l.mu.Unlock()
	if quiet {
		return
	}
	looking, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	err := l.ready(looking)
	if ctx.Err() != nil {
		return
	}
	now := time.Now()
	l.mu.Lock()
	t := l.now
	over := err == nil && now.Sub(t.last) >= calm
	// A look may have met a connection that was lost, and the next makes another.
	begins := t.told.IsZero() && (err != nil && now.Sub(t.since) >= lookEvery || now.Sub(t.since) >= calm)
	goesOn := !t.told.IsZero() && now.Sub(t.told) >= tellEvery
	switch {
	case over:
		l.now = trouble{}
	case begins, goesOn:
		l.now.told = now
	}
	l.mu.Unlock()
	why := t.latest
	if err != nil {
		why = err.Error()
	}
	switch {
	case over && t.told.IsZero():
		l.log.WarnContext(ctx, "connection to the database was lost for a moment", slog.Int("lines", t.lines), slog.String("error", t.first))
	case over:
		l.log.InfoContext(ctx, "database can be used again", slog.Duration("elapsed", t.last.Sub(t.since).Round(time.Second)), slog.Int("lines", t.lines))
	case begins:
		l.log.ErrorContext(ctx, "database cannot be used: deliveries wait", slog.String("error", why))
	case goesOn:
		l.tellAgain(ctx, t, why)
	}
}

func (l *Log) tellAgain(ctx context.Context, t trouble, why string) {
	l.log.WarnContext(ctx, "database still cannot be used: deliveries wait",
		slog.Duration("elapsed", time.Since(t.since).Round(time.Second)), slog.Int("lines", t.lines), slog.String("error", why))
}

// end tells of an outage that outlives this process.
func (l *Log) end(ctx context.Context) {
	l.mu.Lock()
	l.ended = true
	t := l.now
	l.mu.Unlock()
	if !t.since.IsZero() {
		l.tellAgain(ctx, t, t.latest)
	}
}
