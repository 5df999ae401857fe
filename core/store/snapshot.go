package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/hookarr/hookarr/core/event"
)

// SnapshotPhase says what a run of a snapshot does.
type SnapshotPhase string

// The phases of a run. A source whose snapshot is not read now has none.
const (
	// SnapshotReading reads the application page by page.
	SnapshotReading SnapshotPhase = "reading"
	// SnapshotSettling waits for the webhooks of what was found, which may be under way.
	SnapshotSettling SnapshotPhase = "settling"
	// SnapshotTelling tells what nothing else told.
	SnapshotTelling SnapshotPhase = "telling"
)

// SnapshotWish is what an operator wants of a run.
type SnapshotWish struct {
	// Full tells everything, and To names the one target that hears of it; empty is where
	// the routes say.
	Full bool   `json:"full,omitempty"`
	To   string `json:"to,omitempty"`
	// AllowDeletions tells deletions however many they are.
	AllowDeletions bool `json:"allow_deletions,omitempty"`
}

// Snapshot is the state of reading what a source has.
type Snapshot struct {
	Source string `json:"-"`
	// Run is the number of the run that is under way or ended last; Step counts the changes
	// of the state.
	Run   int           `json:"run"`
	Step  int           `json:"step"`
	Phase SnapshotPhase `json:"phase,omitempty"`
	// Wish is that of the run, and Asked one that an operator wants the next run for.
	Wish  SnapshotWish  `json:"wish,omitzero"`
	Asked *SnapshotWish `json:"asked,omitempty"`
	// Cursor is where the next page begins.
	Cursor string `json:"cursor,omitempty"`
	// First is a run before which nothing was known, and that tells nothing.
	First bool `json:"first,omitempty"`
	// BegunAt and ReadAt are when the run began, and when it had read everything.
	BegunAt time.Time `json:"begun_at,omitzero"`
	ReadAt  time.Time `json:"read_at,omitzero"`
	// KnownAt is when the last run began that read everything before this one, EndedRun its
	// number or that of a later one, and EndedAt when that had ended.
	KnownAt  time.Time `json:"known_at,omitzero"`
	EndedRun int       `json:"ended_run,omitempty"`
	EndedAt  time.Time `json:"ended_at,omitzero"`
	// Items counts what the run has read, of which Titles are titles, and Total is how many
	// there are, if the application says. Told counts the events that it has told, and Known
	// what was told before.
	Items  int `json:"items,omitempty"`
	Titles int `json:"titles,omitempty"`
	Pages  int `json:"pages,omitempty"`
	Total  int `json:"total,omitempty"`
	Told   int `json:"told,omitempty"`
	Known  int `json:"known,omitempty"`
	// TitlesGone and FilesGone are how many the run has not found, and Withheld says why
	// that is not told.
	TitlesGone int    `json:"titles_gone,omitempty"`
	FilesGone  int    `json:"files_gone,omitempty"`
	Withheld   string `json:"withheld,omitempty"`
	// Trouble is why the run does not go on, and TroubleAt since when.
	Trouble   string    `json:"trouble,omitempty"`
	TroubleAt time.Time `json:"trouble_at,omitzero"`
}

// Item is a title or a file of a source as the inventory keeps it.
type Item struct {
	// Key tells it from the source's others. Parent is the key of a file's title, and empty
	// for a title.
	Key, Parent string
	// Run is the run that saw it last.
	Run int
	// Digest tells what it is like from all else, and Fields which parts of it differ. An
	// item that nothing was told of has no digest.
	Digest, Fields string
	// About is what its end has to tell.
	About []byte
	// Found is the item as it was found at FoundAt and is to be told yet; nil for none.
	Found   []byte
	FoundAt time.Time
}

// SnapshotStep is what a run changes in one transaction.
type SnapshotStep struct {
	// State is the state after the step. Its Step is one more than what is stored, or the
	// run has gone on elsewhere.
	State Snapshot
	// Save are items as they are to be kept, and Seen the keys of those that are as they
	// were. Drop are keys of items to be forgotten, and DropFilesOf those of titles all of
	// whose files are that the run has not seen.
	Save              []Item
	Seen              []string
	Drop, DropFilesOf []string
	// Accept are the events that are told. Their dedup keys are taken over from events below
	// Judged, which were found to tell something else.
	Accept []*Acceptance
	Judged uuid.UUID
}

