package admin

import (
	"time"

	"github.com/hookarr/hookarr/sdk"
)

// ReadTime reads a time that a person writes: a clock's, or how long before now it was. It
// reports false for what is neither.
func ReadTime(text string, now time.Time, zone *time.Location) (time.Time, bool) {
	if ago, err := sdk.ParseDuration(text); err == nil && ago > 0 {
		return now.Add(-ago), true
	}
	return ReadClock(text, zone)
}

// ReadClock reads a time such as 2026-11-28 14:00, also as a browser writes it, or one by RFC
// 3339.
func ReadClock(text string, zone *time.Location) (time.Time, bool) {
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, true
	}
	for _, layout := range []string{time.DateTime, "2006-01-02 15:04", "2006-01-02T15:04", time.DateOnly} {
		if t, err := time.ParseInLocation(layout, text, zone); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}
