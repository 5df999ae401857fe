package store

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/sdk"
)

// Reader serves people.
type Reader interface {
	ActivityReader

	// EventIDs returns the ids that a filter's indexed part selects, in its order, at most
	// limit. SummarizeEvents returns those of the events that are stored, in no order, and
	// EventTexts has each seen, which is not to be kept; most bounds the bytes of each body.
	EventIDs(ctx context.Context, f EventFilter, limit int) ([]uuid.UUID, error)
	EventTexts(ctx context.Context, ids []uuid.UUID, most int, see func(*EventText)) error
	SummarizeEvents(ctx context.Context, ids []uuid.UUID) ([]EventSummary, error)
	// FindEventsByPrefix returns ids that begin with prefix, which is hex digits with or
	// without dashes, in their order, at most limit.
	FindEventsByPrefix(ctx context.Context, prefix string, limit int) ([]uuid.UUID, error)
	FindDeliveriesByPrefix(ctx context.Context, prefix string, limit int) ([]uuid.UUID, error)
	// LastSeen returns when each source was heard of last with each event type, by source
	// and type.
	LastSeen(ctx context.Context) ([]Seen, error)
	// FindEvent returns an event and its deliveries, or ErrNotFound.
	FindEvent(ctx context.Context, id uuid.UUID) (event.Event, []event.Delivery, error)
	// ListRepetitions returns what repeated an event, oldest first, at most limit.
	ListRepetitions(ctx context.Context, eventID uuid.UUID, limit int) ([]Repetition, error)
	// DeliveryIDs and SummarizeDeliveries are EventIDs and SummarizeEvents of deliveries.
	DeliveryIDs(ctx context.Context, f DeliveryFilter, limit int) ([]uuid.UUID, error)
	SummarizeDeliveries(ctx context.Context, ids []uuid.UUID) ([]DeliverySummary, error)
	// FindDelivery returns a delivery and its attempts, or ErrNotFound.
	FindDelivery(ctx context.Context, id uuid.UUID) (event.Delivery, []event.Attempt, error)
	// ListMembers returns the ids of the events of a delivery that may have several, oldest
	// first, at most limit.
	ListMembers(ctx context.Context, delivery uuid.UUID, limit int) ([]uuid.UUID, error)
	// CountDeliveries counts the deliveries that are not delivered by target and state.
	CountDeliveries(ctx context.Context) ([]DeliveryCount, error)
	// ListTargets returns the targets that are on hold, or whose endpoint has asked for a
	// pause that is not over, by name, and the database's time.
	ListTargets(ctx context.Context) ([]Target, time.Time, error)
	// QueuesAstray returns the targets whose River queue is paused without a hold, or not
	// paused with one.
	QueuesAstray(ctx context.Context) ([]string, error)
	// ListSilences returns the silences that are active or ended less than past ago, the one
	// that ends last first, at most MaxSilences, and the database's time.
	ListSilences(ctx context.Context, past time.Duration) ([]Silence, time.Time, error)
	// FindSession returns a session that has not expired and the database's time, or
	// ErrNotFound. ListSessions returns at most MaxSessions, in no order that tells anything.
	FindSession(ctx context.Context, id SecretID) (Session, time.Time, error)
	ListSessions(ctx context.Context) ([]Session, error)
	// FindLink returns whose a link is that has not expired, or ErrNotFound: a guess costs no
	// writer.
	FindLink(ctx context.Context, id SecretID) (who string, err error)
	// FindAction returns an action, or ErrNotFound.
	FindAction(ctx context.Context, id uuid.UUID) (Action, error)
	ListActions(ctx context.Context, f ActionFilter) ([]Action, error)
	// ActionsOf returns what operators did to an event and its deliveries, oldest first, at
	// most limit.
	ActionsOf(ctx context.Context, eventID uuid.UUID, limit int) ([]EventAction, error)
	// OpenTargets returns the targets that have pending deliveries.
	OpenTargets(ctx context.Context) ([]string, error)
}

