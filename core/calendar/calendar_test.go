package calendar

import (
	"testing"
	"time"
	_ "time/tzdata" // the same zones on every machine

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func zone(t require.TestingT, name string) *time.Location {
	z, err := Zone(name)
	require.NoError(t, err)
	return z
}

// at reads a time of a zone, with its offset where the clock shows it twice.
func at(t require.TestingT, z *time.Location, text string) time.Time {
	parsed, err := time.Parse("2006-01-02 15:04 -0700", text)
	if err != nil {
		parsed, err = time.ParseInLocation("2006-01-02 15:04", text, z)
	}
	require.NoError(t, err)
	return parsed.In(z)
}

func hours(t require.TestingT, texts ...string) []Hours {
	var all []Hours
	for _, text := range texts {
		h, err := ParseHours(text, 0)
		require.NoError(t, err)
		all = append(all, h)
	}
	return all
}

func TestQuiet(t *testing.T) {
	t.Parallel()
	const berlin, apia, lordHowe = "Europe/Berlin", "Pacific/Apia", "Australia/Lord_Howe"
	night := []string{"22:00-07:00"}
	cases := []struct {
		name, zone string
		hours      []string
		now, until string // an empty until is not quiet
	}{
		{"before", berlin, night, "2026-11-27 21:59", ""},
		{"at its beginning", berlin, night, "2026-11-27 22:00", "2026-11-28 07:00"},
		{"after midnight", berlin, night, "2026-11-28 06:59", "2026-11-28 07:00"},
		{"at its end", berlin, night, "2026-11-28 07:00", ""},
		{"the day is that of the beginning", berlin, []string{"fri 22:00-07:00"}, "2026-11-28 03:00", "2026-11-28 07:00"},
		{"and not that of the end", berlin, []string{"fri 22:00-07:00"}, "2026-11-27 03:00", ""},
		{"a whole day", berlin, []string{"sun 00:00-24:00"}, "2026-11-29 12:00", "2026-11-30 00:00"},
		{"from a time to the same", berlin, []string{"sat 07:00-07:00"}, "2026-11-29 06:00", "2026-11-29 07:00"},
		{"hours that touch", berlin, []string{"fri 22:00-24:00", "sat-sun 00:00-24:00", "mon 00:00-06:00"}, "2026-11-27 23:00", "2026-11-30 06:00"},
		{"hours that overlap", berlin, []string{"22:00-02:00", "01:00-03:00", "01:30-01:45"}, "2026-11-27 23:00", "2026-11-28 03:00"},
		{"several hours", berlin, []string{"22:00-07:00", "12:00-13:00"}, "2026-11-27 12:30", "2026-11-27 13:00"},
		{"between them", berlin, []string{"22:00-07:00", "12:00-13:00"}, "2026-11-27 13:30", ""},
		{"a zone far ahead", "Asia/Kathmandu", []string{"mon 00:00-01:00"}, "2026-11-29 18:20 +0000", "2026-11-30 01:00"},

		{"the night in spring", berlin, night, "2026-03-28 22:00", "2026-03-29 07:00 +0200"},
		{"the night in autumn", berlin, night, "2026-10-24 22:00", "2026-10-25 07:00 +0100"},
		{"hours that begin in a gap", berlin, []string{"02:30-04:00"}, "2026-03-29 03:00", "2026-03-29 04:00"},
		{"hours that end in a gap", berlin, []string{"01:00-02:30"}, "2026-03-29 01:30", "2026-03-29 03:00"},
		{"after a gap in which they end", berlin, []string{"01:00-02:30"}, "2026-03-29 03:00", ""},
		{"hours inside of a gap", berlin, []string{"02:15-02:45"}, "2026-03-29 03:00", ""},
		{"hours that end at a time shown twice", berlin, []string{"01:00-02:30"}, "2026-10-25 02:15 +0200", "2026-10-25 02:30 +0200"},
		{"the time shown again", berlin, []string{"01:00-02:30"}, "2026-10-25 02:15 +0100", ""},
		{"hours over both", berlin, []string{"01:00-03:30"}, "2026-10-25 02:45 +0200", "2026-10-25 03:30 +0100"},
		{"half an hour", lordHowe, []string{"01:00-02:15"}, "2026-10-04 01:30", "2026-10-04 02:30 +1100"},
		{"a date that was left out", apia, []string{"fri 08:00-09:00"}, "2011-12-31 00:00", "2011-12-31 00:00"},
		{"from it to the next", apia, []string{"fri 22:00-07:00"}, "2011-12-31 05:00", "2011-12-31 07:00"},
		{"over it", apia, []string{"thu 22:00-07:00"}, "2011-12-29 23:00", "2011-12-31 00:00"},
		{"over midnight that is shown twice", "America/St_Johns", []string{"sun 00:00-01:00"}, "2006-10-29 02:31 +0000", "2006-10-29 01:00 -0330"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			q := Quiet{Zone: zone(t, tc.zone), Hours: hours(t, tc.hours...)}
			now := at(t, q.Zone, tc.now)
			until, quiet := q.In(now)
			want := now
			if tc.until != "" {
				want = at(t, q.Zone, tc.until)
			}
			require.Equal(t, want.After(now), quiet)
			require.Equal(t, want, until)
		})
	}
}

