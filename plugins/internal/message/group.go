package message

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/hookarr/hookarr/sdk"
)

// stories parts events, which are in order, by what they are about. Each part keeps the
// order, and the parts have that of their first events.
func stories(events []sdk.Event) [][]sdk.Event {
	// Each event points to an earlier one of its part, the first of a part to itself.
	earlier := make([]int, len(events))
	first := func(i int) int {
		for earlier[i] != i {
			earlier[i] = earlier[earlier[i]]
			i = earlier[i]
		}
		return i
	}
	known := map[string]int{}
	for i, e := range events {
		earlier[i] = i
		for _, key := range about(e) {
			j, ok := known[key]
			if !ok {
				known[key] = i
				continue
			}
			a, b := first(i), first(j)
			earlier[max(a, b)] = min(a, b)
		}
	}
	parts := map[int][]sdk.Event{}
	var order []int
	for i, e := range events {
		f := first(i)
		if f == i {
			order = append(order, i)
		}
		parts[f] = append(parts[f], e)
	}
	all := make([][]sdk.Event, 0, len(order))
	for _, i := range order {
		all = append(all, parts[i])
	}
	return all
}

// about is what events of one story have in common: the title in its source, the
// correlation key in its source, or both where the sources differ. An id may be that of
// another title in another source, and the name of a health check is of many.
func about(e sdk.Event) []string {
	var keys []string
	add := func(parts ...string) {
		keys = append(keys, strings.Join(parts, "\x00"))
	}
	title := line(e.Title)
	if m := e.Media; m != nil {
		title = cmp.Or(line(m.Title), title)
		if m.ID != "" {
			add("id", e.Source, m.Kind, m.ID)
		} else if title != "" {
			add("title", e.Source, m.Kind, title, strconv.Itoa(m.Year))
		}
	} else if title != "" {
		add("event", e.Source, title)
	}
	if e.CorrelationKey != "" {
		add("key", e.Source, e.CorrelationKey)
		if title != "" {
			add("key and title", e.CorrelationKey, title)
		}
	}
	return keys
}
