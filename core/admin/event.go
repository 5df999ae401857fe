package admin

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/route"
	"github.com/hookarr/hookarr/sdk"
)

// maxRepetitions and maxMembers bound those that are shown.
const (
	maxRepetitions = 100
	maxMembers     = 1000
)

// FindEvent returns an event with its deliveries, their attempts, and what repeated it.
// What senders and targets may mean to be private is for the role operate.
func (s *Service) FindEvent(ctx context.Context, p Principal, id uuid.UUID) (Event, error) {
	e, deliveries, err := s.Store.FindEvent(ctx, id)
	if err != nil {
		return Event{}, missing(err, "event", id)
	}
	return s.viewWhole(ctx, p, e, deliveries)
}

func (s *Service) viewWhole(ctx context.Context, p Principal, e event.Event, deliveries []event.Delivery) (Event, error) {
	targets, _, err := s.Store.ListTargets(ctx)
	if err != nil {
		return Event{}, fmt.Errorf("list targets: %w", err)
	}
	view := viewEvent(e)
	if !p.May(config.RoleOperate) {
		view.Request.Header, view.Request.Query = nil, ""
	}
	for _, d := range deliveries {
		_, attempts, err := s.Store.FindDelivery(ctx, d.ID)
		if err != nil {
			return Event{}, fmt.Errorf("find delivery: %w", err)
		}
		v := viewDelivery(d, attempts)
		v.held(targets)
		view.Deliveries = append(view.Deliveries, v.visible(p))
	}
	repetitions, err := s.Store.ListRepetitions(ctx, e.ID, maxRepetitions)
	if err != nil {
		return Event{}, fmt.Errorf("list repetitions: %w", err)
	}
	for _, r := range repetitions {
		view.Repetitions = append(view.Repetitions, Repetition{ID: r.ID.String(), SeenAt: r.SeenAt, Origin: r.Origin})
	}
	return view, nil
}

// visible returns what a principal may see of a delivery.
func (v Delivery) visible(p Principal) Delivery {
	if !p.May(config.RoleOperate) {
		for i := range v.History {
			v.History[i].Request = ""
		}
	}
	return v
}

// FindDelivery returns a delivery with its attempts, and what its target waits for.
func (s *Service) FindDelivery(ctx context.Context, p Principal, id uuid.UUID) (Delivery, error) {
	d, attempts, err := s.Store.FindDelivery(ctx, id)
	if err != nil {
		return Delivery{}, missing(err, "delivery", id)
	}
	v := viewDelivery(d, attempts)
	if d.GroupKey != "" {
		members, err := s.Store.ListMembers(ctx, id, maxMembers)
		if err != nil {
			return Delivery{}, err
		}
		for _, m := range members {
			v.EventIDs = append(v.EventIDs, m.String())
		}
	}
	if d.State.Live() {
		targets, _, err := s.Store.ListTargets(ctx)
		if err != nil {
			return Delivery{}, fmt.Errorf("list targets: %w", err)
		}
		v.held(targets)
	}
	return v.visible(p), nil
}

// Body returns what was received, or the normalised event.
func (s *Service) Body(ctx context.Context, id uuid.UUID, normalized bool) (body []byte, contentType string, err error) {
	e, _, err := s.Store.FindEvent(ctx, id)
	if err != nil {
		return nil, "", missing(err, "event", id)
	}
	if !normalized {
		// Never as what the sender calls it: a browser would run a page of theirs.
		return e.Request.Body, "application/octet-stream", nil
	}
	if len(e.Normalized) == 0 {
		return nil, "", conflict("event %s is %s: it has no normalized form", id, e.State)
	}
	return e.Normalized, "application/json", nil
}

// Story is all that became of an event, and why.
type Story struct {
	Event Event `json:"event"`
	// Auth is how its request was let in.
	Auth Step `json:"auth" doc:"How its request was let in."`
	// Decode is what its decoder made of it.
	Decode Step `json:"decode" doc:"What its decoder made of it."`
	// Routes are what the routes in use say of it, whatever those of its time said.
	Routes []Verdict `json:"routes" nullable:"false" doc:"What the routes in use now say of it, in order."`
	// Actions are what operators did with it.
	Actions []Action `json:"actions" nullable:"false" doc:"What operators did with it, newest first."`
}

