package event

import "time"

// The keys of groups that are not by what their events have in common.
const (
	// DigestKey is of digests, whose events have no story in common.
	DigestKey = "digest"
	// FoldKey is of a deletion that waits for its upgrade. Nothing joins it.
	FoldKey = "fold"
)

// DigestMax is how many events one digest tells of, as far as deliveries are not divided.
const DigestMax = 1000

// Grouping says how a delivery is gathered with those of other events. The zero value is a
// delivery of its own.
type Grouping struct {
	// Key is what the events of a group have in common, of which there is one open group a
	// target and route; empty for a delivery of its own.
	Key string
	// Wait is the time since the last event after which the group is closed, and MaxWait
	// that since the first. At closes it at a time instead.
	Wait, MaxWait time.Duration
	At            time.Time
	// Max is the most events of the group, at least one.
	Max int
	// Flush closes the group with this event.
	Flush bool
	// Deleted are the keys of the files that the event says were deleted for an upgrade: the
	// delivery waits for that of the upgrade, which supersedes it. Replaced are those of the
	// files that the event, an upgrade, has taken the place of.
	Deleted, Replaced []string
	// Note is kept with the delivery.
	Note string
}

// Gathered reports whether the delivery is one with those of other events.
func (g Grouping) Gathered() bool { return g.Key != "" }

// Closing is when a group is closed that begins now, unless another event joins it.
func (g Grouping) Closing(now time.Time) time.Time {
	if !g.At.IsZero() {
		return g.At
	}
	return now.Add(min(g.Wait, g.MaxWait))
}

// GroupRef is a group that may be open.
type GroupRef struct{ Target, Route, Key string }
