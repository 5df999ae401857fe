package snapshot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk/host"
)

// Of a source's titles, or of its files, no more may be gone at once than these many or
// this part: else the application has lost its database or its disk, rather than its user
// his library.
const (
	mostGone     = 50
	mostGonePart = 5 // a fifth
)

// settle waits for the webhooks of what was found, forgets what they told of, and finds out
// whether the rest of what is gone may be told.
func (r *run) settle(ctx context.Context) error {
	titles, files, err := r.o.Store.CountGone(ctx, r.state.Source, r.state.Run)
	if err != nil {
		return err
	}
	if r.state.First {
		titles, files = 0, 0 // of an earlier run, which came to no end
	}
	found, err := r.o.Store.FoundItems(ctx, r.state.Source, 1)
	if err != nil {
		return err
	}
	if titles+files > 0 || len(found) > 0 {
		if err := r.wait(ctx); err != nil {
			return err
		}
	}
	for _, titles := range []bool{true, false} {
		if err := r.dropTold(ctx, titles); err != nil {
			return err
		}
	}
	if titles, files, err = r.o.Store.CountGone(ctx, r.state.Source, r.state.Run); err != nil {
		return err
	}
	step := r.draft()
	state := &step.State
	state.TitlesGone, state.FilesGone, state.Withheld = titles, files, ""
	seenFiles := r.state.Items - r.state.Titles
	for _, kind := range []struct {
		gone, seen int
		noun       string
	}{{titles, r.state.Titles, "titles"}, {files, seenFiles, "files"}} {
		if tooMany(kind.gone, kind.seen) && !r.state.Wish.AllowDeletions && state.Withheld == "" {
			state.Withheld = fmt.Sprintf("%d of %d %s are gone at once, which is not told: if it is meant, hookarr sync %s --allow-deletions tells it",
				kind.gone, kind.gone+kind.seen, kind.noun, r.state.Source)
		}
	}
	state.Phase = store.SnapshotTelling
	return r.step(ctx, step)
}

// wait waits until the webhooks of what was read have come: an application tells the renames
// of a whole series once the last of them is done.
func (r *run) wait(ctx context.Context) error {
	lag := r.o.Sources()[r.state.Source].Lag
	left := r.state.ReadAt.Add(lag).Sub(r.o.Now())
	if left <= 0 {
		return nil
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(min(left, lag)): // whatever the clock does
		return nil
	}
}

// tooMany reports whether so many may not be gone where others were seen.
func tooMany(gone, seen int) bool {
	return gone > max(mostGone, (gone+seen)/mostGonePart) || seen == 0 && gone > 1
}

// known reads what was told since what was found may have happened.
func (r *run) known(ctx context.Context) (*told, error) {
	if r.told == nil {
		r.told = newTold(r.o.Store, r.state.Source, r.state.KnownAt.Add(-overlap), r.o.Now)
	}
	return r.told, r.told.refresh(ctx)
}

// dropTold forgets what is gone and was told to be, or of which nothing was told.
func (r *run) dropTold(ctx context.Context, titles bool) error {
	after := store.Item{Run: -1}
	for {
		list, err := r.o.Store.GoneItems(ctx, r.state.Source, r.state.Run, titles, after, pageSize)
		if err != nil || len(list) == 0 {
			return err
		}
		after = list[len(list)-1]
		told, err := r.known(ctx)
		if err != nil {
			return err
		}
		step := r.draft()
		for _, row := range list {
			a, err := readAbout(row)
			if err != nil {
				return err
			}
			if r.state.First || row.Digest == "" || told.gone(a) {
				r.drop(step, row)
				if !r.state.First && row.Digest != "" {
					step.State.Known++
				}
			}
		}
		if len(step.Drop) == 0 {
			continue
		}
		if err := r.step(ctx, step); err != nil {
			return err
		}
	}
}

// drop has a step forget an item, a title with its files.
func (*run) drop(step *store.SnapshotStep, row store.Item) {
	step.Drop = append(step.Drop, row.Key)
	if row.Parent == "" {
		step.DropFilesOf = append(step.DropFilesOf, row.Key)
	}
}

func readAbout(row store.Item) (a about, err error) {
	if err := json.Unmarshal(row.About, &a); err != nil {
		return a, fmt.Errorf("read item %s of the inventory: %w", row.Key, err)
	}
	return a, nil
}

