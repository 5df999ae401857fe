// Package operate carries out what operators ask for and keeps a record of it: retries,
// replays and cancellations of what is stored, and what becomes of targets.
package operate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/route"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
)

// Actor is who asks for an action, and by which way: root by the socket.
type Actor struct{ Who, Via string }

// Store keeps events, deliveries, targets and actions. store.Store is one.
type Store interface {
	FindEvent(ctx context.Context, id uuid.UUID) (event.Event, []event.Delivery, error)
	Operate(ctx context.Context, step *store.Step) (skipped map[uuid.UUID]string, err error)

	MatchEvents(ctx context.Context, f store.EventFilter) (ids []uuid.UUID, next uuid.UUID, err error)
	MatchDeliveries(ctx context.Context, f store.DeliveryFilter) (ids []uuid.UUID, next uuid.UUID, err error)
	CountEvents(ctx context.Context, f store.EventFilter) (store.Count, error)
	CountMatching(ctx context.Context, f store.DeliveryFilter) (store.Count, error)
	BeginAction(ctx context.Context, a *store.Action) error
	EndAction(ctx context.Context, id uuid.UUID, state store.ActionState, why string) (a store.Action, ended bool, err error)
	FindAction(ctx context.Context, id uuid.UUID) (store.Action, error)
	ListActions(ctx context.Context, f store.ActionFilter) ([]store.Action, error)
	Wake(queue string, after time.Duration)
	Outage(err error) bool

	OperateTarget(ctx context.Context, a *store.Action, change func(t *store.Target, now time.Time) error) (before, after store.Target, err error)
	ListTargets(ctx context.Context) ([]store.Target, time.Time, error)
	ChangeTarget(ctx context.Context, name string, change store.Change) (before, after store.Target, err error)

	AskSnapshot(ctx context.Context, a *store.Action, source string, wish store.SnapshotWish) (state store.Snapshot, run int, err error)

	AddSilence(ctx context.Context, a *store.Action, n *store.Silence, length time.Duration) error
	ExpireSilence(ctx context.Context, a *store.Action, id uuid.UUID) (store.Silence, error)

	AddLink(ctx context.Context, a *store.Action, id store.SecretID, who string) (expires time.Time, err error)
	RevokeSessions(ctx context.Context, a *store.Action, ids []store.SecretID) (int, error)
	RevokeOthers(ctx context.Context, a *store.Action, but store.SecretID) (int, error)
}

// Router decides where events go. route.Table is one.
type Router interface {
	Match(source string, e *sdk.Event, normalized []byte) []route.Match
}

// Redecoder decodes stored events. ingest.Intake is one.
type Redecoder interface {
	// Redecode returns an error while the event cannot be decoded.
	Redecode(ctx context.Context, e event.Event) (*store.Acceptance, error)
}

// Options are what a Service is made of.
type Options struct {
	Store Store
	// Router returns the routes of today. Without it, what is replayed goes to named targets
	// alone.
	Router func() Router
	// Redecoder is nil where there are no plugins: nothing is then decoded anew.
	Redecoder Redecoder
	// Targets returns the names of the configured targets. Without it none is known.
	Targets func() []string
	// Silenced is called when a silence was added or ended; it may be nil.
	Silenced func()
	Log      *slog.Logger
	// Pause is the least time between two pages of a bulk action, of 100 rows: 50 ms when
	// zero. Each
	// pause is also as long as the page took, so that half of the database's time is left to
	// others.
	Pause time.Duration
}

// Service is what operators ask. It may be used concurrently.
type Service struct{ o Options }

// New returns a service.
func New(o Options) *Service {
	if o.Pause == 0 {
		o.Pause = pagePause
	}
	return &Service{o: o}
}

// maxIDs bounds the ids of one call. More are chosen by a filter.
const maxIDs = 1000

// Errors that tell an operator what to ask for instead.
var (
	// ErrInvalid is wrapped by errors of what was asked for.
	ErrInvalid = errors.New("invalid request")
	// ErrUnknownTarget is wrapped by errors of targets that are not configured.
	ErrUnknownTarget = errors.New("unknown target")
)

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrInvalid}, args...)...)
}

