package store

import (
	"cmp"
	"slices"

	"github.com/google/uuid"
)

// claim is a dedup key that the batch takes, once, for its first event that brings it.
type claim struct {
	Claim
	// item is the index of the acceptance that takes it.
	item int
}

// fold is a batch whose repetitions among itself have been found.
type fold struct {
	items []*Acceptance
	// claims are ordered by source and key, so that concurrent batches meet in the
	// same order and cannot wait for each other in a circle.
	claims []claim
	// first is, for each item, the index of the one that it repeats, or its own.
	first []int
	// owner is, for each item, the stored event that it repeats, or its own id.
	owner []uuid.UUID
}

// foldBatch finds the repetitions within a batch: an item that brings a key of an
// earlier one repeats it, and takes none.
func foldBatch(items []*Acceptance) *fold {
	type id struct{ source, key string }
	f := &fold{items: items, first: make([]int, len(items)), owner: make([]uuid.UUID, len(items))}
	taken := make(map[id]int, 2*len(items))
	for i, a := range items {
		f.first[i] = i
		f.owner[i] = a.Event.ID
		source := CleanText(a.Event.Source)
		for _, k := range a.Keys {
			if j, ok := taken[id{source, ShortKey(k.Key)}]; ok {
				f.first[i] = j
				break
			}
		}
		if f.first[i] != i {
			continue
		}
		for _, k := range a.Keys {
			key := ShortKey(k.Key)
			if _, ok := taken[id{source, key}]; ok {
				continue // twice in one list
			}
			taken[id{source, key}] = i
			f.claims = append(f.claims, claim{item: i, Claim: Claim{
				Source: source, Key: key, Window: k.Window, Owner: a.Event.ID,
				Story: Story(key, string(a.Event.Type), a.Event.CorrelationKey),
			}})
		}
	}
	slices.SortFunc(f.claims, func(a, b claim) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Key, b.Key))
	})
	return f
}

// lost notes that a claim belongs to a stored event.
func (f *fold) lost(c claim, owner uuid.UUID) {
	if f.owner[c.item] == f.items[c.item].Event.ID {
		f.owner[c.item] = owner
	}
}

// fresh reports whether item i is new: neither a repetition within the batch nor of a
// stored event.
func (f *fold) fresh(i int) bool {
	return f.first[i] == i && f.owner[i] == f.items[i].Event.ID
}

// accepted is what became of item i.
func (f *fold) accepted(i int) Accepted {
	return Accepted{EventID: f.owner[f.first[i]], Duplicate: !f.fresh(i)}
}
