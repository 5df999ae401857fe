package main

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/config"
)

// completionTimeout is how long a shell waits for what the service knows.
const completionTimeout = 2 * time.Second

// names completes with names of the configuration, as far as that can be read.
func (c *cli) names(of func(*config.Config) []string) cobra.CompletionFunc {
	return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		f, err := c.readSettings()
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return of(f.config), cobra.ShellCompDirectiveNoFileComp
	}
}

// ask completes with what the service knows. The shell shows nothing of what goes wrong.
func (c *cli) ask(what need, list func(ctx context.Context, s *service) ([]string, error)) ([]string, cobra.ShellCompDirective) {
	ctx, cancel := context.WithTimeout(context.Background(), completionTimeout)
	defer cancel()
	s, release, err := c.reach(ctx, what, false)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	defer func() { _ = release() }()
	found, err := list(ctx, s)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return found, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
}

// eventIDs completes with the latest events.
func (c *cli) eventIDs(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return c.ask(needDatabase, func(ctx context.Context, s *service) ([]string, error) {
		list, err := s.ListEvents(ctx, admin.EventFilter{}, admin.Page{Limit: defaultLimit})
		return described(list.Items, func(e admin.Event) (string, string) { return e.ID, e.Source + " " + string(e.Type) + " " + e.Title }), err
	})
}

func (c *cli) deliveryIDs(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return c.ask(needDatabase, func(ctx context.Context, s *service) ([]string, error) {
		list, err := s.ListDeliveries(ctx, admin.DeliveryFilter{}, admin.Page{Limit: defaultLimit})
		return described(list.Items, func(d admin.Delivery) (string, string) {
			return d.ID, d.Target + " " + string(d.State) + " " + d.Title
		}), err
	})
}

func (c *cli) actionIDs(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return c.ask(needDatabase, func(ctx context.Context, s *service) ([]string, error) {
		list, err := s.ListActions(ctx, admin.Page{Limit: defaultLimit})
		return described(list.Items, func(a admin.Action) (string, string) { return a.ID, string(a.What) + " " + string(a.State) }), err
	})
}

// silenceIDs completes with the silences that are active.
func (c *cli) silenceIDs(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return c.ask(needDatabase, func(ctx context.Context, s *service) ([]string, error) {
		list, err := s.ListSilences(ctx)
		list = slices.DeleteFunc(list, func(n admin.Silence) bool { return n.State != admin.SilenceActive })
		return described(list, func(n admin.Silence) (string, string) { return n.ID, n.Expression }), err
	})
}

func (c *cli) sessionIDs(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return c.ask(needDatabase, func(ctx context.Context, s *service) ([]string, error) {
		list, err := s.ListSessions(ctx)
		return described(list, func(n admin.Session) (string, string) { return n.ID, n.Who + " by " + n.Via }), err
	})
}

func (c *cli) pluginNames(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return c.ask(needServer, func(ctx context.Context, s *service) ([]string, error) {
		list, err := s.ListPlugins(ctx)
		return described(list, func(p admin.Plugin) (string, string) { return string(p.Kind) + "-" + p.Name, string(p.State) }), err
	})
}

// described are completions with what shells show beside them.
func described[T any](items []T, of func(T) (word, text string)) []string {
	found := make([]string, len(items))
	for i, item := range items {
		word, text := of(item)
		found[i] = cobra.CompletionWithDesc(word, clean(text, titleWidth))
	}
	return found
}

// first completes the first argument; then completes those after it.
func first(complete, then cobra.CompletionFunc) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return then(cmd, args[1:], word)
		}
		return complete(cmd, args, word)
	}
}

// files completes with any file.
func files(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveDefault
}

func directories(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveFilterDirs
}

func sourceNames(cfg *config.Config) []string { return slices.Sorted(maps.Keys(cfg.Sources)) }

func targetNames(cfg *config.Config) []string { return slices.Sorted(maps.Keys(cfg.Targets)) }

// completeFlag completes a flag that the command has.
func completeFlag(cmd *cobra.Command, flag string, f cobra.CompletionFunc) {
	_ = cmd.RegisterFlagCompletionFunc(flag, f) // the flag is there
}

// words completes with a few words that are always the same.
func words[S ~string](known []S) cobra.CompletionFunc {
	completions := make([]string, 0, len(known))
	for _, k := range known {
		completions = append(completions, string(k))
	}
	return cobra.FixedCompletions(completions, cobra.ShellCompDirectiveNoFileComp)
}
