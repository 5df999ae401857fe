// Package calendar tells when the clock of a time zone shows certain times: hours in which
// it is quiet, and the times of digests. It reads no clock itself.
//
// Clocks change. A time that a day does not have, such as 02:30 where the clock goes from
// 02:00 to 03:00, is the first instant after the gap. A time that a day has twice is the
// first of the two. Hours go by the clock, so that those from 22:00 to 07:00 are an hour
// shorter or longer in a night of a change.
package calendar

import "time"

// Quiet is hours in which nothing is sent. The zero value is never quiet.
type Quiet struct {
	// Zone is nil for that of this machine.
	Zone  *time.Location
	Hours []Hours
}

// maxQuiet bounds how far In looks ahead. Hours that leave out any minute of the week end
// before.
const maxQuiet = 9 * 24 * time.Hour

// In reports whether t lies in quiet hours, and when they end. Hours that begin when others
// end go on. Of quiet without an end, In tells one that is more than a week away.
func (q Quiet) In(t time.Time) (until time.Time, quiet bool) {
	until = t.In(location(q.Zone))
	for {
		end, ok := q.end(until)
		if !ok {
			return until, quiet
		}
		until, quiet = end, true
		if until.Sub(t) > maxQuiet {
			return until, true
		}
	}
}

// end returns the latest end of hours that t lies in.
func (q Quiet) end(t time.Time) (latest time.Time, ok bool) {
	year, month, dayOfMonth := t.Date()
	for _, h := range q.Hours {
		// Hours of yesterday may last until today. Two days before and one behind are for
		// zones that left out or repeated a date, or went back over midnight.
		for offset := -2; offset <= 1; offset++ {
			date := time.Date(year, month, dayOfMonth+offset, 0, 0, 0, 0, time.UTC)
			if !h.Days.Has(date.Weekday()) {
				continue
			}
			begin := instant(t.Location(), date, h.From)
			end := instant(t.Location(), date, h.From+h.length())
			if !t.Before(begin) && t.Before(end) && end.After(latest) {
				latest, ok = end, true
			}
		}
	}
	return latest, ok
}

// Endless reports whether the hours leave out no minute of the week.
func (q Quiet) Endless() bool {
	const week = 7 * int(day)
	var taken [week]bool
	left := week
	for _, h := range q.Hours {
		for weekday := range time.Weekday(7) {
			if !h.Days.Has(weekday) {
				continue
			}
			first := int(weekday)*int(day) + int(h.From)
			for i := range int(h.length()) {
				if minute := &taken[(first+i)%week]; !*minute {
					*minute = true
					left--
				}
			}
		}
	}
	return left == 0
}

// Times is a time on some days, again and again. The zero value is each midnight.
type Times struct {
	// Zone is nil for that of this machine.
	Zone *time.Location
	At   Clock
	Days Days
}

// Next returns the first of the times that is after t.
func (s Times) Next(t time.Time) time.Time {
	t = t.In(location(s.Zone))
	year, month, dayOfMonth := t.Date()
	// Yesterday's may lie ahead where the clock went back over midnight. The instants of
	// later dates are later, so one of them is after t.
	for offset := -1; ; offset++ {
		date := time.Date(year, month, dayOfMonth+offset, 0, 0, 0, 0, time.UTC)
		if !s.Days.Has(date.Weekday()) {
			continue
		}
		if next := instant(t.Location(), date, s.At); next.After(t) {
			return next
		}
	}
}

func location(zone *time.Location) *time.Location {
	if zone == nil {
		return time.Local
	}
	return zone
}

// instant returns when the clock of the zone shows the time of the date, or first shows a
// later one. The date is a midnight in UTC; the time may be one of the next date.
func instant(zone *time.Location, date time.Time, clock Clock) time.Time {
	shown := date.Add(time.Duration(clock) * time.Minute)
	// A day before what is shown in UTC is earlier than in every zone: none is 24 hours off.
	// Between two changes the clock is off by a constant, so that it shows the time once,
	// unless it does so before or after.
	for t := shown.Add(-24 * time.Hour).In(zone); ; {
		_, seconds := t.Zone()
		at := shown.Add(-time.Duration(seconds) * time.Second).In(zone)
		if at.Before(t) {
			return t
		}
		_, change := t.ZoneBounds()
		if !change.IsZero() && !change.After(t) {
			// On the last day of a leap year whose changes go by a rule, ZoneBounds ends the
			// year before that day (Go 1.26, time.tzset). There is no change then.
			change = t.Add(time.Hour)
		}
		if change.IsZero() || at.Before(change) {
			return at
		}
		t = change
	}
}
