package api

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
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
	// leadIn is how far before a page its records are read: an event may have begun
	// there, and the file that an import replaced is recorded when the copying begins.
	leadIn = 15 * time.Minute
)

// Told is a part of the history that one webhook tells.
type Told struct {
	// Records is at least one, in order.
	Records []Record
	// Earlier are all records right before them.
	Earlier []Record
}

// First is the record that the others repeat for further parts of the title.
func (t Told) First() *Record { return &t.Records[0] }

// Import is what the webhook of an import says beside the files that it brought. The
// applications record deletions of files that give way to it before, for the reason
// Upgrade.
func (t Told) Import(deleted string) arr.Payload {
	p := t.First().Payload("Download")
	for _, old := range t.replaced(deleted) {
		p.IsUpgrade = true
		p.DeletedFiles.Files = append(p.DeletedFiles.Files, old.File())
	}
	return p
}

// replaced are the records of files that gave way to an import.
func (t Told) replaced(deleted string) []*Record {
	var found []*Record
	seen := map[string]bool{}
	for i := len(t.Earlier) - 1; i >= 0; i-- {
		e := &t.Earlier[i]
		if t.First().Date.Sub(e.Date) > leadIn {
			break
		}
		if e.Is(deleted) && isUpgrade(e) && !seen[e.SourceTitle] &&
			slices.ContainsFunc(t.Records, func(r Record) bool { return r.samePart(e) && !t.importedSince(i, &r) }) {
			seen[e.SourceTitle] = true
			found = append(found, e)
		}
	}
	slices.Reverse(found)
	return found
}

// importedSince reports whether what r is about was imported after the i-th earlier
// record too: the file then gave way to that import.
func (t Told) importedSince(i int, r *Record) bool {
	return slices.ContainsFunc(t.Earlier[i+1:], func(e Record) bool { return e.Is(r.EventType) && e.samePart(r) })
}

func isUpgrade(r *Record) bool { return r.Data.Reason == "Upgrade" }

// tellings gathers records, which are in order, to what webhooks tell.
func tellings(records []Record, part func(*Record) string) []Told {
	type open struct {
		index int
		last  time.Time
	}
	var all []Told
	latest := map[string]open{}
	for i := range records {
		r := &records[i]
		key := part(r)
		if key == "" {
			continue
		}
		o, ok := latest[key]
		if !ok || r.Date.Sub(o.last) > together {
			o = open{index: len(all)}
			all = append(all, Told{Earlier: records[:i]})
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
	after := position{date: q.Since.Truncate(time.Second)}
	if q.Cursor != "" {
		if after, err = parsePosition(q.Cursor); err != nil {
			return sdk.HistoryPage{}, err
		}
	}
	status, err := c.Status(ctx)
	if err != nil {
		return sdk.HistoryPage{}, err
	}
	records, cut, err := c.since(ctx, after.date.Add(-leadIn))
	if err != nil {
		return sdk.HistoryPage{}, err
	}
	page := sdk.HistoryPage{Cursor: after.String()}
	until := q.Until
	if cut {
		// What comes after may be missing, and so may the ends of what is told last.
		known := records[max(len(records)-1, 0):]
		if len(known) == 0 || known[0].Date.Add(-together).Compare(after.date) <= 0 {
			return sdk.HistoryPage{}, fmt.Errorf("%s at %s has more history in a minute than %d MiB", c.app, c.base, maxAnswer>>20)
		}
		if last := known[0].Date.Add(-together); until.IsZero() || last.Before(until) {
			until, page.More = last, true
		}
	}
	reader := p.reader(c, status)
	for _, told := range tellings(records, reader.Part) {
		end := told.end()
		if end.compare(after) <= 0 {
			continue
		}
		if !until.IsZero() && end.date.After(until) {
			break
		}
		if len(page.Events) == cmp.Or(max(q.Limit, 0), pageLimit) || page.Cursor != after.String() && late(ctx, begun) {
			page.More = true
			return page, nil
		}
		e, err := reader.Tell(ctx, told)
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
		e.Time = end.date
		page.Events = append(page.Events, sdk.PastEvent{Event: e, Record: told.record()})
		page.Cursor = end.String()
	}
	if page.More {
		page.Cursor = position{until, math.MaxInt64}.String()
	}
	return page, nil
}

// late reports whether half the time is over, so that a page which takes long is sent
// as far as it is.
func late(ctx context.Context, begun time.Time) bool {
	deadline, ok := ctx.Deadline()
	return ok && time.Since(begun) > deadline.Sub(begun)/2
}

// Lookup is Get for something that an event can do without: it is empty when the
// application does not know it any more, or fails over it.
func Lookup[T any](ctx context.Context, c *Client, path string, query url.Values) (T, error) {
	v, err := Get[T](ctx, c, path, query)
	if unknown(err) {
		var none T
		return none, nil
	}
	return v, err
}

// unknown reports whether the application lacks what was asked for, or fails over it.
func unknown(err error) bool {
	f, ok := errors.AsType[*failure](err)
	return errors.Is(err, ErrNotFound) || ok && f.status == http.StatusInternalServerError
}
