// Package event holds the things that Hookarr keeps, their states and their ids:
// events, deliveries and attempts. It does no I/O.
package event

import (
	"encoding/hex"
	"fmt"
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

// Delivery is the obligation to get one event to one target.
type Delivery struct {
	ID      uuid.UUID
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
	// MessageID and Receipt are the endpoint's, once delivered.
	MessageID string
	Receipt   []byte
}

// Began is when its age and its schedule begin: when it was made, or retried last.
func (d Delivery) Began() time.Time {
	if d.RetriedAt.IsZero() {
		return d.CreatedAt
	}
	return d.RetriedAt
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

// ParseID reads an id as it is printed.
func ParseID(s string) (uuid.UUID, error) {
	id, err := uuid.Parse(s)
	if err != nil {
		return uuid.Nil, fmt.Errorf("id %q: want a UUID such as 0197a2c4-5b1e-7c3a-9d2f-1a2b3c4d5e6f", s)
	}
	return id, nil
}
