package main

import (
	"errors"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/hookarr/hookarr/core/config"
)

// names completes with names of the configuration, as far as that can be read.
func (c *cli) names(of func(*config.Config) []string) cobra.CompletionFunc {
	return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		cfg, err := c.load(nil)
		if wrong, ok := errors.AsType[*config.Error](err); ok {
			cfg = wrong.Partial
		}
		if cfg == nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return of(cfg), cobra.ShellCompDirectiveNoFileComp
	}
}

// first completes the first argument; then completes those after it.
func first(complete, then cobra.CompletionFunc) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return then(cmd, args, word)
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
