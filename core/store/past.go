package store

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/hookarr/hookarr/sdk"
)

// Past serves catch-up: what happened while nobody listened.
type Past interface {
	// AcceptPast is Accept for what a record of an application's history tells. Each
	// record is accounted for by one event, and each event accounts for one record: the
	// first reading of a record repeats the webhook that came for it, if one did, and
	// further readings repeat the event of the first. The keys of a are then those of
	// its webhook, which may still come.
	AcceptPast(ctx context.Context, a *Acceptance, r PastRecord) (Accepted, error)
	// FindCursor returns how far a source's history was read, or ErrNotFound.
	FindCursor(ctx context.Context, source string) (Cursor, error)
	// SaveCursor keeps it. ReadTo never moves back, From stays the first.
	SaveCursor(ctx context.Context, source string, c Cursor) error
	// ForgetCursor makes the next reading of a source's history its first.
	ForgetCursor(ctx context.Context, source string) error
	// ListRenames returns the renames of a source's events that were received since a
	// time, oldest first.
	ListRenames(ctx context.Context, source string, since time.Time) ([]sdk.Rename, error)
	// AskCatchup has the source's history read now, once however often it is asked, and
	// not only when a job that waits for its application is due.
	AskCatchup(ctx context.Context, source string) error
}

// PastRecord is what an event of the past was made from.
type PastRecord struct {
	// Key tells the record from the source's others, and is the same at each reading.
	Key string
	// From and To are when its webhook may have been received.
	From, To time.Time
}

// accountedWindow is how long a record is known: longer than any of it is read again.
const accountedWindow = 30 * 24 * time.Hour

// ReadKey is the dedup key of the event that accounts for the record.
func (r PastRecord) ReadKey() string { return ShortKey("past:" + r.Key) }

// AccountKeys are the dedup keys by which an event accounts for a record.
func (r PastRecord) AccountKeys(id uuid.UUID) []DedupKey {
	return []DedupKey{
		{Key: r.ReadKey(), Window: accountedWindow},
		{Key: AccountPrefix + hex.EncodeToString(id[:]), Window: accountedWindow},
	}
}

// AccountPrefix begins the dedup key of an event that accounts for a record; its id in
// hexadecimal digits follows.
const AccountPrefix = "accounts:"

// Cursor is how far a source's history was read: nothing before From is of interest,
// everything before ReadTo is known.
type Cursor struct{ From, ReadTo time.Time }

// Renames are those that events tell, by their normalised forms.
func Renames(normalized [][]byte) ([]sdk.Rename, error) {
	var all []sdk.Rename
	for _, data := range normalized {
		var e struct {
			Renamed []sdk.Rename `json:"renamed_files"`
		}
		if err := json.Unmarshal(data, &e); err != nil {
			return nil, fmt.Errorf("read event: %w", err)
		}
		all = append(all, e.Renamed...)
	}
	return all, nil
}

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

// Asker is the part of River's client that AskCatchup takes.
type Asker interface {
	Insert(ctx context.Context, args river.JobArgs, opts *river.InsertOpts) (*rivertype.JobInsertResult, error)
	JobRetry(ctx context.Context, id int64) (*rivertype.JobRow, error)
}

// AskCatchup inserts the source's catch-up job, or hurries the one that there is.
func AskCatchup(ctx context.Context, jobs Asker, source string) error {
	r, err := jobs.Insert(ctx, CatchupArgs{Source: source}, nil)
	if err == nil && r.UniqueSkippedAsDuplicate {
		_, err = jobs.JobRetry(ctx, r.Job.ID)
		if errors.Is(err, rivertype.ErrNotFound) {
			err = nil // It has just been done.
		}
	}
	if err != nil {
		return fmt.Errorf("ask for catch-up of %s: %w", source, err)
	}
	return nil
}
