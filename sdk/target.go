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
	// Events holds every event, oldest first by their times: one, unless the plugin has
	// FeatureGroup. With Previous, they are all that the message is to tell: those that it
	// tells already, and what is new.
	Events []Event
	// JSON holds Events as they came, with the fields that this version of the
	// SDK does not know.
	JSON []json.RawMessage
	// Originals holds the request of each event when the target is an
	// OriginalsUser that asked for them.
	Originals []Request
	// CorrelationKey ties the deliveries of one story together; empty for none.
	CorrelationKey string
	// Previous is the receipt of the message that this delivery is to replace, or nil. Only
	// plugins with FeatureEdit get it, for as long as their receipts have a MessageID. An
	// endpoint that has forgotten the message gets a new one.
	Previous *Receipt
	// Accepted has, in Verify, the MessageID and the State of the last receipt of the
	// delivery. It is nil in Deliver.
	Accepted *Receipt
	// Final says, in Verify, that the time for the proof is over: what is not proven now is
	// missing. Who cannot tell, because the endpoint does not answer, is asked once more.
	Final bool
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
	// MessageID is the endpoint's own id of what it made of the delivery, at most 1 KiB.
	MessageID string
	// State is whatever else is needed to edit the message later, at most 4 KiB. Where
	// either is longer, the host gets neither: the message cannot be edited.
	State []byte
	// Limit is what the endpoint said of its own rate limit, or nil.
	Limit *Limit
	// Fallback says, in one sentence, why an accepted delivery is not as it was to be: a
	// message to edit that was gone, a template that could not be used. It is part of the
	// delivery's story, and counted. A preview shows it beside whatever error there is, so a
	// target sets it before it sends.
	Fallback string

	// VerifyAfter says, with a nil error, that the endpoint accepted the delivery and that
	// its effect is not proven: the host calls Verify after about that time. Zero is that
	// there is nothing to prove. It is for plugins with FeatureVerify, as the next three are.
	VerifyAfter time.Duration
	// ProveWithin is how long the proof may take, from the acceptance on; zero leaves it to
	// the host. Time in which nobody could ask does not count.
	ProveWithin time.Duration
	// Waits says, in one sentence, what is missing for the proof. People read it.
	Waits string
	// Events are told to the host, whatever the error. Each has a type, a title and the
	// correlation key of the story that it belongs to. The SDK fills in the application and
	// the source of the delivery's first event, OriginTarget and the time, where they are
	// empty, and the host the Target of a Library. The host takes at most 1000, and none for a
	// delivery of events that a target told.
	Events []Event
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

// SinglesUser is a Target of a plugin with FeatureGroup that says whether it takes one event
// a delivery all the same, as its configuration may ask for.
type SinglesUser interface {
	WantsSingleEvents() bool
}

// Tester is the power of FeatureTest: it proves that the endpoint takes deliveries,
// while showing people as little as that needs. Where nothing less proves it, Test is
// Deliver: the delivery has an event that says it is a test, unless the operator chose
// another.
type Tester interface {
	Test(ctx context.Context, d Delivery) (Receipt, error)
}

// Verifier is the power of FeatureVerify: it finds out whether the effect of a delivery
// that the endpoint accepted is there.
type Verifier interface {
	// Verify asks the endpoint. With a nil error the delivery is proven, or it is not yet for
	// a receipt with VerifyAfter, whose State replaces that of d.Accepted. Verify may act,
	// too: it sends what had to wait. Permanent ends the delivery as a dead letter,
	// Redeliver asks for another attempt, and every other error says of the target what it
	// says in Deliver; the host then asks again.
	Verify(ctx context.Context, d Delivery) (Receipt, error)
}
