package store

import (
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/sdk"
)

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

// AcceptPast is Accept for what a record of an application's history tells. Each
// record is accounted for by one event, and each event accounts for one record: the
// first reading of a record repeats the webhook that came for it, if one did, and
// further readings repeat the event of the first. The keys of a are then those of
// its webhook, which may still come.
func (s *Store) AcceptPast(ctx context.Context, a *Acceptance, r PastRecord) (accepted Accepted, err error) {
	for range maxOvertaken {
		accepted, err = s.acceptPast(ctx, a, r)
		if !errors.Is(err, errOvertaken) {
			break
		}
	}
	if err != nil {
		return Accepted{}, fmt.Errorf("accept past event: %w", err)
	}
	return accepted, nil
}

// errOvertaken ends a transaction that did not see a webhook which was being accepted.
var errOvertaken = errors.New("its webhook has just come")

// maxOvertaken is how often that may be.
const maxOvertaken = 5

func (s *Store) acceptPast(ctx context.Context, a *Acceptance, r PastRecord) (accepted Accepted, err error) {
	err = s.engine.Write(ctx, func(ctx context.Context, tx Tx) error {
		source := CleanText(a.Event.Source)
		keys := make([]string, len(a.Keys))
		for i, k := range a.Keys {
			keys[i] = ShortKey(k.Key)
		}
		query := TwinQuery{
			Source: source, ReadKey: r.ReadKey(), Fingerprint: ShortKey(a.Event.Fingerprint), From: r.From, To: r.To, Keys: keys,
		}
		owner, err := tx.FindTwin(ctx, query)
		if err != nil {
			return fmt.Errorf("look for its webhook: %w", err)
		}
		past := *a
		past.Keys = r.AccountKeys(cmp.Or(owner, a.Event.ID))
		if owner != uuid.Nil {
			accepted = Accepted{EventID: owner, Duplicate: true}
			past.Event.ID, past.Clears, past.Deliveries = owner, "", nil
			return take(ctx, tx, foldBatch([]*Acceptance{&past}))
		}
		// What had these keys accounts for another record.
		if err := tx.DropKeys(ctx, source, keys); err != nil {
			return fmt.Errorf("take dedup keys over: %w", err)
		}
		if owner, err = tx.FindTwin(ctx, query); err != nil || owner != uuid.Nil {
			return cmp.Or(err, errOvertaken)
		}
		past.Keys = append(past.Keys, a.Keys...)
		all, err := accept(ctx, tx, []*Acceptance{&past})
		if err == nil {
			accepted = all[0]
		}
		return err
	})
	return accepted, err
}

// Cursor is how far a source's history was read: nothing before From is of interest,
// everything before ReadTo is known.
type Cursor struct{ From, ReadTo time.Time }

// FindCursor returns how far a source's history was read, or ErrNotFound.
func (s *Store) FindCursor(ctx context.Context, source string) (Cursor, error) {
	c, err := s.engine.FindCursor(ctx, source)
	if err != nil {
		return Cursor{}, fmt.Errorf("find cursor of %s: %w", source, err)
	}
	return c, nil
}

// SaveCursor keeps it. ReadTo never moves back, From stays the first.
func (s *Store) SaveCursor(ctx context.Context, source string, c Cursor) error {
	if err := s.engine.SaveCursor(ctx, source, c); err != nil {
		return fmt.Errorf("save cursor of %s: %w", source, err)
	}
	return nil
}

// ForgetCursor makes the next reading of a source's history its first.
func (s *Store) ForgetCursor(ctx context.Context, source string) error {
	if err := s.engine.ForgetCursor(ctx, source); err != nil {
		return fmt.Errorf("forget cursor of %s: %w", source, err)
	}
	return nil
}

// ListRenames returns the renames of a source's events that were received since a time,
// oldest first.
func (s *Store) ListRenames(ctx context.Context, source string, since time.Time) ([]sdk.Rename, error) {
	normalized, err := s.engine.RenamesSince(ctx, source, event.FirstID(since))
	if err != nil {
		return nil, fmt.Errorf("list renames of %s: %w", source, err)
	}
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

// AskCatchup has the source's history read now, once however often it is asked, and not
// only when a job that waits for its application is due.
func (s *Store) AskCatchup(ctx context.Context, source string) error {
	if err := s.engine.AskCatchup(ctx, source); err != nil {
		return fmt.Errorf("ask for catch-up of %s: %w", source, err)
	}
	return nil
}

// Asker is the part of River's client that Hurry takes.
type Asker interface {
	Insert(ctx context.Context, args river.JobArgs, opts *river.InsertOpts) (*rivertype.JobInsertResult, error)
	JobRetry(ctx context.Context, id int64) (*rivertype.JobRow, error)
}

// Hurry inserts a job of which there is one at a time, or hurries the one that there is. One
// that has just been done is gone, and may have read before what it is asked for: it is
// inserted anew. Running says that the job is under way, and may be at its end.
func Hurry(ctx context.Context, jobs Asker, args river.JobArgs) (running bool, err error) {
	for {
		r, err := jobs.Insert(ctx, args, nil)
		if err != nil || !r.UniqueSkippedAsDuplicate {
			return false, err
		}
		job, err := jobs.JobRetry(ctx, r.Job.ID)
		if !errors.Is(err, rivertype.ErrNotFound) {
			return err == nil && job.State == rivertype.JobStateRunning, err
		}
	}
}
