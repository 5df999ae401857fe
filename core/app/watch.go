package app

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/hookarr/hookarr/core/config"
)

// settle is how long files must be left alone before they are read: editors and installers
// write in steps.
const settle = 500 * time.Millisecond

// watch reloads the configuration and the plugins when their files change, until ctx ends.
func (a *App) watch(ctx context.Context) {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		a.log.WarnContext(ctx, "files are not watched: reload with hookarr reload or SIGHUP", slog.Any("error", err))
	} else {
		defer func() { _ = w.Close() }()
	}
	watched := map[string]bool{}
	var told error
	// Each has fired when its files have been left alone.
	configured, installed := stopped(), stopped()
	for {
		if w != nil {
			err := a.watchDirectories(w, watched)
			if err != nil && (told == nil || told.Error() != err.Error()) {
				a.log.WarnContext(ctx, "some files are not watched: reload with hookarr reload or SIGHUP", slog.Any("error", err))
			}
			told = err
		}
		select {
		case <-ctx.Done():
			return
		case <-a.reloads.described:
			a.describe(ctx)
		case e := <-events(w):
			c := a.current.Load().config
			switch {
			case !c.Reload.Watch || e.Op == fsnotify.Chmod:
			case slices.Contains(configFiles(c), filepath.Clean(e.Name)):
				configured.Reset(settle)
			case pluginFile(c, e.Name):
				installed.Reset(settle)
			}
		case err := <-failures(w):
			a.log.WarnContext(ctx, "changes of files were missed: reload with hookarr reload or SIGHUP", slog.Any("error", err))
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

// watchDirectories watches where the files are: a file that is replaced is another one.
// Watched are the directories that are watched already.
func (a *App) watchDirectories(w *fsnotify.Watcher, watched map[string]bool) error {
	c := a.current.Load().config
	wanted := map[string]bool{}
	for _, name := range configFiles(c) {
		wanted[filepath.Dir(name)] = true
	}
	for _, dir := range c.Plugins.Dir {
		wanted[filepath.Clean(dir)] = true
	}
	if c.Plugins.Lock != "" {
		wanted[filepath.Dir(filepath.Clean(c.Plugins.Lock))] = true
	}
	var errs []error
	for dir := range wanted {
		if !watched[dir] {
			if err := w.Add(dir); err != nil {
				errs = append(errs, err)
				continue
			}
			watched[dir] = true
		}
	}
	for dir := range watched {
		if !wanted[dir] {
			_ = w.Remove(dir) // one that is gone is watched no more
			delete(watched, dir)
		}
	}
	return errors.Join(errs...)
}

// configFiles are the files that a configuration was read from.
func configFiles(c *config.Config) []string {
	files := []string{filepath.Clean(c.File)}
	for _, name := range append([]string{c.TLS.CertFile, c.TLS.KeyFile}, c.Files...) {
		if name != "" {
			files = append(files, filepath.Clean(name))
		}
	}
	return files
}

// pluginFile reports whether a file decides which plugins run.
func pluginFile(c *config.Config, name string) bool {
	name = filepath.Clean(name)
	holds := func(dir string) bool { return filepath.Dir(name) == filepath.Clean(dir) }
	return slices.ContainsFunc(c.Plugins.Dir, holds) || name == filepath.Clean(c.Plugins.Lock)
}
