package store

import (
	"context"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

// Past serves catch-up: what happened while nobody listened.
type Past interface {
	// AcceptPast is Accept for what an application's history says happened at a
	// time. It repeats, too, an event with its fingerprint that was received within
	// span of that time.
	AcceptPast(ctx context.Context, a *Acceptance, at time.Time, span time.Duration) (Accepted, error)
	// FindCursor returns how far a source's history was read, or ErrNotFound.
	FindCursor(ctx context.Context, source string) (Cursor, error)
	// SaveCursor keeps it. ReadTo never moves back, From stays the first.
	SaveCursor(ctx context.Context, source string, c Cursor) error
	// AskCatchup has the source's history read soon, once however often it is asked.
	AskCatchup(ctx context.Context, source string) error
}

// Cursor is how far a source's history was read: nothing before From is of interest,
// everything before ReadTo is known.
type Cursor struct{ From, ReadTo time.Time }

// CatchupQueue is the queue of catch-up jobs.
const CatchupQueue = "catchup"

// CatchupArgs are the arguments of the job that reads a source's history.
type CatchupArgs struct {
	Source string `json:"source"`
}

// Kind is River's name of the job.
func (CatchupArgs) Kind() string { return "catchup" }

// InsertOpts let a source have one such job at a time.
func (CatchupArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{
		Queue: CatchupQueue, MaxAttempts: MaxAttempts,
		UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: []rivertype.JobState{
			rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRunning,
			rivertype.JobStateRetryable, rivertype.JobStateScheduled,
		}},
	}
}
