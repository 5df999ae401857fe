package admin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/hookarr/hookarr/core/operate"
	"github.com/hookarr/hookarr/core/store"
)

// Operator changes rows for operators. operate.Service is one.
type Operator interface {
	CountEvents(ctx context.Context, f store.EventFilter) (store.Count, error)
	CountDeliveries(ctx context.Context, f store.DeliveryFilter) (store.Count, error)
	// Count counts what a bulk action would change.
	Count(ctx context.Context, b operate.Bulk) (store.Count, error)
	RetryDeliveries(ctx context.Context, by operate.Actor, ids []uuid.UUID) (operate.Result, error)
	CancelDeliveries(ctx context.Context, by operate.Actor, ids []uuid.UUID) (operate.Result, error)
	ReplayEvents(ctx context.Context, by operate.Actor, ids []uuid.UUID, r operate.Replay) (operate.Result, error)
	Begin(ctx context.Context, by operate.Actor, b operate.Bulk) (store.Action, error)
	StopAction(ctx context.Context, by operate.Actor, id uuid.UUID) (store.Action, error)
	PauseTarget(ctx context.Context, by operate.Actor, name, reason string) (store.Target, error)
	ResumeTarget(ctx context.Context, by operate.Actor, name string) (store.Target, error)
	ProbeTarget(ctx context.Context, by operate.Actor, name string) (store.Target, error)
	RenameTarget(ctx context.Context, by operate.Actor, name, to string) (store.Action, error)
	SyncSource(ctx context.Context, by operate.Actor, source string, wish store.SnapshotWish) (store.Snapshot, int, error)
	AddSilence(ctx context.Context, by operate.Actor, n operate.Silence) (store.Silence, error)
	ExpireSilence(ctx context.Context, by operate.Actor, id uuid.UUID) (store.Silence, error)
	AddLink(ctx context.Context, by operate.Actor, id store.SecretID) (expires time.Time, err error)
	RevokeSession(ctx context.Context, by operate.Actor, id store.SecretID, whose string) error
	RevokeOthers(ctx context.Context, by operate.Actor, but store.SecretID) (int, error)
}

// actor is a principal as the stories of events know it.
func (p Principal) actor() operate.Actor { return operate.Actor{Who: p.Name, Via: p.Via} }

// Action is what an operator did, or a bulk action that is under way, as JSON.
type Action struct {
	ID    string            `json:"id"`
	What  store.ActionKind  `json:"what" doc:"retry, cancel, replay, pause, resume, probe, rename, silence, expire, sync, link or revoke."`
	State store.ActionState `json:"state" doc:"running, done, stopped or failed."`
	Who   string            `json:"who"`
	Via   string            `json:"via" doc:"By which way: socket, token, proxy, link, oidc or database."`
	// Target is that of a pause, resume, probe, rename or silence.
	Target   string   `json:"target,omitempty"`
	To       []string `json:"to,omitempty" doc:"The targets of a replay, or the new name of a target."`
	Redecode bool     `json:"redecode,omitempty"`
	Reason   string   `json:"reason,omitempty"`
	Matched  int      `json:"matched" doc:"How many rows it was to change when it began."`
	Done     int      `json:"done" doc:"How many it has changed."`
	Skipped  int      `json:"skipped" doc:"How many were in no state for it."`
	// Source is that of a sync, and Sync what was wanted of it.
	Source string `json:"source,omitempty" doc:"The source of a sync."`
	Sync   *Sync  `json:"sync,omitempty" doc:"What a sync is to do."`
	// Silence is one that was added or ended, When its expression and Until its end.
	Silence string     `json:"silence,omitempty" doc:"The silence that was added or ended."`
	When    string     `json:"when,omitempty" doc:"The expression of a silence."`
	Until   *time.Time `json:"until,omitempty" doc:"The end of a silence that was added, or of a link."`
	// Events and Filter are what a bulk action is of.
	Events *EventFilter    `json:"event_filter,omitempty" doc:"The events that a bulk action is of."`
	Filter *DeliveryFilter `json:"delivery_filter,omitempty" doc:"The deliveries that a bulk action is of."`
	// IDs are of deliveries, or of events for a replay, that were named one by one.
	IDs []string `json:"ids,omitempty" doc:"The deliveries, or for a replay the events, that were named one by one; at most 10."`
	// Error is why it failed or stopped, or why rows were skipped last.
	Error     string    `json:"error,omitempty" doc:"Why it failed or stopped, or why rows were skipped last."`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
	// Deliveries are those of an event that it changed or made, in its story.
	Deliveries []string `json:"deliveries,omitempty" doc:"The deliveries of the event that it changed or made, in its story."`
}

// maxNamed bounds the ids that the view of an action repeats.
const maxNamed = 10