// ErrSnapshotOvertaken is returned by StepSnapshot when the run has gone on elsewhere.
var ErrSnapshotOvertaken = errors.New("the snapshot has gone on elsewhere")

// StepSnapshot carries out a step, or nothing of it, and returns what became of its events.
func (s *Store) StepSnapshot(ctx context.Context, step *SnapshotStep) (accepted []Accepted, err error) {
	source, run := step.State.Source, step.State.Run
	var next Snapshot
	err = s.engine.Write(ctx, func(ctx context.Context, tx Tx) error {
		stored, err := tx.LockSnapshot(ctx, source)
		if err != nil {
			return err
		}
		next = step.State
		if stored.Step != next.Step-1 {
			return ErrSnapshotOvertaken
		}
		if accepted, err = tellItems(ctx, tx, source, step); err != nil {
			return err
		}
		for _, a := range accepted {
			if a.Duplicate {
				next.Known++
				next.Told--
			}
		}
		if len(step.Save) > 0 {
			if err := tx.SaveItems(ctx, source, step.Save); err != nil {
				return fmt.Errorf("save items: %w", err)
			}
		}
		if len(step.Seen) > 0 {
			if err := tx.SeeItems(ctx, source, step.Seen, run); err != nil {
				return fmt.Errorf("mark items: %w", err)
			}
		}
		if len(step.DropFilesOf) > 0 {
			if err := tx.DropFilesOf(ctx, source, step.DropFilesOf, run); err != nil {
				return fmt.Errorf("forget files: %w", err)
			}
		}
		if len(step.Drop) > 0 {
			if err := tx.DropItems(ctx, source, step.Drop); err != nil {
				return fmt.Errorf("forget items: %w", err)
			}
		}
		return tx.SaveSnapshot(ctx, &next)
	})
	if err != nil {
		return nil, fmt.Errorf("go on with the snapshot of %s: %w", source, err)
	}
	step.State = next
	return accepted, nil
}

// tellItems accepts the events of a step.
func tellItems(ctx context.Context, tx Tx, source string, step *SnapshotStep) ([]Accepted, error) {
	if len(step.Accept) == 0 {
		return nil, nil
	}
	var keys []string
	for _, a := range step.Accept {
		for _, k := range a.Keys {
			keys = append(keys, ShortKey(k.Key))
		}
	}
	if len(keys) > 0 {
		if err := tx.DropKeysBelow(ctx, source, keys, step.Judged); err != nil {
			return nil, fmt.Errorf("take dedup keys over: %w", err)
		}
	}
	return accept(ctx, tx, step.Accept)
}

// AskSnapshot notes what an operator wants of the next run, with the record of it, and has
// it begin now. It returns the state and the number of the run that fulfils it: one that is
// under way is not enough for a wish of its own.
func (s *Store) AskSnapshot(ctx context.Context, a *Action, source string, wish SnapshotWish) (state Snapshot, run int, err error) {
	record := *a
	err = s.engine.Write(ctx, func(ctx context.Context, tx Tx) error {
		record = *a
		if err := tx.InsertAction(ctx, &record); err != nil {
			return err
		}
		if state, err = tx.LockSnapshot(ctx, source); err != nil {
			return err
		}
		run = state.Run + 1
		switch {
		case state.Phase != "" && (wish == SnapshotWish{}) && state.Asked == nil:
			run = state.Run
		case state.Asked != nil:
			both := state.Asked.and(wish)
			state.Asked = &both
		default:
			state.Asked = &wish
		}
		// Whoever asks wants to hear of what goes wrong from now on.
		state.Trouble, state.TroubleAt = "", time.Time{}
		state.Step++
		return tx.SaveSnapshot(ctx, &state)
	})
	if err == nil {
		*a = record
		err = s.wakeSnapshot(ctx, source, state.Phase != "")
	}
	if err != nil {
		return Snapshot{}, 0, fmt.Errorf("ask for a snapshot of %s: %w", source, err)
	}
	return state, run, nil
}

