package library

import (
	"strings"
	"time"

	"github.com/hookarr/hookarr/sdk"
)

// Version is the place of an event among all others: versions are compared as strings.
// The empty one is before all.
type Version string

// timeFormat has one length, so that times are in the order of their texts.
const timeFormat = "2006-01-02T15:04:05.000000000Z"

// weak begins the version of what an event says of things beside its subject. It is
// before every other, so that those who know better overrule it.
const weak = "!"

// VersionOf returns an event's version.
func VersionOf(e sdk.Event) Version {
	return Version(e.Time.UTC().Format(timeFormat) + " " + e.ID)
}

// Time is the event's time as Stamp writes it, or empty.
func (v Version) Time() string {
	at, _, _ := strings.Cut(strings.TrimPrefix(string(v), weak), " ")
	t, err := time.Parse(timeFormat, at)
	if err != nil {
		return ""
	}
	return Stamp(t)
}

// Stamp is a time in RFC 3339, in UTC and with microseconds. All have one length, so that
// they are in the order of their texts.
func Stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }
