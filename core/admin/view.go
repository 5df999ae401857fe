package admin

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
)

// Event is an event as JSON. What it holds depends on where it is shown: lists have its
// counts, and its own page the rest.
type Event struct {
	ID             string          `json:"id" doc:"UUIDv7." example:"0197a2c4-5b1e-7c3a-9d2f-1a2b3c4d5e6f"`
	Source         string          `json:"source"`
	State          event.State     `json:"state" enum:"deferred,routed,undecodable,duplicate"`
	Origin         sdk.Origin      `json:"origin,omitempty"`
	ReceivedAt     time.Time       `json:"received_at"`
	Type           sdk.Type        `json:"type,omitempty"`
	Title          string          `json:"title,omitempty"`
	Summary        string          `json:"summary,omitempty"`
	Reason         string          `json:"reason,omitempty" doc:"Why it is undecodable, was skipped, waits for its decoder, or what it repeats."`
	Fingerprint    string          `json:"fingerprint,omitempty"`
	CorrelationKey string          `json:"correlation_key,omitempty"`
	Request        *Request        `json:"request,omitempty"`
	Event          json.RawMessage `json:"event,omitempty" doc:"The normalised event, by the published schema."`
	Deliveries     []Delivery      `json:"deliveries,omitempty"`
	// Repetitions are the requests and records that told the same, and were dropped.
	Repetitions []Repetition   `json:"repetitions,omitempty" doc:"What told the same and was dropped; at most 100."`
	Counts      map[string]int `json:"delivery_counts,omitempty" doc:"Its deliveries by state, in lists."`
}

// Repetition is a dropped repetition as JSON.
type Repetition struct {
	ID     string     `json:"id"`
	SeenAt time.Time  `json:"seen_at"`
	Origin sdk.Origin `json:"origin"`
}

// Request is a stored request: its credentials were never stored.
type Request struct {
	Method string      `json:"method"`
	Query  string      `json:"query,omitempty" doc:"For the role operate alone."`
	Header http.Header `json:"header,omitempty" doc:"For the role operate alone."`
	Bytes  int         `json:"size_bytes"`
}

// Delivery is a delivery as JSON.
type Delivery struct {
	ID        string              `json:"id"`
	EventID   string              `json:"event_id"`
	Target    string              `json:"target"`
	Route     string              `json:"route"`
	State     event.DeliveryState `json:"state" enum:"pending,verifying,delivered,superseded,dead,cancelled"`
	Attempts  int                 `json:"attempts"`
	DueAt     *time.Time          `json:"due_at,omitempty" doc:"When it is attempted next, if that is to come."`
	Reason    string              `json:"reason,omitempty"`
	CreatedAt time.Time           `json:"created_at"`
	UpdatedAt time.Time           `json:"updated_at"`
	MessageID string              `json:"message_id,omitempty" doc:"The endpoint's id of what it made of it."`
	// Hold is what holds its target, and HoldUntil and NextProbe until when, in the views of
	// single items.
	Hold      string     `json:"hold,omitempty" doc:"What holds its target now."`
	HoldUntil *time.Time `json:"hold_until,omitempty"`
	NextProbe *time.Time `json:"next_probe,omitempty"`
	// The following are of the event, in lists.
	Source string   `json:"source,omitempty"`
	Type   sdk.Type `json:"type,omitempty"`
	Title  string   `json:"title,omitempty"`
	// History is every attempt, in the views of single items.
	History []Attempt `json:"history,omitempty"`
}

// Attempt is an attempt as JSON.
type Attempt struct {
	Number    int       `json:"number"`
	StartedAt time.Time `json:"started_at"`
	ElapsedMS float64   `json:"elapsed_ms"`
	Class     sdk.Class `json:"class"`
	Status    int       `json:"status,omitempty" doc:"HTTP status, if there was an answer."`
	Message   string    `json:"message,omitempty"`
	Excerpt   string    `json:"excerpt,omitempty" doc:"The beginning of the answer."`
	Counted   bool      `json:"counted"`
	// Request is what was sent.
	Request string `json:"request,omitempty" doc:"What was sent, as far as it is known; for the role operate alone."`
}