// tell tells what is gone, then what was found, and ends the run.
func (r *run) tell(ctx context.Context) error {
	if r.state.Withheld == "" {
		for _, titles := range []bool{true, false} {
			if err := r.tellGone(ctx, titles); err != nil {
				return err
			}
		}
	}
	if err := r.tellFound(ctx); err != nil {
		return err
	}
	step := r.draft()
	state := &step.State
	state.Phase, state.Cursor, state.Trouble, state.TroubleAt = "", "", "", time.Time{}
	state.KnownAt, state.EndedAt, state.EndedRun = state.BegunAt, r.o.Now().UTC(), state.Run
	return r.step(ctx, step)
}

// tellGone tells the ends of titles or of files.
func (r *run) tellGone(ctx context.Context, titles bool) error {
	for {
		list, err := r.o.Store.GoneItems(ctx, r.state.Source, r.state.Run, titles, store.Item{Run: -1}, pageSize)
		if err != nil || len(list) == 0 {
			return err
		}
		told, err := r.known(ctx)
		if err != nil {
			return err
		}
		step := r.draft()
		for _, row := range list {
			a, err := readAbout(row)
			if err != nil {
				return err
			}
			r.drop(step, row)
			if row.Digest == "" {
				continue
			}
			if told.gone(a) {
				step.State.Known++
				continue
			}
			item, change := gone(row, a, r.o.Now())
			if err := r.add(step, item, change, "", a.Fingerprints...); err != nil {
				return err
			}
		}
		if err := r.step(ctx, step); err != nil {
			return err
		}
	}
}

// tellFound tells what is new and what has changed.
func (r *run) tellFound(ctx context.Context) error {
	for {
		list, err := r.o.Store.FoundItems(ctx, r.state.Source, pageSize)
		if err != nil || len(list) == 0 {
			return err
		}
		told, err := r.known(ctx)
		if err != nil {
			return err
		}
		step := r.draft()
		for _, row := range list {
			if err := r.tellRow(row, told, step); err != nil {
				return err
			}
		}
		if err := r.step(ctx, step); err != nil {
			return err
		}
	}
}

// tellRow tells what an item has otherwise than its row, which becomes like it.
func (r *run) tellRow(row store.Item, told *told, step *store.SnapshotStep) error {
	item, err := readRecord(row.Found)
	if err != nil {
		return err
	}
	is, err := rowOf(item, row.Run)
	if err != nil {
		return err
	}
	a := aboutOf(item)
	if told.goneSince(a, row.FoundAt) {
		// It is gone already, and that was told.
		r.drop(step, row)
		return nil
	}
	step.Save = append(step.Save, is)
	now := r.o.Now()
	switch {
	case row.Digest == "" && told.there(a):
		step.State.Known++
		return nil
	case row.Digest == "":
		return r.add(step, item, appearance(item, now), "", a.Fingerprint)
	case row.Parent == "":
		fields := changedFields(row.Fields, is.Fields)
		if len(fields) == 0 {
			return nil
		}
		change, fingerprint := updated(item, is, fields, now)
		return r.add(step, item, change, "", fingerprint)
	}
	was, err := readAbout(row)
	if err != nil {
		return err
	}
	return errors.Join(r.tellMoved(item, was, a, told, step, now), r.tellFile(item, row, is, a, told, step, now))
}

// tellMoved tells of a file that is elsewhere.
func (r *run) tellMoved(item host.Item, was, is about, told *told, step *store.SnapshotStep, now time.Time) error {
	if was.path() == is.path() || was.path() == "" || is.path() == "" {
		return nil
	}
	from := told.follow(was.path(), is.path())
	if from == is.path() {
		step.State.Known++
		return nil
	}
	change, fingerprint := renamed(item, from, is.path(), now)
	return r.add(step, item, change, "", fingerprint)
}

// tellFile tells of a file that is not what it was, wherever it is.
func (r *run) tellFile(item host.Item, row, is store.Item, a about, told *told, step *store.SnapshotStep, now time.Time) error {
	if !otherFile(row.Digest, is.Digest) {
		return nil
	}
	if told.changed(a) {
		step.State.Known++
		return nil
	}
	change, fingerprint := updated(item, is, []string{"files"}, now)
	return r.add(step, item, change, "", fingerprint)
}
