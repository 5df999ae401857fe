// Package catchup reads from the applications what happened while nobody listened: Arr
// applications never send a webhook twice, and drop events for up to an hour after one
// that failed.
package catchup

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/ingest"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

const (
	// pageSize bounds the records of one call, callTimeout its time.
	pageSize    = 250
	callTimeout = time.Minute
	// maxPages bounds one run; the next goes on where it ended.
	maxPages = 1000
	// renaming is how long before the time of interest an event may have begun that
	// ends in it: one webhook tells the renames of a whole series.
	renaming = time.Hour
)

// Historian asks source plugins. pluginhost.Host is one.
type Historian interface {
	History(ctx context.Context, source string, q sdk.HistoryQuery) (host.Past, error)
}

// Rememberer takes past events in. ingest.Intake is one.
type Rememberer interface {
	Remember(ctx context.Context, source string, p host.PastEvent, span time.Duration) (store.Accepted, error)
}

// Store keeps how far histories were read, and what was told. store.Store is one.
type Store interface {
	FindCursor(ctx context.Context, source string) (store.Cursor, error)
	SaveCursor(ctx context.Context, source string, c store.Cursor) error
	ForgetCursor(ctx context.Context, source string) error
	ListRenames(ctx context.Context, source string, since time.Time) ([]sdk.Rename, error)
	AskCatchup(ctx context.Context, source string) error
}

// Options are what a Reader is made of.
type Options struct {
	// Sources returns those that have a history now, by name.
	Sources    func() map[string]config.Catchup
	Historian  Historian
	Rememberer Rememberer
	Store      Store
	Log        *slog.Logger
	// Metrics may be nil.
	Metrics prometheus.Registerer
	// Now is time.Now when nil.
	Now func() time.Time
}

// Reader reads histories. It may be used concurrently, for a source by one caller at a
// time.
type Reader struct {
	o       Options
	metrics *metrics

	mu sync.Mutex
	// troubles are why the last runs ended early, by source.
	troubles map[string]trouble
}

type trouble struct {
	reason string
	since  time.Time
}

// New returns a reader.
func New(o Options) *Reader {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Reader{o: o, metrics: newMetrics(o.Metrics), troubles: map[string]trouble{}}
}

// Trouble returns why the last run of a source ended early, and since when they do. It is
// empty after a good one, and before the first of this process.
func (r *Reader) Trouble(source string) (reason string, since time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.troubles[source]
	return t.reason, t.since
}

// note keeps what came of a run.
func (r *Reader) note(source string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil {
		delete(r.troubles, source)
		return
	}
	t, ok := r.troubles[source]
	if !ok {
		t.since = r.o.Now()
	}
	t.reason = err.Error()
	r.troubles[source] = t
}

// Begin marks where the histories of new sources begin: now, or as far back as their
// configuration says. What happens from then on is not missed, whenever it is read.
func (r *Reader) Begin(ctx context.Context) error {
	for source, settings := range r.o.Sources() {
		r.metrics.expect(source)
		if _, err := r.cursor(ctx, source, settings, r.o.Now()); err != nil {
			return fmt.Errorf("begin catch-up with %s: %w", source, err)
		}
	}
	return nil
}

// Ask has every history read now: what waits for an application since before the
// process began waits no longer.
func (r *Reader) Ask(ctx context.Context) error {
	for source := range r.o.Sources() {
		if err := r.o.Store.AskCatchup(ctx, source); err != nil {
			return err
		}
	}
	return nil
}

// Result counts the events of one run.
type Result struct {
	// Accepted were missed, Known had come before.
	Accepted, Known int
}

// CatchUp reads what happened at a source since it was last read and takes in what is
// not known. After an error the next call goes on where this one ended.
func (r *Reader) CatchUp(ctx context.Context, source string) (Result, error) {
	settings, ok := r.o.Sources()[source]
	if !ok {
		return Result{}, nil
	}
	now := r.o.Now()
	cursor, err := r.cursor(ctx, source, settings, now)
	if err != nil {
		return Result{}, err
	}
	result, err := r.read(ctx, source, settings, cursor, now)
	if errors.Is(err, host.ErrUnsupported) {
		// The plugin could, but this instance is not configured for it. When it is, the
		// first contact is then, and not now.
		r.note(source, nil)
		r.o.Log.DebugContext(ctx, "no history to catch up with", slog.String("source", source))
		return result, r.o.Store.ForgetCursor(ctx, source)
	}
	r.metrics.ran(source, result, err)
	if ctx.Err() == nil { // the end of the process is no trouble
		r.note(source, err)
	}
	if err != nil {
		return result, fmt.Errorf("catch up with %s: %w", source, err)
	}
	if result.Accepted > 0 {
		r.o.Log.InfoContext(ctx, "caught up with missed events", slog.String("source", source),
			slog.Int("accepted", result.Accepted), slog.Int("known", result.Known))
	}
	return result, nil
}

