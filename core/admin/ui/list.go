package ui

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/event"
)

// pageSize is how many rows a list shows.
const pageSize = 50

// position is where a page is in its list.
type position struct {
	// First and Next are paths of other pages of the list.
	First, Next string
	// Stopped: a search has looked at as many rows as it may at once, and goes on with Next.
	Stopped bool
}

// newPosition returns where a list of rows that a filter has selected stands.
func newPosition(path string, query url.Values, cursor string, rows int, next *string) position {
	var p position
	if cursor != "" {
		p.First = address(path, query)
	}
	if next != nil {
		p.Next = address(path, with(query, "cursor", *next))
		p.Stopped = rows < pageSize
	}
	return p
}

// pageOf is the page that a request asks for.
func pageOf(r *http.Request) admin.Page {
	return admin.Page{Limit: pageSize, Cursor: r.URL.Query().Get("cursor")}
}

// followed are the changes that a list follows: those of its first page, as others do not
// get new rows.
func followed(p admin.Page, changes ...string) []string {
	if p.Cursor != "" {
		return nil
	}
	return changes
}

// refusal returns why a request was not obeyed, if an error is none of the server's own.
func (u *UI) refusal(err error) (p *admin.Problem, ok bool) {
	if err == nil {
		return nil, false
	}
	p, own := u.Service.Explain(err)
	return p, !own
}

// wantsCount reports whether a page is asked to count what matches, which its parts are not.
func wantsCount(r *http.Request) bool {
	return r.URL.Query().Get("count") != "" && !partly(r)
}

// stateCount is how many deliveries are in a state.
type stateCount struct {
	State event.DeliveryState
	N     int
}

// stateCounts are counts in the order of the states.
func stateCounts(counts map[string]int) (list []stateCount) {
	for _, state := range event.DeliveryStates() {
		if n := counts[string(state)]; n > 0 {
			list = append(list, stateCount{state, n})
		}
	}
	return list
}

// inWords is a count for a sentence.
func inWords(c admin.Count, one, many string) string {
	text := plural(c.Count, one, many)
	if c.More {
		text = "at least " + text
	}
	return text
}

// formCount reads a number of a form; -1 is none.
func formCount(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		return -1
	}
	return n
}
