package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/hookarr/hookarr/core/app"
	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/pluginhost"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// shortSum is how much of a checksum a table shows, in hexadecimal digits.
const shortSum = 12

const pluginsDirAdvice = ": set plugins.dir to the directory of the plugin binaries"

// pluginView is a plugin in a list.
type pluginView struct {
	Name     string        `json:"name"`
	Kind     host.Kind     `json:"kind,omitempty"`
	Version  string        `json:"version,omitempty"`
	Summary  string        `json:"summary,omitempty"`
	SDK      string        `json:"sdk_version,omitempty"`
	Protocol int           `json:"protocol_version,omitempty"`
	SHA256   string        `json:"sha256,omitempty"`
	Features []sdk.Feature `json:"features"`
	// Unused are those of the features that this Hookarr makes no use of.
	Unused []sdk.Feature `json:"features_unused,omitempty"`
	// EventTypes are what a source may make; left out is anything.
	EventTypes []eventTypeView `json:"event_types,omitempty"`
	// Warnings are of the plugin, and of the settings that use it.
	Warnings []warningView `json:"warnings,omitempty"`
	// Sandbox is where a server would run it, and SandboxReason why there.
	Sandbox       pluginhost.SandboxState `json:"sandbox,omitempty"`
	SandboxReason string                  `json:"sandbox_reason,omitempty"`
	Path          string                  `json:"path"`
	// Ignored is a file that may be meant as a plugin and is none by its name, which Name
	// has then.
	Ignored bool `json:"ignored,omitempty"`
	// Shadowed are files of the same name in later directories.
	Shadowed []string `json:"shadowed,omitempty"`
	// Problems are those of the settings that use it.
	Problems []warningView `json:"problems,omitempty"`
	// Problem says why the plugin does not work and what mends it.
	Problem string `json:"problem,omitempty"`
}

type eventTypeView struct {
	Type sdk.Type `json:"type"`
	// Native are the application's own words.
	Native []string `json:"native_types,omitempty"`
}

type warningView struct {
	// Key is that of the configuration; empty for the plugin itself.
	Key     string `json:"key"`
	Message string `json:"message"`
}

func (c *cli) newPlugins() *cobra.Command {
	list := c.tables(&cobra.Command{
		Use:   "list",
		Short: "Show the plugins in the directory",
		Long: `List starts every plugin in plugins.dir, asks what it is and ends it again. What is
not safe to start is shown with the command that mends it, what is ignored with why, and
what a plugin refuses or warns of in the settings that use it. The column SANDBOX says
whether a server would run it in one, and --json why.`,
		Example: `  hookarr plugins list
  hookarr plugins list --json`,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.listPlugins(cmd.Context()) },
	})
	lock := c.tables(&cobra.Command{
		Use:   "lock",
		Short: "Pin the plugins' checksums",
		Long: `Lock writes the checksum of every plugin in plugins.dir to plugins.lock. From then
on, only these are started. Run it again after you have replaced one yourself.`,
		Example: `  hookarr plugins lock`,
		RunE:    func(*cobra.Command, []string) error { return c.lockPlugins() },
	})
	return group("plugins", "Write, check, document, pin and replace plugins", list, lock, c.newPluginsNew(), c.newPluginsCheck(), c.newPluginsDocs(),
		c.newPluginsInspect(), c.newPluginsReload(), c.newPluginsEnable())
}

func (c *cli) discover() (*config.Config, []pluginhost.Binary, error) {
	cfg, err := c.load(nil)
	if err != nil {
		return nil, nil, err
	}
	binaries, err := pluginhost.Discover(cfg.Plugins.Dir...)
	if err != nil {
		return nil, nil, fmt.Errorf("%w%s", err, pluginsDirAdvice)
	}
	return cfg, binaries, nil
}

// passShared passes over a file of several plugins that is given beside them, as * in a shell
// gives it.
func (c *cli) passShared(files []string) []string {
	return slices.DeleteFunc(slices.Clone(files), func(file string) bool {
		beside := slices.DeleteFunc(pluginhost.SharedBy(file), func(plugin string) bool {
			return !slices.ContainsFunc(files, func(f string) bool { return filepath.Clean(f) == plugin })
		})
		if len(beside) == 0 {
			return false
		}
		c.tell("note: " + clean(file, whole) + " is passed over: it is the file of " + counted(len(beside), "plugin", "plugins") + " given beside it")
		return true
	})
}

// pluginHost returns a host of the configured plugins, with what is set for each of them.
func pluginHost(cfg *config.Config) *pluginhost.Host {
	return pluginhost.New(pluginhost.Options{Dirs: cfg.Plugins.Dir, LockFile: cfg.Plugins.Lock, Settings: app.PluginSettings(cfg)})
}

