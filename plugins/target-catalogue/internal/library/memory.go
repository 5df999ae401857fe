package library

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Memory is a Shelf in memory, and as JSON. The zero value is empty. It is not safe for
// concurrent use.
type Memory struct {
	titles map[Key]*Title
	parts  map[Key]*Part
	files  map[string]*File
	// claims are in the order of their versions, by their paths and by where files went.
	claims, movedTo map[string][]Claim
}

var _ Shelf = (*Memory)(nil)

// stored is the JSON of a Memory: lists, so that it is the same each time.
type stored struct {
	Titles []*Title `json:"titles"`
	Parts  []*Part  `json:"parts"`
	Files  []*File  `json:"files"`
	Claims []Claim  `json:"claims"`
}

// MarshalJSON writes all that is kept.
func (m *Memory) MarshalJSON() ([]byte, error) {
	var s stored
	s.Titles, s.Parts, s.Files = m.Titles(), m.Parts(), m.Files()
	for _, path := range slices.Sorted(maps.Keys(m.claims)) {
		s.Claims = append(s.Claims, m.claims[path]...)
	}
	return json.Marshal(s)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (m *Memory) UnmarshalJSON(data []byte) error {
	var s stored
	if err := json.Unmarshal(data, &s); err != nil {
		return fmt.Errorf("read library: %w", err)
	}
	*m = Memory{}
	m.init()
	for _, t := range s.Titles {
		m.titles[t.Key] = t
	}
	for _, p := range s.Parts {
		m.parts[p.Key] = p
	}
	for _, f := range s.Files {
		m.files[f.ID] = f
	}
	for _, c := range s.Claims {
		m.claim(c)
	}
	return nil
}

// init makes the maps.
func (m *Memory) init() {
	if m.titles == nil {
		m.titles, m.parts, m.files = map[Key]*Title{}, map[Key]*Part{}, map[string]*File{}
		m.claims, m.movedTo = map[string][]Claim{}, map[string][]Claim{}
	}
}

func byKey(a, b Key) int { return strings.Compare(a.Kind+"\n"+a.ID, b.Kind+"\n"+b.ID) }

// Titles returns all, in order.
func (m *Memory) Titles() []*Title {
	return slices.SortedFunc(maps.Values(m.titles), func(a, b *Title) int { return byKey(a.Key, b.Key) })
}

// Parts returns all, in order.
func (m *Memory) Parts() []*Part {
	return slices.SortedFunc(maps.Values(m.parts), func(a, b *Part) int { return byKey(a.Key, b.Key) })
}

// Files returns all, in order.
func (m *Memory) Files() []*File {
	return slices.SortedFunc(maps.Values(m.files), func(a, b *File) int { return strings.Compare(a.ID, b.ID) })
}

// Title implements Shelf.
func (m *Memory) Title(_ context.Context, key Key) (*Title, error) { return m.titles[key], nil }

// Part implements Shelf.
func (m *Memory) Part(_ context.Context, key Key) (*Part, error) { return m.parts[key], nil }

// File implements Shelf.
func (m *Memory) File(_ context.Context, id string) (*File, error) { return m.files[id], nil }

// Claims implements Shelf.
func (m *Memory) Claims(_ context.Context, path string) ([]Claim, error) { return m.claims[path], nil }

// MovedTo implements Shelf.
func (m *Memory) MovedTo(_ context.Context, path string) ([]Claim, error) {
	return m.movedTo[path], nil
}

// PartsOf implements Shelf.
func (m *Memory) PartsOf(_ context.Context, title Key) ([]Key, error) {
	var keys []Key
	for key, p := range m.parts {
		if p.Title == title {
			keys = append(keys, key)
		}
	}
	return keys, nil
}

// FilesOf implements Shelf.
func (m *Memory) FilesOf(_ context.Context, title Key) ([]string, error) {
	var ids []string
	for id, f := range m.files {
		if f.Title() == title {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// TitlesIn implements Shelf.
func (m *Memory) TitlesIn(_ context.Context, kind, folder string) ([]Key, error) {
	var keys []Key
	for key, t := range m.titles {
		if key.Kind == kind && t.Fields.Text("path") == folder {
			keys = append(keys, key)
		}
	}
	return keys, nil
}

// SaveTitle implements Shelf.
func (m *Memory) SaveTitle(_ context.Context, t *Title) error {
	m.init()
	m.titles[t.Key] = t
	return nil
}

// SavePart implements Shelf.
func (m *Memory) SavePart(_ context.Context, p *Part) error {
	m.init()
	m.parts[p.Key] = p
	return nil
}

// SaveFile implements Shelf.
func (m *Memory) SaveFile(_ context.Context, f *File) error {
	m.init()
	m.files[f.ID] = f
	return nil
}

// SaveClaim implements Shelf.
func (m *Memory) SaveClaim(_ context.Context, c Claim) error {
	m.init()
	m.claim(c)
	return nil
}

func (m *Memory) claim(c Claim) {
	m.claims[c.Path] = inserted(m.claims[c.Path], c)
	if c.MovedTo != "" {
		m.movedTo[c.MovedTo] = inserted(m.movedTo[c.MovedTo], c)
	}
}

// inserted returns claims with one more in its place, or instead of that of the same path
// and version.
func inserted(claims []Claim, c Claim) []Claim {
	at, found := slices.BinarySearchFunc(claims, c, func(a, b Claim) int {
		if d := strings.Compare(string(a.Said), string(b.Said)); d != 0 {
			return d
		}
		return strings.Compare(a.Path, b.Path)
	})
	if found {
		claims[at] = c
		return claims
	}
	return slices.Insert(claims, at, c)
}