// Target is a target as JSON.
type Target struct {
	Name   string `json:"name"`
	Plugin string `json:"plugin,omitempty"`
	// State is open, throttled, unconfigured, or the kind of hold.
	State  string     `json:"state" doc:"open, throttled, unconfigured, or the kind of hold."`
	Reason string     `json:"reason,omitempty"`
	Since  *time.Time `json:"since,omitempty"`
	// Until is when it takes deliveries again by itself.
	Until   *time.Time `json:"until,omitempty" doc:"When it takes deliveries again by itself."`
	ProbeAt *time.Time `json:"next_probe,omitempty"`
	Pending int        `json:"pending"`
	Dead    int        `json:"dead"`
}

func viewEvent(e event.Event) Event {
	return Event{
		ID: e.ID.String(), Source: e.Source, State: e.State, Origin: e.Origin, ReceivedAt: e.ReceivedAt,
		Type: e.Type, Title: e.Title, Summary: e.Summary, Reason: e.Reason,
		Fingerprint: e.Fingerprint, CorrelationKey: e.CorrelationKey,
		Request: &Request{Method: e.Request.Method, Query: e.Request.Query, Header: e.Request.Header, Bytes: len(e.Request.Body)},
		Event:   e.Normalized,
	}
}

func viewEventSummary(e store.EventSummary) Event {
	v := Event{
		ID: e.ID.String(), Source: e.Source, State: e.State, ReceivedAt: e.ReceivedAt, Type: e.Type, Title: e.Title, Reason: e.Reason,
		Counts: map[string]int{},
	}
	for state, n := range e.Deliveries {
		v.Counts[string(state)] = n
	}
	return v
}

func viewDelivery(d event.Delivery, attempts []event.Attempt) Delivery {
	v := Delivery{
		ID: d.ID.String(), EventID: d.EventID.String(), Target: d.Target, Route: d.Route, State: d.State, Attempts: d.Attempts,
		Reason: d.Reason, CreatedAt: d.CreatedAt, UpdatedAt: d.UpdatedAt, MessageID: d.MessageID,
	}
	if d.State == event.Pending && d.DueAt.After(time.Now()) {
		v.DueAt = &d.DueAt
	}
	for _, a := range attempts {
		v.History = append(v.History, Attempt{
			Number: a.Number, StartedAt: a.StartedAt, ElapsedMS: float64(a.Elapsed.Microseconds()) / 1000,
			Class: a.Class, Status: a.Status, Message: a.Message, Excerpt: a.Excerpt, Counted: a.Counted, Request: a.Request,
		})
	}
	return v
}

// held says of a pending delivery what its target waits for.
func (v *Delivery) held(targets []store.Target) {
	for _, t := range targets {
		if t.Name == v.Target && v.State == event.Pending {
			var state, reason string
			state, reason, v.HoldUntil, v.NextProbe = wait(&t)
			v.Hold = state + ": " + reason
		}
	}
}

func viewDeliverySummary(d store.DeliverySummary) Delivery {
	v := viewDelivery(d.Delivery, nil)
	v.Source, v.Type, v.Title = d.Source, d.Type, d.Title
	return v
}

// wait is what a target waits for: the kind of its hold, or what its pace comes from.
func wait(t *store.Target) (state, reason string, until, probeAt *time.Time) {
	if t.Hold == "" {
		return string(store.HoldThrottled), t.Pace, &t.NextAt, nil
	}
	if !t.Until.IsZero() {
		until = &t.Until
	}
	if !t.ProbeAt.IsZero() {
		probeAt = &t.ProbeAt
	}
	return string(t.Hold), t.Reason, until, probeAt
}
