package store

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
)

const (
	// searchSpan is how many rows a search looks at before it says where it stopped.
	searchSpan = 5000
	// searchSlice is how many rows are in memory at once, searchText how many bytes of each
	// body are looked at, and searchFields how many where fields are asked for, which only a
	// whole one tells.
	searchSlice  = 50
	searchText   = 64 << 10
	searchFields = 512 << 10
	// countSpan is how far rows are counted.
	countSpan = 100_000
)

// EventText is what a search looks at in an event. Normalized and Body are their
// beginnings.
type EventText struct {
	ID                             uuid.UUID
	Title, Summary, CorrelationKey string
	Normalized, Body               []byte
}

// EventPage is a part of a list.
type EventPage struct {
	Events []EventSummary
	// Next continues the list as Before, or as After with the oldest first; uuid.Nil is its
	// end. A search may stop before it has found anything.
	Next uuid.UUID
}

// DeliveryPage is a part of a list. Next is as in EventPage.
type DeliveryPage struct {
	Deliveries []DeliverySummary
	Next       uuid.UUID
}

// Count is how many rows a filter matches. With More it is at least that many.
type Count struct {
	N    int
	More bool
}

// String says the number in words for people.
func (c Count) String() string {
	if c.More {
		return fmt.Sprintf("at least %d", c.N)
	}
	return strconv.Itoa(c.N)
}

// MatchEvents returns the ids of at most Limit events, and where to go on. It looks at no
// more than 5,000 events, so that a search for what is rare ends.
func (s *Store) MatchEvents(ctx context.Context, f EventFilter) (ids []uuid.UUID, next uuid.UUID, err error) {
	list := func(limit int) ([]uuid.UUID, error) { return s.engine.EventIDs(ctx, f, limit) }
	if !f.searches() {
		return plain(list, Page(f.Limit))
	}
	want, most := f.matcher(), searchText
	if len(f.Fields) > 0 {
		most = searchFields
	}
	return search(list, Page(f.Limit), func(slice []uuid.UUID) (map[uuid.UUID]bool, error) {
		matched := make(map[uuid.UUID]bool)
		err := s.engine.EventTexts(ctx, slice, most, func(e *EventText) { matched[e.ID] = want(e) })
		return matched, err
	})
}

// MatchDeliveries is MatchEvents of deliveries.
func (s *Store) MatchDeliveries(ctx context.Context, f DeliveryFilter) (ids []uuid.UUID, next uuid.UUID, err error) {
	list := func(limit int) ([]uuid.UUID, error) { return s.engine.DeliveryIDs(ctx, f, limit) }
	if !f.searches() {
		return plain(list, Page(f.Limit))
	}
	want := f.matcher()
	return search(list, Page(f.Limit), func(slice []uuid.UUID) (map[uuid.UUID]bool, error) {
		found, err := s.engine.SummarizeDeliveries(ctx, slice)
		matched := make(map[uuid.UUID]bool)
		for i := range found {
			matched[found[i].ID] = want(&found[i])
		}
		return matched, err
	})
}

// plain is a page of what an index tells.
func plain(list func(limit int) ([]uuid.UUID, error), limit int) (ids []uuid.UUID, next uuid.UUID, err error) {
	ids, err = list(limit)
	if err == nil && len(ids) == limit {
		next = ids[limit-1]
	}
	return ids, next, err
}

// search looks at rows, slice by slice.
func search(list func(limit int) ([]uuid.UUID, error), limit int, match func([]uuid.UUID) (map[uuid.UUID]bool, error)) (ids []uuid.UUID, next uuid.UUID, err error) {
	all, err := list(searchSpan)
	if err != nil {
		return nil, uuid.Nil, err
	}
	for slice := range slices.Chunk(all, searchSlice) {
		matched, err := match(slice)
		if err != nil {
			return nil, uuid.Nil, err
		}
		for _, id := range slice {
			if matched[id] {
				ids = append(ids, id)
			}
			if len(ids) == limit {
				return ids, id, nil
			}
		}
	}
	if len(all) == searchSpan {
		next = all[searchSpan-1]
	}
	return ids, next, nil
}

// SearchEvents returns a page of events, newest first unless the filter says otherwise. It
// looks at no more than 5,000 events: go on with Next.
func (s *Store) SearchEvents(ctx context.Context, f EventFilter) (EventPage, error) {
	ids, next, err := s.MatchEvents(ctx, f)
	if err != nil {
		return EventPage{}, err
	}
	found, err := s.engine.SummarizeEvents(ctx, ids)
	return EventPage{arrange(ids, found, func(e *EventSummary) uuid.UUID { return e.ID }), next}, err
}

// SearchDeliveries is SearchEvents of deliveries.
func (s *Store) SearchDeliveries(ctx context.Context, f DeliveryFilter) (DeliveryPage, error) {
	ids, next, err := s.MatchDeliveries(ctx, f)
	if err != nil {
		return DeliveryPage{}, err
	}
	found, err := s.engine.SummarizeDeliveries(ctx, ids)
	return DeliveryPage{arrange(ids, found, func(d *DeliverySummary) uuid.UUID { return d.ID }), next}, err
}

// arrange puts rows into the order of their ids.
func arrange[T any](ids []uuid.UUID, rows []T, id func(*T) uuid.UUID) []T {
	place := make(map[uuid.UUID]int, len(ids))
	for i, id := range ids {
		place[id] = i
	}
	slices.SortFunc(rows, func(a, b T) int { return place[id(&a)] - place[id(&b)] })
	return rows
}

