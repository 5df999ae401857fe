package main

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/pluginhost"
	"github.com/hookarr/hookarr/sdk/host"
)

// logWait is how long a look for new lines of the log waits.
const logWait = 25 * time.Second

func (c *cli) newPluginsInspect() *cobra.Command {
	var schema bool
	cmd := c.onPlugin(&cobra.Command{
		Use:   "inspect NAME",
		Short: "Show a plugin of the running server",
		Long: `Inspect shows a plugin that the running server uses: its versions and features, its
process, what is wrong with it, and with --schema what it can be configured with.`,
		Example: `  hookarr plugins inspect target-discord
  hookarr plugins inspect discord --schema`,
	}, func(ctx context.Context, s *service, name string) error {
		p, err := s.Plugin(ctx, name)
		if err != nil || c.json {
			return c.orJSON(p, err)
		}
		if err := c.facts(c.pluginFacts(p)); err != nil || !schema {
			return err
		}
		return c.printJSON(p.Schema)
	})
	cmd.Flags().BoolVar(&schema, "schema", false, "print the JSON Schema of its settings, too")
	return cmd
}

func (c *cli) newPluginsReload() *cobra.Command {
	return c.onPlugin(&cobra.Command{
		Use:   "reload NAME",
		Short: "Take a plugin's binary into use that is there now",
		Long: `Reload starts the binary that is in plugins.dir now beside the one that runs, and lets
it take over if it is well. No attempt fails meanwhile. If it is not, the former serves on.`,
		Example: `  hookarr plugins reload target-discord`,
	}, func(ctx context.Context, s *service, name string) error { return c.reloadPlugin(ctx, s, name) })
}

func (c *cli) newPluginsEnable() *cobra.Command {
	return c.onPlugin(&cobra.Command{
		Use:   "enable NAME",
		Short: "Start a quarantined plugin now",
		Long: `Enable starts a plugin that has crashed so often that it is quarantined, before its rest
is over.`,
		Example: `  hookarr plugins enable target-discord`,
	}, func(ctx context.Context, s *service, name string) error {
		p, err := s.Plugin(ctx, name)
		if err == nil && p.State == pluginhost.Ready && !c.json {
			return c.say("plugin %s runs: nothing is to be done", name)
		}
		return c.reloadPlugin(ctx, s, name)
	})
}

// onPlugin is a command that does something with a plugin of the running server.
func (c *cli) onPlugin(cmd *cobra.Command, do func(ctx context.Context, s *service, name string) error) *cobra.Command {
	cmd.ValidArgsFunction = first(c.pluginNames, cobra.NoFileCompletions)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return c.withService(cmd.Context(), needServer, func(s *service) error {
			name, err := pluginOf(cmd.Context(), s, args[0])
			if err != nil {
				return err
			}
			return do(cmd.Context(), s, name)
		})
	}
	return c.remote(c.tables(cmd))
}

// pluginOf returns the name of a plugin with its kind, which may be left out where it is
// clear.
func pluginOf(ctx context.Context, s *service, name string) (string, error) {
	name = strings.TrimPrefix(name, "hookarr-")
	for _, kind := range []host.Kind{host.KindSource, host.KindTarget} {
		if strings.HasPrefix(name, string(kind)+"-") {
			return name, nil
		}
	}
	plugins, err := s.ListPlugins(ctx)
	if err != nil {
		return "", err
	}
	var found []string
	for _, p := range plugins {
		if p.Name == name {
			found = append(found, string(p.Kind)+"-"+p.Name)
		}
	}
	switch len(found) {
	case 0:
		return name, nil // the server says which there are
	case 1:
		return found[0], nil
	default:
		return "", usagef("there are %s: give one of them", strings.Join(found, " and "))
	}
}

func (c *cli) reloadPlugin(ctx context.Context, s *service, name string) error {
	p, err := s.ReloadPlugin(ctx, name)
	if err != nil || c.json {
		return c.orJSON(p, err)
	}
	return c.say("plugin %s is %s, version %s, process %d", name, p.State, orDash(clean(p.Version, titleWidth)), p.PID)
}

func (c *cli) pluginFacts(p admin.Plugin) [][]string {
	state := string(p.State)
	if p.Since != nil {
		state += " since " + c.time(*p.Since)
	}
	if p.Until != nil {
		state += ", until " + c.time(*p.Until)
	}
	pid := ""
	if p.PID != 0 {
		pid = strconv.Itoa(p.PID)
		if p.Memory > 0 {
			pid += ", " + humanize.IBytes(uint64(p.Memory)) + " of memory"
		}
	}
	sandbox := string(p.Sandbox)
	if p.SandboxReason != "" {
		sandbox += ": " + p.SandboxReason
	}
	protocol := ""
	if p.Protocol != 0 {
		protocol = strconv.Itoa(p.Protocol)
	}
	rows := [][]string{
		{"plugin", string(p.Kind) + "-" + p.Name},
		{"summary", clean(p.Summary, reasonWidth)},
		{"version", clean(p.Version, titleWidth)},
		{"sdk", clean(p.SDK, titleWidth)},
		{"protocol", protocol},
		{"features", joinFeatures(p.Features)},
		{"not used here", joinFeatures(p.Unused)},
		{"path", clean(p.Path, whole)},
		{"sha-256", p.SHA256},
		{"state", state},
		{"problem", clean(p.Problem, whole)},
		{"process", pid},
		{"sandbox", clean(sandbox, whole)},
		{"restarts", strconv.Itoa(p.Restarts)},
		{"last failure", c.failure(p.LastFailure)},
		{"not replaced", c.failure(p.Refusal)},
		{"serves", listed(p.Instances)},
	}
	for _, refused := range p.Refused {
		rows = append(rows, []string{"refuses", clean(refused, whole)})
	}
	for _, instance := range slices.Sorted(maps.Keys(p.Warnings)) {
		rows = append(rows, []string{"warns", clean(instance+": "+p.Warnings[instance], whole)})
	}
	return rows
}

