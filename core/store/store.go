// Package store says what Hookarr asks of its database. Packages postgres and
// sqlite answer it; package storetest holds both to the same contract.
//
// Hookarr's own rows are the truth and River's jobs move them: a job holds an id
// and may be lost or run twice without harm.
package store

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/riverqueue/river"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/sdk"
)

// ErrNotFound is returned for an id that is not stored.
var ErrNotFound = errors.New("not found")

// ErrInUse is returned by Join when another process serves the same SQLite file.
var ErrInUse = errors.New("database is in use by another hookarr serve")

// ErrNewer is returned by Migrate and Ready for a database that a newer version of
// Hookarr migrated.
var ErrNewer = errors.New("database is newer than this hookarr")

// ErrNotMigrated is returned by Ready for a database that lacks migrations.
var ErrNotMigrated = errors.New("database is not migrated: run hookarr migrate")

// Store is the database. All methods may be called concurrently. Times that
// several nodes share are taken from the database's clock.
type Store interface {
	Intake
	Deliveries
	Holds
	Upkeep
	Past
	Reader

	// Migrate brings the schema, ours and then River's, to this version. Concurrent
	// calls wait for each other.
	Migrate(ctx context.Context) error
	// Schema returns the version that the database is of and the one that Migrate
	// brings it to.
	Schema(ctx context.Context) (have, want Schema, err error)
	// Ready reports whether the database answers, is of this version, and keeps what
	// it accepts.
	Ready(ctx context.Context) error
	// OpenQueue builds the River client that works jobs. It is called once.
	OpenQueue(config *river.Config) (Queue, error)
	Close() error
}

// Queue is the part of a River client that does not depend on the database.
type Queue interface {
	Start(ctx context.Context) error
	Stop(ctx context.Context) error
	StopAndCancel(ctx context.Context) error
	Queues() *river.QueueBundle
}

// Intake takes events in.
type Intake interface {
	// Accept commits an event, its deliveries and their jobs, or finds that it
	// repeats another. Concurrent calls share transactions. A caller that goes
	// away does not undo its acceptance.
	Accept(ctx context.Context, a *Acceptance) (Accepted, error)
	// Resolve does for a stored deferred event what Accept does for a new one: the
	// event takes the state and the decoded form of a.Event. An event that is not
	// deferred any more is left alone. A repetition becomes event.Duplicate.
	Resolve(ctx context.Context, a *Acceptance) (Accepted, error)
	// Enriched gives an event its enriched form, unless that is nil, and jobs to its
	// pending deliveries.
	Enriched(ctx context.Context, id uuid.UUID, normalized []byte) error
}

// Acceptance is everything that one accepted event brings into the database.
type Acceptance struct {
	Event event.Event
	// Keys are the dedup keys of the event. It is a duplicate when any of them is
	// taken.
	Keys []DedupKey
	// Clears names the event type whose keys this event's correlation key frees,
	// so that what was restored may break again; empty for none.
	Clears sdk.Type
	// Deliveries need ID, Target and Route. The store makes them pending with a
	// job, or held when their target is on hold.
	Deliveries []event.Delivery
	// Enrich gives the event one enrich job instead of its deliveries' jobs, which
	// Enriched makes.
	Enrich bool
}

// DedupKey is taken by the first event that brings it and freed after Window.
type DedupKey struct {
	Key    string
	Window time.Duration
}

// Accepted is what became of an Acceptance.
type Accepted struct {
	// EventID is the id of the event, or of the one it repeats.
	EventID   uuid.UUID
	Duplicate bool
}

// Deliveries serves the workers.
type Deliveries interface {
	// LoadWork reads what an attempt needs, or ErrNotFound.
	LoadWork(ctx context.Context, deliveryID uuid.UUID) (Work, error)
	// Settle records what became of an attempt. Concurrent calls share
	// transactions. A delivery that is in a final state keeps it; the attempt is
	// recorded all the same.
	Settle(ctx context.Context, s *Settlement) error
}

// Work is a delivery with what its attempt needs.
type Work struct {
	Delivery event.Delivery
	Event    event.Event
	// Hold is the target's hold, or nil.
	Hold *Hold
	// Now is the database's time.
	Now time.Time
}

// Settlement is what an attempt, or the decision against one, changes.
type Settlement struct {
	DeliveryID uuid.UUID
	// Attempt is recorded; nil when nothing was tried.
	Attempt *event.Attempt
	// State is the delivery's next state.
	State event.DeliveryState
	// Delay is counted from the database's now to the next attempt of a pending
	// delivery.
	Delay     time.Duration
	Reason    string
	Suspect   bool
	Crashes   int
	MessageID string
	Receipt   []byte
	// Hold puts the target on hold in the same transaction; nil leaves it.
	Hold *HoldRequest
	// Release ends the target's hold in the same transaction; its held deliveries
	// then drain.
	Release bool
}

// HoldKind says why a target takes nothing.
type HoldKind string

