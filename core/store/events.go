package store

import (
	"bytes"
	"context"
	"slices"
)

// ReadNormalized returns the normalised forms of at most Limit of the events that the
// indexed part of a filter selects, in its order. Those of more than 512 KiB are left out.
func (s *Store) ReadNormalized(ctx context.Context, f EventFilter) ([][]byte, error) {
	ids, err := s.engine.EventIDs(ctx, f, Page(f.Limit))
	if err != nil {
		return nil, err
	}
	var all [][]byte
	for slice := range slices.Chunk(ids, searchSlice) {
		order := make(map[[16]byte][]byte, len(slice))
		err := s.engine.EventTexts(ctx, slice, searchFields, func(e *EventText) { order[e.ID] = bytes.Clone(e.Normalized) })
		if err != nil {
			return nil, err
		}
		for _, id := range slice {
			if normalized := order[id]; len(normalized) > 0 && len(normalized) < searchFields {
				all = append(all, normalized)
			}
		}
	}
	return all, nil
}
