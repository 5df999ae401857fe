package store

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/sdk"
)

// Reader serves people.
type Reader interface {
	ListEvents(ctx context.Context, f EventFilter) ([]EventSummary, error)
	// FindEvent returns an event and its deliveries, or ErrNotFound.
	FindEvent(ctx context.Context, id uuid.UUID) (event.Event, []event.Delivery, error)
	// ListRepetitions returns what repeated an event, oldest first, at most limit.
	ListRepetitions(ctx context.Context, eventID uuid.UUID, limit int) ([]Repetition, error)
	ListDeliveries(ctx context.Context, f DeliveryFilter) ([]DeliverySummary, error)
	// FindDelivery returns a delivery and its attempts, or ErrNotFound.
	FindDelivery(ctx context.Context, id uuid.UUID) (event.Delivery, []event.Attempt, error)
	// CountDeliveries counts the deliveries that are not delivered by target and state.
	CountDeliveries(ctx context.Context) ([]DeliveryCount, error)
	// ListTargets returns the targets that are on hold, or whose endpoint has asked for a
	// pause that is not over, by name, and the database's time.
	ListTargets(ctx context.Context) ([]Target, time.Time, error)
	// QueuesAstray returns the targets whose River queue is paused without a hold, or not
	// paused with one.
	QueuesAstray(ctx context.Context) ([]string, error)
	// FindAction returns an action, or ErrNotFound.
	FindAction(ctx context.Context, id uuid.UUID) (Action, error)
	ListActions(ctx context.Context, f ActionFilter) ([]Action, error)
	// ActionsOf returns what operators did to an event and its deliveries, oldest first, at
	// most limit.
	ActionsOf(ctx context.Context, eventID uuid.UUID, limit int) ([]EventAction, error)
	// OpenTargets returns the targets that have pending deliveries.
	OpenTargets(ctx context.Context) ([]string, error)
}

// EventFilter selects events, newest first. Zero fields select everything.
type EventFilter struct {
	Source string
	Type   sdk.Type
	State  event.State
	// Before continues a list: ids below it.
	Before uuid.UUID
	// Limit is 50 when zero.
	Limit int
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

// DeliveryFilter selects deliveries, newest first. Zero fields select everything.
type DeliveryFilter struct {
	Target  string
	State   event.DeliveryState
	EventID uuid.UUID
	Before  uuid.UUID
	// Limit is 50 when zero.
	Limit int
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
	states := statesOr(f.State, event.Pending, event.Verifying, event.Delivered, event.Superseded, event.Dead, event.Cancelled)
	target := Condition{"target", f.Target}
	switch {
	case f.Target != "":
		return ranges("deliveries_target_idx", states, func(state Condition) []Condition { return []Condition{state, target} })
	case f.State != "":
		return []Range{{Index: "deliveries_target_idx", Keys: states, Each: "target"}}
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
