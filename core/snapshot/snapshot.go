// Package snapshot reads everything that the applications have and compares it with what
// they had: they send no webhook when the metadata of a title change, and what they sent
// while nobody listened is lost.
//
// A run reads the library page by page and keeps a row for each title and file: table
// inventory. What differs is kept beside its row until the whole library is read and the
// webhooks of it, if there are any, have had time to come. Then it is told, row by row in
// one transaction with the events, so that a crash loses none and doubles none. What
// another event has told already is only noted.
package snapshot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/ingest"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

const (
	// pageSize bounds the items of one call and the rows of one transaction, callTimeout the
	// time of a call: the first reads the application's whole list of titles, hundreds of
	// megabytes for 50,000.
	pageSize    = 200
	callTimeout = 10 * time.Minute
	// maxRun is how long a run may take to read everything before it begins anew: what was
	// read first is then too old to be compared with what is read last.
	maxRun = 6 * time.Hour
	// overlap is how far clocks may be off, and how long before a change its webhook may come.
	overlap = 10 * time.Minute
)

// What a run reads at most. A library of 50,000 titles has a million files; an application,
// or a plugin, that has always more to tell would fill the database.
const (
	mostPages = 200_000
	mostItems = 5_000_000
)

// maxOvertaken is how often a run is taken up again that has gone on elsewhere.
const maxOvertaken = 20

// Snapshotter asks source plugins. pluginhost.Host is one.
type Snapshotter interface {
	Snapshot(ctx context.Context, source string, q sdk.SnapshotQuery) (host.Snapshot, error)
}

// Types are what a snapshot may tell.
func Types() []sdk.Type {
	return []sdk.Type{
		sdk.TypeMediaAdded, sdk.TypeMediaUpdated, sdk.TypeMediaDeleted, sdk.TypeMediaImported, sdk.TypeFileRenamed, sdk.TypeFileDeleted,
	}
}

// Composer makes events of what was found. ingest.Intake is one.
type Composer interface {
	ComposeFound(source string, f ingest.Found) (*store.Acceptance, error)
	Stored(ctx context.Context, a *store.Acceptance)
}

// Store keeps what sources have, and what was told. store.Store is one.
type Store interface {
	FindSnapshot(ctx context.Context, source string) (store.Snapshot, error)
	StepSnapshot(ctx context.Context, step *store.SnapshotStep) ([]store.Accepted, error)
	HurrySnapshot(ctx context.Context, source string) error
	FindItems(ctx context.Context, source string, keys []string) (map[string]store.Item, error)
	FoundItems(ctx context.Context, source string, limit int) ([]store.Item, error)
	GoneItems(ctx context.Context, source string, run int, titles bool, after store.Item, limit int) ([]store.Item, error)
	CountGone(ctx context.Context, source string, run int) (titles, files int, err error)
	EventsAfter(ctx context.Context, source string, id uuid.UUID, limit int) ([]event.Event, error)
}

// Options are what a Reader is made of.
type Options struct {
	// Sources returns those that have a snapshot now, by name.
	Sources     func() map[string]config.Snapshot
	Snapshotter Snapshotter
	Composer    Composer
	Store       Store
	Log         *slog.Logger
	// Metrics may be nil.
	Metrics prometheus.Registerer
	// Now is time.Now when nil.
	Now func() time.Time
}

// Reader reads snapshots. It may be used concurrently, for a source by one caller at a
// time.
type Reader struct {
	o       Options
	metrics *metrics
	// maxPages is mostPages, but in tests.
	maxPages int
}

// New returns a reader.
func New(o Options) *Reader {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Reader{o: o, metrics: newMetrics(o.Metrics), maxPages: mostPages}
}

// Ask has every source looked after now: whose snapshot is due, or was cut off, is read.
func (r *Reader) Ask(ctx context.Context) error {
	for source := range r.o.Sources() {
		r.metrics.expect(source)
		if err := r.o.Store.HurrySnapshot(ctx, source); err != nil {
			return err
		}
	}
	return nil
}

// run is a run that is under way.
type run struct {
	*Reader
	state store.Snapshot
	told  *told
	// first is a page that was read before the run began, or why it was not.
	first *page
}

// page is what came of reading one.
type page struct {
	host.Snapshot
	err error
}

// Run reads the snapshot of a source if it is due, an operator asks for it or it was cut
// off, and tells what has changed. It ends early at a time, if that is not zero, and after
// an error: the next call goes on where it ended.
func (r *Reader) Run(ctx context.Context, source string, until time.Time) error {
	for overtaken := 0; ; {
		run, err := r.begin(ctx, source)
		if err != nil {
			return fmt.Errorf("read the snapshot of %s: %w", source, err)
		}
		if run == nil {
			return nil
		}
		switch err := run.goOn(ctx, until); {
		case errors.Is(err, store.ErrSnapshotOvertaken) && overtaken < maxOvertaken:
			overtaken++ // An operator has asked for another run, or another process was at it.
		case errors.Is(err, errLater):
			return err
		case errors.Is(err, host.ErrUnsupported):
			return run.abandon(ctx, unconfigured)
		case errors.Is(err, errEndless):
			return run.abandon(ctx, err.Error())
		case err != nil:
			if ctx.Err() != nil {
				return ctx.Err() // to be stopped is no trouble
			}
			r.metrics.failed(source)
			return fmt.Errorf("read the snapshot of %s: %w", source, errors.Join(err, run.noteTrouble(ctx, err.Error())))
		default:
			run.concluded(ctx)
		}
	}
}

