package api

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/hookarr/hookarr/plugins/internal/arr"
	"github.com/hookarr/hookarr/sdk"
)

const (
	// pageLimit is how many events a page has when nobody says.
	pageLimit = 100
	// together is the longest pause between two records of one event. The application
	// writes those of a season one after the other; files are renamed one by one.
	together = time.Minute
	// leadIn is how far before an event records are read: the file that an import
	// replaced is recorded when the copying begins.
	leadIn = 15 * time.Minute
	// titleTimeout is how long an application may fail over a title. Then its events are told
	// with what is known, for one damaged title must not keep all others from coming.
	titleTimeout = time.Hour
	// clockTolerance is how far a clock that is off may seem to move between two
	// answers.
	clockTolerance = 5 * time.Second
)

// Told is a part of the history that one webhook tells.
type Told struct {
	// Records is at least one, in order.
	Records []Record

	history *timeline
	// first is the index of the first record in the history.
	first int
}

// timeline is a history in which the records of a movie, an episode or a track are
// found.
type timeline struct {
	records []Record
	// parts are their indices, in order.
	parts map[part][]int
}

// First is the record that the others repeat for further parts of the title.
func (t Told) First() *Record { return &t.Records[0] }

// Import is what the webhook of an import says beside the files that it brought. The
// applications record deletions of files that give way to it before, for the reason
// Upgrade.
func (t Told) Import(deleted string) arr.Payload {
	p := t.First().Payload("Download")
	for _, i := range t.replaced(deleted) {
		p.IsUpgrade = true
		p.DeletedFiles.Files = append(p.DeletedFiles.Files, t.history.records[i].File())
	}
	return p
}

// replaced are the indices of the records of files that gave way to an import, each
// file once. A file that was deleted before another import of the same gave way to that.
func (t Told) replaced(deleted string) []int {
	var found []int
	for i := range t.Records {
		r := &t.Records[i]
		indices := t.history.parts[r.part()]
		before, _ := slices.BinarySearch(indices, t.first)
		for _, at := range slices.Backward(indices[:before]) {
			e := &t.history.records[at]
			if t.First().Date.Sub(e.Date) > leadIn || e.Is(r.EventType) {
				break
			}
			if e.Is(deleted) && isUpgrade(e) {
				found = append(found, at)
			}
		}
	}
	slices.Sort(found)
	seen := map[string]bool{}
	return slices.DeleteFunc(slices.Compact(found), func(at int) bool {
		path := t.history.records[at].SourceTitle
		again := seen[path]
		seen[path] = true
		return again
	})
}

func isUpgrade(r *Record) bool { return r.Data.Reason == "Upgrade" }

// tellings gathers records, which are in order, to what webhooks tell.
func tellings(records []Record, key func(*Record) string) []Told {
	type open struct {
		index int
		last  time.Time
	}
	var all []Told
	latest := map[string]open{}
	h := &timeline{records: records, parts: map[part][]int{}}
	for i := range records {
		r := &records[i]
		h.parts[r.part()] = append(h.parts[r.part()], i)
		key := key(r)
		if key == "" {
			continue
		}
		o, ok := latest[key]
		if !ok || r.Date.Sub(o.last) > together {
			o = open{index: len(all)}
			all = append(all, Told{history: h, first: i})
		}
		all[o.index].Records = append(all[o.index].Records, *r)
		latest[key] = open{o.index, r.Date}
	}
	slices.SortStableFunc(all, func(a, b Told) int { return a.end().compare(b.end()) })
	return all
}

// end is where the last record stands, and so where the whole does.
func (t Told) end() position { return t.Records[len(t.Records)-1].position() }

// record is what the event was made from: the record, or a list of all.
func (t Told) record() []byte {
	if len(t.Records) == 1 {
		return t.Records[0].raw
	}
	raws := make([][]byte, len(t.Records))
	for i := range t.Records {
		raws[i] = t.Records[i].raw
	}
	return slices.Concat([]byte("["), bytes.Join(raws, []byte(",")), []byte("]"))
}