func viewAction(a store.Action) Action {
	v := Action{
		ID: a.ID.String(), What: a.What, State: a.State, Who: a.Who, Via: a.Via, Target: a.Args.Target, To: a.Args.To,
		Redecode: a.Args.Redecode, Reason: a.Args.Reason, Matched: a.Matched, Done: a.Done, Skipped: a.Skipped, Error: a.Error,
		Events: viewEventFilter(a.Args.Events), Filter: viewDeliveryFilter(a.Args.Deliveries),
		CreatedAt: a.CreatedAt, UpdatedAt: a.UpdatedAt, When: a.Args.When,
	}
	if a.Args.Silence != uuid.Nil {
		v.Silence = a.Args.Silence.String()
	}
	if v.Source = a.Args.Source; a.Args.Sync != nil {
		wish := Sync(*a.Args.Sync)
		v.Sync = &wish
	}
	if !a.Args.Until.IsZero() {
		v.Until = &a.Args.Until
	}
	for _, id := range a.Args.IDs[:min(len(a.Args.IDs), maxNamed)] {
		v.IDs = append(v.IDs, id.String())
	}
	return v
}

// Done is what became of a few rows.
type Done struct {
	Action Action `json:"action"`
	// Skipped are those that were in no state for it.
	Skipped []Skipped `json:"skipped" nullable:"false" doc:"Those that were in no state for it."`
}

// Skipped is a row that was left as it is.
type Skipped struct {
	ID     string `json:"id"`
	Reason string `json:"reason"`
}

func viewResult(r operate.Result) Done {
	done := Done{Action: viewAction(r.Action), Skipped: []Skipped{}}
	for id, reason := range r.Reasons {
		done.Skipped = append(done.Skipped, Skipped{ID: id.String(), Reason: reason})
	}
	slices.SortFunc(done.Skipped, func(a, b Skipped) int { return strings.Compare(a.ID, b.ID) })
	return done
}

// Replay says how events are replayed.
type Replay struct {
	To       []string `json:"to,omitempty" maxItems:"100" doc:"Targets that get it whatever the routes say; absent routes it anew."`
	Redecode bool     `json:"redecode,omitempty" doc:"Decode the request anew first."`
}

// Count is how many rows a filter matches.
type Count struct {
	Count int `json:"count" doc:"At most 100000."`
	// More: there are more than were counted.
	More bool `json:"more,omitempty" doc:"There are more than were counted."`
}

// CountEvents counts events.
func (s *Service) CountEvents(ctx context.Context, p Principal, f EventFilter) (Count, error) {
	query, err := f.queryOf(p)
	if err != nil {
		return Count{}, err
	}
	n, err := s.Operate.CountEvents(ctx, query)
	return counted(n, err)
}

// CountDeliveries counts deliveries, or those that a bulk action would change, which is to
// be what follows.
func (s *Service) CountDeliveries(ctx context.Context, f DeliveryFilter, what store.ActionKind) (Count, error) {
	query, err := s.deliveryQuery(ctx, f)
	if err != nil {
		return Count{}, err
	}
	if what == "" {
		n, err := s.Operate.CountDeliveries(ctx, query)
		return counted(n, err)
	}
	n, err := s.Operate.Count(ctx, operate.Bulk{What: what, Deliveries: &query})
	return counted(n, err)
}

func counted(n store.Count, err error) (Count, error) {
	if err != nil {
		return Count{}, explain("count", err)
	}
	return Count{Count: n.N, More: n.More}, nil
}

// Retry gives deliveries more attempts. Ids may be short.
func (s *Service) Retry(ctx context.Context, p Principal, ids []string) (Done, error) {
	return s.change(ctx, p, ids, s.Operate.RetryDeliveries)
}

// Cancel gives deliveries up.
func (s *Service) Cancel(ctx context.Context, p Principal, ids []string) (Done, error) {
	return s.change(ctx, p, ids, s.Operate.CancelDeliveries)
}

func (s *Service) change(ctx context.Context, p Principal, texts []string,
	do func(context.Context, operate.Actor, []uuid.UUID) (operate.Result, error),
) (Done, error) {
	ids, err := each(texts, func(text string) (uuid.UUID, error) { return s.FindDeliveryID(ctx, text) })
	if err != nil {
		return Done{}, err
	}
	r, err := do(ctx, p.actor(), ids)
	if err != nil {
		return Done{}, explain("change deliveries", err)
	}
	return viewResult(r), nil
}

// Replay makes new deliveries of events.
func (s *Service) Replay(ctx context.Context, p Principal, texts []string, r Replay) (Done, error) {
	ids, err := each(texts, func(text string) (uuid.UUID, error) { return s.FindEventID(ctx, text) })
	if err != nil {
		return Done{}, err
	}
	result, err := s.Operate.ReplayEvents(ctx, p.actor(), ids, operate.Replay{To: r.To, Redecode: r.Redecode})
	if err != nil {
		return Done{}, explain("replay events", err)
	}
	return viewResult(result), nil
}

