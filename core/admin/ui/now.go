package ui

import (
	"fmt"
	"html/template"
	"net/http"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/admin/ui/chart"
	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/pluginhost"
	"github.com/hookarr/hookarr/core/store"
)

// nowPages are those of what needs an operator now: how things are, and what can be held.
func (u *UI) nowPages() {
	u.page("GET /{$}", "now", config.RoleView, u.showNow)
	u.targetPages()
	u.silencePages()
}

// nowPage is what the first page shows.
type nowPage struct {
	admin.Overview
	// Wrong is what an operator has to see to, the most urgent first.
	Wrong []wrong
	// Held are the targets that are not open.
	Held []target
	// Active are the silences that are active, at most shownSilences.
	Active []admin.Silence
	Strip  template.HTML
	// NoSource and NoTarget say that none is configured.
	NoSource, NoTarget bool
}

// wrong is something that an operator has to see to, with the page that helps.
type wrong struct {
	Text string
	// Detail is what others said of it, such as an endpoint.
	Detail string
	To, Do string
}

const shownSilences = 10

func (u *UI) showNow(r *http.Request) (view, error) {
	o, err := u.Service.Overview(r.Context())
	if err != nil {
		return view{}, err
	}
	page := nowPage{Overview: o, Wrong: wrongs(&o)}
	c := u.Service.Settings.Config()
	page.NoSource, page.NoTarget = len(c.Sources) == 0, len(c.Targets) == 0
	for _, t := range o.Targets {
		page.Held = append(page.Held, newTarget(t))
	}
	if o.Silences > 0 {
		silences, err := u.Service.ListSilences(r.Context())
		if err != nil {
			return view{}, err
		}
		for _, s := range silences {
			if s.State == admin.SilenceActive && len(page.Active) < shownSilences {
				page.Active = append(page.Active, s)
			}
		}
	}
	if page.Strip, err = u.strip(r); err != nil {
		return view{}, err
	}
	return view{
		Title: "Now", Data: page, Changes: []string{"events", "deliveries", "targets", "sources", "plugins", "silences", "config"},
	}, nil
}

// wrongs finds what an operator has to see to. What an operator has ordered, and what ends by
// itself, is none of it.
func wrongs(o *admin.Overview) []wrong {
	var all []wrong
	if o.NotReloaded != "" {
		all = append(all, wrong{"The last reload was refused: the former configuration holds.", o.NotReloaded, "/configuration", "See the configuration"})
	}
	if o.LowSpace != nil {
		all = append(all, wrong{
			fmt.Sprintf("Little space is left for the database: %s are free. Without space no webhook is taken.", humanize.IBytes(uint64(max(o.LowSpace.Free, 0)))),
			"Make room on its file system, or lower retention.events.", "/configuration", "See the configuration",
		})
	}
	for _, p := range o.Plugins {
		name := string(p.Kind) + "-" + p.Name
		if p.State != pluginhost.Starting {
			all = append(all, wrong{fmt.Sprintf("Plugin %s is down (%s).", name, p.State), p.Problem, "/plugins/" + name, "See what mends it"})
		}
	}
	for _, t := range o.Targets {
		var text string
		switch store.HoldKind(t.State) {
		case store.HoldMisconfigured:
			text = "Target %s is held: its endpoint refuses what it gets, and %s."
		case store.HoldBreaker:
			text = "Target %s is held: its endpoint fails, and %s."
		case store.HoldQuarantined:
			text = "Target %s is held: its plugin does not run, and %s."
		case store.HoldPaused, store.HoldQuiet, store.HoldThrottled:
			continue
		default:
			text = "Target %s has left the configuration, and %s."
		}
		waits := plural(t.Pending, "delivery waits", "deliveries wait")
		if t.Pending == 0 {
			waits = "nothing waits for it"
		}
		all = append(all, wrong{fmt.Sprintf(text, t.Name, waits), t.Reason, targetPath(t.Name), "See what to do"})
	}
	if o.Dead > 0 {
		all = append(all, wrong{plural(o.Dead, "delivery is a dead letter: it is not tried again until you retry it.", "deliveries are dead letters: they are not tried again until you retry them."), "", "/dead", "Look at them"})
	}
	for _, s := range o.Silent {
		usual := time.Duration(s.Usual * float64(time.Second)).Round(time.Minute)
		all = append(all, wrong{
			fmt.Sprintf("Source %s has sent nothing since %s; its longest pause was %s.", s.Source, utc(s.LastEvent), span(usual)), "", "/sources/" + s.Source, "See its connection",
		})
	}
	for _, c := range o.CatchupTroubles {
		all = append(all, wrong{"The history of source " + c.Source + " cannot be read: what its webhooks miss stays missing.", c.Reason, "/sources/" + c.Source, "See its connection"})
	}
	for _, p := range o.Paths {
		for _, problem := range p.Problems {
			all = append(all, wrong{"The paths of target " + p.Target + " do not fit.", problem, targetPath(p.Target) + "/paths", "Compare paths"})
		}
	}
	return all
}

// span is a long time in the units that people count it in.
func span(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d >= 2*day:
		return plural(int(d/day), "day", "days")
	case d >= 2*time.Hour:
		return plural(int(d/time.Hour), "hour", "hours")
	default:
		return plural(int(d/time.Minute), "minute", "minutes")
	}
}

// strip draws the last hour.
func (u *UI) strip(r *http.Request) (template.HTML, error) {
	a, err := u.Service.Activity(r.Context(), admin.ActivityOf{})
	if err != nil {
		return "", err
	}
	n := len(a.Buckets)
	received, delivered, failed, dead := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	for i, b := range a.Buckets {
		received[i], delivered[i], failed[i], dead[i] = float64(b.Accepted), float64(b.Delivered), float64(b.Failed), float64(b.Dead)
	}
	drawn, err := chart.Draw(chart.Plot{
		Title: "The last hour by the minute", From: a.From, Step: time.Duration(a.Step * float64(time.Second)),
		Bars: []chart.Series{
			{Name: "delivered", Class: "good", Values: delivered},
			{Name: "failed attempts", Class: "calm", Values: failed},
			{Name: "dead letters", Class: "bad", Values: dead},
		},
		Lines: []chart.Series{{Name: "events received", Class: "busy", Values: received}},
	})
	if err != nil {
		return "", fmt.Errorf("draw the last hour: %w", err)
	}
	return drawn, nil
}
