package app

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/hookarr/hookarr/core/config"
)

// settle is how long files must be left alone before they are read: editors and installers
// write in steps.
const settle = 500 * time.Millisecond

// mounted is the link that Kubernetes replaces when what it has mounted changes: the files
// beside it lead through it, and stay the same.
const mounted = "..data"

// missingPause is how often a directory is looked for that is not there.
const missingPause = 10 * time.Second

// watch reloads the configuration and the plugins when their files change, until ctx ends.
func (a *App) watch(ctx context.Context) {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		a.log.WarnContext(ctx, "files are not watched: reload with hookarr reload or SIGHUP", slog.Any("error", err))
	} else {
		defer func() { _ = w.Close() }()
	}
	var (
		// known is the configuration whose files and directories these are; nil has them
		// looked for again.
		known   *config.Config
		files   []string
		watched = map[string]bool{}
		told    error
		// gone: a directory was not there, and its files may be others when it is back.
		gone bool
	)
	// The first two have fired when files have been left alone.
	configured, installed, missing := stopped(), stopped(), stopped()
	for {
		if c := a.current.Load().config; w != nil && c != known {
			known, files = c, configFiles(c)
			added, err := a.watchDirectories(w, files, watched)
			if err != nil {
				missing.Reset(missingPause)
				if told == nil || told.Error() != err.Error() {
					a.log.WarnContext(ctx, "some files are not watched: reload with hookarr reload or SIGHUP", slog.Any("error", err))
				}
			}
			if added && gone && c.Reload.Watch {
				configured.Reset(settle)
				installed.Reset(settle)
			}
			told, gone = err, err != nil
		}
		select {
		case <-ctx.Done():
			return
		case <-a.reloads.described:
			a.describe(ctx)
		case e := <-events(w):
			name := filepath.Clean(e.Name)
			if watched[name] && (e.Has(fsnotify.Remove) || e.Has(fsnotify.Rename)) {
				delete(watched, name)
				known, gone = nil, true
			}
			switch {
			case !a.current.Load().config.Reload.Watch || e.Op == fsnotify.Chmod:
			case slices.Contains(files, name), filepath.Base(name) == mounted:
				configured.Reset(settle)
			case pluginFile(a.config, name):
				installed.Reset(settle)
			}
		case err := <-failures(w):
			a.log.WarnContext(ctx, "changes of files were missed: reload with hookarr reload or SIGHUP", slog.Any("error", err))
		case <-missing.C:
			known = nil
		case <-configured.C:
			_, _ = a.Reload(ctx, false) // it logs what is wrong
		case <-installed.C:
			a.plugins.Renew(ctx)
		}
	}
}

// stopped is a timer that does not fire before it is reset.
func stopped() *time.Timer {
	t := time.NewTimer(time.Hour)
	t.Stop()
	return t
}

func events(w *fsnotify.Watcher) <-chan fsnotify.Event {
	if w == nil {
		return nil
	}
	return w.Events
}

func failures(w *fsnotify.Watcher) <-chan error {
	if w == nil {
		return nil
	}
	return w.Errors
}

// watchDirectories watches where files and plugins are: a file that is replaced is another
// one. Watched are the directories that are watched already. It reports whether there are
// more than before.
func (a *App) watchDirectories(w *fsnotify.Watcher, files []string, watched map[string]bool) (added bool, err error) {
	wanted := map[string]bool{}
	for _, name := range files {
		wanted[filepath.Dir(name)] = true
	}
	for _, dir := range a.config.Plugins.Dir {
		wanted[filepath.Clean(dir)] = true
	}
	if lock := a.config.Plugins.Lock; lock != "" {
		wanted[filepath.Dir(filepath.Clean(lock))] = true
	}
	var errs []error
	for _, dir := range slices.Sorted(maps.Keys(wanted)) {
		if !watched[dir] {
			if err := w.Add(dir); err != nil {
				errs = append(errs, err)
				continue
			}
			watched[dir], added = true, true
		}
	}
	for dir := range watched {
		if !wanted[dir] {
			_ = w.Remove(dir) // one that is gone is watched no more
			delete(watched, dir)
		}
	}
	return added, errors.Join(errs...)
}

// configFiles are the files that a configuration was read from.
func configFiles(c *config.Config) []string {
	var files []string
	for _, name := range append([]string{c.File, c.TLS.CertFile, c.TLS.KeyFile}, c.Files...) {
		if name == "" {
			continue
		}
		files = append(files, filepath.Clean(name))
		if real, err := filepath.EvalSymlinks(name); err == nil && real != filepath.Clean(name) {
			files = append(files, real) // a link is not changed by who writes to where it leads
		}
	}
	return files
}

// pluginFile reports whether a file decides which plugins run.
func pluginFile(c *config.Config, name string) bool {
	holds := func(dir string) bool { return filepath.Dir(name) == filepath.Clean(dir) }
	return slices.ContainsFunc(c.Plugins.Dir, holds) || name == filepath.Clean(c.Plugins.Lock)
}