// Step is one that an event took, or did not.
type Step struct {
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
}

// Verdict is what a route says of an event.
type Verdict struct {
	Route   string `json:"route"`
	Matches bool   `json:"matches"`
	// Failed is the first condition that the event does not meet: from, types or when.
	Failed route.Condition `json:"failed,omitempty" enum:"from,types,when" doc:"The first condition that the event does not meet."`
	Reason string          `json:"reason,omitempty" doc:"Why it does not meet it."`
	// To are the targets that it goes to by this route, Earlier those that an earlier
	// route leads to already.
	To      []string `json:"to,omitempty" doc:"The targets that it goes to by this route."`
	Earlier []string `json:"earlier,omitempty" doc:"Targets of this route that an earlier one leads to already."`
}

func viewVerdicts(verdicts []route.Verdict) []Verdict {
	views := make([]Verdict, len(verdicts))
	for i, v := range verdicts {
		views[i] = Verdict{Route: v.Route, Matches: v.Matches(), Failed: v.Failed, Reason: v.Reason, To: v.To, Earlier: v.Earlier}
	}
	return views
}

// Tell returns the story of an event.
func (s *Service) Tell(ctx context.Context, p Principal, id uuid.UUID) (Story, error) {
	e, deliveries, err := s.Store.FindEvent(ctx, id)
	if err != nil {
		return Story{}, missing(err, "event", id)
	}
	view, err := s.viewWhole(ctx, p, e, deliveries)
	if err != nil {
		return Story{}, err
	}
	story := Story{Event: view, Auth: s.letIn(e), Decode: decoded(e), Routes: []Verdict{}}
	if len(e.Normalized) > 0 {
		if story.Routes, err = s.explain(e.Source, e.Normalized); err != nil {
			return Story{}, err
		}
	}
	story.Actions, err = s.actionsOf(ctx, id)
	return story, err
}

// explain says what the routes in use make of an event.
func (s *Service) explain(source string, normalized []byte) ([]Verdict, error) {
	e := new(sdk.Event)
	if err := json.Unmarshal(normalized, e); err != nil {
		return nil, fmt.Errorf("read event: %w", err)
	}
	return viewVerdicts(s.Settings.Routes().Explain(source, e, normalized)), nil
}

// letIn says how the request of a stored event came in. Which way it took is not stored.
func (s *Service) letIn(e event.Event) Step {
	switch e.Origin {
	case sdk.OriginCatchup:
		return Step{OK: true, Detail: "read from the application's history"}
	case sdk.OriginSnapshot:
		return Step{OK: true, Detail: "found by comparing what the application has with what it had"}
	case sdk.OriginHookarr:
		return Step{OK: true, Detail: "told by Hookarr itself"}
	case sdk.OriginTarget:
		return Step{OK: true, Detail: "told by a target" + libraryOf(e)}
	case sdk.OriginWebhook:
	}
	source, ok := s.Settings.Config().Sources[e.Source]
	if !ok {
		return Step{OK: true, Detail: "its request was let in; the source is not in the configuration now"}
	}
	return Step{OK: true, Detail: "its request was let in; the source takes " + joined(authSchemes(source))}
}

// libraryOf names the target that told an event of a library.
func libraryOf(e event.Event) string {
	var told sdk.Event
	if json.Unmarshal(e.Normalized, &told) != nil || told.Library == nil || told.Library.Target == "" {
		return ""
	}
	return ", " + told.Library.Target
}

// decoded says what the decoder made of an event.
func decoded(e event.Event) Step {
	switch {
	case e.State == event.Deferred:
		return Step{Detail: "waits for its decoder: " + e.Reason}
	case e.State == event.Undecodable:
		return Step{Detail: "no decoder understands it: " + e.Reason}
	case e.State == event.Duplicate:
		return Step{OK: true, Detail: "repeats another event: " + e.Reason}
	case len(e.Normalized) == 0:
		return Step{OK: true, Detail: "skipped: " + e.Reason}
	default:
		return Step{OK: true, Detail: fmt.Sprintf("%s, %s", e.Type, e.Title)}
	}
}

// received is when a request to try is taken to have come.
func received() time.Time { return time.Now().UTC() }
