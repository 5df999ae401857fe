package store

import (
	"github.com/google/uuid"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

// MaxAttempts is the most that River's column holds. How often a delivery is
// attempted is decided by its own row.
const MaxAttempts = 32767

// The queues of jobs that are no target's.
const (
	EnrichQueue  = "enrich"
	CatchupQueue = "catchup"
	OperateQueue = "operate"
	// SnapshotQueue is of the jobs that read what sources have.
	SnapshotQueue = "snapshot"
)

// TargetQueuePrefix begins the names of the queues of deliver jobs.
const TargetQueuePrefix = "target_"

// TargetQueue is the queue of a target's deliver jobs.
func TargetQueue(target string) string { return TargetQueuePrefix + target }

// DecodeQueue is the queue of a source's decode jobs.
func DecodeQueue(source string) string { return "decode_" + source }

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

// EnrichArgs are the arguments of the job that adds to an event what its webhook left
// out, and then lets its deliveries go.
type EnrichArgs struct {
	EventID uuid.UUID `json:"event_id"`
}

// Kind is River's name of the job.
func (EnrichArgs) Kind() string { return "enrich" }

// CatchupArgs are the arguments of the job that reads a source's history.
type CatchupArgs struct {
	Source string `json:"source"`
}

// Kind is River's name of the job.
func (CatchupArgs) Kind() string { return "catchup" }

// InsertOpts let a source have one such job at a time.
func (CatchupArgs) InsertOpts() river.InsertOpts { return *onceLive(CatchupQueue) }

// SnapshotArgs are the arguments of the job that reads what a source has.
type SnapshotArgs struct {
	Source string `json:"source"`
}

// Kind is River's name of the job.
func (SnapshotArgs) Kind() string { return "snapshot" }

// InsertOpts let a source have one such job at a time.
func (SnapshotArgs) InsertOpts() river.InsertOpts { return *onceLive(SnapshotQueue) }

// DeliverJob is the job for a delivery to a target.
func DeliverJob(deliveryID uuid.UUID, target string) river.InsertManyParams {
	return river.InsertManyParams{Args: DeliverArgs{DeliveryID: deliveryID}, InsertOpts: onceLive(TargetQueue(target))}
}

// DecodeJob is the job for a deferred event of a source.
func DecodeJob(eventID uuid.UUID, source string) river.InsertManyParams {
	return river.InsertManyParams{Args: DecodeArgs{EventID: eventID}, InsertOpts: onceLive(DecodeQueue(source))}
}

// EnrichJob is the job for an event to be enriched.
func EnrichJob(eventID uuid.UUID) river.InsertManyParams {
	return river.InsertManyParams{Args: EnrichArgs{EventID: eventID}, InsertOpts: onceLive(EnrichQueue)}
}

// OperateArgs are the arguments of the job that works a bulk action.
type OperateArgs struct {
	ActionID uuid.UUID `json:"action_id"`
}

// Kind is River's name of the job.
func (OperateArgs) Kind() string { return "operate" }

// OperateJob is the job for a bulk action.
func OperateJob(actionID uuid.UUID) river.InsertManyParams {
	return river.InsertManyParams{Args: OperateArgs{ActionID: actionID}, InsertOpts: onceLive(OperateQueue)}
}

// onceLive lets equal arguments have one live job.
func onceLive(queue string) *river.InsertOpts {
	return &river.InsertOpts{
		Queue: queue, MaxAttempts: MaxAttempts,
		UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: []rivertype.JobState{
			rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRunning,
			rivertype.JobStateRetryable, rivertype.JobStateScheduled,
		}},
	}
}

// Added is how many jobs were inserted, and not there already.
func Added(results []*rivertype.JobInsertResult) int {
	n := 0
	for _, r := range results {
		if !r.UniqueSkippedAsDuplicate {
			n++
		}
	}
	return n
}

// UniqueJobs is the version of our tables from which each row has one live job, and
// DropJobsSQL deletes those from before, which are known by no key: Reconcile makes them
// anew.
const (
	UniqueJobs  = 3
	DropJobsSQL = `DELETE FROM river_job WHERE kind IN ('deliver', 'decode', 'enrich')`
)
