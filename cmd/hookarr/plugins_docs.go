package main

import (
	"context"
	"errors"
	"fmt"
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
		Use:   "docs [NAME|FILE]...",
		Short: "Write the reference pages of plugins",
		Long: `Docs writes a page for each plugin, from what the plugin says of itself: its settings
with their defaults, an example, its features and its event types. It starts the plugin for
that and ends it again.

Without arguments it is about every plugin in plugins.dir, and DIR gets an index, README.md,
as well. A plugin is named as in hookarr plugins list, or by the path of its file, which
needs no configuration. Pages are Markdown.`,
		Example: `  hookarr plugins docs discord
  hookarr plugins docs --out docs/plugins
  hookarr plugins docs ./hookarr-target-mine --out docs`,
		ValidArgsFunction: files,
		Args:              cobra.ArbitraryArgs,
		RunE:              func(cmd *cobra.Command, args []string) error { return c.writePluginDocs(cmd.Context(), args, out) },
	}
	cmd.Flags().StringVar(&out, "out", "", "write KIND-NAME.md for each into the directory `DIR`, instead of printing them")
	return cmd
}

func (c *cli) writePluginDocs(ctx context.Context, args []string, out string) error {
	plugins, err := c.pluginFiles(args)
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
	files := map[string]string{}
	for i, d := range described {
		files[plugindocs.FileName(d)] = pages[i]
	}
	if len(args) == 0 {
		files["README.md"] = plugindocs.Index(described)
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := os.WriteFile(filepath.Join(out, name), []byte(files[name]), 0o644); err != nil { //nolint:gosec // pages are for everybody
			return fmt.Errorf("write page: %w", err)
		}
	}
	return c.say("wrote %s to %s", counted(len(files), "page", "pages"), out)
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

// pluginFiles returns the plugins that arguments name, or all in plugins.dir.
func (c *cli) pluginFiles(args []string) ([]pluginFile, error) {
	isPath := func(arg string) bool { return strings.ContainsRune(arg, filepath.Separator) }
	var named []pluginFile
	if len(args) == 0 || !slices.ContainsFunc(args, isPath) || slices.ContainsFunc(args, func(arg string) bool { return !isPath(arg) }) {
		cfg, binaries, err := c.discover()
		if err != nil {
			return nil, err
		}
		plugins := pluginhost.New(pluginhost.Options{Dirs: cfg.Plugins.Dir, LockFile: cfg.Plugins.Lock})
		for _, b := range binaries {
			named = append(named, pluginFile{b, plugins})
		}
	}
	if len(args) == 0 {
		return named, nil
	}
	var found []pluginFile
	for _, arg := range args {
		if isPath(arg) {
			b, err := pluginhost.BinaryAt(arg)
			if err != nil {
				return nil, err
			}
			found = append(found, pluginFile{b, pluginhost.New(pluginhost.Options{Dirs: []string{filepath.Dir(arg)}})})
			continue
		}
		before := len(found)
		for _, p := range named {
			if name := strings.TrimPrefix(arg, "hookarr-"); name == p.Name || name == string(p.Kind)+"-"+p.Name {
				found = append(found, p)
			}
		}
		if len(found) == before {
			return nil, fmt.Errorf("there is no plugin %q in plugins.dir: hookarr plugins list shows them, and a file is named with its directory, such as ./%s", arg, arg)
		}
	}
	return found, nil
}
