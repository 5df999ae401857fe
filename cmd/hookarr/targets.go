package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
)

// targetView is a target as JSON.
type targetView struct {
	Name   string `json:"name"`
	Plugin string `json:"plugin,omitempty"`
	// State is open, throttled, unconfigured, or the kind of hold.
	State  string     `json:"state"`
	Reason string     `json:"reason,omitempty"`
	Since  *time.Time `json:"since,omitempty"`
	// Until is when it takes deliveries again by itself.
	Until   *time.Time `json:"until,omitempty"`
	ProbeAt *time.Time `json:"next_probe,omitempty"`
	Pending int        `json:"pending"`
	Dead    int        `json:"dead"`
}

func (c *cli) newTargets() *cobra.Command {
	list := c.tables(&cobra.Command{
		Use:   "list",
		Short: "Show the targets, what holds them, and what waits for them",
		Example: `  hookarr targets list
  hookarr targets list --json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.withStore(cmd.Context(), func(cfg *config.Config, s *store.Store) error {
				return c.listTargets(cmd.Context(), cfg, s)
			})
		},
	})
	resume := &cobra.Command{
		Use:   "resume NAME",
		Short: "End the hold of a target",
		Long: `Resume ends the hold of a target, after you have mended what was wrong: what waits
for it goes out, oldest first. A target that is quarantined waits for its plugin, and
goes on by itself.`,
		Example:           `  hookarr targets resume ops`,
		ValidArgsFunction: first(c.names(targetNames), cobra.NoFileCompletions),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.withStore(cmd.Context(), func(cfg *config.Config, s *store.Store) error {
				return c.resumeTarget(cmd.Context(), cfg, s, args[0])
			})
		},
	}
	return group("targets", "Show targets and end their holds", list, resume)
}

func (c *cli) listTargets(ctx context.Context, cfg *config.Config, s *store.Store) error {
	views, err := readTargets(ctx, cfg, s)
	if err != nil {
		return err
	}
	rows := [][]string{{"NAME", "PLUGIN", "STATE", "SINCE", "PENDING", "DEAD", "REASON"}}
	for _, v := range views {
		rows = append(rows, []string{
			v.Name, orDash(v.Plugin), c.waits(v.State, v.Until, v.ProbeAt), orDash(c.timeOf(v.Since)), strconv.Itoa(v.Pending), strconv.Itoa(v.Dead), clean(v.Reason, reasonWidth),
		})
	}
	return c.show(views, rows)
}

// waits says what a target waits for, and until when. A probe that is overdue waits for a
// delivery to be made with, or for a server.
func (c *cli) waits(state string, until, probeAt *time.Time) string {
	switch {
	case until != nil:
		return state + " until " + c.time(*until)
	case probeAt != nil && probeAt.After(time.Now()):
		return state + ", next probe " + c.time(*probeAt)
	default:
		return state
	}
}

// wait is what a target waits for: the kind of its hold, or what its pace comes from.
func wait(t *store.Target) (state, reason string, until, probeAt *time.Time) {
	if t.Hold == "" {
		return string(store.HoldThrottled), t.Pace, &t.NextAt, nil
	}
	if !t.Until.IsZero() {
		until = &t.Until
	}
	if !t.ProbeAt.IsZero() {
		probeAt = &t.ProbeAt
	}
	return string(t.Hold), t.Reason, until, probeAt
}

// readTargets returns the targets of the configuration and those that have left it
// and have something waiting, by name.
func readTargets(ctx context.Context, cfg *config.Config, s *store.Store) ([]targetView, error) {
	waiting, _, err := s.ListTargets(ctx)
	if err != nil {
		return nil, fmt.Errorf("list targets: %w", err)
	}
	counts, err := s.CountDeliveries(ctx)
	if err != nil {
		return nil, fmt.Errorf("count deliveries: %w", err)
	}
	byName := map[string]*targetView{}
	get := func(name string) *targetView {
		if byName[name] == nil {
			byName[name] = &targetView{Name: name, State: "open", Plugin: cfg.Targets[name].Plugin}
			if _, configured := cfg.Targets[name]; !configured {
				byName[name].State, byName[name].Reason = "unconfigured", "target is not in the configuration"
			}
		}
		return byName[name]
	}
	for name := range cfg.Targets {
		get(name)
	}
	for _, t := range waiting {
		if _, configured := cfg.Targets[t.Name]; !configured {
			continue // whatever held it, nothing goes there now
		}
		v := get(t.Name)
		v.State, v.Reason, v.Until, v.ProbeAt = wait(&t)
		if t.Hold != "" {
			v.Since = &t.Since
		}
	}
	for _, n := range counts {
		switch v := get(n.Target); n.State {
		case event.Pending, event.Verifying:
			v.Pending += n.Count
		case event.Dead:
			v.Dead = n.Count
		default: // done with
		}
	}
	views := make([]targetView, 0, len(byName))
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		views = append(views, *byName[name])
	}
	return views, nil
}

func (c *cli) resumeTarget(ctx context.Context, cfg *config.Config, s *store.Store, name string) error {
	views, err := readTargets(ctx, cfg, s)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(views, func(v targetView) bool { return v.Name == name })
	switch {
	case i < 0:
		return fmt.Errorf("there is no target %q%s", name, meant(name, targetNames(cfg)))
	case views[i].Plugin == "":
		return fmt.Errorf("target %s is not in the configuration: put it back, and its deliveries go out when hookarr serve starts", name)
	case views[i].Since == nil && views[i].Until == nil:
		return fmt.Errorf("target %s is not on hold", name)
	case views[i].State == string(store.HoldQuarantined):
		return fmt.Errorf("target %s waits for its plugin: %s; mend that, start hookarr serve anew if it is the configuration, and the target goes on by itself",
			name, clean(views[i].Reason, whole))
	}
	if err := s.Release(ctx, name); err != nil {
		return fmt.Errorf("resume target: %w", err)
	}
	_, err = fmt.Fprintf(c.out, "target %s is resumed: %d deliveries go out, oldest first\n", name, views[i].Pending)
	return err
}