func TestQuietWithoutAnEnd(t *testing.T) {
	t.Parallel()
	now := at(t, time.UTC, "2026-11-27 12:00")
	for _, texts := range [][]string{{"00:00-24:00"}, {"07:00-07:00"}, {"00:00-13:00", "12:30-00:00"}} {
		q := Quiet{Zone: time.UTC, Hours: hours(t, texts...)}
		require.True(t, q.Endless(), texts)
		until, quiet := q.In(now)
		require.True(t, quiet)
		require.Greater(t, until.Sub(now), 7*24*time.Hour)
	}
	for _, texts := range [][]string{nil, {"mon-sat 00:00-24:00"}, {"00:00-12:00", "12:01-24:00"}} {
		require.False(t, Quiet{Hours: hours(t, texts...)}.Endless(), texts)
	}
	_, quiet := Quiet{}.In(now)
	require.False(t, quiet)
}

func TestTimes(t *testing.T) {
	t.Parallel()
	const berlin, apia = "Europe/Berlin", "Pacific/Apia"
	cases := []struct {
		name, zone, at string
		days           Days
		now, next      string
	}{
		{"today", berlin, "18:00", 0, "2026-11-27 17:59", "2026-11-27 18:00"},
		{"tomorrow", berlin, "18:00", 0, "2026-11-27 18:00", "2026-11-28 18:00"},
		{"in days", berlin, "18:00", On(time.Friday), "2026-11-28 12:00", "2026-12-04 18:00"},
		{"in a week", berlin, "18:00", On(time.Friday), "2026-11-27 18:00", "2026-12-04 18:00"},
		{"the end of a day", berlin, "24:00", On(time.Friday), "2026-11-27 18:00", "2026-11-28 00:00"},
		{"the zone's date", "Asia/Kathmandu", "00:30", On(time.Monday), "2026-11-29 18:20 +0000", "2026-11-30 00:30"},
		{"in a gap", berlin, "02:30", 0, "2026-03-28 12:00", "2026-03-29 03:00"},
		{"after a gap", berlin, "02:30", 0, "2026-03-29 03:00", "2026-03-30 02:30"},
		{"shown twice", berlin, "02:30", 0, "2026-10-24 12:00", "2026-10-25 02:30 +0200"},
		{"once of both", berlin, "02:30", 0, "2026-10-25 02:30 +0200", "2026-10-26 02:30"},
		{"after a change", "America/New_York", "18:00", 0, "2026-03-07 18:00", "2026-03-08 18:00 -0400"},
		{"in half an hour", "Australia/Lord_Howe", "02:15", 0, "2026-10-03 12:00", "2026-10-04 02:30 +1100"},
		{"the end of a leap year", berlin, "18:00", 0, "2040-12-31 12:00", "2040-12-31 18:00"},
		{"a date that was left out", apia, "18:00", On(time.Friday), "2011-12-29 12:00", "2011-12-31 00:00"},
		{"a midnight that is shown twice", "America/St_Johns", "00:00", 0, "2006-10-29 02:31 +0000", "2006-10-30 00:00"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			clock, err := ParseClock(tc.at)
			require.NoError(t, err)
			s := Times{Zone: zone(t, tc.zone), At: clock, Days: tc.days}
			require.Equal(t, at(t, s.Zone, tc.next), s.Next(at(t, s.Zone, tc.now)))
		})
	}
	require.Equal(t, time.Local, Times{}.Next(time.Now()).Location())
}

// zones are with changes by an hour and by half of one, without any, at midnight, with a date
// left out, and with one shown twice.
func anyZone() *rapid.Generator[*time.Location] {
	return rapid.Custom(func(t *rapid.T) *time.Location {
		return zone(t, rapid.SampledFrom([]string{
			"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia",
			"America/St_Johns", "America/Asuncion", "Africa/Casablanca", "Pacific/Kwajalein", "UTC",
		}).Draw(t, "zone"))
	})
}

