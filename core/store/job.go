package store

import (
	"github.com/google/uuid"
	"github.com/riverqueue/river"
)

// MaxAttempts is the most that River's column holds. How often a delivery is
// attempted is decided by its own row.
const MaxAttempts = 32767

// DecodeQueue is the queue of decode jobs.
const DecodeQueue = "decode"

// TargetQueue is the queue of a target's deliver jobs.
func TargetQueue(target string) string { return "target_" + target }

// DeliverArgs are the arguments of the job that attempts a delivery.
type DeliverArgs struct {
	DeliveryID uuid.UUID `json:"delivery_id"`
}

// Kind is River's name of the job.
func (DeliverArgs) Kind() string { return "deliver" }

// DecodeArgs are the arguments of the job that decodes a deferred event.
type DecodeArgs struct {
	EventID uuid.UUID `json:"event_id"`
}

// Kind is River's name of the job.
func (DecodeArgs) Kind() string { return "decode" }

// EnrichQueue is the queue of enrich jobs.
const EnrichQueue = "enrich"

// EnrichArgs are the arguments of the job that adds to an event what its webhook left
// out, and then lets its deliveries go.
type EnrichArgs struct {
	EventID uuid.UUID `json:"event_id"`
}

// Kind is River's name of the job.
func (EnrichArgs) Kind() string { return "enrich" }

// EnrichJob is the job for an event to be enriched.
func EnrichJob(eventID uuid.UUID) river.InsertManyParams {
	return river.InsertManyParams{
		Args:       EnrichArgs{EventID: eventID},
		InsertOpts: &river.InsertOpts{Queue: EnrichQueue, MaxAttempts: MaxAttempts},
	}
}

// DeliverJob is the job for a delivery to a target.
func DeliverJob(deliveryID uuid.UUID, target string) river.InsertManyParams {
	return river.InsertManyParams{
		Args:       DeliverArgs{DeliveryID: deliveryID},
		InsertOpts: &river.InsertOpts{Queue: TargetQueue(target), MaxAttempts: MaxAttempts},
	}
}

// DecodeJob is the job for a deferred event.
func DecodeJob(eventID uuid.UUID) river.InsertManyParams {
	return river.InsertManyParams{
		Args:       DecodeArgs{EventID: eventID},
		InsertOpts: &river.InsertOpts{Queue: DecodeQueue, MaxAttempts: MaxAttempts},
	}
}
