package fakearr

import (
	"context"
	"slices"
	"strings"
)

// blockedCheck is the check that the application makes of its own connections.
const blockedCheck = "NotificationStatusCheck"

// Health makes a check fail. In the first minutes after a start the application keeps
// that to itself.
func (a *Arr) Health(ctx context.Context, c Check) {
	a.driving.Lock()
	defer a.driving.Unlock()
	a.complain(ctx, c)
	a.watch(ctx)
}

// HealthRestored makes a check succeed again.
func (a *Arr) HealthRestored(ctx context.Context, kind string) {
	a.driving.Lock()
	defer a.driving.Unlock()
	a.restore(ctx, kind)
	a.watch(ctx)
}

// Tick lets the application do what is due because time has passed.
func (a *Arr) Tick(ctx context.Context) {
	a.driving.Lock()
	defer a.driving.Unlock()
	a.watch(ctx)
}

// Restart starts the application anew: it forgets what it told, and tells of all
// checks that fail when its first minutes are over.
func (a *Arr) Restart() {
	a.state.Lock()
	defer a.state.Unlock()
	a.started = a.now()
	a.untold = true
	for _, d := range a.downloads {
		d.asked = false
	}
}

// Update starts the application with another version.
func (a *Arr) Update(ctx context.Context, version string) {
	a.Restart()
	a.driving.Lock()
	defer a.driving.Unlock()
	a.state.Lock()
	before := a.opts.Version
	a.opts.Version = version
	a.state.Unlock()
	a.announce(ctx, happening{kind: "ApplicationUpdate", flag: "onApplicationUpdate", body: object{
		{"message", a.profile.product + " updated from " + before + " to " + version},
		{"previousVersion", before},
		{"newVersion", version},
	}})
	a.watch(ctx)
}

func (a *Arr) complain(ctx context.Context, c Check) {
	a.state.Lock()
	a.checks = append(slices.DeleteFunc(a.checks, func(o Check) bool { return o.Type == c.Type }), c)
	told := !a.starting()
	a.state.Unlock()
	if told {
		a.announce(ctx, c.happening("Health", "onHealthIssue"))
	}
}

// restore tells of a check what was wrong with it.
func (a *Arr) restore(ctx context.Context, kind string) {
	a.state.Lock()
	i := slices.IndexFunc(a.checks, func(c Check) bool { return c.Type == kind })
	if i < 0 {
		a.state.Unlock()
		return
	}
	c := a.checks[i]
	a.checks = slices.Delete(a.checks, i, i+1)
	told := !a.starting()
	a.state.Unlock()
	if told {
		a.announce(ctx, c.happening("HealthRestored", "onHealthRestored"))
	}
}

func (a *Arr) starting() bool { return a.started.Add(startupGrace).After(a.now()) }

func (c Check) happening(kind, flag string) happening {
	h := happening{kind: kind, flag: flag, body: object{
		{"level", c.Level}, {"message", c.Message}, {"type", c.Type}, {"wikiUrl", text(c.Wiki)},
	}}
	if c.Level != "error" {
		h.also = "includeHealthWarnings"
	}
	return h
}

// watch does what is due: it tells of failing checks when the first minutes are over,
// and raises or ends the complaint about connections that are blocked.
func (a *Arr) watch(ctx context.Context) {
	a.state.Lock()
	var due []Check
	if a.untold && !a.starting() {
		due, a.untold = slices.Clone(a.checks), false
	}
	var blocked []string
	enabled := 0
	for _, c := range a.connections {
		if a.enabled(c) {
			enabled++
			if c.backoff.blocked(a.now()) {
				blocked = append(blocked, c.name)
			}
		}
	}
	standing := slices.ContainsFunc(a.checks, func(c Check) bool { return c.Type == blockedCheck })
	a.state.Unlock()
	for _, c := range due {
		a.announce(ctx, c.happening("Health", "onHealthIssue"))
	}
	switch {
	case len(blocked) > 0 && !standing:
		c := Check{Level: "warning", Type: blockedCheck, Message: "Notifications unavailable due to failures: " + strings.Join(blocked, ", ")}
		if len(blocked) == enabled {
			c.Level, c.Message = "error", "All notifications are unavailable due to failures"
		}
		a.complain(ctx, c)
	case len(blocked) == 0 && standing:
		a.restore(ctx, blockedCheck)
	}
}
