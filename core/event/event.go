// Package event holds the things that Hookarr keeps, their states and their ids:
// events, deliveries and attempts. It does no I/O.
package event

import (
	"encoding/hex"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/hookarr/hookarr/sdk"
)

// State says how far an event has come.
type State string

// The event states.
const (
	// Deferred is accepted and not decoded yet.
	Deferred State = "deferred"
	// Routed is decoded; its deliveries, possibly none, exist.
	Routed State = "routed"
	// Undecodable is kept as raw bytes that no decoder understood.
	Undecodable State = "undecodable"
	// Duplicate was found, when its decoding was made up for, to repeat another
	// event.
	Duplicate State = "duplicate"
)

// States are the event states in the order in which people are told of them.
func States() []State { return []State{Routed, Deferred, Undecodable, Duplicate} }

// Request is the inbound request of an event, less its credentials.
type Request struct {
	Method string
	Query  string
	Header http.Header
	Body   []byte
}

// Event is one verified inbound webhook: the raw bytes, and its normalised form
// once decoded.
type Event struct {
	ID         uuid.UUID
	Source     string
	State      State
	Origin     sdk.Origin
	ReceivedAt time.Time
	Request    Request
	// Traceparent is the span that took it in, by W3C Trace Context. It is empty for one that
	// was not traced.
	Traceparent string

	// The following are empty until the event is decoded.
	Type           sdk.Type
	Title          string
	Summary        string
	Fingerprint    string
	CorrelationKey string
	// Normalized is the event of the published schema, as JSON.
	Normalized []byte

	// Reason says why an event is undecodable, was skipped, waits for its decoder,
	// or what it repeats.
	Reason string
	// Crashes counts how often decoding it alone has crashed its decoder.
	Crashes int
}

// DeliveryState says how far a delivery has come.
type DeliveryState string

// The delivery states.
const (
	// Pending has a job that will attempt it, now or once its target's hold has ended.
	Pending DeliveryState = "pending"
	// Verifying was accepted by the endpoint, and its effect is not proven yet.
	Verifying DeliveryState = "verifying"
	// Delivered was accepted by the endpoint.
	Delivered DeliveryState = "delivered"
	// Superseded was overtaken by a newer delivery to the same message.
	Superseded DeliveryState = "superseded"
	// Dead is a dead letter: it will not be attempted again by itself.
	Dead DeliveryState = "dead"
	// Cancelled was given up by an operator.
	Cancelled DeliveryState = "cancelled"
)

// DeliveryStates are the delivery states in the order in which people are told of them.
func DeliveryStates() []DeliveryState {
	return []DeliveryState{Delivered, Pending, Verifying, Dead, Superseded, Cancelled}
}

// Delivery is the obligation to get one event, or one group of events, to one target.
type Delivery struct {
	ID uuid.UUID
	// EventID is the event, or the first of the group.
	EventID uuid.UUID
	Target  string
	Route   string
	State   DeliveryState
	// Attempts counts the attempts that the endpoint answers for.
	Attempts int
	// Suspect is set while the delivery may be what crashed its plugin: it is then
	// attempted with nothing else in that plugin.
	Suspect bool
	// Crashes counts how often the plugin crashed while attempting it alone.
	Crashes int
	// DueAt is when it was or is to be attempted. It tells people and the reconciler;
	// when it is attempted, its job says.
	DueAt time.Time
	// Reason is what the last attempt said, or why the delivery is dead or cancelled.
	Reason    string
	CreatedAt time.Time
	UpdatedAt time.Time
	// RetriedAt is when an operator retried it last, zero for never, and RetriedAfter how
	// many attempts were counted by then.
	RetriedAt    time.Time
	RetriedAfter int
	// MessageID and Receipt are the endpoint's, once it has accepted the delivery.
	MessageID string
	Receipt   []byte
	// Proof is what is known of the proof that the endpoint's acceptance had its effect.
	Proof Proof
	// GroupKey is what the events of a group have in common; empty for one event. Members
	// is how many there are, and ClosedAt when the last one could join, zero until then.
	GroupKey string
	Members  int
	ClosedAt time.Time
	// SupersededBy is the delivery that tells what a superseded one was to tell.
	SupersededBy uuid.UUID
	// Note says what became of it in a few words: it edited a message, or why it is not as it
	// was to be, such as alone instead of in a group.
	Note string
}

// Proof is what is known of the proof that what an endpoint accepted had its effect. The
// zero value is that of a delivery of which none is asked for.
type Proof struct {
	// AcceptedAt is when the endpoint accepted the delivery.
	AcceptedAt time.Time
	// Within is how long the proof may take, and By until when. The time in which nobody
	// could ask is added to By alone.
	Within time.Duration
	By     time.Time
	// Asks counts how often the target was asked for it.
	Asks int
}

// Live reports whether a job is to come back to deliveries in the state.
func (s DeliveryState) Live() bool { return s == Pending || s == Verifying }

// Open reports whether events may still join the delivery.
func (d Delivery) Open() bool { return d.GroupKey != "" && d.ClosedAt.IsZero() && d.State == Pending }

// Began is when its age and its schedule begin: when it was made, closed, retried last, or
// accepted by its endpoint.
func (d Delivery) Began() time.Time {
	began := d.CreatedAt
	for _, later := range []time.Time{d.ClosedAt, d.RetriedAt, d.Proof.AcceptedAt} {
		if later.After(began) {
			began = later
		}
	}
	return began
}

// Attempt is one try of a delivery.
type Attempt struct {
	DeliveryID uuid.UUID
	// Number is the count of attempts with this one; an attempt that is not Counted
	// has the number of the next.
	Number    int
	StartedAt time.Time
	Elapsed   time.Duration
	Class     sdk.Class
	// Status is the HTTP status, or 0 without an answer.
	Status  int
	Message string
	Excerpt string
	// Request is what was sent, as far as it is known and text: at most MaxRequest bytes.
	Request string
	Counted bool
	// Ask is 0 for an attempt. Else it is the number of a question whether what attempt
	// Number brought about is proven; the last of each class is kept.
	Ask int
}

// MaxRequest is the most bytes that are kept of what an attempt sent.
const MaxRequest = 16 << 10

// NewID returns a new time-ordered id (UUIDv7).
func NewID() uuid.UUID { return uuid.Must(uuid.NewV7()) }

// FirstID is the id below which no id is that was made at a time or later, to the
// millisecond.
func FirstID(at time.Time) uuid.UUID {
	var id uuid.UUID
	ms := max(at.UnixMilli(), 0)
	for i := range 6 {
		id[i] = byte(ms >> (8 * (5 - i)))
	}
	return id
}

// TimeOf is when an id was made, to the millisecond.
func TimeOf(id uuid.UUID) time.Time {
	var ms int64
	for _, b := range id[:6] {
		ms = ms<<8 | int64(b)
	}
	return time.UnixMilli(ms).UTC()
}

// PrefixRange returns the first and the last id that begin as prefix does, which is hex
// digits with or without dashes. It reports false for what no id begins with.
func PrefixRange(prefix string) (first, last uuid.UUID, ok bool) {
	digits := strings.ReplaceAll(strings.ToLower(prefix), "-", "")
	if digits == "" || len(digits) > 2*len(first) || strings.Trim(digits, "0123456789abcdef") != "" {
		return first, last, false
	}
	rest := 2*len(first) - len(digits)
	_, err := hex.Decode(first[:], []byte(digits+strings.Repeat("0", rest)))
	_, err2 := hex.Decode(last[:], []byte(digits+strings.Repeat("f", rest)))
	return first, last, err == nil && err2 == nil
}
