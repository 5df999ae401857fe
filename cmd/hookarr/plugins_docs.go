package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/hookarr/hookarr/core/plugindocs"
	"github.com/hookarr/hookarr/core/pluginhost"
	"github.com/hookarr/hookarr/sdk/host"
)

func (c *cli) newPluginsDocs() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "docs [NAME|PATH...]",
		Short: "Write the reference pages of plugins",
		Long: `Docs writes a page for each plugin, from what the plugin says of itself: its settings
with their defaults, an example, its features and its event types. It starts the plugin for
that and ends it again.

A plugin is named as in hookarr plugins list, or by the path of its file, which needs no
configuration. Without arguments it is about every plugin in plugins.dir, and with a
directory, such as ., about those in it: the pages then get an index, README.md. Pages are
Markdown.`,
		Example: `  hookarr plugins docs discord
  hookarr plugins docs ./hookarr-target-mine
  hookarr plugins docs --out docs/plugins ./bin/plugins`,
		ValidArgsFunction: files,
		Args:              cobra.ArbitraryArgs,
		RunE:              func(cmd *cobra.Command, args []string) error { return c.writePluginDocs(cmd.Context(), args, out) },
	}
	cmd.Flags().StringVar(&out, "out", "", "write KIND-NAME.md for each into the directory `DIR`, instead of printing them")
	return cmd
}

func (c *cli) writePluginDocs(ctx context.Context, args []string, out string) error {
	plugins, isWhole, err := c.pluginsOf(args)
	if err != nil {
		return err
	}
	described := make([]host.Description, len(plugins))
	pages := make([]string, len(plugins))
	problems := make([]error, len(plugins))
	var wg sync.WaitGroup
	for i, p := range plugins {
		wg.Go(func() { described[i], pages[i], problems[i] = p.page(ctx) })
	}
	wg.Wait()
	if err := errors.Join(problems...); err != nil {
		return err
	}
	if out == "" {
		_, err := fmt.Fprint(c.out, strings.Join(pages, "\n"))
		return err
	}
	if err := os.MkdirAll(out, 0o755); err != nil { //nolint:gosec // pages are for everybody
		return fmt.Errorf("make directory for pages: %w", err)
	}
	pageOf := map[string]string{}
	for i, d := range described {
		pageOf[plugindocs.FileName(d)] = pages[i]
	}
	if isWhole {
		pageOf["README.md"] = plugindocs.Index(described)
	}
	for _, name := range slices.Sorted(maps.Keys(pageOf)) {
		if err := writePage(filepath.Join(out, name), pageOf[name]); err != nil {
			return err
		}
	}
	return c.say("wrote %s to %s", counted(len(pageOf), "page", "pages"), out)
}

// writePage writes a file that is not there or was written here before.
func writePage(file, page string) error {
	before, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("write page: %w", err)
	}
	if err == nil && !plugindocs.IsWritten(before) {
		return fmt.Errorf("write page: %s is there and was not written by hookarr plugins docs: remove it, or choose another directory with --out", file)
	}
	if err := os.WriteFile(file, []byte(page), 0o644); err != nil { //nolint:gosec // pages are for everybody
		return fmt.Errorf("write page: %w", err)
	}
	return nil
}

// pluginFile is a plugin's binary, and a host that may launch it.
type pluginFile struct {
	pluginhost.Binary
	host *pluginhost.Host
}

// page asks a plugin what it is.
func (p pluginFile) page(ctx context.Context) (host.Description, string, error) {
	if p.Err != nil {
		return host.Description{}, "", p.Err
	}
	d, err := p.host.Inspect(ctx, p.Binary)
	if err != nil {
		return d, "", fmt.Errorf("describe %s: %w", p.Path, err)
	}
	page, err := plugindocs.Page(d)
	if err != nil {
		return d, "", fmt.Errorf("describe %s: %w; hookarr plugins check %s says what its author has to mend", p.Path, err, p.Path)
	}
	return d, page, nil
}

// pluginsOf returns the plugins that arguments name, or all in plugins.dir, and whether
// they are the whole of a directory.
func (c *cli) pluginsOf(args []string) (found []pluginFile, isWhole bool, err error) {
	if len(args) == 0 {
		found, err = c.configuredPlugins()
		return found, true, err
	}
	for _, arg := range c.passShared(args) {
		info, err := os.Stat(arg)
		var more []pluginFile
		switch {
		case err == nil && info.IsDir():
			more, err = pluginsIn(arg)
			isWhole = len(args) == 1
		case !strings.ContainsRune(arg, filepath.Separator):
			more, err = c.namedPlugins(arg)
		case errors.Is(err, fs.ErrNotExist):
			err = fmt.Errorf("%s does not exist: give the path of the plugin's binary", arg)
		default:
			var b pluginhost.Binary
			b, err = pluginhost.BinaryAt(arg)
			more = []pluginFile{{b, pluginhost.New(pluginhost.Options{Dirs: []string{filepath.Dir(arg)}})}}
		}
		if err != nil {
			return nil, false, err
		}
		found = append(found, more...)
	}
	return found, isWhole, nil
}

// pluginsIn returns the plugins in a directory, which no lock file pins.
func pluginsIn(dir string) ([]pluginFile, error) {
	binaries, err := pluginhost.Discover(dir)
	if err == nil && len(binaries) == 0 {
		err = fmt.Errorf("there is no plugin in %s", dir)
	}
	return pluginFiles(binaries, pluginhost.New(pluginhost.Options{Dirs: []string{dir}})), err
}

func (c *cli) configuredPlugins() ([]pluginFile, error) {
	cfg, binaries, err := c.discover()
	if err != nil {
		return nil, err
	}
	return pluginFiles(binaries, pluginHost(cfg)), nil
}

func pluginFiles(binaries []pluginhost.Binary, plugins *pluginhost.Host) []pluginFile {
	all := make([]pluginFile, len(binaries))
	for i, b := range binaries {
		all[i] = pluginFile{b, plugins}
	}
	return all
}

// namedPlugins returns the plugins in plugins.dir with a name, that of the kind before it or
// not: a source and a target may have the same.
func (c *cli) namedPlugins(name string) ([]pluginFile, error) {
	all, err := c.configuredPlugins()
	if err != nil {
		return nil, err
	}
	bare := strings.TrimPrefix(name, "hookarr-")
	found := slices.DeleteFunc(all, func(p pluginFile) bool { return bare != p.Name && bare != string(p.Kind)+"-"+p.Name })
	if len(found) == 0 {
		return nil, fmt.Errorf("there is no plugin %q in plugins.dir: hookarr plugins list shows them, and a file is named with its directory, such as ./%s", name, name)
	}
	return found, nil
}
