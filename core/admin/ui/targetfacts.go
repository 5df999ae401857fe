package ui

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/pluginhost"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// fact is a setting in words.
type fact struct{ Name, Value string }

// rateOf is the rate of a target: the configured one, or else its plugin's.
func (u *UI) rateOf(name string) (perSecond float64, burst int) {
	c := u.Service.Settings.Config().Targets[name]
	if c.Rate != nil {
		return c.Rate.PerSecond, c.Rate.Burst
	}
	d := u.pluginOf(host.KindTarget, c.Plugin).Description.Defaults
	return d.Rate, d.Burst
}

// pluginOf is the plugin of sources or targets with a name, as far as it is known.
func (u *UI) pluginOf(kind host.Kind, name string) pluginhost.Status {
	if u.Service.Plugins == nil {
		return pluginhost.Status{}
	}
	for _, s := range u.Service.Plugins.Status() {
		if s.Kind == kind && s.Plugin == name {
			return s
		}
	}
	return pluginhost.Status{}
}

// rateWords says 0.5 per second as one every 2 s.
func rateWords(perSecond float64, burst int) string {
	if perSecond <= 0 {
		return ""
	}
	words := strconv.FormatFloat(perSecond, 'g', 3, 64) + " per second"
	if perSecond < 1 {
		every := time.Duration(float64(time.Second) / perSecond)
		words = "one every " + length(every.Round(durationUnit(every)))
	}
	if burst > 1 {
		words += fmt.Sprintf(", %d at once", burst)
	}
	return words
}

// targetFacts are the settings of a target in words, but for those of its plugin.
func (u *UI) targetFacts(name string, c config.Target, routes []config.Route) []fact {
	defaults := u.pluginOf(host.KindTarget, c.Plugin).Description.Defaults
	concurrency := "the plugin's own, or 8"
	switch {
	case c.Concurrency > 0:
		concurrency = strconv.Itoa(c.Concurrency)
	case defaults.Concurrency > 0:
		concurrency = fmt.Sprintf("%d, the plugin's own", defaults.Concurrency)
	}
	rate := rateWords(u.rateOf(name))
	switch {
	case rate == "":
		rate = "no limit"
	case c.Rate == nil:
		rate += ", the plugin's own"
	}
	facts := []fact{
		{"Plugin", "target-" + c.Plugin},
		{"Concurrency", concurrency},
		{"Rate", rate},
		{"Time-out", length(c.Timeout)},
		{"Retry", retryWords(c.Retry)},
		{"Groups", groupWords(c.Group, defaults.Group)},
	}
	if c.Edit {
		facts = append(facts, fact{"Edits", "what it showed of a story is replaced"})
	}
	if c.Quiet != nil {
		facts = append(facts, fact{"Quiet hours", quietWords(*c.Quiet)})
	}
	if c.DigestAfter > 0 {
		facts = append(facts, fact{"Digest", "what waited for " + length(c.DigestAfter) + " or longer goes out as one"})
	}
	var from []string
	for _, route := range routes {
		if slices.Contains(route.To, name) {
			from = append(from, route.Name)
		}
	}
	if len(from) == 0 {
		return append(facts, fact{"Routes", "none leads here"})
	}
	return append(facts, fact{"Routes", strings.Join(from, ", ")})
}

func retryWords(r config.Retry) string {
	pauses := make([]string, len(r.Schedule))
	for i, p := range r.Schedule {
		pauses[i] = length(p)
	}
	words := fmt.Sprintf("after %s, each pause %s times as long as the last, at most %s",
		length(r.Initial), strconv.FormatFloat(r.Multiplier, 'g', 3, 64), length(r.MaxInterval))
	if len(pauses) > 0 {
		words = "after " + strings.Join(pauses, ", ") + "; the last pause repeats"
	}
	if r.MaxAttempts > 0 {
		words += fmt.Sprintf("; at most %d attempts", r.MaxAttempts)
	}
	return words + "; given up after " + length(r.MaxAge)
}

func groupWords(g *config.Group, own sdk.GroupDefaults) string {
	by := ""
	switch {
	case g != nil && g.By != "":
		by = g.By
	case own.On || g != nil:
		by = own.By
	}
	if by == "" || by == config.GroupNone {
		return "one event a delivery"
	}
	words := "by " + by
	wait, most, size := own.Wait, own.MaxWait, own.Max
	if g != nil {
		wait, most, size = cmp.Or(g.Wait, wait), cmp.Or(g.MaxWait, most), cmp.Or(g.Max, size)
	}
	if wait > 0 {
		words += ", " + length(wait) + " after the last event"
	}
	if most > 0 {
		words += ", " + length(most) + " after the first at the latest"
	}
	if size > 0 {
		words += fmt.Sprintf(", or with %d events", size)
	}
	return words
}

func quietWords(q config.Quiet) string {
	words := strings.Join(q.Hours, ", ")
	if len(q.Days) > 0 {
		words = strings.Join(q.Days, ", ") + " " + words
	}
	if q.Zone != "" {
		words += " (" + q.Zone + ")"
	}
	switch q.Then {
	case config.ThenDigest:
		words += "; then one digest"
	case config.ThenDrop:
		words += "; what came is not sent"
	case config.ThenSend:
		words += "; then what came is sent"
	}
	return words
}

// length is a duration in its largest unit that leaves no rest.
func length(d time.Duration) string {
	const day = 24 * time.Hour
	for _, unit := range []struct {
		size time.Duration
		name string
	}{{day, "d"}, {time.Hour, "h"}, {time.Minute, "min"}, {time.Second, "s"}} {
		if d >= unit.size && d%unit.size == 0 {
			return strconv.FormatInt(int64(d/unit.size), 10) + " " + unit.name
		}
	}
	return d.String()
}
