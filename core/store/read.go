package store

import (
	"context"
	"slices"
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

// Condition is a column of a list and the value that it must have. Values of states are
// among the constants of package event.
type Condition struct{ Column, Value string }

// Conditions are what the filter asks of an event.
func (f EventFilter) Conditions() []Condition {
	return given(Condition{"source", f.Source}, Condition{"type", string(f.Type)}, Condition{"state", string(f.State)})
}

// Conditions are what the filter asks of a delivery, besides its event.
func (f DeliveryFilter) Conditions() []Condition {
	return given(Condition{"target", f.Target}, Condition{"state", string(f.State)})
}

func given(all ...Condition) []Condition {
	return slices.DeleteFunc(all, func(c Condition) bool { return c.Value == "" })
}

// DeliveryStates are those that a list of one target is merged from.
func DeliveryStates() []event.DeliveryState {
	return []event.DeliveryState{
		event.Pending, event.Verifying, event.Delivered, event.Superseded, event.Dead, event.Cancelled,
	}
}

// defaultPage is the length of a list without a limit.
const defaultPage = 50

// Below is the id that a list continues below.
func Below(before uuid.UUID) uuid.UUID {
	if before == uuid.Nil {
		return uuid.Max
	}
	return before
}

// Page is the length of a list.
func Page(limit int) int {
	if limit <= 0 {
		return defaultPage
	}
	return limit
}
