package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/hookarr/hookarr/core/app"
	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/connect"
	"github.com/hookarr/hookarr/core/pluginhost"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// wish is what the flags of connect say.
type wish struct{ dryRun, check, remove bool }

func (c *cli) newConnect() *cobra.Command {
	var w wish
	cmd := c.tables(&cobra.Command{
		Use:   "connect SOURCE",
		Short: "Set an application's webhook up through its API",
		Long: `Connect finds or makes the webhook connection in the application of a source, with
every event that is of use and a credential of the source's auth, has the
application send its test, and waits to see it arrive. The application is the one
at base_url in the source's config, which is asked with api_key. It is told to post to
external_url, where it reaches this server; without one, to the address of listen.

With --check it changes nothing and ends with exit code 2 when something is not as
it should be, or with 1 when that cannot be seen.`,
		Example: `  hookarr connect radarr
  hookarr connect radarr --dry-run
  hookarr connect radarr --check --json
  hookarr connect radarr --remove`,
		ValidArgsFunction: first(c.names(sourceNames), cobra.NoFileCompletions),
		RunE: func(cmd *cobra.Command, args []string) error {
			if w.dryRun && w.check || w.check && w.remove || w.dryRun && w.remove {
				return usagef("give one of --dry-run, --check and --remove")
			}
			cfg, err := c.load(nil)
			if err != nil {
				return err
			}
			return c.connect(cmd.Context(), cfg, args[0], w)
		},
	})
	flags := cmd.Flags()
	flags.BoolVar(&w.dryRun, "dry-run", false, "say what would be changed")
	flags.BoolVar(&w.check, "check", false, "say what differs; exit code 2 when anything does")
	flags.BoolVar(&w.remove, "remove", false, "take the connection away")
	return cmd
}

func (c *cli) connect(ctx context.Context, cfg *config.Config, name string, w wish) error {
	source, err := findSource(cfg, name)
	if err != nil {
		return err
	}
	r := sdk.ConnectRequest{Action: sdk.ConnectApply}
	switch {
	case w.check, w.dryRun:
		r.Action = sdk.ConnectCheck
	case w.remove:
		r.Action = sdk.ConnectRemove
	}
	if r.URL, r.Credentials, err = connect.Address(cfg, name); err != nil {
		return err
	}
	appURL, _ := source.Config["base_url"].(string)
	if warning := connect.WarnLoopback(r.URL, appURL); warning != "" && r.Action == sdk.ConnectApply {
		c.tell("warning:", warning)
	}
	ctx, cancel := context.WithTimeout(ctx, connect.Timeout)
	defer cancel()
	var result connect.Connection
	err = c.withSource(ctx, cfg, name, func(plugins *pluginhost.Host) error {
		if d, ok := plugins.Describe(host.KindSource, source.Plugin); ok && !slices.Contains(d.Features, sdk.FeatureConnect) {
			return fmt.Errorf("plugin %s cannot set its application up: add the webhook by hand, see docs/connect.md", source.Plugin)
		}
		begun := time.Now()
		said, err := plugins.Connect(ctx, name, r)
		if err != nil {
			return connect.Explain(name, err)
		}
		result = connect.Describe(name, r.URL, said)
		if r.Action != sdk.ConnectApply || !said.Connected || len(said.Problems) > 0 {
			return nil
		}
		return c.prove(ctx, &result, begun, func() (sdk.ConnectResult, error) {
			r.Action = sdk.ConnectTest
			return plugins.Connect(ctx, name, r)
		})
	})
	if err != nil {
		return err
	}
	return c.showConnection(result, w)
}

// withSource runs f with the plugin of one source.
func (c *cli) withSource(ctx context.Context, cfg *config.Config, name string, f func(*pluginhost.Host) error) error {
	return c.withInstance(ctx, cfg, host.KindSource, name, f)
}

// withInstance runs f with the plugin of one source or target.
func (c *cli) withInstance(ctx context.Context, cfg *config.Config, kind host.Kind, name string, f func(*pluginhost.Host) error) (err error) {
	instances, err := app.Instances(cfg)
	if err != nil {
		return err
	}
	instances = slices.DeleteFunc(instances, func(i pluginhost.Instance) bool { return i.Kind != kind || i.Name != name })
	plugins := pluginHost(cfg)
	if err := plugins.Start(ctx, instances); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, plugins.Stop(context.WithoutCancel(ctx))) }()
	for _, s := range plugins.Status() {
		for _, p := range s.Problems {
			return &config.Error{Problems: []config.Problem{cfg.Problem(string(kind)+"s."+name+".config."+p.Key, p.Message)}}
		}
	}
	return f(plugins)
}

// findSource returns a configured source.
func findSource(cfg *config.Config, name string) (config.Source, error) {
	source, ok := cfg.Sources[name]
	if ok {
		return source, nil
	}
	return config.Source{}, usagef("there is no source %q%s", name, meant(name, sourceNames(cfg)))
}