// EventFilter selects events, newest first. Zero fields select everything. Indexes tell
// what Source, Type, State and the times select; the rest is searched for among these.
type EventFilter struct {
	Source string      `json:"source,omitempty"`
	Type   sdk.Type    `json:"type,omitempty"`
	State  event.State `json:"state,omitempty"`
	// Since and Until bound when events were received, to the millisecond; Until is no part
	// of it.
	Since time.Time `json:"since,omitzero"`
	Until time.Time `json:"until,omitzero"`
	// CorrelationKey selects the events of one story.
	CorrelationKey string `json:"correlation_key,omitempty"`
	// Text is part of the title, the summary, or the first 64 KiB of the normalised form or
	// of the body, whatever the case of its letters.
	Text string `json:"text,omitempty"`
	// WithoutBodies has Text not be looked for in bodies.
	WithoutBodies bool `json:"without_bodies,omitempty"`
	// Fields are in the normalised form, all of them, if that has no more than 512 KiB.
	Fields []Field `json:"fields,omitempty"`
	// Before and After continue a list: ids below, and above.
	Before uuid.UUID `json:"before,omitzero"`
	After  uuid.UUID `json:"after,omitzero"`
	// Oldest has the oldest come first.
	Oldest bool `json:"oldest,omitempty"`
	// Limit is 50 when zero.
	Limit int `json:"limit,omitempty"`
}

// Field is a value in the normalised form of an event.
type Field struct {
	// Path has the names of the objects around it: media.title. Of a list any item counts:
	// episodes.season.
	Path string `json:"path"`
	// Value is compared whatever the case of its letters.
	Value string `json:"value"`
}

// Seen is an event type that a source has sent, and when it did last. What is not decoded
// has no type.
type Seen struct {
	Source  string
	Type    sdk.Type
	EventID uuid.UUID
	At      time.Time
}

// EventSummary is an event in a list.
type EventSummary struct {
	ID         uuid.UUID
	Source     string
	Type       sdk.Type
	State      event.State
	Reason     string
	Title      string
	ReceivedAt time.Time
	// Deliveries counts its deliveries by state.
	Deliveries map[event.DeliveryState]int
}

// DeliveryFilter selects deliveries, newest first. Zero fields select everything. Indexes
// tell what Target, the states, EventID and the times select; the rest is searched for
// among these.
type DeliveryFilter struct {
	Target string              `json:"target,omitempty"`
	State  event.DeliveryState `json:"state,omitempty"`
	// States are others that are selected too.
	States  []event.DeliveryState `json:"states,omitempty"`
	EventID uuid.UUID             `json:"event_id,omitzero"`
	// Since and Until bound when deliveries were made, as those of EventFilter do.
	Since time.Time `json:"since,omitzero"`
	Until time.Time `json:"until,omitzero"`
	// Source and Type are those of the event.
	Source string   `json:"source,omitempty"`
	Type   sdk.Type `json:"type,omitempty"`
	Route  string   `json:"route,omitempty"`
	// Text is part of the reason or of the event's title, whatever the case of its letters.
	Text   string    `json:"text,omitempty"`
	Before uuid.UUID `json:"before,omitzero"`
	After  uuid.UUID `json:"after,omitzero"`
	Oldest bool      `json:"oldest,omitempty"`
	// Limit is 50 when zero.
	Limit int `json:"limit,omitempty"`
}

// Bounds are the first and the last id that the filter may select.
func (f EventFilter) Bounds() (first, last uuid.UUID) {
	return bounds(f.Since, f.Until, f.After, f.Before)
}

// AnyOf are the states that the filter selects; none is every state.
func (f DeliveryFilter) AnyOf() []event.DeliveryState {
	states := slices.Clone(f.States)
	if f.State != "" && !slices.Contains(states, f.State) {
		states = append(states, f.State)
	}
	return states
}

// Bounds are the first and the last id that the filter may select.
func (f DeliveryFilter) Bounds() (first, last uuid.UUID) {
	return bounds(f.Since, f.Until, f.After, f.Before)
}

