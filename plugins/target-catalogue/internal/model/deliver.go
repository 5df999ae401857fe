package model

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/hookarr/hookarr/sdk"
)

// Delivery is some events that come together.
type Delivery struct {
	ID     string
	Events []sdk.Event
}

// Deliveries brings events the way that retries and concurrency do: each is at most window
// places from its own, one in five is a group, one in eight comes again, and one in twenty
// comes by a replay, under another id.
func Deliveries(events []sdk.Event, seed uint64, window int) []Delivery {
	random := rand.New(rand.NewPCG(seed, 7)) //nolint:gosec // the same seed makes the same order
	var all []Delivery
	for i := 0; i < len(events); {
		n := 1
		if random.IntN(5) == 0 {
			n = min(1+random.IntN(6), len(events)-i)
		}
		all = append(all, Delivery{ID: fmt.Sprintf("delivery-%d", i), Events: events[i : i+n]})
		i += n
	}
	for i, n := 0, len(all); i < n; i++ {
		switch random.IntN(40) {
		case 0, 1, 2, 3, 4:
			all = append(all, all[i])
		case 5, 6:
			all = append(all, Delivery{ID: "replay of " + all[i].ID, Events: all[i].Events})
		}
	}
	at := make(map[string]int, len(all))
	for i, d := range all {
		if _, ok := at[d.ID]; !ok {
			at[d.ID] = i
		}
	}
	type placed struct {
		Delivery
		place int
	}
	order := make([]placed, 0, len(all))
	for i, d := range all {
		place := i
		if first := at[d.ID]; first < i { // one that comes again comes near the first
			place = first
		} else if len(d.ID) > 10 && d.ID[:10] == "replay of " {
			place = at[d.ID[10:]]
		}
		order = append(order, placed{d, place + random.IntN(window)})
	}
	slices.SortStableFunc(order, func(a, b placed) int { return a.place - b.place })
	out := make([]Delivery, 0, len(order))
	for _, p := range order {
		out = append(out, p.Delivery)
	}
	return out
}
