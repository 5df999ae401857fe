package mediaserver

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/hookarr/hookarr/sdk/pathmap"
)

// proof is what the server showed of the changes.
type proof struct {
	missing []*change
	// lacks has the missing ones.
	lacks map[*change]bool
	// items has the server's for what is to be there, by change.
	items map[*change]Item
	notes []string
}

// lacking returns a proof of nothing, in which some changes are missing.
func lacking(changes []*change) proof {
	p := proof{items: map[*change]Item{}}
	p.miss(changes...)
	return p
}

func (p *proof) miss(changes ...*change) {
	if p.lacks == nil {
		p.lacks = make(map[*change]bool, len(changes))
	}
	for _, c := range changes {
		p.lacks[c] = true
	}
	p.missing = append(p.missing, changes...)
}

func (p *proof) isMissing(c *change) bool { return p.lacks[c] }

// maxNotes is more than is shown of what a server has to be said of.
const maxNotes = 20

func (p *proof) note(note string) {
	if note != "" && len(p.notes) < maxNotes && !slices.Contains(p.notes, note) {
		p.notes = append(p.notes, note)
	}
}

// provable are the changes that are waited for.
func provable(changes []change) []*change {
	var all []*change
	for i := range changes {
		if c := &changes[i]; c.library != nil && !c.unproven {
			all = append(all, c)
		}
	}
	return all
}

// prove asks the server for the files of each title.
func (r *run) prove(ctx context.Context) error {
	type question struct {
		title   int
		library string
	}
	var order []question
	by := map[question][]*change{}
	for _, c := range provable(r.wanted.changes) {
		q := question{c.title, c.library.ID}
		if by[q] == nil {
			order = append(order, q)
		}
		by[q] = append(by[q], c)
	}
	r.proof = lacking(nil)
	for _, q := range order {
		changes := by[q]
		items, err := r.server.Find(ctx, r.query(q.title, changes))
		if isStale(err) {
			r.cache.drop() // what is looked for may be in another library now
			r.proof.miss(changes...)
			continue
		}
		if err != nil {
			return fmt.Errorf("ask %s for the files of %s: %w", r.options.Name, r.wanted.titles[q.title].Title.Title, err)
		}
		byKey := make(map[string]*Item, len(items))
		for i := range items {
			byKey[pathmap.Canonical(items[i].Path)] = &items[i]
		}
		for _, c := range changes {
			item := byKey[pathmap.Canonical(c.Path)]
			if c.Folder {
				item = within(items, c.Path)
			}
			r.judge(c, item)
		}
	}
	return nil
}

func (r *run) query(t int, changes []*change) Query {
	q := Query{Library: *changes[0].library, Title: r.wanted.titles[t].Title, Thorough: r.d.Final || r.state.Again > 0}
	for _, c := range changes {
		q.Paths = append(q.Paths, c.Path)
		q.Absence = q.Absence || c.Gone
	}
	for _, i := range r.wanted.titles[t].events {
		q.Events = append(q.Events, r.d.Events[i])
	}
	return q
}

// within is an item in a folder, or nil.
func within(items []Item, folder string) *Item {
	i := slices.IndexFunc(items, func(item Item) bool { return pathmap.Under(item.Path, folder) })
	if i < 0 {
		return nil
	}
	return &items[i]
}

// judge decides whether what the server has at a change's path, or nil, proves it.
func (r *run) judge(c *change, item *Item) {
	if c.Gone == (item != nil) || item != nil && c.isStill(item) {
		r.proof.miss(c)
		return
	}
	if item == nil {
		return
	}
	r.proof.items[c] = *item
	r.proof.note(item.Note)
	if differs(c.Title.IDs, item.IDs) {
		r.proof.note(fmt.Sprintf("%s takes %s for another title, %q: fix the match there", r.options.Name, c.label, item.Title))
	}
}

// isStill reports whether a server shows the file that was replaced at the same path: its
// size is still the old one.
func (c *change) isStill(item *Item) bool {
	return item.Size != 0 && item.Size == c.formerly && c.size != 0 && c.size != c.formerly
}

// differs reports whether two titles have ids of the same services and none in common.
func differs(a, b map[string]string) bool {
	for service, id := range a {
		if _, both := b[service]; both && id != "" {
			return !ShareID(a, b)
		}
	}
	return false
}

// ShareID reports whether two titles have an id in common, by their ids as in sdk.Media.
func ShareID(a, b map[string]string) bool {
	for service, id := range a {
		if id != "" && b[service] == id {
			return true
		}
	}
	return false
}

func isStale(err error) bool { return errors.Is(err, ErrStale) }