// The kinds of hold.
const (
	HoldMisconfigured HoldKind = "misconfigured"
	HoldUnconfigured  HoldKind = "unconfigured"
	HoldQuarantined   HoldKind = "quarantined"
	HoldPaused        HoldKind = "paused"
)

// Probed reports whether a hold of this kind is tested with the oldest delivery
// now and then.
func (k HoldKind) Probed() bool { return k == HoldMisconfigured }

// HoldRequest asks for a target to be put on hold.
type HoldRequest struct {
	Target string
	Kind   HoldKind
	Reason string
	// ProbeIn is the time until the next probe, for kinds that are probed.
	ProbeIn time.Duration
}

// Hold is a target that takes nothing now, or that drains what it could not take.
type Hold struct {
	Target string
	Kind   HoldKind
	Reason string
	Since  time.Time
	// Draining: the hold has ended and its deliveries are given jobs, oldest first;
	// newcomers queue behind.
	Draining bool
	// ProbeAt is the time of the next probe, Probes how many were made, Probe the
	// delivery under way as one, or uuid.Nil.
	ProbeAt time.Time
	Probes  int
	Probe   uuid.UUID
	// Now is the database's time.
	Now time.Time
}

// Holds manages targets that take nothing.
type Holds interface {
	// HoldTarget puts a target on hold. A hold that is there already keeps its
	// beginning and its probes, and takes the new kind and reason; one that drains
	// begins anew. A pause stays a pause until Release, whatever attempts that were
	// under way come to.
	HoldTarget(ctx context.Context, r HoldRequest) error
	// ListHolds returns the targets on hold or draining, by name.
	ListHolds(ctx context.Context) ([]Hold, error)
	// Probe gives the oldest held delivery of the target a job, when one is due and
	// none is under way, and sets the next probe. It reports whether it did. A
	// probe that was lost is made again when the next is due.
	Probe(ctx context.Context, target string, next time.Duration) (bool, error)
	// Release ends a hold: the target drains.
	Release(ctx context.Context, target string) error
	// Drain gives jobs to the oldest held deliveries of a draining target until
	// window deliveries are due, and ends the draining when none is held. It
	// returns how many are still held.
	Drain(ctx context.Context, target string, window int) (int, error)
	// ExpireHeld makes at most limit held deliveries of the target that are older
	// than maxAge dead letters, and returns how many.
	ExpireHeld(ctx context.Context, target string, maxAge time.Duration, reason string, limit int) (int, error)
	// HoldUnconfigured puts every target that has open deliveries and is not among
	// configured on hold, and releases those on hold for that reason that are.
	HoldUnconfigured(ctx context.Context, configured []string) error
}

// Upkeep keeps rows and jobs in step.
type Upkeep interface {
	// Reserve takes a database that one process serves at a time for this one, until
	// Leave, or returns ErrInUse. It needs no migrated database.
	Reserve() error
	// Join reserves, and announces a node before its queue starts. On SQLite it makes
	// jobs that ran in a former process available.
	Join(ctx context.Context, node string) error
	// Beat keeps a node alive and makes the jobs of nodes that have not beaten for
	// deadAfter available. It returns how many.
	Beat(ctx context.Context, node string, deadAfter time.Duration) (int, error)
	// Leave is the end of Reserve and Join.
	Leave(ctx context.Context, node string) error
	// Reclaim makes the deliver and decode jobs available that are recorded as running
	// on the node for longer than olderThan and are not among active. It returns how
	// many.
	Reclaim(ctx context.Context, node string, active []int64, olderThan time.Duration) (int, error)
	// Reconcile gives jobs to due pending deliveries and deferred events that have
	// none, at most limit of each.
	Reconcile(ctx context.Context, limit int) (Reconciled, error)
	// Purge deletes at most limit rows that are older than their retention and
	// returns how many.
	Purge(ctx context.Context, r Retention, limit int) (int, error)
}

// Reconciled counts what Reconcile did.
type Reconciled struct{ Deliveries, Events int }

// Retention says how long rows are kept. An event lives at least as long as a
// pending, held or dead delivery of it.
type Retention struct {
	Events      time.Duration
	DeadLetters time.Duration
}

// Reader serves people.
type Reader interface {
	ListEvents(ctx context.Context, f EventFilter) ([]EventSummary, error)
	// FindEvent returns an event and its deliveries, or ErrNotFound.
	FindEvent(ctx context.Context, id uuid.UUID) (event.Event, []event.Delivery, error)
	ListDeliveries(ctx context.Context, f DeliveryFilter) ([]DeliverySummary, error)
	// FindDelivery returns a delivery and its attempts, or ErrNotFound.
	FindDelivery(ctx context.Context, id uuid.UUID) (event.Delivery, []event.Attempt, error)
	// CountDeliveries counts the deliveries that are pending, held or dead by
	// target and state.
	CountDeliveries(ctx context.Context) ([]DeliveryCount, error)
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
