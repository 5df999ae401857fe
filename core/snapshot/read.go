package snapshot

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/hookarr/hookarr/core/ingest"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk/host"
)

// goOn works the phases that are left.
func (r *run) goOn(ctx context.Context, until time.Time) error {
	for r.state.Phase == store.SnapshotReading {
		if !until.IsZero() && r.o.Now().After(until) {
			return errLater
		}
		if err := r.read(ctx); err != nil {
			return err
		}
	}
	if r.state.Phase == store.SnapshotSettling {
		if err := r.settle(ctx); err != nil {
			return err
		}
	}
	if r.state.Phase == store.SnapshotTelling {
		return r.tell(ctx)
	}
	return nil
}

// errEndless is of an application that has always more.
var errEndless = errors.New("the application has more than is read of one")

// read reads a page and keeps it.
func (r *run) read(ctx context.Context) error {
	if r.state.Pages >= r.maxPages || r.state.Items >= mostItems {
		return fmt.Errorf("%w: more than %d pages, or %d titles and files", errEndless, r.state.Pages, r.state.Items)
	}
	page, err := r.next(ctx)
	if err != nil {
		return err
	}
	if page.More && page.Cursor == r.state.Cursor {
		return fmt.Errorf("the application has more and does not move on from %q", page.Cursor)
	}
	items := clean(page.Items)
	keys := make([]string, len(items))
	for i, item := range items {
		keys[i] = item.Key
	}
	known, err := r.o.Store.FindItems(ctx, r.state.Source, keys)
	if err != nil {
		return err
	}
	step := r.draft()
	state := &step.State
	for _, item := range items {
		if err := r.examine(item, known, step); err != nil {
			return err
		}
		if item.Parent == "" {
			state.Titles++
		}
	}
	state.Items, state.Pages, state.Total = state.Items+len(items), state.Pages+1, max(page.Total, state.Total)
	state.Cursor, state.Trouble, state.TroubleAt = page.Cursor, "", time.Time{}
	if !page.More {
		state.Phase, state.ReadAt = store.SnapshotSettling, r.o.Now().UTC()
	}
	if err := r.step(ctx, step); err != nil {
		return err
	}
	r.metrics.read(r.state.Source, len(items))
	return nil
}

// next returns the page at the cursor.
func (r *run) next(ctx context.Context) (host.Snapshot, error) {
	if first := r.first; first != nil {
		r.first = nil
		return first.Snapshot, first.err
	}
	return r.page(ctx, r.state.Source, r.state.Cursor)
}

// clean returns the items of a page, each once, with keys that databases take.
func clean(items []host.Item) []host.Item {
	at := make(map[string]int, len(items))
	all := make([]host.Item, 0, len(items))
	for _, item := range items {
		item.Key, item.Parent = store.CleanText(item.Key), store.CleanText(item.Parent)
		if i, again := at[item.Key]; again {
			all[i] = item
			continue
		}
		at[item.Key] = len(all)
		all = append(all, item)
	}
	return all
}

// examine compares an item with its row. What differs is kept beside it, to be told.
func (r *run) examine(item host.Item, known map[string]store.Item, step *store.SnapshotStep) error {
	is, err := rowOf(item, r.state.Run)
	if err != nil {
		return err
	}
	was, ok := known[item.Key]
	full := r.state.Wish.Full
	switch {
	case ok && was.Digest == is.Digest && was.Found == nil && was.Parent == is.Parent && bytes.Equal(was.About, is.About):
		step.Seen = append(step.Seen, item.Key)
	case ok && was.Digest == is.Digest, r.state.First, full && r.state.Wish.To == "":
		step.Save = append(step.Save, is)
	default:
		found := is
		found.Digest, found.Fields = was.Digest, was.Fields
		if ok {
			found.About = was.About
		}
		if found.Found, err = recordOf(item); err != nil {
			return err
		}
		found.FoundAt = r.o.Now().UTC().Truncate(time.Microsecond)
		step.Save = append(step.Save, found)
	}
	if !full {
		return nil
	}
	return r.add(step, item, appearance(item, r.o.Now()), r.state.Wish.To, item.Event.Fingerprint)
}

// add has a step tell an event of an item.
func (r *run) add(step *store.SnapshotStep, item host.Item, change changes, to string, fingerprints ...string) error {
	e, raw, err := change.apply(item.JSON)
	if err != nil {
		return fmt.Errorf("item %s: %w", item.Key, err)
	}
	body, err := recordOf(item)
	if err != nil {
		return err
	}
	a, err := r.o.Composer.ComposeFound(r.state.Source, ingest.Found{
		Event: e, JSON: raw, Record: body, To: to, Fingerprints: slices.Compact(slices.Sorted(slices.Values(fingerprints))),
	})
	if err != nil {
		return err
	}
	step.Accept = append(step.Accept, a)
	return nil
}
