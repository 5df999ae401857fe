package snapshot

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/sdk"
)

const (
	// eventsPage is how many events are read at once.
	eventsPage = 100
	// committing is how long an event may take from being given its id to being stored.
	committing = time.Minute
)

// told is what webhooks and catch-up told of a source since a time. What earlier snapshots
// told is in the inventory.
type told struct {
	store  Store
	source string
	now    func() time.Time
	// read is the event up to which all are known.
	read uuid.UUID
	// facts are what is known of fingerprints, titles, files and renames; renames are the last
	// path that each path was given.
	facts   map[factKey]fact
	renames map[string]string
}

// factKey is a hash, so that what is told of long paths takes little memory.
type factKey [16]byte

// fact is when something was last told to be there, to be gone and to have changed, by the
// order of events' ids; 0 is never.
type fact struct{ there, gone, changed uint64 }

func newTold(s Store, source string, since time.Time, now func() time.Time) *told {
	return &told{
		store: s, source: source, now: now, read: event.FirstID(since),
		facts: map[factKey]fact{}, renames: map[string]string{},
	}
}

func key(kind, id string) factKey {
	sum := sha256.Sum256([]byte(kind + "\x00" + id))
	return factKey(sum[:16])
}

func renameKey(from, to string) factKey { return key("rename", from+"\x00"+to) }

// order is the place of an event among all others.
func order(id uuid.UUID) uint64 { return binary.BigEndian.Uint64(id[:8]) }

// orderOf is the place of a time among events.
func orderOf(at time.Time) uint64 { return order(event.FirstID(at)) }

// refresh reads what was told meanwhile. Events may be stored later than others that have
// higher ids: the youngest are read again each time.
func (t *told) refresh(ctx context.Context) error {
	settled := order(event.FirstID(t.now().Add(-committing)))
	for at := t.read; ; {
		list, err := t.store.EventsAfter(ctx, t.source, at, eventsPage)
		if err != nil || len(list) == 0 {
			return err
		}
		for _, e := range list {
			if err := t.note(ctx, e); err != nil {
				return err
			}
			if at = e.ID; order(at) < settled {
				t.read = at
			}
		}
	}
}

// contents is what of an event tells of titles and files.
type contents struct {
	Type        sdk.Type     `json:"type"`
	Origin      sdk.Origin   `json:"origin"`
	Fingerprint string       `json:"fingerprint"`
	Media       *sdk.Media   `json:"media"`
	Files       []sdk.File   `json:"files"`
	Deleted     []sdk.File   `json:"deleted_files"`
	Renamed     []sdk.Rename `json:"renamed_files"`
}

// note notes what an event tells.
func (t *told) note(ctx context.Context, e event.Event) error {
	if e.Normalized == nil && e.Type != "" {
		// It was too large among others.
		alone, err := t.store.EventsAfter(ctx, t.source, before(e.ID), 1)
		if err != nil {
			return err
		}
		if len(alone) == 1 && alone[0].ID == e.ID {
			e = alone[0]
		}
	}
	if e.Normalized == nil {
		return nil
	}
	var x contents
	if err := json.Unmarshal(e.Normalized, &x); err != nil {
		return fmt.Errorf("read event %s: %w", e.ID, err)
	}
	if x.Origin == sdk.OriginSnapshot || x.Origin == sdk.OriginTarget {
		return nil
	}
	at := order(e.ID)
	there := func(f *fact) { f.there = max(f.there, at) }
	gone := func(f *fact) { f.gone = max(f.gone, at) }
	changed := func(f *fact) { f.changed = max(f.changed, at) }
	switch x.Type {
	case sdk.TypeMediaAdded:
		t.set(there, x.Fingerprint, x.Media, nil)
	case sdk.TypeMediaDeleted:
		t.set(gone, x.Fingerprint, x.Media, x.Deleted)
	case sdk.TypeMediaImported, sdk.TypeMediaUpgraded, sdk.TypeImportCompleted:
		t.set(gone, "", nil, x.Deleted)
		t.set(there, x.Fingerprint, nil, x.Files)
	case sdk.TypeFileDeleted, sdk.TypeFileDeletedForUpgrade:
		t.set(gone, x.Fingerprint, nil, x.Deleted)
	case sdk.TypeFileRetagged:
		t.set(changed, "", nil, x.Files)
	case sdk.TypeFileRenamed:
		for _, r := range x.Renamed {
			f := t.facts[renameKey(r.From, r.To)]
			there(&f)
			t.facts[renameKey(r.From, r.To)] = f
			delete(t.renames, r.To) // what was there has gone on
			t.renames[r.From] = r.To
		}
	default: // Nothing of what is compared.
	}
	return nil
}

// before is the id before one, but for the very first.
func before(id uuid.UUID) uuid.UUID {
	for i := len(id) - 1; i >= 0; i-- {
		id[i]--
		if id[i] != 0xff {
			break
		}
	}
	return id
}

// set notes something of a fingerprint, a title and files. A file without an id is known by
// its path, which another may have taken since.
func (t *told) set(what func(*fact), fingerprint string, m *sdk.Media, files []sdk.File) {
	note := func(k factKey) {
		f := t.facts[k]
		what(&f)
		t.facts[k] = f
	}
	if fingerprint != "" {
		note(key("fingerprint", fingerprint))
	}
	if m != nil && m.ID != "" {
		note(key("title", m.ID))
	}
	for _, file := range files {
		switch {
		case file.ID != "":
			note(key("file", file.ID))
		case file.Path != "":
			note(key("path", file.Path))
		}
	}
}

// of are the facts of an item: by its fingerprints, its id and its path.
func (t *told) of(a about) []fact {
	var appearance fact
	if a.Fingerprint != "" {
		appearance = t.facts[key("fingerprint", a.Fingerprint)]
	}
	for _, fingerprint := range a.Fingerprints {
		f := t.facts[key("fingerprint", fingerprint)]
		appearance.gone = max(appearance.gone, f.gone)
	}
	facts := []fact{appearance}
	switch {
	case a.isFile():
		facts = append(facts, t.facts[key("file", a.File.ID)], t.facts[key("path", a.File.Path)])
	case a.Media != nil:
		facts = append(facts, t.facts[key("title", a.Media.ID)])
	}
	return facts
}

// there reports whether an item was told to be there, and not to be gone since.
func (t *told) there(a about) bool {
	for _, f := range t.of(a) {
		if f.there > 0 && f.there >= f.gone {
			return true
		}
	}
	return false
}

// gone reports whether an item was told to be gone, and not to be there again since.
func (t *told) gone(a about) bool {
	for _, f := range t.of(a) {
		if f.gone > 0 && f.gone >= f.there {
			return true
		}
	}
	return false
}

// goneSince reports whether an item was told to be gone after a time.
func (t *told) goneSince(a about, at time.Time) bool {
	for _, f := range t.of(a) {
		if f.gone > orderOf(at) && f.gone >= f.there {
			return true
		}
	}
	return false
}

// changed reports whether a file was told to have changed.
func (t *told) changed(a about) bool {
	for _, f := range t.of(a) {
		if f.changed > 0 {
			return true
		}
	}
	return false
}

// follow returns where a file that goes from a path to another is by the renames that were
// told.
func (t *told) follow(from, to string) string {
	if t.facts[renameKey(from, to)].there > 0 {
		return to
	}
	for range 100 { // Renames may lead in a circle.
		next, ok := t.renames[from]
		if !ok || next == from {
			break
		}
		from = next
	}
	return from
}
