package fakearr

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// record is one entry of the history.
type record struct {
	id, titleID int
	part        part
	kind        string
	source      string
	quality     string
	date        time.Time
	download    string
	data        map[string]any
}

// part is what a record is about within its title. Of a movie, nothing.
type part struct{ episode, album, track, book int }

// remember writes a record for each part.
func (a *Arr) remember(t *Title, parts []part, r record) {
	r.titleID, r.date = t.ID, a.now()
	for _, detail := range a.family.words().without {
		delete(r.data, detail)
	}
	for _, p := range parts {
		r.id, r.part = a.id("history"), p
		a.history = append(a.history, r)
	}
}

func (a *Arr) shown(r record, q url.Values) object {
	t, err := a.title(r.titleID)
	if err != nil {
		return nil
	}
	o := append(object{{"id", r.id}}, a.family.identity(t, r.part)...)
	o = append(o, object{
		{"sourceTitle", r.source},
		{"quality", quality(r.quality)},
		{"customFormats", []object{}},
		{"customFormatScore", 0},
		{"qualityCutoffNotMet", false},
		{"date", seconds(r.date)},
		{"downloadId", text(r.download)},
		{"eventType", r.kind},
		{"data", r.data},
	}...)
	return append(o, a.family.included(t, r.part, func(name string) bool { return q.Get(name) == "true" })...)
}

// selected returns the records of the wanted types, oldest first.
func (a *Arr) selected(q url.Values) ([]record, error) {
	var kinds []string
	for _, s := range q["eventType"] {
		kind, err := a.recordKind(s)
		if err != nil {
			return nil, err
		}
		kinds = append(kinds, kind)
	}
	var out []record
	for _, r := range a.history {
		if len(kinds) > 0 && !slices.Contains(kinds, r.kind) || q.Has("downloadId") && r.download != q.Get("downloadId") {
			continue
		}
		out = append(out, r)
	}
	slices.SortStableFunc(out, func(x, y record) int { return cmp.Or(x.date.Compare(y.date), cmp.Compare(x.id, y.id)) })
	return out, nil
}

// recordKind takes a type's number or name.
func (a *Arr) recordKind(s string) (string, error) {
	kinds := a.family.words().kinds
	if n, err := strconv.Atoi(s); err == nil {
		return kinds[n], nil
	}
	for _, kind := range kinds {
		if strings.EqualFold(kind, s) {
			return kind, nil
		}
	}
	return "", fmt.Errorf("The value '%s' is not valid.", s) //nolint:revive,staticcheck // the application's own words
}

// historyPage answers a page, the newest records first unless asked otherwise.
func (a *Arr) historyPage(w http.ResponseWriter, r *http.Request) {
	a.state.Lock()
	defer a.state.Unlock()
	q := r.URL.Query()
	records, err := a.selected(q)
	if err != nil {
		problem(w, http.StatusBadRequest, err)
		return
	}
	direction := "descending"
	if strings.EqualFold(q.Get("sortDirection"), "ascending") || strings.EqualFold(q.Get("sortDirection"), "asc") {
		direction = "ascending"
	} else {
		slices.Reverse(records)
	}
	number, size := positive(q.Get("page"), 1), positive(q.Get("pageSize"), 10)
	// What was added since the first page pushes the rest back.
	pushed := (number - 1) * min(a.trouble.Overlap, size-1)
	from := min((number-1)*size-pushed, len(records))
	to := min(from+size, len(records))
	writeJSON(w, http.StatusOK, object{
		{"page", number},
		{"pageSize", size},
		{"sortKey", "date"},
		{"sortDirection", direction},
		{"totalRecords", len(records) + pushed},
		{"records", a.shownAll(records[from:to], q)},
	})
}

// historySince answers all records of a moment and later, oldest first.
func (a *Arr) historySince(w http.ResponseWriter, r *http.Request) {
	a.state.Lock()
	defer a.state.Unlock()
	q := r.URL.Query()
	since, err := parseDate(q.Get("date"))
	if err != nil {
		problem(w, http.StatusBadRequest, err)
		return
	}
	records, err := a.selected(q)
	if err != nil {
		problem(w, http.StatusBadRequest, err)
		return
	}
	records = slices.DeleteFunc(records, func(r record) bool { return r.date.Before(since) })
	writeJSON(w, http.StatusOK, a.shownAll(records, q))
}

func (a *Arr) shownAll(records []record, q url.Values) []object {
	out := each(records, func(r record) object { return a.shown(r, q) })
	if a.trouble.Unordered {
		slices.Reverse(out)
		for i := 0; i+2 < len(out); i += 3 {
			out[i], out[i+1] = out[i+1], out[i]
		}
	}
	return out
}

func positive(s string, otherwise int) int {
	if n, err := strconv.Atoi(s); err == nil && n > 0 {
		return n
	}
	return otherwise
}

func parseDate(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.9999999", "2006-01-02 15:04:05", time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	return time.Time{}, errors.New("The value '" + s + "' is not valid for Date.")
}

// quality is a quality in the API. Webhooks have its name only.
func quality(name string) object {
	source, resolution := "unknown", 0
	for prefix, s := range map[string]string{"Bluray": "bluray", "WEBDL": "webdl", "WEBRip": "webrip", "HDTV": "tv"} {
		if strings.HasPrefix(name, prefix) {
			source = s
		}
	}
	if _, p, ok := strings.Cut(name, "-"); ok {
		resolution, _ = strconv.Atoi(strings.TrimSuffix(p, "p"))
	}
	return object{
		{"quality", object{{"id", 1}, {"name", name}, {"source", source}, {"resolution", resolution}, {"modifier", "none"}}},
		{"revision", object{{"version", 1}, {"real", 0}, {"isRepack", false}}},
	}
}