// Result is what became of rows that were named one by one.
type Result struct {
	// Action is the record of it.
	Action  store.Action
	Changed int
	Skipped int
	// Reasons are why rows were skipped.
	Reasons map[uuid.UUID]string
}

// Replay says how stored events are delivered anew.
type Replay struct {
	// To are targets; empty is where the routes of today say.
	To []string
	// Redecode has the stored requests decoded anew first.
	Redecode bool
}

// RetryDeliveries gives deliveries more attempts, beginning now: what is dead or cancelled
// becomes pending, and what waits for its time is due. Their schedules and their ages begin
// anew.
func (s *Service) RetryDeliveries(ctx context.Context, by Actor, ids []uuid.UUID) (Result, error) {
	return s.once(ctx, by, store.ActionRetry, store.ActionArgs{IDs: ids}, func(step *store.Step) error {
		step.Retry = step.Action.Args.IDs
		return nil
	})
}

// CancelDeliveries gives up deliveries that are pending or dead. An attempt that is under
// way is finished.
func (s *Service) CancelDeliveries(ctx context.Context, by Actor, ids []uuid.UUID) (Result, error) {
	return s.once(ctx, by, store.ActionCancel, store.ActionArgs{IDs: ids}, func(step *store.Step) error {
		step.Cancel = step.Action.Args.IDs
		return nil
	})
}

// ReplayEvents makes new deliveries of stored events.
func (s *Service) ReplayEvents(ctx context.Context, by Actor, ids []uuid.UUID, r Replay) (Result, error) {
	r.To = slices.Compact(slices.Sorted(slices.Values(r.To)))
	if err := s.checkReplay(r); err != nil {
		return Result{}, err
	}
	args := store.ActionArgs{IDs: ids, To: r.To, Redecode: r.Redecode}
	return s.once(ctx, by, store.ActionReplay, args, func(step *store.Step) (err error) {
		step.Replay, step.Skipped, err = s.replays(ctx, step.Action.Args.IDs, r)
		return err
	})
}

// once carries out an action on rows that are named one by one.
func (s *Service) once(ctx context.Context, by Actor, what store.ActionKind, args store.ActionArgs, fill func(*store.Step) error) (Result, error) {
	args.IDs = unique(args.IDs)
	if len(args.IDs) == 0 || len(args.IDs) > maxIDs {
		return Result{}, invalid("%d ids: name 1 to %d of them, or use a filter", len(args.IDs), maxIDs)
	}
	a := &store.Action{ID: event.NewID(), What: what, Who: by.Who, Via: by.Via, State: store.ActionRunning, Matched: len(args.IDs), Args: args}
	step := &store.Step{Action: a, New: true, End: true}
	if err := fill(step); err != nil {
		return Result{}, err
	}
	skipped, err := s.o.Store.Operate(ctx, step)
	if err != nil {
		return Result{}, err
	}
	s.ended(ctx, a)
	return Result{Action: *a, Changed: a.Done, Skipped: a.Skipped, Reasons: skipped}, nil
}

// unique leaves out ids that come again.
func unique(ids []uuid.UUID) []uuid.UUID {
	seen := make(map[uuid.UUID]bool, len(ids))
	return slices.DeleteFunc(slices.Clone(ids), func(id uuid.UUID) bool {
		again := seen[id]
		seen[id] = true
		return again
	})
}

// ended logs what an action came to.
func (s *Service) ended(ctx context.Context, a *store.Action) {
	s.o.Log.InfoContext(ctx, "operator action", slog.String("action", a.ID.String()), slog.String("what", string(a.What)),
		slog.String("who", a.Who), slog.String("via", a.Via), slog.String("state", string(a.State)), slog.Int("done", a.Done),
		slog.Int("skipped", a.Skipped))
}

// known returns an error for targets that are not configured.
func (s *Service) known(targets ...string) error {
	var configured []string
	if s.o.Targets != nil {
		configured = s.o.Targets()
	}
	for _, name := range targets {
		if !slices.Contains(configured, name) {
			return fmt.Errorf("%w: %q is not configured%s", ErrUnknownTarget, name, config.Suggest(name, configured))
		}
	}
	return nil
}