// ListEvents is the first page of SearchEvents.
func (s *Store) ListEvents(ctx context.Context, f EventFilter) ([]EventSummary, error) {
	page, err := s.SearchEvents(ctx, f)
	return page.Events, err
}

// ListDeliveries is the first page of SearchDeliveries.
func (s *Store) ListDeliveries(ctx context.Context, f DeliveryFilter) ([]DeliverySummary, error) {
	page, err := s.SearchDeliveries(ctx, f)
	return page.Deliveries, err
}

// CountEvents counts the events that a filter matches, up to 100,000. It looks at no more
// than that.
func (s *Store) CountEvents(ctx context.Context, f EventFilter) (Count, error) {
	return count(f.searches(), func(after uuid.UUID, limit int) ([]uuid.UUID, uuid.UUID, error) {
		if after != uuid.Nil {
			f.After = after
		}
		f.Limit, f.Oldest = limit, true
		return s.MatchEvents(ctx, f)
	})
}

// CountMatching counts the deliveries that a filter matches, as CountEvents does.
func (s *Store) CountMatching(ctx context.Context, f DeliveryFilter) (Count, error) {
	return count(f.searches(), func(after uuid.UUID, limit int) ([]uuid.UUID, uuid.UUID, error) {
		if after != uuid.Nil {
			f.After = after
		}
		f.Limit, f.Oldest = limit, true
		return s.MatchDeliveries(ctx, f)
	})
}

func count(searches bool, match func(after uuid.UUID, limit int) ([]uuid.UUID, uuid.UUID, error)) (c Count, err error) {
	if !searches {
		ids, _, err := match(uuid.Nil, countSpan+1)
		return Count{N: min(len(ids), countSpan), More: len(ids) > countSpan}, err
	}
	var next uuid.UUID
	for range countSpan / searchSpan {
		var ids []uuid.UUID
		if ids, next, err = match(next, searchSpan); err != nil {
			return Count{}, err
		}
		if c.N += len(ids); next == uuid.Nil {
			return c, nil
		}
	}
	c.More = true
	return c, nil
}

// searches reports whether the filter asks for what no index tells.
func (f EventFilter) searches() bool {
	return f.Text != "" || f.CorrelationKey != "" || len(f.Fields) > 0
}

func (f DeliveryFilter) searches() bool {
	return f.Text != "" || f.Source != "" || f.Type != "" || f.Route != ""
}

func (f EventFilter) matcher() func(*EventText) bool {
	text := newWord(f.Text)
	return func(e *EventText) bool {
		if f.CorrelationKey != "" && e.CorrelationKey != CleanText(f.CorrelationKey) {
			return false
		}
		if f.Text != "" && !text.in([]byte(e.Title)) && !text.in([]byte(e.Summary)) && !text.in(e.Normalized) &&
			(f.WithoutBodies || !text.in(e.Body)) {
			return false
		}
		return len(f.Fields) == 0 || hasFields(e.Normalized, f.Fields)
	}
}

func (f DeliveryFilter) matcher() func(*DeliverySummary) bool {
	text := newWord(f.Text)
	return func(d *DeliverySummary) bool {
		return (f.Source == "" || d.Source == f.Source) && (f.Type == "" || d.Type == f.Type) && (f.Route == "" || d.Route == f.Route) &&
			(f.Text == "" || text.in([]byte(d.Reason)) || text.in([]byte(d.Title)))
	}
}

// foldCase appends text to buf with letters of one case, and bytes that are no UTF-8 as they
// are.
func foldCase(buf, text []byte) []byte {
	for len(text) > 0 {
		buf = slices.Grow(buf, len(text))
		// Nearly all of most texts: without a look at what each byte needs.
		n, into := 0, buf[len(buf):len(buf)+len(text)]
		for n < len(text) && text[n] < utf8.RuneSelf {
			c := text[n]
			if 'A' <= c && c <= 'Z' {
				c += 'a' - 'A'
			}
			into[n] = c
			n++
		}
		if buf, text = buf[:len(buf)+n], text[n:]; len(text) == 0 {
			break
		}
		r, n := utf8.DecodeRune(text)
		if r == utf8.RuneError {
			buf, text = append(buf, text[:n]...), text[n:]
			continue
		}
		buf, text = utf8.AppendRune(buf, unicode.ToLower(unicode.ToUpper(r))), text[n:]
	}
	return buf
}

// word is looked for in texts, one at a time, whatever the case.
type word struct{ folded, text []byte }

func newWord(text string) *word { return &word{folded: foldCase(nil, []byte(text))} }

// in reports whether a text contains the word.
func (w *word) in(text []byte) bool {
	w.text = foldCase(w.text[:0], text)
	return bytes.Contains(w.text, w.folded)
}

// hasFields reports whether a JSON object has every field. One that was cut has none.
func hasFields(object []byte, fields []Field) bool {
	var decoded any
	d := json.NewDecoder(bytes.NewReader(object))
	d.UseNumber()
	if d.Decode(&decoded) != nil {
		return false
	}
	return !slices.ContainsFunc(fields, func(f Field) bool { return !hasField(decoded, strings.Split(f.Path, "."), f.Value) })
}

func hasField(v any, path []string, value string) bool {
	switch v := v.(type) {
	case []any:
		return slices.ContainsFunc(v, func(item any) bool { return hasField(item, path, value) })
	case map[string]any:
		if len(path) == 0 {
			return false
		}
		next, ok := v[path[0]]
		return ok && hasField(next, path[1:], value)
	case nil:
		return false
	default:
		return len(path) == 0 && strings.EqualFold(fmt.Sprint(v), value)
	}
}
