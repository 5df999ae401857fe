package main

import (
	"fmt"
	"log"
	"slices"
	"sync"
	"time"

	"github.com/hookarr/hookarr/sdk"
)

// refuseEvery says which events are refused once: the third, the sixth, ….
const refuseEvery = 3

// tally is what the two ends know of each event.
type tally struct {
	out *log.Logger

	mu     sync.Mutex
	events map[string]*entry
	types  map[sdk.Type]bool
	// told are the events of each fingerprint of Sonarr's.
	told   map[string]map[string]sdk.Origin
	posts  int
	forged int
}

// entry is one event. It may arrive before the answer to its webhook does.
type entry struct {
	sent, arrived time.Time
	attempts      int
	refuse        bool // the first attempt
}

func newTally(out *log.Logger) *tally {
	return &tally{out: out, events: map[string]*entry{}, types: map[sdk.Type]bool{}, told: map[string]map[string]sdk.Origin{}}
}

func (l *tally) entry(id string) *entry {
	if l.events[id] == nil {
		l.events[id] = &entry{refuse: (len(l.events)+1)%refuseEvery == 0}
	}
	return l.events[id]
}

func (l *tally) accepted(id string, sent time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entry(id).sent = sent
}

// arrived says whether the attempt is taken, and shows the first event of each type.
func (l *tally) arrived(event sdk.Event, at time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.entry(event.ID)
	e.attempts++
	if e.refuse && e.attempts == 1 {
		return false
	}
	if e.arrived.IsZero() {
		e.arrived = at
	}
	if event.App == "sonarr" && event.Type != sdk.TypeTest && event.Origin != sdk.OriginTarget {
		if l.told[event.Fingerprint] == nil {
			l.told[event.Fingerprint] = map[string]sdk.Origin{}
		}
		l.told[event.Fingerprint][event.ID] = event.Origin
		return true
	}
	if !l.types[event.Type] {
		l.types[event.Type] = true
		l.out.Printf("  %-28s %s", event.Type, event.Title)
	}
	return true
}

// sonarr counts the events of Sonarr by where they came from, and those that came twice.
func (l *tally) sonarr() (webhooks, readBack, twice int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, ids := range l.told {
		twice += len(ids) - 1
		for _, origin := range ids {
			if origin == sdk.OriginCatchup {
				readBack++
			} else {
				webhooks++
			}
		}
	}
	return webhooks, readBack, twice
}

func (l *tally) forgery() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forged++
}

// complete reports whether everything that was accepted has arrived.
func (l *tally) complete() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range l.events {
		if e.arrived.IsZero() {
			return false
		}
	}
	return true
}

// report prints the sums and returns an error if any signature was wrong.
func (l *tally) report() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var accepted, delivered, genuine, refused, retried int
	var took []time.Duration
	for _, e := range l.events {
		genuine += e.attempts
		if !e.sent.IsZero() {
			accepted++
		}
		if e.refuse && e.attempts > 0 {
			refused++
		}
		switch {
		case e.arrived.IsZero():
			continue
		case e.refuse:
			retried++
		case !e.sent.IsZero():
			took = append(took, e.arrived.Sub(e.sent).Round(100*time.Microsecond))
		}
		delivered++
	}
	l.out.Printf("\nwebhooks sent              %d", l.posts)
	l.out.Printf("accepted (202)             %d", accepted)
	l.out.Printf("delivered                  %d", delivered)
	l.out.Printf("signatures verified        %d of %d attempts", genuine, genuine+l.forged)
	l.out.Printf("refused once with 503      %d, retried and delivered %d", refused, retried)
	if n := len(took) - 1; n >= 0 {
		slices.Sort(took)
		l.out.Printf("POST to arrival, the rest  p50 %s, p99 %s", took[n/2], took[n*99/100])
	}
	if l.forged > 0 {
		return fmt.Errorf("%d attempts had a wrong signature", l.forged)
	}
	return nil
}
