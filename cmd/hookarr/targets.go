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
	// State is open, draining, or the kind of hold.
	State   string     `json:"state"`
	Reason  string     `json:"reason,omitempty"`
	Since   *time.Time `json:"since,omitempty"`
	ProbeAt *time.Time `json:"next_probe,omitempty"`
	Pending int        `json:"pending"`
	Held    int        `json:"held"`
	Dead    int        `json:"dead"`
}

func (c *cli) newTargets() *cobra.Command {
	list := c.tables(&cobra.Command{
		Use:   "list",
		Short: "Show the targets, what holds them, and what waits for them",
		Example: `  hookarr targets list
  hookarr targets list --json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.withStore(cmd.Context(), func(cfg *config.Config, s store.Store) error {
				return c.listTargets(cmd.Context(), cfg, s)
			})
		},
	})
	resume := &cobra.Command{
		Use:   "resume NAME",
		Short: "End the hold of a target",
		Long: `Resume ends the hold of a target, after you have mended what was wrong: its held
deliveries go out, oldest first.`,
		Example:           `  hookarr targets resume ops`,
		ValidArgsFunction: first(c.names(targetNames), cobra.NoFileCompletions),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.withStore(cmd.Context(), func(cfg *config.Config, s store.Store) error {
				return c.resumeTarget(cmd.Context(), cfg, s, args[0])
			})
		},
	}
	return group("targets", "Show targets and end their holds", list, resume)
}

func (c *cli) listTargets(ctx context.Context, cfg *config.Config, s store.Store) error {
	views, err := readTargets(ctx, cfg, s)
	if err != nil {
		return err
	}
	rows := [][]string{{"NAME", "PLUGIN", "STATE", "SINCE", "PENDING", "HELD", "DEAD", "REASON"}}
	for _, v := range views {
		since := ""
		if v.Since != nil {
			since = c.time(*v.Since)
		}
		rows = append(rows, []string{
			v.Name, orDash(v.Plugin), v.State, orDash(since),
			strconv.Itoa(v.Pending), strconv.Itoa(v.Held), strconv.Itoa(v.Dead), clean(v.Reason, reasonWidth),
		})
	}
	return c.show(views, rows)
}

// readTargets returns the targets of the configuration and those that have left it
// and have something waiting, by name.
func readTargets(ctx context.Context, cfg *config.Config, s store.Store) ([]targetView, error) {
	holds, err := s.ListHolds(ctx)
	if err != nil {
		return nil, fmt.Errorf("list holds: %w", err)
	}
	counts, err := s.CountDeliveries(ctx)
	if err != nil {
		return nil, fmt.Errorf("count deliveries: %w", err)
	}
	byName := map[string]*targetView{}
	get := func(name string) *targetView {
		if byName[name] == nil {
			byName[name] = &targetView{Name: name, State: "open", Plugin: cfg.Targets[name].Plugin}
		}
		return byName[name]
	}
	for name := range cfg.Targets {
		get(name)
	}
	for _, h := range holds {
		v := get(h.Target)
		v.State, v.Reason, v.Since = string(h.Kind), h.Reason, &h.Since
		if h.Draining {
			v.State = "draining"
		} else if !h.ProbeAt.IsZero() {
			v.ProbeAt = &h.ProbeAt
		}
	}
	for _, n := range counts {
		v := get(n.Target)
		switch n.State {
		case event.Pending:
			v.Pending = n.Count
		case event.Held:
			v.Held = n.Count
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

func (c *cli) resumeTarget(ctx context.Context, cfg *config.Config, s store.Store, name string) error {
	views, err := readTargets(ctx, cfg, s)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(views, func(v targetView) bool { return v.Name == name })
	switch {
	case i < 0:
		return fmt.Errorf("there is no target %q%s", name, config.Suggest(name, targetNames(cfg)))
	case views[i].Plugin == "":
		return fmt.Errorf("target %s is not in the configuration: put it back, and its deliveries go out when hookarr serve starts", name)
	case views[i].Since == nil:
		return fmt.Errorf("target %s is not on hold", name)
	}
	if err := s.Release(ctx, name); err != nil {
		return fmt.Errorf("resume target: %w", err)
	}
	_, err = fmt.Fprintf(c.out, "target %s is resumed: %d held deliveries go out, oldest first\n", name, views[i].Held)
	return err
}