// anyTime is near a change of the clock as often as not.
func anyTime(z *time.Location) *rapid.Generator[time.Time] {
	return rapid.Custom(func(t *rapid.T) time.Time {
		now := time.Unix(rapid.Int64Range(0, 4_000_000_000).Draw(t, "second"), 0).In(z)
		if _, change := now.ZoneBounds(); !change.IsZero() && rapid.Bool().Draw(t, "near a change") {
			now = change.Add(time.Duration(rapid.Int64Range(-2*86_400, 2*86_400).Draw(t, "from the change")) * time.Second)
		}
		return now
	})
}

// anyDays are never those of a zero value, which is every day.
func anyDays() *rapid.Generator[Days] {
	return rapid.Custom(func(t *rapid.T) Days { return Days(rapid.Uint8Range(1, uint8(everyDay)).Draw(t, "days")) })
}

// shown is what the clock of the zone shows, as if it were UTC.
func shown(t time.Time) time.Time {
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	return time.Date(year, month, day, hour, minute, second, 0, time.UTC)
}

// The instant of a time is the first at which the clock shows it, or more.
func TestInstant(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		z := anyZone().Draw(t, "zone")
		year, month, dayOfMonth := anyTime(z).Draw(t, "time").Date()
		date := time.Date(year, month, dayOfMonth, 0, 0, 0, 0, time.UTC)
		clock := Clock(rapid.IntRange(0, int(2*day)).Draw(t, "clock"))
		want := date.Add(time.Duration(clock) * time.Minute)

		got := instant(z, date, clock)
		require.False(t, shown(got).Before(want))
		require.True(t, shown(got.Add(-time.Second)).Before(want))
		for before := range 50 * 60 {
			require.True(t, shown(got.Add(-time.Duration(before)*time.Minute-time.Second)).Before(want))
		}
	})
}

func TestNextIsTheFirstAfter(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		z := anyZone().Draw(t, "zone")
		now := anyTime(z).Draw(t, "now")
		s := Times{Zone: z, At: Clock(rapid.IntRange(0, int(day)).Draw(t, "at")), Days: anyDays().Draw(t, "days")}

		next := s.Next(now)
		require.True(t, next.After(now))
		require.LessOrEqual(t, next.Sub(now), 9*24*time.Hour)
		require.Equal(t, next, s.Next(next.Add(-1)))
		between := now.Add(time.Duration(rapid.Int64Range(0, int64(next.Sub(now))-1).Draw(t, "between")))
		require.Equal(t, next, s.Next(between), "none is left out")
		if start, _ := next.ZoneBounds(); !next.Equal(start) { // or else it may be the end of a gap
			begun := shown(next).Add(-time.Duration(s.At) * time.Minute)
			require.True(t, s.Days.Has(begun.Weekday()))
			require.Zero(t, begun.Sub(begun.Truncate(24*time.Hour)), "the clock shows it")
		}
	})
}

func TestQuietIsFromItsBeginningToItsEnd(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		q := Quiet{Zone: anyZone().Draw(t, "zone")}
		for range rapid.IntRange(1, 3).Draw(t, "hours") {
			q.Hours = append(q.Hours, Hours{
				Days:  anyDays().Draw(t, "days"),
				From:  Clock(rapid.IntRange(0, int(day)-1).Draw(t, "from")),
				Until: Clock(rapid.IntRange(0, int(day)).Draw(t, "until")),
			})
		}
		now := anyTime(q.Zone).Draw(t, "now")

		until, quiet := q.In(now)
		require.Equal(t, quiet, until.After(now))
		if quiet && until.Sub(now) <= maxQuiet {
			_, still := q.In(until)
			require.False(t, still, "it goes on")
			again, still := q.In(now.Add(time.Duration(rapid.Int64Range(0, int64(until.Sub(now))-1).Draw(t, "later"))))
			require.True(t, still)
			require.Equal(t, until, again)
		}
		// Where the clock goes on evenly, what it shows decides.
		if _, change := now.Add(-72 * time.Hour).ZoneBounds(); change.IsZero() || change.After(now.Add(72*time.Hour)) {
			require.Equal(t, q.shows(shown(now)), quiet)
		}
	})
}

// shows reports whether the hours hold what a clock shows that never changes.
func (q Quiet) shows(shown time.Time) bool {
	midnight := shown.Truncate(24 * time.Hour)
	for _, h := range q.Hours {
		for _, date := range []time.Time{midnight, midnight.AddDate(0, 0, -1)} {
			since := shown.Sub(date.Add(time.Duration(h.From) * time.Minute))
			if h.Days.Has(date.Weekday()) && since >= 0 && since < time.Duration(h.length())*time.Minute {
				return true
			}
		}
	}
	return false
}