func bounds(since, until time.Time, after, before uuid.UUID) (first, last uuid.UUID) {
	last = UpTo(before)
	if after != uuid.Nil {
		first = From(after)
	}
	if !since.IsZero() {
		first = laterID(first, event.FirstID(since))
	}
	if end := event.FirstID(until); !until.IsZero() && bytes.Compare(end[:], last[:]) <= 0 {
		last = uuid.Nil
		if end != uuid.Nil {
			last = UpTo(end)
		}
	}
	return first, last
}

func laterID(a, b uuid.UUID) uuid.UUID {
	if bytes.Compare(a[:], b[:]) > 0 {
		return a
	}
	return b
}

// DeliverySummary is a delivery in a list, with what it delivers.
type DeliverySummary struct {
	event.Delivery
	Source string
	Type   sdk.Type
	Title  string
}

// DeliveryCount is the number of deliveries of a target in a state.
type DeliveryCount struct {
	Target string
	State  event.DeliveryState
	Count  int
}

// Condition is a column of a list and the value that it must have.
type Condition struct{ Column, Value string }

// Range is a part of an index whose columns are those of Keys, then Each, then id: a list
// is merged from the pages at the ends of its ranges, so that it reads no more than a
// page of each.
type Range struct {
	Index string
	Keys  []Condition
	// Each is a column whose every value has a range of its own; empty for none.
	Each string
}

// Ranges are what a list of events is merged from; none where that is every event.
func (f EventFilter) Ranges() []Range {
	states := statesOr(f.State, event.Deferred, event.Routed, event.Undecodable, event.Duplicate)
	source, kind := Condition{"source", f.Source}, Condition{"type", string(f.Type)}
	switch {
	case f.Source != "" && f.Type != "":
		return ranges("events_source_type_idx", states, func(state Condition) []Condition { return []Condition{source, kind, state} })
	case f.Type != "":
		return ranges("events_type_idx", states, func(state Condition) []Condition { return []Condition{kind, state} })
	case f.Source != "":
		return ranges("events_source_idx", states, func(state Condition) []Condition { return []Condition{state, source} })
	case f.State != "":
		return []Range{{Index: "events_source_idx", Keys: states, Each: "source"}}
	default:
		return nil
	}
}

// Ranges are what a list of deliveries is merged from; none where that is every delivery.
// An event has few, which need no range.
func (f DeliveryFilter) Ranges() []Range {
	some := f.AnyOf()
	states := statesOr("", some...)
	if len(some) == 0 {
		states = statesOr("", event.Pending, event.Verifying, event.Delivered, event.Superseded, event.Dead, event.Cancelled)
	}
	target := Condition{"target", f.Target}
	switch {
	case f.Target != "":
		return ranges("deliveries_target_idx", states, func(state Condition) []Condition { return []Condition{state, target} })
	case len(some) > 0:
		all := ranges("deliveries_target_idx", states, func(state Condition) []Condition { return []Condition{state} })
		for i := range all {
			all[i].Each = "target"
		}
		return all
	default:
		return nil
	}
}

// statesOr is a state as a condition, or each state where there is none.
func statesOr[S ~string](one S, all ...S) []Condition {
	if one != "" {
		all = []S{one}
	}
	conditions := make([]Condition, len(all))
	for i, state := range all {
		conditions[i] = Condition{"state", string(state)}
	}
	return conditions
}

func ranges(index string, states []Condition, keys func(state Condition) []Condition) []Range {
	all := make([]Range, len(states))
	for i, state := range states {
		all[i] = Range{Index: index, Keys: keys(state)}
	}
	return all
}

// defaultPage is the length of a list without a limit.
const defaultPage = 50

// UpTo is the last id below one. Below none is the last of all: a list begins with it.
func UpTo(before uuid.UUID) uuid.UUID {
	for i := len(before) - 1; i >= 0; i-- {
		before[i]--
		if before[i] != 0xff {
			break
		}
	}
	return before
}

// From is the first id above one.
func From(after uuid.UUID) uuid.UUID {
	for i := len(after) - 1; i >= 0; i-- {
		after[i]++
		if after[i] != 0 {
			break
		}
	}
	return after
}

// Page is the length of a list.
func Page(limit int) int {
	if limit <= 0 {
		return defaultPage
	}
	return limit
}
