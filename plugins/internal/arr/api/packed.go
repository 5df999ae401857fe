package api

import (
	"bytes"
	"cmp"
	"compress/flate"
	"fmt"
	"io"
	"slices"
)

const (
	// maxPacked bounds what a snapshot keeps of an application's list of titles, in bytes:
	// some 80,000 movies with their files. What has higher ids is read with the list once
	// more.
	maxPacked = 32 << 20
	// blockSize is how much is compressed together, in bytes.
	blockSize = 64 << 10
)

// packed keeps the titles of a list, compressed, while a snapshot works through them: the
// applications give their lists as a whole only, and a large one takes them minutes.
type packed struct {
	// limit is maxPacked unless set.
	limit  int
	blocks [][]byte
	// open is the block that is being filled, which comes after blocks.
	open  bytes.Buffer
	slots []slot
	size  int
	// last is the block that was read last, and which one that is.
	last     []byte
	lastFrom int
	pack     *flate.Writer
}

// slot is where a title is.
type slot struct {
	id              int64
	block, from, to int
}

// put adds a title. The error is a bug.
func (s *packed) put(id int64, title []byte) error {
	if s.open.Len() > 0 && s.open.Len()+len(title) > blockSize {
		if err := s.seal(); err != nil {
			return err
		}
	}
	from := s.open.Len()
	s.open.Write(title)
	s.slots = append(s.slots, slot{id: id, block: len(s.blocks), from: from, to: s.open.Len()})
	return nil
}

func (s *packed) seal() (err error) {
	var out bytes.Buffer
	if s.pack == nil {
		if s.pack, err = flate.NewWriter(&out, flate.BestSpeed); err != nil {
			return fmt.Errorf("make a compressor: %w", err)
		}
	} else {
		s.pack.Reset(&out)
	}
	if _, err := s.pack.Write(s.open.Bytes()); err != nil {
		return fmt.Errorf("compress titles: %w", err)
	}
	if err := s.pack.Close(); err != nil {
		return fmt.Errorf("compress titles: %w", err)
	}
	s.blocks = append(s.blocks, bytes.Clone(out.Bytes()))
	s.size += out.Len()
	s.open.Reset()
	return nil
}

// full reports whether there is more than may be.
func (s *packed) full() bool { return s.size > cmp.Or(s.limit, maxPacked) }

// lower is another with the half of the titles that has the lower ids.
func (s *packed) lower() (*packed, error) {
	s.sort()
	half := &packed{limit: s.limit}
	for _, e := range s.slots[:(len(s.slots)+1)/2] {
		title, err := s.get(e)
		if err != nil {
			return nil, err
		}
		if err := half.put(e.id, title); err != nil {
			return nil, err
		}
	}
	return half, nil
}

// sort puts the titles in the order of their ids, each once.
func (s *packed) sort() {
	slices.SortStableFunc(s.slots, func(a, b slot) int { return cmp.Compare(a.id, b.id) })
	s.slots = slices.CompactFunc(s.slots, func(a, b slot) bool { return a.id == b.id })
}

// get returns a title, which lasts until the next call. The error is a bug.
func (s *packed) get(e slot) ([]byte, error) {
	if e.block == len(s.blocks) {
		return s.open.Bytes()[e.from:e.to], nil
	}
	if s.last == nil || s.lastFrom != e.block {
		block, err := io.ReadAll(flate.NewReader(bytes.NewReader(s.blocks[e.block])))
		if err != nil {
			return nil, fmt.Errorf("uncompress titles: %w", err)
		}
		s.last, s.lastFrom = block, e.block
	}
	return s.last[e.from:e.to], nil
}

// from returns the titles with an id and higher ones.
func (s *packed) from(id int64) []slot {
	i, _ := slices.BinarySearchFunc(s.slots, id, func(e slot, id int64) int { return cmp.Compare(e.id, id) })
	return s.slots[i:]
}