func (r *Reader) cursor(ctx context.Context, source string, settings config.Catchup, now time.Time) (store.Cursor, error) {
	c, err := r.o.Store.FindCursor(ctx, source)
	if errors.Is(err, store.ErrNotFound) {
		begin := now.Add(-settings.Since)
		c = store.Cursor{From: begin, ReadTo: begin}
		err = r.o.Store.SaveCursor(ctx, source, c)
	}
	if bound := now.Add(settings.Overlap); err == nil && (c.ReadTo.After(bound) || c.From.After(bound)) {
		return r.pullBack(ctx, source, settings, c, now)
	}
	return c, err
}

// pullBack replaces a cursor that is further in the future than clocks may be off: a
// clock was wrong when it was kept, and nothing would be read until then. How far the
// history was really read is not known, so that it is read again as far back as a run
// goes; what is known from there stays known.
func (r *Reader) pullBack(ctx context.Context, source string, settings config.Catchup, c store.Cursor, now time.Time) (store.Cursor, error) {
	r.o.Log.WarnContext(ctx, "catch-up had read to a time in the future: it reads again", slog.String("source", source),
		slog.Time("read_to", c.ReadTo), slog.Time("now", now))
	begin := earliest(c.From, now.Add(-settings.Since))
	begin = latest(begin, now.Add(-settings.MaxAge))
	c = store.Cursor{From: begin, ReadTo: begin}
	// What is kept does not move back.
	if err := r.o.Store.ForgetCursor(ctx, source); err != nil {
		return c, err
	}
	return c, r.o.Store.SaveCursor(ctx, source, c)
}

func (r *Reader) read(ctx context.Context, source string, settings config.Catchup, cursor store.Cursor, now time.Time) (Result, error) {
	// Records younger than the lag may have a webhook on its way. What was read lately
	// is read again: applications write records late, and clocks are off.
	q := sdk.HistoryQuery{
		Since: latest(cursor.ReadTo.Add(-settings.Overlap), cursor.From, now.Add(-settings.MaxAge)),
		Until: now.Add(-settings.Lag),
		Limit: pageSize,
	}
	var result Result
	if !q.Since.Before(q.Until) {
		// Nothing is old enough yet; but only who is asked says that there is no history.
		q.Until = q.Since.Add(-time.Second)
	}
	var err error
	if q.Renamed, err = r.o.Store.ListRenames(ctx, source, q.Since.Add(-renaming)); err != nil {
		return result, err
	}
	for range maxPages {
		past, err := r.page(ctx, source, q)
		if err != nil {
			return result, err
		}
		for _, p := range past.Events {
			accepted, err := r.o.Rememberer.Remember(ctx, source, p, settings.Overlap)
			switch {
			case errors.Is(err, ingest.ErrNameless):
				// A damaged record keeps no other from coming.
				r.o.Log.WarnContext(ctx, "past event left out", slog.String("source", source), slog.Time("time", p.Event.Time), slog.Any("error", err))
			case err != nil:
				return result, err
			case accepted.Duplicate:
				result.Known++
			default:
				result.Accepted++
			}
		}
		if !past.More {
			cursor.ReadTo = earliest(q.Until, now)
			return result, r.o.Store.SaveCursor(ctx, source, cursor)
		}
		if past.Cursor == q.Cursor {
			return result, fmt.Errorf("the history has more and does not move on from %q", past.Cursor)
		}
		q.Cursor = past.Cursor
		if err := r.progress(ctx, source, cursor, past.Events, earliest(q.Until, now)); err != nil {
			return result, err
		}
	}
	return result, nil
}

// page reads one page within its time.
func (r *Reader) page(ctx context.Context, source string, q sdk.HistoryQuery) (host.Past, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return r.o.Historian.History(ctx, source, q)
}

// progress keeps how far a run has come, so that the next goes on there. Pages come
// oldest first. An event of an application whose clock is wrong may have any time, and
// moves the cursor no further than the run goes.
func (r *Reader) progress(ctx context.Context, source string, cursor store.Cursor, events []host.PastEvent, until time.Time) error {
	for _, p := range events {
		cursor.ReadTo = latest(cursor.ReadTo, earliest(p.Event.Time, until))
	}
	return r.o.Store.SaveCursor(ctx, source, cursor)
}

func earliest(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func latest(times ...time.Time) time.Time {
	var last time.Time
	for _, t := range times {
		if t.After(last) {
			last = t
		}
	}
	return last
}