// wakeSnapshot has the job of a snapshot look at what was asked for. A job that is under way
// without a run of the snapshot has looked already, and ends: another follows it.
func (s *Store) wakeSnapshot(ctx context.Context, source string, reading bool) error {
	for range endingTries {
		running, err := s.engine.AskSnapshot(ctx, source)
		if err != nil || !running || reading {
			return err
		}
		state, err := s.engine.FindSnapshot(ctx, source)
		if err != nil || state.Asked == nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(endingPause):
		}
	}
	return nil // its process was killed, and the job begins again elsewhere
}

// endingTries and endingPause are how often and how long it is waited for a job to end.
const (
	endingTries = 50
	endingPause = 50 * time.Millisecond
)

// and is a wish that fulfils two. A full run that two want for different targets tells all.
func (w SnapshotWish) and(other SnapshotWish) SnapshotWish {
	both := SnapshotWish{Full: w.Full || other.Full, To: w.To, AllowDeletions: w.AllowDeletions || other.AllowDeletions}
	switch {
	case !w.Full:
		both.To = other.To
	case other.Full && w.To != other.To:
		both.To = ""
	}
	return both
}

// HurrySnapshot has the job of a source's snapshot run now.
func (s *Store) HurrySnapshot(ctx context.Context, source string) error {
	if _, err := s.engine.AskSnapshot(ctx, source); err != nil {
		return fmt.Errorf("begin the snapshot of %s: %w", source, err)
	}
	return nil
}

// FindSnapshot returns the state of a source's snapshot, or ErrNotFound.
func (s *Store) FindSnapshot(ctx context.Context, source string) (Snapshot, error) {
	state, err := s.engine.FindSnapshot(ctx, source)
	if err != nil {
		return Snapshot{}, fmt.Errorf("find the snapshot of %s: %w", source, err)
	}
	return state, nil
}

// FindItems returns those of a source's items that are in the inventory, by key.
func (s *Store) FindItems(ctx context.Context, source string, keys []string) (map[string]Item, error) {
	list, err := s.engine.FindItems(ctx, source, keys)
	if err != nil {
		return nil, fmt.Errorf("find items of %s: %w", source, err)
	}
	items := make(map[string]Item, len(list))
	for _, item := range list {
		items[item.Key] = item
	}
	return items, nil
}

// FoundItems returns items that are to be told yet: titles first, then the files, at most
// limit.
func (s *Store) FoundItems(ctx context.Context, source string, limit int) ([]Item, error) {
	list, err := s.engine.FoundItems(ctx, source, limit)
	if err != nil {
		return nil, fmt.Errorf("list what was found of %s: %w", source, err)
	}
	return list, nil
}

// GoneItems returns titles, or else files, that a run has not seen, by the run that has and
// key, at most limit. After is where the page before ended.
func (s *Store) GoneItems(ctx context.Context, source string, run int, titles bool, after Item, limit int) ([]Item, error) {
	list, err := s.engine.GoneItems(ctx, source, run, titles, after, limit)
	if err != nil {
		return nil, fmt.Errorf("list what is gone of %s: %w", source, err)
	}
	return list, nil
}

// CountGone counts the titles that a run has not seen, and the files of the others.
func (s *Store) CountGone(ctx context.Context, source string, run int) (titles, files int, err error) {
	if titles, files, err = s.engine.CountGone(ctx, source, run); err != nil {
		return 0, 0, fmt.Errorf("count what is gone of %s: %w", source, err)
	}
	return titles, files, nil
}

// mostToldOf bounds the normalised events of one page of EventsAfter in bytes.
const mostToldOf = 32 << 20

// EventsAfter returns events of a source with ids above one, oldest first, at most limit,
// without their requests. The last of them is where the next page begins, and none is the
// end. An event whose normalised form is large may come without it if it is not the only
// one.
func (s *Store) EventsAfter(ctx context.Context, source string, id uuid.UUID, limit int) ([]event.Event, error) {
	ids, err := s.engine.EventIDs(ctx, EventFilter{Source: source, After: id, Oldest: true}, limit)
	if err == nil && len(ids) == 0 {
		return nil, nil
	}
	var list []event.Event
	if err == nil {
		list, err = s.engine.LoadEvents(ctx, ids, mostToldOf)
	}
	if err != nil {
		return nil, fmt.Errorf("list events of %s: %w", source, err)
	}
	return list, nil
}
