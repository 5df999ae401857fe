package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
)

// eventView is an event as JSON.
type eventView struct {
	ID             string          `json:"id"`
	Source         string          `json:"source"`
	State          event.State     `json:"state"`
	Origin         sdk.Origin      `json:"origin,omitempty"`
	ReceivedAt     time.Time       `json:"received_at"`
	Type           sdk.Type        `json:"type,omitempty"`
	Title          string          `json:"title,omitempty"`
	Summary        string          `json:"summary,omitempty"`
	Reason         string          `json:"reason,omitempty"`
	Fingerprint    string          `json:"fingerprint,omitempty"`
	CorrelationKey string          `json:"correlation_key,omitempty"`
	Request        *requestView    `json:"request,omitempty"`
	Event          json.RawMessage `json:"event,omitempty"`
	Deliveries     []deliveryView  `json:"deliveries,omitempty"`
	// Repetitions are the requests and records that told the same, and were dropped.
	Repetitions []repetitionView `json:"repetitions,omitempty"`
	Counts      map[string]int   `json:"delivery_counts,omitempty"`
}

// repetitionView is a dropped repetition as JSON.
type repetitionView struct {
	ID     string     `json:"id"`
	SeenAt time.Time  `json:"seen_at"`
	Origin sdk.Origin `json:"origin"`
}

// requestView is a stored request: its credentials were never stored.
type requestView struct {
	Method string      `json:"method"`
	Query  string      `json:"query,omitempty"`
	Header http.Header `json:"header,omitempty"`
	Bytes  int         `json:"size_bytes"`
}

// deliveryView is a delivery as JSON.
type deliveryView struct {
	ID        string              `json:"id"`
	EventID   string              `json:"event_id"`
	Target    string              `json:"target"`
	Route     string              `json:"route"`
	State     event.DeliveryState `json:"state"`
	Attempts  int                 `json:"attempts"`
	DueAt     *time.Time          `json:"due_at,omitempty"`
	Reason    string              `json:"reason,omitempty"`
	CreatedAt time.Time           `json:"created_at"`
	UpdatedAt time.Time           `json:"updated_at"`
	MessageID string              `json:"message_id,omitempty"`
	// Hold is what holds its target, and HoldUntil and NextProbe until when, in the views of
	// single items.
	Hold      string     `json:"hold,omitempty"`
	HoldUntil *time.Time `json:"hold_until,omitempty"`
	NextProbe *time.Time `json:"next_probe,omitempty"`
	// The following are of the event, in lists.
	Source string   `json:"source,omitempty"`
	Type   sdk.Type `json:"type,omitempty"`
	Title  string   `json:"title,omitempty"`
	// History is every attempt, in the views of single items.
	History []attemptView `json:"history,omitempty"`
}

// attemptView is an attempt as JSON.
type attemptView struct {
	Number    int       `json:"number"`
	StartedAt time.Time `json:"started_at"`
	ElapsedMS float64   `json:"elapsed_ms"`
	Class     sdk.Class `json:"class"`
	Status    int       `json:"status,omitempty"`
	Message   string    `json:"message,omitempty"`
	Excerpt   string    `json:"excerpt,omitempty"`
	Counted   bool      `json:"counted"`
}

func viewEvent(e event.Event) eventView {
	return eventView{
		ID: e.ID.String(), Source: e.Source, State: e.State, Origin: e.Origin, ReceivedAt: e.ReceivedAt,
		Type: e.Type, Title: e.Title, Summary: e.Summary, Reason: e.Reason,
		Fingerprint: e.Fingerprint, CorrelationKey: e.CorrelationKey,
		Request: &requestView{Method: e.Request.Method, Query: e.Request.Query, Header: e.Request.Header, Bytes: len(e.Request.Body)},
		Event:   e.Normalized,
	}
}

func viewEventSummary(e store.EventSummary) eventView {
	v := eventView{
		ID: e.ID.String(), Source: e.Source, State: e.State, ReceivedAt: e.ReceivedAt, Type: e.Type, Title: e.Title, Reason: e.Reason,
		Counts: map[string]int{},
	}
	for state, n := range e.Deliveries {
		v.Counts[string(state)] = n
	}
	return v
}

func viewDelivery(d event.Delivery, attempts []event.Attempt) deliveryView {
	v := deliveryView{
		ID: d.ID.String(), EventID: d.EventID.String(), Target: d.Target, Route: d.Route, State: d.State, Attempts: d.Attempts,
		Reason: d.Reason, CreatedAt: d.CreatedAt, UpdatedAt: d.UpdatedAt, MessageID: d.MessageID,
	}
	if d.State == event.Pending && d.DueAt.After(time.Now()) {
		v.DueAt = &d.DueAt
	}
	for _, a := range attempts {
		v.History = append(v.History, attemptView{
			Number: a.Number, StartedAt: a.StartedAt, ElapsedMS: float64(a.Elapsed.Microseconds()) / 1000,
			Class: a.Class, Status: a.Status, Message: a.Message, Excerpt: a.Excerpt, Counted: a.Counted,
		})
	}
	return v
}

// held says of a pending delivery what its target waits for.
func (v *deliveryView) held(targets []store.Target) {
	for _, t := range targets {
		if t.Name == v.Target && v.State == event.Pending {
			var state, reason string
			state, reason, v.HoldUntil, v.NextProbe = wait(&t)
			v.Hold = state + ": " + reason
		}
	}
}

func viewDeliverySummary(d store.DeliverySummary) deliveryView {
	v := viewDelivery(d.Delivery, nil)
	v.Source, v.Type, v.Title = d.Source, d.Type, d.Title
	return v
}

// states sums deliveries up: "2 delivered, 1 pending".
func states(counts map[string]int) string {
	var parts []string
	for _, state := range deliveryStates() {
		if n := counts[string(state)]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, state))
		}
	}
	return strings.Join(parts, ", ")
}

func deliveryStates() []event.DeliveryState {
	return []event.DeliveryState{event.Delivered, event.Pending, event.Verifying, event.Dead, event.Superseded, event.Cancelled}
}

func eventStates() []event.State {
	return []event.State{event.Routed, event.Deferred, event.Undecodable, event.Duplicate}
}
