package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/app"
	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/pluginhost"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// manyOptions is how many are taken of a plugin.
const manyOptions = 1000

func (c *cli) newOptions(kind host.Kind, example string) *cobra.Command {
	name := strings.ToUpper(string(kind))
	names := sourceNames
	if kind == host.KindTarget {
		names = targetNames
	}
	return c.tables(&cobra.Command{
		Use:   "options " + name + " [KEY]",
		Short: "Ask which values a setting may have, such as libraries or channels",
		Long: fmt.Sprintf(`Options asks the endpoint of a %[1]s for the values that a setting below its config may
have, such as the libraries of a media server or the channels of a chat server. Without
KEY it lists the settings that its plugin can tell values of. Nothing is changed.

It goes by the configuration file, in which KEY itself may still be missing, and starts
the plugin for the question. With --socket or --server it asks a running server, by the
configuration that is in use there.`, kind),
		Example:           example,
		ValidArgsFunction: c.completeOptions(kind, names),
		RunE: func(cmd *cobra.Command, args []string) error {
			name, key := args[0], ""
			if len(args) > 1 {
				key = args[1]
			}
			err := c.withOptions(cmd.Context(), kind, name, key, func(o optionService) error {
				if key == "" {
					return c.showOptionKeys(cmd.Context(), o, kind, name)
				}
				return c.showOptions(cmd.Context(), o, kind, name, key)
			})
			if _, ok := errors.AsType[*config.Error](err); ok {
				c.tellSocket(err)
			}
			return err
		},
	})
}

// completeOptions completes with the names, and with the settings that have options.
func (c *cli) completeOptions(kind host.Kind, names func(*config.Config) []string) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, word string) (found []string, _ cobra.ShellCompDirective) {
		if len(args) == 0 {
			return c.names(names)(cmd, args, word)
		}
		ctx, cancel := context.WithTimeout(context.Background(), completionTimeout)
		defer cancel()
		if len(args) == 1 { // whatever goes wrong, the shell shows nothing of it
			_ = c.withOptions(ctx, kind, args[0], "", func(o optionService) error {
				keys, err := o.OptionKeys(ctx, kind, args[0])
				found = described(keys, func(k host.OptionKey) (string, string) { return k.Key, k.Description })
				return err
			})
		}
		return found, cobra.ShellCompDirectiveNoFileComp
	}
}

// optionService tells options: of a server, or of the configuration file.
type optionService interface {
	OptionKeys(ctx context.Context, kind host.Kind, name string) ([]host.OptionKey, error)
	Options(ctx context.Context, kind host.Kind, name, key string) ([]sdk.Option, error)
}

// withOptions runs f with what tells the options of a source or a target. The key is the
// setting that is asked for; empty is none.
func (c *cli) withOptions(ctx context.Context, kind host.Kind, name, key string, f func(optionService) error) error {
	if c.server != "" || c.socket != "" {
		return c.withService(ctx, needServer, func(s *service) error { return f(s) })
	}
	settings, err := c.readSettings()
	if err != nil {
		return err
	}
	if err := askable(settings, kind, name, key); err != nil {
		return err
	}
	return f(&admin.Service{Settings: settings, Choices: brief{c, settings.config}})
}

// askable returns what the file has wrong about a source or a target, but for the setting
// that is asked for.
func askable(s *settings, kind host.Kind, name, key string) error {
	known := sourceNames(s.config)
	if kind == host.KindTarget {
		known = targetNames(s.config)
	}
	if !slices.Contains(known, name) {
		return fmt.Errorf("%s has no %s %q%s", s.config.File, kind, name, meant(name, known))
	}
	if s.problems == nil {
		return nil
	}
	at := fmt.Sprintf("%ss.%s", kind, name)
	needed := []string{"plugins", at + ".plugin"}
	if key != "" {
		needed = append(needed, at+".config")
	}
	err, _ := errors.AsType[*config.Error](s.sound(needed...))
	if err == nil {
		return nil
	}
	asked := config.Problem{Key: pluginhost.ConfigKey(kind, name, key)}
	err.Problems = slices.DeleteFunc(err.Problems, func(p config.Problem) bool {
		return key != "" && len(p.Key) >= len(asked.Key) && asked.Covers(p.Key)
	})
	if len(err.Problems) == 0 {
		return nil
	}
	return err
}

func (c *cli) showOptionKeys(ctx context.Context, o optionService, kind host.Kind, name string) error {
	keys, err := o.OptionKeys(ctx, kind, name)
	if err != nil {
		return err
	}
	rows := [][]string{{"KEY", "DESCRIPTION"}}
	for _, k := range keys {
		rows = append(rows, []string{clean(k.Key, whole), clean(k.Description, whole)})
	}
	if c.json {
		return c.printJSON(keys)
	}
	return c.reasoned(rows)
}

func (c *cli) showOptions(ctx context.Context, o optionService, kind host.Kind, name, key string) error {
	options, err := o.Options(ctx, kind, name, key)
	if err != nil {
		return err
	}
	rows := [][]string{{"VALUE", "LABEL"}}
	for _, option := range options {
		rows = append(rows, []string{clean(option.Value, whole), orDash(clean(option.Label, titleWidth))})
	}
	if err := c.show(options, rows); err != nil {
		return err
	}
	switch len(options) {
	case 0:
		c.tell("note: the endpoint of", name, "has none")
	case manyOptions:
		c.tell("note: there may be more: these are the first 1,000")
	}
	return nil
}

// ListOptions implements admin.OptionLister: it starts the plugin for the question.
func (b brief) ListOptions(ctx context.Context, kind host.Kind, instance, key string) (pluginhost.OptionList, error) {
	instances, err := app.Instances(b.cfg)
	i := slices.IndexFunc(instances, func(in pluginhost.Instance) bool { return in.Kind == kind && in.Name == instance })
	if i < 0 {
		return pluginhost.OptionList{}, err
	}
	plugin := instances[i].Plugin
	binaries, err := pluginhost.Discover(b.cfg.Plugins.Dir...)
	if err != nil {
		return pluginhost.OptionList{}, fmt.Errorf("%w%s", err, pluginsDirAdvice)
	}
	list, err := pluginHost(b.cfg).ListOptionsOf(ctx, instances[i], key)
	if err != nil && !slices.ContainsFunc(binaries, func(found pluginhost.Binary) bool { return found.Kind == kind && found.Name == plugin }) {
		err = errors.New(explainPlugin(pluginhost.Problem{Kind: kind, Plugin: plugin, Message: err.Error()}, binaries))
	}
	return list, err
}
