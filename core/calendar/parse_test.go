package calendar

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestParseHours(t *testing.T) {
	t.Parallel()
	weekend := On(time.Saturday, time.Sunday)
	for text, want := range map[string]Hours{
		"22:00-07:00":              {Days: weekend, From: 22 * 60, Until: 7 * 60},
		" 7:05 - 24:00 ":           {Days: weekend, From: 7*60 + 5, Until: day},
		"mon 00:00-00:00":          {Days: On(time.Monday)},
		"Monday,tue 01:00-02:00":   {Days: On(time.Monday, time.Tuesday), From: 60, Until: 120},
		"fri - mon 01:00-02:00":    {Days: On(time.Friday, time.Monday) | weekend, From: 60, Until: 120},
		"mon-wed, fri 01:00-02:00": {Days: On(time.Monday, time.Tuesday, time.Wednesday, time.Friday), From: 60, Until: 120},
		"mon-mon 01:00-02:00":      {Days: On(time.Monday), From: 60, Until: 120},
	} {
		got, err := ParseHours(text, weekend)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for text, want := range map[string]string{
		"":                   `want hours such as "22:00-07:00", or with their days "sat,sun 23:00-09:00"`,
		"night":              `want hours such as`,
		"22:00":              `want hours such as`,
		"22:00-":             `"" is no time of day: want HH:MM, such as 18:00`,
		"22-7":               `"22" is no time of day: want HH:MM, such as 18:00`,
		"22:00-07:60":        `"07:60" is no time of day: want 00:00 to 24:00`,
		"22:00-24:01":        `"24:01" is no time of day: want 00:00 to 24:00`,
		"24:00-07:00":        `24:00 is the end of a day: begin at 00:00 of the next`,
		"someday 1:00-2:00":  `"someday" is no day of the week: want mon, tue, wed, thu, fri, sat or sun`,
		"mon-never 1:00-2:0": `"never" is no day of the week`,
		"22:00-07:00 mon":    `"07:00 mon" is no time of day`,
	} {
		_, err := ParseHours(text, 0)
		require.ErrorContains(t, err, want, text)
	}
}

// What is written is read as what it was.
func TestHoursAreReadAsWritten(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		h := Hours{
			Days:  Days(rapid.Uint8Range(0, uint8(everyDay)).Draw(t, "days")),
			From:  Clock(rapid.IntRange(0, int(day)-1).Draw(t, "from")),
			Until: Clock(rapid.IntRange(0, int(day)).Draw(t, "until")),
		}
		read, err := ParseHours(h.String(), 0)
		require.NoError(t, err)
		require.Equal(t, h, read)
	})
}

func TestZone(t *testing.T) {
	t.Parallel()
	local, err := Zone("")
	require.NoError(t, err)
	require.Equal(t, time.Local, local)
	for _, name := range []string{"Berlin", "../../etc/passwd", "/etc/localtime", "Europe"} {
		_, err := Zone(name)
		require.EqualError(t, err, `"`+name+`" is no time zone: want a name such as Europe/Berlin or America/New_York, or UTC`)
	}
}

func FuzzParseHours(f *testing.F) {
	f.Add("mon-fri 22:00-07:00")
	f.Fuzz(func(t *testing.T, text string) {
		h, err := ParseHours(text, 0)
		if err != nil {
			return
		}
		again, err := ParseHours(h.String(), 0)
		require.NoError(t, err)
		require.Equal(t, h, again)
	})
}