// errLater is returned by Run for a run that is not at its end.
var errLater = errors.New("the snapshot goes on later")

// begin returns the run that is under way, one that begins, or nil. A source without the
// power has none.
func (r *Reader) begin(ctx context.Context, source string) (*run, error) {
	settings, ok := r.o.Sources()[source]
	if !ok {
		return nil, nil //nolint:nilnil // there is nothing to do
	}
	state, err := r.o.Store.FindSnapshot(ctx, source)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	state.Source = source
	now := r.o.Now()
	stale := state.Phase == store.SnapshotReading && now.Sub(state.BegunAt) > maxRun
	if state.Phase != "" && !stale {
		return &run{Reader: r, state: state}, nil
	}
	due := settings.Every > 0 && !now.Before(state.BegunAt.Add(settings.Every))
	if !due && !stale && state.Asked == nil {
		return nil, nil //nolint:nilnil // there is nothing to do
	}
	first, err := r.page(ctx, source, "")
	if errors.Is(err, host.ErrUnsupported) {
		return nil, r.unsupported(ctx, state)
	}
	next := store.Snapshot{
		Source: source, Run: state.Run + 1, Step: state.Step, Phase: store.SnapshotReading, BegunAt: now.UTC(),
		First: state.EndedRun == 0, KnownAt: state.KnownAt, EndedRun: state.EndedRun, EndedAt: state.EndedAt,
	}
	switch {
	case state.Asked != nil:
		next.Wish = *state.Asked
	case stale:
		next.Wish = state.Wish
	}
	begun := &run{Reader: r, state: next, first: &page{first, err}}
	return begun, begun.step(ctx, begun.draft())
}

// unsupported answers an operator who asks for what a source cannot.
func (r *Reader) unsupported(ctx context.Context, state store.Snapshot) error {
	r.o.Log.DebugContext(ctx, "no snapshot to read", slog.String("source", state.Source))
	if state.Asked == nil {
		return nil
	}
	u := &run{Reader: r, state: state}
	step := u.draft()
	step.State.Asked = nil
	step.State.Trouble, step.State.TroubleAt = unconfigured, r.o.Now().UTC()
	return u.step(ctx, step)
}

// unconfigured is the trouble of a source that has lost the power.
const unconfigured = "the source is not configured for it: give base_url and api_key in its config"

// abandon ends a run of a source that has lost the power, or of which no end is to come. The
// next one begins when it is due.
func (r *run) abandon(ctx context.Context, why string) error {
	step := r.draft()
	step.State.Phase, step.State.Cursor = "", ""
	step.State.Trouble, step.State.TroubleAt = why, r.o.Now().UTC()
	return r.step(ctx, step)
}

// page reads one page within its time.
func (r *Reader) page(ctx context.Context, source, cursor string) (host.Snapshot, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return r.o.Snapshotter.Snapshot(ctx, source, sdk.SnapshotQuery{Cursor: cursor, Limit: pageSize})
}

// draft begins a step: what changes of the state changes with it, or not at all.
func (r *run) draft() *store.SnapshotStep {
	step := &store.SnapshotStep{State: r.state, Judged: event.FirstID(r.o.Now().Add(-committing))}
	step.State.Step++
	return step
}

// step carries out a step and counts its events.
func (r *run) step(ctx context.Context, step *store.SnapshotStep) error {
	step.State.Told += len(step.Accept)
	accepted, err := r.o.Store.StepSnapshot(ctx, step)
	if err != nil {
		return err
	}
	r.state = step.State
	for i, a := range accepted {
		if !a.Duplicate {
			r.metrics.told(r.state.Source, step.Accept[i].Event.Type)
			r.o.Composer.Stored(ctx, step.Accept[i])
		}
	}
	return nil
}

// noteTrouble keeps for people why the run does not go on.
func (r *run) noteTrouble(ctx context.Context, why string) error {
	if r.state.Trouble == why {
		return nil
	}
	step := r.draft()
	step.State.Trouble, step.State.TroubleAt = why, r.o.Now().UTC()
	return r.step(ctx, step)
}

// concluded tells of a run that has ended.
func (r *run) concluded(ctx context.Context) {
	s := r.state
	r.metrics.ended(s)
	attrs := []any{
		slog.String("source", s.Source), slog.Int("items", s.Items), slog.Int("titles", s.Titles), slog.Int("told", s.Told),
		slog.Int("known", s.Known), slog.Duration("took", s.EndedAt.Sub(s.BegunAt).Round(time.Millisecond)),
	}
	r.o.Log.InfoContext(ctx, "snapshot read", attrs...)
	if s.Withheld != "" {
		r.o.Log.WarnContext(ctx, "deletions not told", slog.String("source", s.Source), slog.String("why", s.Withheld))
	}
}
