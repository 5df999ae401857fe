package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hookarr/hookarr/core/pluginnew"
	"github.com/hookarr/hookarr/core/shell"
	"github.com/hookarr/hookarr/sdk/host"
)

// newPlugin is what plugins new was asked for.
type newPlugin struct {
	dir, module, sdk, from string
}

// newPluginView is a module that was written.
type newPluginView struct {
	Kind   host.Kind `json:"kind"`
	Name   string    `json:"name"`
	Dir    string    `json:"dir"`
	Module string    `json:"module"`
	// SDKVersion is what the module requires, and SDKDir where it has it from in place of
	// that.
	SDKVersion string `json:"sdk_version"`
	SDKDir     string `json:"sdk_dir,omitempty"`
	// From is the file of the body that a source begins from.
	From     string   `json:"from,omitempty"`
	Files    []string `json:"files"`
	Warnings []string `json:"warnings,omitempty"`
	// Next are commands for a shell.
	Next []string `json:"next"`
}

func (c *cli) newPluginsNew() *cobra.Command {
	var n newPlugin
	cmd := c.tables(&cobra.Command{
		Use:   "new KIND NAME",
		Short: "Begin a plugin of your own",
		Long: `New writes a Go module with a whole plugin of the KIND target or source: code, tests,
Makefile, CI and README. It builds and passes its checks as it is; make check shows it.
Nothing is written over.

A source may begin from a body that you have: its keys become fields, and those that
look like the type, the title and the ids of what happened are used as such. The body is
the first case of the source's tests. Values that look like credentials are left out of
it. hookarr events body ID prints a body that Hookarr has kept.

A release of Hookarr has the module require the SDK's release. A build in between has it
take the SDK from its own checkout, or from --sdk.`,
		Example: `  hookarr plugins new target demo
  hookarr plugins new target demo --dir ~/code/demo --module github.com/you/hookarr-target-demo
  hookarr plugins new source requests --from body.json
  hookarr events body 0197a2c4-5b1e | hookarr plugins new source requests --from -
  hookarr plugins new target demo --sdk ~/code/hookarr`,
		ValidArgsFunction: first(words(pluginnew.Kinds()), cobra.NoFileCompletions),
		RunE:              func(_ *cobra.Command, args []string) error { return c.newPlugin(host.Kind(args[0]), args[1], n) },
	})
	flags := cmd.Flags()
	flags.StringVar(&n.dir, "dir", "", "write into `DIR`, which is empty or not there (default hookarr-KIND-NAME)")
	flags.StringVar(&n.module, "module", "", "the module's `PATH` (default "+pluginnew.DefaultModule("KIND", "NAME")+")")
	flags.StringVar(&n.sdk, "sdk", "", "take the SDK from `DIR`, a checkout of Hookarr")
	flags.StringVar(&n.from, "from", "", "begin a source from the JSON body in `FILE`; - is standard input")
	completeFlag(cmd, "dir", directories)
	completeFlag(cmd, "sdk", directories)
	completeFlag(cmd, "from", files)
	return cmd
}

func (c *cli) newPlugin(kind host.Kind, name string, n newPlugin) error {
	if err := pluginnew.CheckName(kind, name); err != nil {
		return usageError{err}
	}
	o := pluginnew.Options{Kind: kind, Name: name, Dir: n.dir, Module: n.module}
	if n.module != "" {
		if err := pluginnew.CheckModule(n.module); err != nil {
			return usagef("--module: %w", err)
		}
	}
	if n.from != "" && kind != host.KindSource {
		return usagef("--from is of sources, which decode what is sent: hookarr plugins new source %s --from %s", name, shell.Command(n.from))
	}
	var err error
	build, ok := debug.ReadBuildInfo()
	if !ok {
		build = &debug.BuildInfo{}
	}
	if o.SDK, o.Release, err = findSDK(n.sdk, build, pluginnew.Around()); err != nil {
		return err
	}
	if o.Payload, err = c.payload(n.from); err != nil {
		return fmt.Errorf("--from: %s %w", n.from, err)
	}
	written, err := pluginnew.Write(o)
	if err != nil {
		return err
	}
	v := newPluginView{
		Kind: kind, Name: name, Dir: written.Dir, Module: written.Module, SDKVersion: o.SDK.Version, SDKDir: o.SDK.Dir, From: n.from,
		Files: written.Files, Warnings: newPluginWarnings(o, written), Next: c.nextOfPlugin(written.Dir),
	}
	return c.showNewPlugin(v)
}

