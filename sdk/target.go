package sdk

import (
	"context"
	"encoding/json"
	"time"
)

// Target makes delivery attempts to one configured endpoint. Its methods are
// called concurrently. A Target that also implements io.Closer is closed once
// after its last call.
type Target interface {
	// Deliver makes one attempt and returns soon after ctx is done. A nil error
	// means that the endpoint accepted the delivery. An error is retryable unless
	// made by Permanent, Misconfigured or Throttled. The receipt's status and
	// excerpt are recorded in either case.
	Deliver(ctx context.Context, d Delivery) (Receipt, error)
}

// TargetFunc is a Target that is one function.
type TargetFunc func(ctx context.Context, d Delivery) (Receipt, error)

// Deliver calls f.
func (f TargetFunc) Deliver(ctx context.Context, d Delivery) (Receipt, error) { return f(ctx, d) }

// NewTarget builds one configured instance. It does no network I/O, so that a
// configuration can be checked anywhere.
type NewTarget[C any] func(ctx context.Context, env Env, config C) (Target, error)

// Delivery is the obligation to bring one event, or one group of events, to one
// target.
type Delivery struct {
	// ID is the same for every attempt: the idempotency key to send out.
	ID string
	// Attempt is 1 for the first.
	Attempt int
	// Route is the name of the route that asked for the delivery.
	Route string
	// Event is the event, or the first of a group. A JSONUser gets little of it.
	Event Event
	// Events holds every event, oldest first: one, unless the plugin has
	// FeatureGroup.
	Events []Event
	// JSON holds Events as they came, with the fields that this version of the
	// SDK does not know.
	JSON []json.RawMessage
	// Originals holds the request of each event when the target is an
	// OriginalsUser that asked for them.
	Originals []Request
	// CorrelationKey ties the deliveries of one story together; empty for none.
	CorrelationKey string
	// Previous is the receipt of the delivery that this one replaces, or nil. Only
	// plugins with FeatureEdit get it.
	Previous *Receipt
}

// Receipt is what the endpoint answered to one attempt.
type Receipt struct {
	// Status is the HTTP status, or 0 when there was no answer. It decides: with a nil
	// error and a status that is no 2xx, Deliver returned what Classify makes of it.
	Status int
	// Accepted says that the status stands for a delivery that was taken, though it is no
	// 2xx: 409 from an endpoint that so tells a repetition.
	Accepted bool
	// Excerpt is the beginning of the answer. The SDK cuts it to 4 KiB and redacts
	// the instance's secrets.
	Excerpt string
	// MessageID is the endpoint's own id of what it made of the delivery.
	MessageID string
	// State is whatever else is needed to edit the message later, at most 4 KiB.
	State []byte
	// Limit is what the endpoint said of its own rate limit, or nil.
	Limit *Limit
}

// Limit is what is left of an endpoint's rate limit.
type Limit struct {
	Remaining  int
	ResetAfter time.Duration
}

// JSONUser is a Target that says whether it works on Delivery.JSON. If so, the SDK reads
// of each event only ID, Source, Type, Time and Title, in half of the time.
type JSONUser interface {
	UsesJSON() bool
}

// OriginalsUser is a Target of a plugin with FeatureRaw that says whether it wants
// the original requests.
type OriginalsUser interface {
	NeedsOriginals() bool
}

// Tester is the power of FeatureTest: it proves that the endpoint takes deliveries,
// while showing people as little as that needs. Where nothing less proves it, Test is
// Deliver: the delivery has an event that says it is a test, unless the operator chose
// another.
type Tester interface {
	Test(ctx context.Context, d Delivery) (Receipt, error)
}
