package admin

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/core/trace"
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
	TraceID        string          `json:"trace_id,omitempty" doc:"The trace of its request, if it was traced." example:"4bf92f3577b34da6a3ce929d0e0e4736"`
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
	DueAt     *time.Time          `json:"due_at,omitempty" doc:"When it is attempted, or asked for its proof, next, if that is to come."`
	Reason    string              `json:"reason,omitempty"`
	CreatedAt time.Time           `json:"created_at"`
	UpdatedAt time.Time           `json:"updated_at"`
	MessageID string              `json:"message_id,omitempty" doc:"The endpoint's id of what it made of it."`
	// Proof is there once the endpoint has accepted what is to be proven.
	Proof *Proof `json:"proof,omitempty" doc:"What is known of the proof that the endpoint did what it accepted."`
	// Group is what its events have in common.
	Group        string     `json:"group,omitempty" doc:"What its events have in common, if it may have several."`
	Members      int        `json:"members,omitempty" doc:"How many events it has, if it may have several."`
	ClosesAt     *time.Time `json:"closes_at,omitempty" doc:"Until when more events may join it."`
	EventIDs     []string   `json:"event_ids,omitempty" doc:"Its events, in the views of single items; at most 1,000."`
	SupersededBy string     `json:"superseded_by,omitempty" doc:"The delivery that tells what this one was to tell."`
	Note         string     `json:"note,omitempty" doc:"What became of it in a few words: it edited a message, or why it is not as it was to be."`
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

// Proof is what is known of a proof, as JSON.
type Proof struct {
	AcceptedAt time.Time `json:"accepted_at" doc:"When the endpoint accepted the delivery."`
	By         time.Time `json:"by" doc:"Until when it is waited for. Time in which nobody could ask is added."`
	Asks       int       `json:"asks" doc:"How often the target was asked for it."`
}

// Attempt is an attempt as JSON, or a question whether what one brought about is proven.
type Attempt struct {
	Number    int       `json:"number"`
	Ask       int       `json:"ask,omitempty" doc:"The number of the question for the proof of this attempt; absent for the attempt. The last of each class is kept."`
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
	// PendingSince is when the age of the oldest pending delivery began; nil without one.
	PendingSince *time.Time `json:"pending_since,omitempty" doc:"When the age of the oldest pending delivery began: when it was made, closed, or retried last."`
	// Verifying are those that its endpoint has accepted and not proven yet.
	Verifying int `json:"verifying" doc:"Deliveries that its endpoint has accepted, whose effect is not proven yet."`
	Dead      int `json:"dead"`
}

func viewEvent(e event.Event) Event {
	return Event{
		ID: e.ID.String(), Source: e.Source, State: e.State, Origin: e.Origin, ReceivedAt: e.ReceivedAt,
		Type: e.Type, Title: e.Title, Summary: e.Summary, TraceID: trace.ID(e.Traceparent), Reason: e.Reason,
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
	v.Note = d.Note
	if d.GroupKey != "" {
		v.Group, v.Members = d.GroupKey, d.Members
	}
	if d.SupersededBy != uuid.Nil {
		v.SupersededBy = d.SupersededBy.String()
	}
	switch {
	case d.Open():
		v.ClosesAt = &d.DueAt
	case d.State.Live() && d.DueAt.After(time.Now()):
		v.DueAt = &d.DueAt
	}
	if p := d.Proof; !p.AcceptedAt.IsZero() {
		v.Proof = &Proof{AcceptedAt: p.AcceptedAt, By: p.By, Asks: p.Asks}
	}
	for _, a := range attempts {
		v.History = append(v.History, Attempt{
			Number: a.Number, Ask: a.Ask, StartedAt: a.StartedAt, ElapsedMS: float64(a.Elapsed.Microseconds()) / 1000,
			Class: a.Class, Status: a.Status, Message: a.Message, Excerpt: a.Excerpt, Counted: a.Counted, Request: a.Request,
		})
	}
	return v
}

// held says of a delivery that waits what its target waits for.
func (v *Delivery) held(targets []store.Target) {
	for _, t := range targets {
		if t.Name == v.Target && v.State.Live() {
			var state, reason string
			state, reason, v.HoldUntil, v.NextProbe = wait(&t)
			switch {
			case reason == "":
				v.Hold = state
			case strings.HasPrefix(reason, state): // quiet hours
				v.Hold = reason
			default:
				v.Hold = state + ": " + reason
			}
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