func each(texts []string, find func(string) (uuid.UUID, error)) ([]uuid.UUID, error) {
	ids := make([]uuid.UUID, len(texts))
	var err error
	for i, text := range texts {
		if ids[i], err = find(text); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

// RetryAll retries every delivery that a filter matches, if that are as many as expected.
func (s *Service) RetryAll(ctx context.Context, p Principal, f DeliveryFilter, expect int) (Action, error) {
	return s.changeAll(ctx, p, store.ActionRetry, f, expect)
}

// CancelAll gives every delivery up that a filter matches.
func (s *Service) CancelAll(ctx context.Context, p Principal, f DeliveryFilter, expect int) (Action, error) {
	return s.changeAll(ctx, p, store.ActionCancel, f, expect)
}

func (s *Service) changeAll(ctx context.Context, p Principal, what store.ActionKind, f DeliveryFilter, expect int) (Action, error) {
	query, err := s.deliveryQuery(ctx, f)
	if err != nil {
		return Action{}, err
	}
	return s.begin(ctx, p, operate.Bulk{What: what, Deliveries: &query, ExpectCount: &expect})
}

// ReplayAll replays every event that a filter matches.
func (s *Service) ReplayAll(ctx context.Context, p Principal, f EventFilter, r Replay, expect int) (Action, error) {
	query, err := f.query()
	if err != nil {
		return Action{}, err
	}
	return s.begin(ctx, p, operate.Bulk{
		What: store.ActionReplay, Events: &query, To: r.To, Redecode: r.Redecode, ExpectCount: &expect,
	})
}

func (s *Service) begin(ctx context.Context, p Principal, b operate.Bulk) (Action, error) {
	a, err := s.Operate.Begin(ctx, p.actor(), b)
	if err != nil {
		return Action{}, explain("begin "+string(b.What), err)
	}
	return viewAction(a), nil
}

// ListActions returns what operators did, newest first.
func (s *Service) ListActions(ctx context.Context, p Page) (List[Action], error) {
	if p.Oldest {
		return List[Action]{}, invalid("actions are listed newest first")
	}
	before, _, err := p.from("actions")
	if err != nil {
		return List[Action]{}, err
	}
	rows, err := s.Store.ListActions(ctx, store.ActionFilter{Before: before, Limit: p.Limit + 1})
	if err != nil {
		return List[Action]{}, fmt.Errorf("list actions: %w", err)
	}
	return newList(rows, uuid.Nil, p, "actions", func(a store.Action) uuid.UUID { return a.ID }, viewAction)
}

// FindAction returns an action.
func (s *Service) FindAction(ctx context.Context, text string) (Action, error) {
	id, err := s.findActionID(ctx, text)
	if err != nil {
		return Action{}, err
	}
	a, err := s.Store.FindAction(ctx, id)
	if err != nil {
		return Action{}, missing(err, "action", id)
	}
	return viewAction(a), nil
}

// StopAction ends a bulk action; what it has done stays.
func (s *Service) StopAction(ctx context.Context, p Principal, text string) (Action, error) {
	id, err := s.findActionID(ctx, text)
	if err != nil {
		return Action{}, err
	}
	a, err := s.Operate.StopAction(ctx, p.actor(), id)
	if errors.Is(err, store.ErrNotFound) {
		return Action{}, missing(err, "action", id)
	}
	if err != nil {
		return Action{}, forbids("stop action", err)
	}
	return viewAction(a), nil
}

// maxActions bounds the actions of a story.
const maxActions = 100

// actionsOf returns what operators did with an event.
func (s *Service) actionsOf(ctx context.Context, id uuid.UUID) ([]Action, error) {
	rows, err := s.Store.ActionsOf(ctx, id, maxActions)
	if err != nil {
		return nil, fmt.Errorf("list actions of event %s: %w", id, err)
	}
	views := []Action{}
	for _, row := range rows {
		i := slices.IndexFunc(views, func(a Action) bool { return a.ID == row.ID.String() })
		if i < 0 {
			i, views = len(views), append(views, viewAction(row.Action))
		}
		if row.DeliveryID != uuid.Nil {
			views[i].Deliveries = append(views[i].Deliveries, row.DeliveryID.String())
		}
	}
	return views, nil
}

// explain makes a problem of what an operator asked for and cannot have.
func explain(what string, err error) error {
	switch {
	case errors.Is(err, operate.ErrInvalid):
		return invalid("%s", less(err, operate.ErrInvalid))
	case errors.Is(err, operate.ErrUnknownTarget):
		return invalid("%s", less(err, operate.ErrUnknownTarget))
	case errors.Is(err, operate.ErrCountDiffers):
		return conflict("%s", less(err, operate.ErrCountDiffers))
	case errors.Is(err, operate.ErrNothing):
		return conflict("%s: there is nothing to do", operate.ErrNothing)
	default:
		return fmt.Errorf("%s: %w", what, err)
	}
}

// forbids is explain where it is the state of a thing that forbids what was asked for.
func forbids(what string, err error) error {
	if errors.Is(err, operate.ErrInvalid) {
		return conflict("%s: %s", what, less(err, operate.ErrInvalid))
	}
	return explain(what, err)
}

// less is what an error says after its kind.
func less(err, kind error) string {
	_, said, ok := strings.Cut(err.Error(), kind.Error()+": ")
	if !ok {
		return err.Error()
	}
	return said
}