func (c *cli) listPlugins(ctx context.Context) error {
	cfg, binaries, err := c.discover()
	if err != nil {
		return err
	}
	plugins := pluginHost(cfg)
	for _, b := range binaries {
		if len(b.Shadowed) > 0 {
			c.tell("warning:", cfg.Problem("plugins.dir", shadowed(b)))
		}
	}
	views := make([]pluginView, len(binaries))
	instances, _ := app.Instances(cfg) // what has no JSON, check tells
	var wg sync.WaitGroup
	for i, b := range binaries {
		wg.Go(func() { views[i] = inspect(ctx, plugins, b, instances) })
	}
	var checked pluginhost.Checked
	wg.Go(func() { checked = plugins.Check(ctx, instances) })
	wg.Wait()
	for i := range views {
		views[i].Warnings = append(views[i].Warnings, views[i].ofSettings(checked.Warnings)...)
		if views[i].Problem == "" { // which the whole plugin's would repeat
			views[i].Problems = views[i].ofSettings(checked.Problems)
		}
	}
	ignored, err := pluginhost.FindIgnored(cfg.Plugins.Dir...)
	if err != nil {
		return err
	}
	for _, i := range ignored {
		views = append(views, pluginView{
			Name: filepath.Base(i.Path), Path: i.Path, Features: []sdk.Feature{}, Ignored: true, Problem: "ignored: it " + i.Reason,
		})
	}
	rows := [][]string{{"NAME", "KIND", "VERSION", "SDK", "PROTOCOL", "SHA-256", "FEATURES", "SANDBOX", "STATE"}}
	for _, v := range views {
		row := []string{clean(v.Name, titleWidth), orDash(string(v.Kind)), "-", "-", "-", orDash(v.SHA256[:min(shortSum, len(v.SHA256))]), "-", "-"}
		if v.Problem != "" {
			rows = append(rows, append(row, v.Problem))
			continue
		}
		row[2], row[3], row[4] = clean(v.Version, titleWidth), clean(v.SDK, titleWidth), strconv.Itoa(v.Protocol)
		row[6], row[7] = orDash(joinFeatures(v.Features)), string(v.Sandbox)
		rows = append(rows, append(row, v.state()))
	}
	return c.show(views, rows)
}

// ofSettings are those of the problems or warnings that are about the plugin.
func (v pluginView) ofSettings(found []pluginhost.Problem) []warningView {
	var own []warningView
	for _, p := range found {
		if p.Kind != v.Kind || p.Plugin != v.Name {
			continue
		}
		key := ""
		if p.Instance != "" {
			key = pluginhost.ConfigKey(p.Kind, p.Instance, p.Key)
		}
		own = append(own, warningView{key, clean(p.Message, len(p.Message))})
	}
	return own
}

// state says how a plugin that starts is, for a table.
func (v pluginView) state() string {
	state := []string{"ok"}
	if len(v.Problems) > 0 {
		state = nil
	}
	for _, w := range slices.Concat(v.Problems, v.Warnings) {
		state = append(state, strings.TrimSpace(w.Key+" "+w.Message))
	}
	return strings.Join(state, "; ")
}

func inspect(ctx context.Context, plugins *pluginhost.Host, b pluginhost.Binary, instances []pluginhost.Instance) pluginView {
	v := pluginView{Name: b.Name, Kind: b.Kind, Path: b.Path, Shadowed: b.Shadowed, Features: []sdk.Feature{}}
	if b.Err != nil {
		v.Problem = b.Err.Error()
		return v
	}
	v.SHA256, _ = b.Checksum() // without one, starting it fails too and says why
	d, err := plugins.Inspect(ctx, b)
	if err != nil {
		v.Problem = clean(err.Error(), len(err.Error()))
		return v
	}
	v.Version, v.Summary, v.SDK, v.Protocol = d.Version, d.Summary, d.SDKVersion, d.ProtocolVersion
	where := plugins.Sandbox(b.Kind, b.Name, d, instances)
	v.Sandbox, v.SandboxReason = where.State, where.Reason
	v.Features = append(v.Features, d.Features...)
	v.Unused = slices.DeleteFunc(slices.Clone(d.Features), pluginhost.Uses)
	for _, message := range pluginhost.Unknown(d.Features) {
		v.Warnings = append(v.Warnings, warningView{Message: message})
	}
	for _, t := range d.EventTypes {
		v.EventTypes = append(v.EventTypes, eventTypeView(t))
	}
	return v
}

func joinFeatures(features []sdk.Feature) string {
	names := make([]string, len(features))
	for i, f := range features {
		names[i] = clean(string(f), titleWidth)
	}
	return strings.Join(names, " ")
}

func (c *cli) lockPlugins() error {
	cfg, binaries, err := c.discover()
	if err != nil {
		return err
	}
	if cfg.Plugins.Lock == "" {
		return errors.New("plugins.lock is empty: name the file to write")
	}
	if err := pluginhost.WriteLock(cfg.Plugins.Lock, binaries); err != nil {
		return err
	}
	views := make([]pluginView, 0, len(binaries))
	rows := [][]string{{"NAME", "KIND", "SHA-256"}}
	for _, b := range binaries {
		sum, err := b.Checksum()
		if err != nil {
			return err
		}
		views = append(views, pluginView{Name: b.Name, Kind: b.Kind, Path: b.Path, SHA256: sum, Features: []sdk.Feature{}})
		rows = append(rows, []string{b.Name, string(b.Kind), sum})
	}
	if err := c.show(views, rows); err != nil || c.json {
		return err
	}
	_, err = fmt.Fprintf(c.out, "\nwrote %s\n", cfg.Plugins.Lock)
	return err
}
