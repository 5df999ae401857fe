package config

import (
	"fmt"
	"strings"
	"time"

	"github.com/hookarr/hookarr/core/calendar"
)

// Bounds of how many events a group gathers.
const (
	minGroup = 2
	maxGroup = 1000
)

// GroupNone is what Group.By says to have each event delivered for itself. The key group
// says the same with off.
const GroupNone = "none"

// maxHours is more than a person writes, and keeps a look at the calendar short.
const maxHours = 50

// Group has a target get several events as one delivery. What is empty or 0 is the target's
// own for a route, and the plugin's for a target.
type Group struct {
	// By says which events belong together: download, season, folder, title, none, or an
	// expression over the event.
	By string `koanf:"by"`
	// Wait is how long no other event has come when the group is sent.
	Wait time.Duration `koanf:"wait"`
	// MaxWait is how long after its first event it is sent at the latest.
	MaxWait time.Duration `koanf:"max_wait"`
	// Max is how many events it has when it is sent at once.
	Max int `koanf:"max"`
}

// What becomes of the events that came in quiet hours.
const (
	// ThenSend sends each as if it had come at the end of the quiet.
	ThenSend = "send"
	// ThenDigest sends all in one digest.
	ThenDigest = "digest"
	// ThenDrop sends none of them.
	ThenDrop = "drop"
)

// Quiet is hours in which a target gets nothing.
type Quiet struct {
	// Zone is a name such as Europe/Berlin; empty is that of this machine.
	Zone string `koanf:"zone"`
	// Days are those on which the hours begin: mon, mon-fri. Empty is every day.
	Days []string `koanf:"days"`
	// Hours are such as "22:00-07:00", or with days of their own "sat,sun 23:00-09:00".
	Hours []string `koanf:"hours"`
	// Then is send, digest or drop.
	Then string `koanf:"then"`
}

// Calendar returns the hours. Those of a loaded configuration have no error.
func (q Quiet) Calendar() (calendar.Quiet, error) {
	zone, err := calendar.Zone(q.Zone)
	if err != nil {
		return calendar.Quiet{}, err
	}
	days, err := calendar.ParseDays(q.Days...)
	if err != nil {
		return calendar.Quiet{}, err
	}
	c := calendar.Quiet{Zone: zone}
	for _, text := range q.Hours {
		hours, err := calendar.ParseHours(text, days)
		if err != nil {
			return calendar.Quiet{}, err
		}
		c.Hours = append(c.Hours, hours)
	}
	return c, nil
}

// How often a digest goes out.
const (
	Daily  = "daily"
	Weekly = "weekly"
)

// Digest gathers the events of a route up to a time of day.
type Digest struct {
	// At is the time, such as 18:00.
	At string `koanf:"at"`
	// Every is daily or weekly.
	Every string `koanf:"every"`
	// On is the day of a weekly digest: fri.
	On string `koanf:"on"`
	// Zone is a name such as Europe/Berlin; empty is that of this machine.
	Zone string `koanf:"zone"`
}

// Calendar returns the times. Those of a loaded configuration have no error.
func (d Digest) Calendar() (calendar.Times, error) {
	zone, err := calendar.Zone(d.Zone)
	if err != nil {
		return calendar.Times{}, err
	}
	at, err := calendar.ParseClock(d.At)
	if err != nil {
		return calendar.Times{}, err
	}
	times := calendar.Times{Zone: zone, At: at}
	if d.Every == Weekly {
		day, err := calendar.ParseWeekday(d.On)
		if err != nil {
			return calendar.Times{}, err
		}
		times.Days = calendar.On(day)
	}
	return times, nil
}

// group leaves expressions to those who compile them.
func (k checker) group(key string, g Group) {
	const none = "; leave it out for what the target's plugin proposes"
	if k.given[key+".by"] && strings.TrimSpace(g.By) == "" {
		k.problem(key+".by", "want download, season, folder, title, none, or an expression such as event.media.id%s", none)
	}
	if k.given[key+".wait"] && g.Wait <= 0 {
		k.problem(key+".wait", "want more than 0s%s", none)
	}
	switch {
	case k.given[key+".max_wait"] && g.MaxWait <= 0:
		k.problem(key+".max_wait", "want more than 0s%s", none)
	case g.MaxWait > 0 && g.MaxWait < g.Wait:
		k.problem(key+".max_wait", "want at least wait, which is %s", g.Wait)
	}
	if k.given[key+".max"] && (g.Max < minGroup || g.Max > maxGroup) {
		k.problem(key+".max", "want %d to %d%s", minGroup, maxGroup, none)
	}
}

func (k checker) quiet(key string, q Quiet) {
	k.oneOf(key+".then", q.Then, ThenSend, ThenDigest, ThenDrop)
	k.zone(key+".zone", q.Zone)
	days, err := calendar.ParseDays(q.Days...)
	if err != nil {
		k.problem(key+".days", "%s", err)
	}
	if len(q.Hours) == 0 {
		k.problem(key+".hours", `give the hours, such as "22:00-07:00"`)
	}
	if len(q.Hours) > maxHours {
		k.problem(key+".hours", "want at most %d", maxHours)
		return
	}
	for i, text := range q.Hours {
		if _, err := calendar.ParseHours(text, days); err != nil {
			k.problem(fmt.Sprintf("%s.hours[%d]", key, i), "%s", err)
		}
	}
	if c, err := q.Calendar(); err == nil && c.Endless() {
		k.problem(key+".hours", "leave no time of the week in which anything could be sent: hookarr targets pause keeps a target quiet until it is resumed")
	}
}

func (k checker) digest(key string, d Digest) {
	switch _, err := calendar.ParseClock(d.At); {
	case d.At == "":
		k.problem(key+".at", `give the time of day, such as "18:00"`)
	case err != nil:
		k.problem(key+".at", "%s", err)
	}
	k.oneOf(key+".every", d.Every, Daily, Weekly)
	switch _, err := calendar.ParseWeekday(d.On); {
	case d.Every == Weekly && d.On == "":
		k.problem(key+".on", "give the day of the week, such as fri")
	case d.Every == Weekly && err != nil:
		k.problem(key+".on", "%s", err)
	case d.Every == Daily && d.On != "":
		k.problem(key+".on", "is for a weekly digest: write every: weekly, or remove it")
	}
	k.zone(key+".zone", d.Zone)
}

func (k checker) zone(key, name string) {
	if _, err := calendar.Zone(name); err != nil {
		k.problem(key, "%s", err)
	}
}
