package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hookarr/hookarr/core/app"
	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/pluginhost"
	"github.com/hookarr/hookarr/core/route"
	"github.com/hookarr/hookarr/core/snapshot"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

func (c *cli) newCheck() *cobra.Command {
	var online bool
	cmd := c.tables(&cobra.Command{
		Use:   "check",
		Short: "Check the whole configuration, plugins included",
		Long: `Check says everything that is wrong with the configuration at once: its keys and
values, the routes' expressions, and what each plugin makes of its own settings.
It starts the plugins for that and ends them again, and leaves the database alone.

With --online it also asks applications and media servers whether they know the same
folders, as hookarr paths does in more detail.`,
		Example: `  hookarr check
  hookarr check --online
  hookarr check --config /etc/hookarr/hookarr.yaml --json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, findings := c.check(cmd.Context(), online)
			if err := c.report(cfg, findings); err != nil {
				return err
			}
			if len(findings.Problems) > 0 {
				return errReported
			}
			return nil
		},
	})
	cmd.Flags().BoolVar(&online, "online", false, "ask applications and media servers for their folders too")
	return cmd
}

// findings is what check found.
type findings struct {
	OK       bool             `json:"ok"`
	Problems []config.Problem `json:"problems"`
	Warnings []config.Problem `json:"warnings"`
}

// check finds everything that is wrong, with online also what applications and servers say. The configuration is nil when it could not
// be read, and incomplete when there are problems.
func (c *cli) check(ctx context.Context, online bool) (*config.Config, findings) {
	cfg, err := c.load(nil)
	f := findings{Problems: []config.Problem{}, Warnings: []config.Problem{}}
	if wrong, ok := errors.AsType[*config.Error](err); ok {
		cfg, f.Problems = wrong.Partial, wrong.Problems
	} else if err != nil {
		f.Problems = []config.Problem{{File: c.file(), Message: err.Error()}}
	}
	if cfg != nil {
		f.Warnings = append(append(f.Warnings, cfg.Warnings...), lint(cfg)...)
		known := f.Problems
		add := func(key, message string) {
			if !slices.ContainsFunc(known, func(p config.Problem) bool { return p.Covers(key) }) {
				f.Problems = append(f.Problems, cfg.Problem(key, message))
			}
		}
		if _, err := app.TracesTo(cfg, c.getenv); err != nil {
			f.Problems = append(f.Problems, config.Problem{File: "environment", Message: err.Error()})
		}
		for _, p := range app.Judge(cfg) {
			add(p.Key, p.Message)
		}
		problems, warnings := cfg.CheckTLS(time.Now())
		f.Problems, f.Warnings = append(f.Problems, problems...), append(f.Warnings, warnings...)
		warn := func(key, message string) { f.Warnings = append(f.Warnings, cfg.Problem(key, message)) }
		checked := checkPlugins(ctx, cfg, add, warn)
		if online && len(f.Problems) == 0 {
			c.checkPaths(ctx, cfg, checked, warn)
		}
	}
	for _, found := range [][]config.Problem{f.Problems, f.Warnings} {
		slices.SortStableFunc(found, func(a, b config.Problem) int {
			return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
		})
	}
	f.OK = len(f.Problems) == 0
	return cfg, f
}

func checkPlugins(ctx context.Context, cfg *config.Config, add, warn func(key, message string)) pluginhost.Checked {
	instances, _ := app.Instances(cfg) // a setting that has no JSON is a known problem
	instances = slices.DeleteFunc(instances, func(i pluginhost.Instance) bool { return !config.NamePattern.MatchString(i.Plugin) })
	if len(instances) == 0 {
		return pluginhost.Checked{}
	}
	binaries, err := pluginhost.Discover(cfg.Plugins.Dir...)
	if err != nil {
		add("plugins.dir", err.Error()+pluginsDirAdvice)
		return pluginhost.Checked{}
	}
	plugins := pluginHost(cfg)
	checked := plugins.Check(ctx, instances)
	for _, p := range checked.Problems {
		switch {
		case p.Plugin == "":
			add("plugins", p.Message)
		case p.Instance == "":
			for _, i := range instances {
				if i.Kind == p.Kind && i.Plugin == p.Plugin {
					add(fmt.Sprintf("%ss.%s.plugin", p.Kind, i.Name), explainPlugin(p, binaries))
				}
			}
		default:
			add(pluginhost.ConfigKey(p.Kind, p.Instance, p.Key), p.Message)
		}
	}
	for _, p := range checked.Warnings {
		warn(pluginhost.ConfigKey(p.Kind, p.Instance, p.Key), p.Message)
	}
	if checked.NoSandbox != "" {
		warn("plugins", "sources that could run in a sandbox run without one: "+checked.NoSandbox)
	}
	for _, b := range binaries {
		if len(b.Shadowed) > 0 {
			warn("plugins.dir", shadowed(b))
		}
	}
	checkFeatures(instances, checked, warn)
	checkDetails(cfg, checked, warn)
	checkTypes(cfg, checked, warn)
	checkGroups(cfg, checked, warn)
	return checked
}

// checkFeatures warns of plugins that have more than this version knows.
func checkFeatures(instances []pluginhost.Instance, checked pluginhost.Checked, warn func(key, message string)) {
	for _, i := range instances {
		d, _ := checked.Describe(i.Kind, i.Plugin)
		for _, message := range pluginhost.Unknown(d.Features) {
			warn(fmt.Sprintf("%ss.%s.plugin", i.Kind, i.Name), "plugin "+i.Plugin+" "+message)
		}
	}
}

// checkDetails warns of sources that are to add details and cannot.
func checkDetails(cfg *config.Config, checked pluginhost.Checked, warn func(key, message string)) {
	for _, name := range sourceNames(cfg) {
		s := cfg.Sources[name]
		d, ok := checked.Describe(host.KindSource, s.Plugin)
		if !ok || !s.Enrich {
			continue
		}
		at := "sources." + name + ".enrich"
		address, _ := s.Config["base_url"].(string)
		switch {
		case !slices.Contains(d.Features, sdk.FeatureFetch):
			warn(at, "plugin "+d.Name+" has no details to add: events go out without")
		case address == "" && bytes.Contains(d.ConfigSchema, []byte(`"base_url"`)):
			warn(at, "events go out without details: set base_url and api_key in sources."+name+".config")
		}
	}
}

// checkGroups warns of groups and digests whose target takes one event at a time.
func checkGroups(cfg *config.Config, checked pluginhost.Checked, warn func(key, message string)) {
	single := func(target string) bool {
		d, ok := checked.Describe(host.KindTarget, cfg.Targets[target].Plugin)
		return ok && !slices.Contains(d.Features, sdk.FeatureGroup)
	}
	const alone = "%s takes one event at a time: they are sent alone"
	for _, name := range slices.Sorted(maps.Keys(cfg.Targets)) {
		t := cfg.Targets[name]
		if t.Group != nil && single(name) {
			warn("targets."+name+".group", fmt.Sprintf(alone, "plugin "+t.Plugin))
		}
		if t.DigestAfter > 0 && single(name) {
			warn("targets."+name+".digest_after", fmt.Sprintf(alone, "plugin "+t.Plugin))
		}
	}
	for i, r := range cfg.Routes {
		key := fmt.Sprintf("routes[%d].group", i)
		if r.Digest != nil {
			key = fmt.Sprintf("routes[%d].digest", i)
		}
		for _, target := range r.To {
			if (r.Group != nil || r.Digest != nil) && single(target) {
				warn(key, fmt.Sprintf(alone, "target "+target))
			}
		}
	}
}

// checkTypes warns of routes that wait for what their sources do not tell.
func checkTypes(cfg *config.Config, checked pluginhost.Checked, warn func(key, message string)) {
	routes, err := route.New(cfg.Routes)
	if err != nil {
		return // a known problem
	}
	types := map[string][]sdk.Type{}
	for name, s := range cfg.Sources {
		d, _ := checked.Describe(host.KindSource, s.Plugin)
		for _, t := range d.EventTypes { // none are any
			types[name] = append(types[name], t.Type)
		}
		if len(d.EventTypes) > 0 && s.Snapshot.Every > 0 && slices.Contains(d.Features, sdk.FeatureSnapshot) {
			types[name] = append(types[name], snapshot.Types()...)
		}
	}
	for _, p := range routes.LintTypes(sourceNames(cfg), types) {
		warn(p.Key, p.Message)
	}
}

// explainPlugin says what is wrong with a plugin and, when there is none of that name and
// kind, which was probably meant.
func explainPlugin(p pluginhost.Problem, binaries []pluginhost.Binary) string {
	var names []string
	for _, b := range binaries {
		if b.Kind == p.Kind {
			names = append(names, b.Name)
		}
	}
	if slices.Contains(names, p.Plugin) {
		return p.Message
	}
	if other, ok := otherKind(p.Kind, p.Plugin, binaries); ok {
		return other + "; the " + string(p.Kind) + " plugins are " + strings.Join(names, ", ")
	}
	return p.Message + config.Suggest(p.Plugin, names)
}

// otherKind says of a plugin that a source or target cannot have that it is of the other
// kind, if it is.
func otherKind(kind host.Kind, name string, binaries []pluginhost.Binary) (message string, ok bool) {
	have := func(k host.Kind) bool {
		return slices.ContainsFunc(binaries, func(b pluginhost.Binary) bool { return b.Kind == k && b.Name == name })
	}
	switch {
	case have(kind):
		return "", false
	case kind == host.KindTarget && have(host.KindSource):
		return name + " is a source plugin, which takes webhooks in: it belongs under sources", true
	case kind == host.KindSource && have(host.KindTarget):
		return name + " is a target plugin, which delivers: it belongs under targets", true
	default:
		return "", false
	}
}

// shadowed says which of several files of one name is started.
func shadowed(b pluginhost.Binary) string {
	return fmt.Sprintf("%s is in several directories: %s is started, not %s", filepath.Base(b.Path), b.Path, strings.Join(b.Shadowed, ", "))
}

// lintPlugins returns what the names of the files in the plugins' directories tell to be
// a mistake, without starting any.
func lintPlugins(cfg *config.Config) []config.Problem {
	binaries, err := pluginhost.Discover(cfg.Plugins.Dir...)
	if err != nil {
		return nil // each plugin that is used says so
	}
	var warnings []config.Problem
	instances, _ := app.Instances(cfg) // whoever needs all of them says so
	for _, i := range instances {
		if message, ok := otherKind(i.Kind, i.Plugin, binaries); ok {
			warnings = append(warnings, cfg.Problem(fmt.Sprintf("%ss.%s.plugin", i.Kind, i.Name), message))
		}
	}
	for _, b := range binaries {
		if len(b.Shadowed) > 0 {
			warnings = append(warnings, cfg.Problem("plugins.dir", shadowed(b)))
		}
	}
	return warnings
}

func (c *cli) report(cfg *config.Config, f findings) error {
	if c.json {
		return c.printJSON(f)
	}
	for _, p := range f.Problems {
		c.tell(p)
	}
	for _, w := range f.Warnings {
		c.tell("warning:", w)
	}
	if !f.OK {
		return nil
	}
	if _, err := fmt.Fprintf(c.out, "%s is ok\n\n", cfg.File); err != nil {
		return err
	}
	rows := [][]string{{"KIND", "NAME", "PLUGIN", "DETAIL"}}
	for _, name := range sourceNames(cfg) {
		s := cfg.Sources[name]
		rows = append(rows, []string{"source", name, s.Plugin, fmt.Sprintf("/hooks/%s by %s", name, waysIn(s))})
	}
	for _, name := range targetNames(cfg) {
		t := cfg.Targets[name]
		rows = append(rows, []string{"target", name, t.Plugin, fmt.Sprintf("timeout %s, max age %s", inUnits(t.Timeout), inUnits(t.Retry.MaxAge))})
	}
	for _, r := range cfg.Routes {
		rows = append(rows, []string{"route", r.Name, "-", routeDetail(r)})
	}
	if to, _ := app.TracesTo(cfg, c.getenv); to != "" { // what is wrong with it is a problem
		rows = append(rows, []string{"traces", "-", "-", "to " + to + sampled(cfg.Tracing)})
	}
	return c.table(rows...)
}

// sampled says which part of the events is traced.
func sampled(t config.Tracing) string {
	if t.Sample == nil {
		return ""
	}
	return fmt.Sprintf(", %g of the events", *t.Sample)
}

// inUnits writes a duration as people do in a configuration: 7d and 1h30m, not 168h0m0s.
func inUnits(d time.Duration) string {
	const day = 24 * time.Hour
	if d >= day && d%day == 0 {
		return fmt.Sprintf("%dd", d/day)
	}
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// waysIn names the entries of a source's auth.
func waysIn(s config.Source) string {
	var ways []string
	for _, a := range s.Auth {
		switch {
		case a.HMAC != nil:
			ways = append(ways, strings.TrimSpace("hmac "+a.HMAC.Preset))
		case a.Basic != nil:
			ways = append(ways, "basic")
		case a.Header != nil:
			ways = append(ways, "header")
		case a.Token != nil:
			ways = append(ways, "token")
		default:
			ways = append(ways, "none")
		}
	}
	return strings.Join(ways, ", ")
}

func routeDetail(r config.Route) string {
	detail := "from " + orAll(r.From) + ", types " + orAll(r.Types)
	if r.When != "" {
		detail += ", when " + clean(r.When, titleWidth)
	}
	return detail + ", to " + strings.Join(r.To, " ")
}

func orAll(globs []string) string {
	if len(globs) == 0 {
		return "*"
	}
	return strings.Join(globs, " ")
}
