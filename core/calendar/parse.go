package calendar

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Clock is a time of day, in minutes since midnight. 24:00 is the end of the day.
type Clock int

// day is the 24 hours of a clock.
const day Clock = 24 * 60

// clockPattern leaves the rest of the check to numbers.
var clockPattern = regexp.MustCompile(`^([0-9]{1,2}):([0-9]{2})$`)

// ParseClock reads a time from 00:00 to 24:00.
func ParseClock(text string) (Clock, error) {
	m := clockPattern.FindStringSubmatch(strings.TrimSpace(text))
	if m == nil {
		return 0, fmt.Errorf("%q is no time of day: want HH:MM, such as 18:00", text)
	}
	hours, _ := strconv.Atoi(m[1])   // two digits
	minutes, _ := strconv.Atoi(m[2]) // two digits
	c := Clock(hours*60 + minutes)
	if minutes > 59 || c > day {
		return 0, fmt.Errorf("%q is no time of day: want 00:00 to 24:00", text)
	}
	return c, nil
}

// String returns the time as HH:MM.
func (c Clock) String() string { return fmt.Sprintf("%02d:%02d", c/60, c%60) }

// Days is a set of days of the week. The zero value is every day.
type Days uint8

// everyDay has the seven days.
const everyDay Days = 1<<7 - 1

// On returns the set of these days.
func On(days ...time.Weekday) Days {
	var d Days
	for _, weekday := range days {
		d |= 1 << weekday
	}
	return d
}

// Has reports whether the day is in the set.
func (d Days) Has(weekday time.Weekday) bool { return d&everyDay == 0 || d&(1<<weekday) != 0 }

// String returns the days as they are written: mon,tue.
func (d Days) String() string {
	var names []string
	for i := range 7 {
		if weekday := time.Weekday((i + 1) % 7); d.Has(weekday) {
			names = append(names, nameOf(weekday))
		}
	}
	return strings.Join(names, ",")
}

// nameOf returns mon for Monday.
func nameOf(weekday time.Weekday) string { return strings.ToLower(weekday.String()[:3]) }

// ParseWeekday reads a day of the week: fri or Friday.
func ParseWeekday(text string) (time.Weekday, error) {
	word := strings.ToLower(strings.TrimSpace(text))
	for weekday := range time.Weekday(7) {
		if word == nameOf(weekday) || word == strings.ToLower(weekday.String()) {
			return weekday, nil
		}
	}
	return 0, fmt.Errorf("%q is no day of the week: want mon, tue, wed, thu, fri, sat or sun", text)
}

// ParseDays reads days, ranges of them and lists with commas: mon, mon-fri, sat,sun.
func ParseDays(texts ...string) (Days, error) {
	var days Days
	for _, text := range texts {
		for part := range strings.SplitSeq(text, ",") {
			first, last, isRange := strings.Cut(part, "-")
			from, err := ParseWeekday(first)
			if err != nil {
				return 0, err
			}
			to := from
			if isRange {
				if to, err = ParseWeekday(last); err != nil {
					return 0, err
				}
			}
			for days |= On(from); from != to; days |= On(from) {
				from = (from + 1) % 7
			}
		}
	}
	return days, nil
}

// Hours are a part of each of some days. They may go on past midnight: the days are those
// of their beginning.
type Hours struct {
	Days Days
	// From is before 24:00. Until is the next time that the clock shows it: where it equals
	// From, 24 hours later.
	From, Until Clock
}

// errHours says what hours look like.
var errHours = errors.New(`want hours such as "22:00-07:00", or with their days "sat,sun 23:00-09:00"`)

// ParseHours reads hours, which are those of the given days unless they name their own.
func ParseHours(text string, days Days) (Hours, error) {
	span := strings.TrimSpace(text)
	start := strings.IndexAny(span, "0123456789")
	if start < 0 {
		return Hours{}, errHours
	}
	if named := strings.ReplaceAll(span[:start], " ", ""); named != "" {
		var err error
		if days, err = ParseDays(strings.TrimSuffix(named, ",")); err != nil {
			return Hours{}, err
		}
	}
	from, until, ok := strings.Cut(span[start:], "-")
	if !ok {
		return Hours{}, errHours
	}
	h := Hours{Days: days}
	var err error
	if h.From, err = ParseClock(from); err != nil {
		return Hours{}, err
	}
	if h.Until, err = ParseClock(until); err != nil {
		return Hours{}, err
	}
	if h.From == day {
		return Hours{}, errors.New("24:00 is the end of a day: begin at 00:00 of the next")
	}
	return h, nil
}

// length is in minutes of the clock.
func (h Hours) length() Clock {
	if h.Until > h.From {
		return h.Until - h.From
	}
	return h.Until - h.From + day
}

// String returns the hours as they are written.
func (h Hours) String() string {
	span := h.From.String() + "-" + h.Until.String()
	if h.Days == 0 {
		return span
	}
	return h.Days.String() + " " + span
}

// Zone returns a time zone by its name, such as Europe/Berlin. Empty is that of this
// machine.
func Zone(name string) (*time.Location, error) {
	if name == "" {
		return time.Local, nil
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("%q is no time zone: want a name such as Europe/Berlin or America/New_York, or UTC", name)
	}
	return zone, nil
}