// History implements sdk.Historian. A page stands between two positions of its
// events' last records; what came in late or in disorder before the first is left to
// the overlap that the caller asks for.
func (p *Powers) History(ctx context.Context, q sdk.HistoryQuery) (sdk.HistoryPage, error) {
	begun := time.Now()
	c, err := p.ready()
	if err != nil {
		return sdk.HistoryPage{}, err
	}
	ctx, cancel := inTime(ctx)
	defer cancel()
	status, err := c.Status(ctx)
	if err != nil {
		return sdk.HistoryPage{}, err
	}
	reader := p.reader(c, status, false)
	w, err := c.window(ctx, q, reader.Part)
	if err != nil {
		return sdk.HistoryPage{}, err
	}
	p.tellClock(ctx, w.ahead)
	page := sdk.HistoryPage{Cursor: w.after.String(), More: w.cut}
	for _, told := range w.told {
		end := told.end()
		if end.compare(w.after) <= 0 {
			continue
		}
		if !w.until.IsZero() && end.date.After(w.until) {
			break
		}
		if len(page.Events) == cmp.Or(max(q.Limit, 0), pageLimit) || page.Cursor != w.after.String() && late(ctx, begun) {
			page.More = true
			return page, nil
		}
		e, err := reader.Tell(ctx, told)
		if failed(err) && p.stuck.at(end, begun) >= titleTimeout {
			e, err = p.reader(c, status, true).Tell(ctx, told)
		}
		if _, skipped := sdk.SkipReason(err); skipped {
			page.Cursor = end.String()
			continue
		}
		if err != nil && len(page.Events) > 0 {
			page.More = true
			return page, nil // What is known is of use; the next call gets over it, or says it.
		}
		if err != nil {
			return sdk.HistoryPage{}, err
		}
		e.Time = end.date.Add(-w.ahead)
		page.Events = append(page.Events, sdk.PastEvent{Event: e, Record: told.record(), Key: end.String()})
		page.Cursor = end.String()
	}
	if page.More {
		page.Cursor = position{w.until, math.MaxInt64}.String()
	}
	return page, nil
}

// window is the part of a history that a query asks for. Its times are the
// application's.
type window struct {
	after position
	// until is zero for a query without an end.
	until time.Time
	told  []Told
	// cut: there is more after until that the query asks for too.
	cut   bool
	ahead time.Duration
}

// window reads what a query asks for, far enough back that what it ends with is whole:
// the files of a large series may be renamed for longer than leadIn.
func (c *Client) window(ctx context.Context, q sdk.HistoryQuery, key func(*Record) string) (window, error) {
	lead := leadIn
	for {
		w := window{ahead: c.clock()}
		if err := w.place(q); err != nil {
			return window{}, err
		}
		from := w.after.date.Add(-lead)
		h, err := c.since(ctx, from)
		if err != nil {
			return window{}, err
		}
		if (c.clock() - w.ahead).Abs() > clockTolerance {
			continue // Now that the clock is known, what was asked for is another time.
		}
		w.told = tellings(h.without(q.Renamed), key)
		if h.cut {
			return w, w.shorten(c, h.records)
		}
		if !slices.ContainsFunc(w.told, func(t Told) bool {
			return t.end().compare(w.after) > 0 && t.First().Date.Add(-leadIn).Before(from)
		}) {
			return w, nil
		}
		lead *= 2
	}
}

// place finds out which time a query asks for.
func (w *window) place(q sdk.HistoryQuery) (err error) {
	w.after = position{date: q.Since.Add(w.ahead).Truncate(time.Second)}
	if w.until = q.Until; !q.Until.IsZero() {
		w.until = q.Until.Add(w.ahead)
	}
	if q.Cursor != "" {
		w.after, err = parsePosition(q.Cursor)
	}
	return err
}

// shorten ends a window whose records were cut off: what comes after the last may be
// missing, and so may the ends of what is told last.
func (w *window) shorten(c *Client, records []Record) error {
	if len(records) == 0 || records[len(records)-1].Date.Add(-together).Compare(w.after.date) <= 0 {
		return fmt.Errorf("%s at %s has more history in a minute than %d MiB or %d records", c.app, c.base, maxAnswer>>20, maxRecords)
	}
	if last := records[len(records)-1].Date.Add(-together); w.until.IsZero() || last.Before(w.until) {
		w.until, w.cut = last, true
	}
	return nil
}

// stuck is where a history cannot be told because the application fails over a title,
// and since when.
type stuck struct {
	mu       sync.Mutex
	position position
	since    time.Time
}

// at returns for how long it has been stuck there.
func (s *stuck) at(p position, now time.Time) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.position != p {
		s.position, s.since = p, now
	}
	return now.Sub(s.since)
}

// late reports whether half the time is over, so that a page which takes long is sent
// as far as it is.
func late(ctx context.Context, begun time.Time) bool {
	deadline, ok := ctx.Deadline()
	return ok && time.Since(begun) > deadline.Sub(begun)/2
}

// failed reports whether the application itself failed over what was asked for.
func failed(err error) bool {
	f, ok := errors.AsType[*failure](err)
	return ok && f.status == http.StatusInternalServerError
}