// failure says what went wrong with a plugin and when, and nothing for nil.
func (c *cli) failure(f *admin.Failure) string {
	if f == nil {
		return ""
	}
	return c.time(f.At) + ": " + clean(f.Reason, whole)
}

func (c *cli) newReload() *cobra.Command {
	var dryRun bool
	cmd := c.tables(&cobra.Command{
		Use:   "reload",
		Short: "Have the running server take its configuration anew",
		Long: `Reload has the running server read its configuration again and go by it. Anything wrong
refuses the whole, and the former configuration holds. With --dry-run it only says what
would change.`,
		Example: `  hookarr reload --dry-run
  hookarr reload`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.withServerOf(cmd.Context(), func(s *service) error {
				r, err := s.Reload(cmd.Context(), dryRun)
				if err != nil {
					return err
				}
				return c.showReload(r, dryRun)
			})
		},
	})
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "only say what would change")
	return c.remote(cmd)
}

// withServerOf runs f with the server, and does not say that it runs other settings.
func (c *cli) withServerOf(ctx context.Context, f func(*service) error) error {
	s, release, err := c.reach(ctx, needServer, false)
	if err != nil {
		return err
	}
	defer func() { _ = release() }()
	return f(s)
}

func (c *cli) showReload(r admin.Reload, dryRun bool) error {
	for _, w := range r.Warnings {
		if !c.json {
			c.tell("warning:", clean(w.String(), whole))
		}
	}
	if c.json {
		if err := c.printJSON(r); err != nil {
			return err
		}
	} else if len(r.Problems) > 0 {
		for _, p := range r.Problems {
			c.tell(clean(p.String(), whole))
		}
		c.tell("nothing is changed: the former configuration holds")
	} else if err := c.say("%s", reloaded(r, dryRun)); err != nil {
		return err
	}
	if len(r.Problems) > 0 {
		return errReported
	}
	return nil
}

func reloaded(r admin.Reload, dryRun bool) string {
	var lines []string
	for _, change := range r.Changes {
		lines = append(lines, clean(change.String(), whole))
	}
	for _, key := range r.NeedsRestart {
		lines = append(lines, clean(key, whole)+": needs a restart")
	}
	switch {
	case len(lines) == 0 && dryRun:
		lines = append(lines, "nothing would change")
	case len(lines) == 0:
		lines = append(lines, "the configuration is as it was")
	case dryRun:
		lines = append(lines, "nothing is changed: hookarr reload takes it into use")
	default:
		lines = append(lines, "the configuration is reloaded")
	}
	return strings.Join(lines, "\n")
}

func (c *cli) newLogs() *cobra.Command {
	var level string
	var follow bool
	levels := []string{"debug", "info", "warn", "error"}
	cmd := c.tables(&cobra.Command{
		Use:   "logs",
		Short: "Show the last lines that the running server logged",
		Long: `Logs shows the last lines that the running server logged, at most 2,000, and with
--follow goes on with each as it comes, until Ctrl-C.`,
		Example: `  hookarr logs
  hookarr logs --follow --level warn`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			level, err := oneOf("level", level, levels)
			if err != nil {
				return err
			}
			return c.withService(cmd.Context(), needServer, func(s *service) error { return c.logs(cmd.Context(), s, level, follow) })
		},
	})
	cmd.Flags().StringVar(&level, "level", "", "only of this `LEVEL` or higher: "+oneWordOf(levels))
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on with each line as it comes")
	completeFlag(cmd, "level", words(levels))
	return c.remote(cmd)
}

func (c *cli) logs(ctx context.Context, s *service, level string, follow bool) error {
	var wait time.Duration
	for next := uint64(0); ; wait = logWait {
		log, err := s.Logs(ctx, next, level, wait)
		if err != nil && follow {
			return unlessStopped(ctx, err)
		}
		if err != nil {
			return err
		}
		if c.json && !follow {
			return c.printJSON(log.Lines)
		}
		for _, line := range log.Lines {
			if c.json {
				err = c.printLine(line)
			} else {
				err = c.say("%s", clean(line.Text, whole))
			}
			if err != nil {
				return err
			}
		}
		if !follow {
			return nil
		}
		next = log.Next
	}
}
