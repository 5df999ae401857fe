package admin

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
)

// ListTargets returns the targets of the configuration and those that have left it and
// have something waiting, by name.
func (s *Service) ListTargets(ctx context.Context) ([]Target, error) {
	waiting, _, err := s.Store.ListTargets(ctx)
	if err != nil {
		return nil, fmt.Errorf("list targets: %w", err)
	}
	counts, err := s.Store.CountDeliveries(ctx)
	if err != nil {
		return nil, fmt.Errorf("count deliveries: %w", err)
	}
	pending, _, err := s.Store.OldestPending(ctx)
	if err != nil {
		return nil, err
	}
	return viewTargets(s.Settings.Config(), waiting, counts, pending), nil
}

// The states of a target that no hold is on.
const (
	// TargetOpen takes deliveries.
	TargetOpen = "open"
	// TargetUnconfigured has left the configuration.
	TargetUnconfigured = "unconfigured"
)

func viewTargets(c *config.Config, waiting []store.Target, counts []store.DeliveryCount, pending []store.PendingSince) []Target {
	byName := map[string]*Target{}
	get := func(name string) *Target {
		if byName[name] == nil {
			byName[name] = &Target{Name: name, State: TargetOpen, Plugin: c.Targets[name].Plugin}
			if _, configured := c.Targets[name]; !configured {
				byName[name].State, byName[name].Reason = TargetUnconfigured, "target is not in the configuration"
			}
		}
		return byName[name]
	}
	for name := range c.Targets {
		get(name)
	}
	for _, t := range waiting {
		if _, configured := c.Targets[t.Name]; !configured {
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
		case event.Pending:
			v.Pending = n.Count
		case event.Verifying:
			v.Verifying = n.Count
		case event.Dead:
			v.Dead = n.Count
		default: // done with
		}
	}
	for _, p := range pending {
		if v := byName[p.Target]; v != nil {
			v.PendingSince = &p.Since
		}
	}
	views := make([]Target, 0, len(byName))
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		views = append(views, *byName[name])
	}
	return views
}

// FindTarget returns a target.
func (s *Service) FindTarget(ctx context.Context, name string) (Target, error) {
	targets, err := s.ListTargets(ctx)
	if err != nil {
		return Target{}, err
	}
	names := make([]string, len(targets))
	for i, t := range targets {
		if t.Name == name {
			return t, nil
		}
		names[i] = t.Name
	}
	return Target{}, notFound("there is no target of this name%s", meant(name, names))
}

// Pause holds what goes to a target until it is resumed.
func (s *Service) Pause(ctx context.Context, p Principal, name, reason string) (Target, error) {
	return s.alter(ctx, name, func() error {
		_, err := s.Operate.PauseTarget(ctx, p.actor(), name, reason)
		return err
	})
}

// Resume ends the hold of a target: what waits goes out, oldest first.
func (s *Service) Resume(ctx context.Context, p Principal, name string) (Target, error) {
	return s.alter(ctx, name, func() error {
		_, err := s.Operate.ResumeTarget(ctx, p.actor(), name)
		return err
	})
}

// Probe tries a target on hold at once.
func (s *Service) Probe(ctx context.Context, p Principal, name string) (Target, error) {
	return s.alter(ctx, name, func() error {
		_, err := s.Operate.ProbeTarget(ctx, p.actor(), name)
		return err
	})
}

// Rename gives what a target was to get, that has left the configuration, to another.
func (s *Service) Rename(ctx context.Context, p Principal, name, to string) (Action, error) {
	if _, err := s.FindTarget(ctx, name); err != nil {
		return Action{}, err
	}
	if err := s.configured(ctx, to); err != nil {
		return Action{}, err
	}
	a, err := s.Operate.RenameTarget(ctx, p.actor(), name, to)
	if err != nil {
		return Action{}, forbids("rename target "+name, err)
	}
	return viewAction(a), nil
}

// alter changes a target and returns it as it is then.
func (s *Service) alter(ctx context.Context, name string, change func() error) (Target, error) {
	if err := s.configured(ctx, name); err != nil {
		return Target{}, err
	}
	if err := change(); err != nil {
		return Target{}, forbids("target "+name, err)
	}
	return s.FindTarget(ctx, name)
}

// configured returns an error for a target that no delivery can go to.
func (s *Service) configured(ctx context.Context, name string) error {
	t, err := s.FindTarget(ctx, name)
	if err == nil && t.Plugin == "" {
		err = conflict("target %s is not in the configuration: put it back, or rename it to one that is", name)
	}
	return err
}

// unknownTarget is of a name that the configuration in use does not have. It may be in the
// file all the same.
func unknownTarget(name string, known []string) *Problem { return unknown("target", name, known) }

func unknown(kind, name string, known []string) *Problem {
	return notFound("the configuration in use has no %s of this name (after a change of the file: hookarr reload)%s", kind, meant(name, known))
}

// meant ends a sentence about a name that is not there: with the one that was probably
// meant, or with all that there are.
func meant(name string, known []string) string {
	if suggestion := config.Suggest(name, known); suggestion != "" {
		return suggestion
	}
	return "; there are: " + joined(known)
}
