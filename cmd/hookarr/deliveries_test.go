package main

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/event"
)

// TestWhatDeliveriesOfSeveralEventsWaitFor in lists, by themselves and in stories.
func TestWhatDeliveriesOfSeveralEventsWaitFor(t *testing.T) {
	t.Parallel()

	closes := time.Date(2999, 11, 23, 10, 0, 20, 0, time.UTC)
	past := closes.AddDate(-1000, 0, 0)
	for name, tt := range map[string]struct {
		delivery                 admin.Delivery
		next, title, reason, has string
		story                    []string
	}{
		"open": {
			admin.Delivery{State: event.Pending, Title: "Severance", Group: "sonarr/download/A", Members: 1, ClosesAt: &closes},
			"2999-11-23 10:00:20 UTC", "Severance", "waits for more events",
			"1, by sonarr/download/A, more may join until 2999-11-23 10:00:20 UTC",
			[]string{"it waits for more events until 2999-11-23 10:00:20 UTC"},
		},
		"on hold": {
			admin.Delivery{
				State: event.Pending, Target: "chat", Title: "Severance", Group: "sonarr/download/A", Members: 2, ClosesAt: &past, Hold: "paused: by ann",
			},
			"-", "2 events: Severance", "",
			"2, by sonarr/download/A, more may join while the target is on hold",
			[]string{"it tells 2 events, by sonarr/download/A", "chat takes nothing now: paused: by ann", "more events may join it until then"},
		},
		"digest": {
			admin.Delivery{State: event.Pending, Title: "Severance", Group: "digest", Members: 1, ClosesAt: &closes},
			"2999-11-23 10:00:20 UTC", "digest of 1 event: Severance", "waits for more events",
			"1, as a digest, more may join until 2999-11-23 10:00:20 UTC",
			[]string{"it is a digest of 1 event", "it waits for more events until 2999-11-23 10:00:20 UTC"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := &cli{local: time.UTC}
			row := c.deliveryRows([]admin.Delivery{tt.delivery})[1]
			require.Equal(t, []string{tt.next, tt.title, tt.reason}, row[6:])
			require.Equal(t, tt.has, c.members(tt.delivery))
			story := strings.Join(append(gathered(tt.delivery), c.waiting(tt.delivery)...), "\n")
			require.Equal(t, "  "+strings.Join(tt.story, "\n  "), story)
		})
	}
}