func (c *cli) showNewPlugin(v newPluginView) error {
	for _, w := range v.Warnings {
		c.tell("warning:", clean(w, whole))
	}
	if c.json {
		return c.printJSON(v)
	}
	sdk := v.SDKVersion
	if v.SDKDir != "" {
		sdk = v.SDKDir
	}
	if err := c.say("wrote %s, module %s with the SDK %s:", v.Dir, v.Module, sdk); err != nil {
		return err
	}
	for _, f := range v.Files {
		if err := c.say("  %s", f); err != nil {
			return err
		}
	}
	if v.From != "" {
		if err := c.say("\nlook through %s before you publish it: it may tell of people", filepath.Join(v.Dir, "testdata", v.Name+".json")); err != nil {
			return err
		}
	}
	return c.say("\nnext:\n  %s", strings.Join(v.Next, "\n  "))
}

// findSDK returns what a new module has its SDK from, and the release that the program is.
func findSDK(dir string, b *debug.BuildInfo, around []string) (from pluginnew.SDK, release string, err error) {
	const checkout = "git clone https://github.com/hookarr/hookarr, and give it with --sdk hookarr"
	release = pluginnew.Release(b)
	switch {
	case dir != "":
		if from, err = pluginnew.OpenSDK(dir); err != nil {
			err = fmt.Errorf("--sdk: %s is no checkout of Hookarr: %w: %s", dir, err, checkout)
		}
	case release != "":
		from = pluginnew.ReleasedSDK()
	default:
		if from, err = pluginnew.FindSDK(around...); err != nil {
			err = fmt.Errorf("find the SDK, for this is no release of Hookarr: %w here or around the program: %s", err, checkout)
		}
	}
	return from, release, err
}

// payload reads what --from names; nil is nothing.
func (c *cli) payload(name string) (*pluginnew.Payload, error) {
	switch name {
	case "":
		return nil, nil //nolint:nilnil // no payload is none
	case "-":
		return pluginnew.ReadPayload("FILE", c.in)
	default:
		return pluginnew.OpenPayload(name)
	}
}

func newPluginWarnings(o pluginnew.Options, r pluginnew.Result) []string {
	var warnings []string
	if slices.Contains(builtIn(), string(o.Kind)+"-"+o.Name) {
		warnings = append(warnings, fmt.Sprintf("Hookarr has a %s plugin %s of its own, whose place this one takes where its directory comes first in plugins.dir: "+
			"to have both, choose another name", o.Kind, o.Name))
	}
	if len(r.Redacted) > 0 {
		warnings = append(warnings, fmt.Sprintf("values that look like credentials are left out of testdata/%s.json: %s", o.Name, strings.Join(r.Redacted, ", ")))
	}
	if len(r.Omitted) > 0 {
		const some = 5
		names := strings.Join(r.Omitted[:min(some, len(r.Omitted))], ", ")
		if more := len(r.Omitted) - some; more > 0 {
			names += fmt.Sprintf(" and %d more", more)
		}
		warnings = append(warnings, "body.go has no field for these keys: "+names)
	}
	return warnings
}

// nextOfPlugin are the commands from a module to a plugin that is installed.
func (c *cli) nextOfPlugin(dir string) []string {
	check := "make check"
	if program, err := os.Executable(); err == nil {
		if found, err := exec.LookPath("hookarr"); err != nil || !sameFile(found, program) {
			check += " HOOKARR=" + shell.Command(program)
		}
	}
	install := "make install PLUGINS="
	plugins := "DIR" // of plugins.dir, where there is no configuration that says which
	if cfg, err := c.load(nil); err == nil && len(cfg.Plugins.Dir) > 0 {
		if first, err := filepath.Abs(cfg.Plugins.Dir[0]); err == nil {
			plugins = shell.Command(first)
		}
	}
	return []string{"cd " + shell.Command(dir), check, install + plugins}
}

func sameFile(a, b string) bool {
	first, err := os.Stat(a)
	if err != nil {
		return false
	}
	second, err := os.Stat(b)
	return err == nil && os.SameFile(first, second)
}

// builtIn are the plugins that come with Hookarr.
func builtIn() []string {
	return []string{
		"source-generic", "source-lidarr", "source-prowlarr", "source-radarr", "source-readarr", "source-sonarr", "source-whisparr",
		"target-apprise", "target-audiobookshelf", "target-catalogue", "target-discord", "target-email", "target-emby", "target-jellyfin",
		"target-kodi", "target-navidrome", "target-ntfy", "target-plex", "target-slack", "target-stash", "target-telegram", "target-webhook",
	}
}
