package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/pluginhost"
)

// watching is a process that watches its configuration, what that says each time that it is
// read, and what waits until it says something.
func watching(t *testing.T, file string) (loads chan string, awaitLoad func(text string)) {
	t.Helper()
	loads = make(chan string, 100)
	load := func() (*config.Config, error) {
		text, err := os.ReadFile(file)
		loads <- string(text)
		return nil, errors.Join(err, errors.New("it is none"))
	}
	a := &App{
		config: &config.Config{File: file, Reload: config.Reload{Watch: true}}, log: slog.New(slog.DiscardHandler),
		reloads: newReloads(Options{Load: load}, prometheus.NewRegistry()), plugins: pluginhost.New(pluginhost.Options{}),
	}
	a.current.Store(&generation{config: a.config})
	a.reloads.start()
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { a.watch(ctx) })
	t.Cleanup(func() { cancel(); running.Wait() })
	return loads, func(text string) {
		t.Helper()
		for {
			select {
			case read := <-loads:
				if read == text {
					return
				}
			case <-time.After(time.Minute):
				require.FailNow(t, "the file is not read again")
			}
		}
	}
}

// TestReplacedDirectoryIsWatched like the one before, as when a deployment swaps it.
func TestReplacedDirectoryIsWatched(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "config")
	file := filepath.Join(dir, "hookarr.yaml")
	write := func(text string) {
		require.NoError(t, os.MkdirAll(dir, 0o700))
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	}
	write("")
	loads, awaitLoad := watching(t, file)
	require.Eventually(t, func() bool { write("first"); return len(loads) > 0 }, time.Minute, 2*settle, "it is watched")
	require.NoError(t, os.Rename(dir, dir+".old"))
	write("second")
	awaitLoad("second")
	write("third")
	awaitLoad("third")
}

// TestMountedFileIsWatched, which is a link that stays the same.
func TestMountedFileIsWatched(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "hookarr.yaml")
	mount := func(version string) {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, version), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(dir, version, "hookarr.yaml"), nil, 0o600))
		require.NoError(t, os.Symlink(version, filepath.Join(dir, "..data_tmp")))
		require.NoError(t, os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data")))
	}
	mount("..1")
	require.NoError(t, os.Symlink("..data/hookarr.yaml", file))
	loads, _ := watching(t, file)
	n := 1
	require.Eventually(t, func() bool {
		n++
		mount(fmt.Sprint("..", n))
		return len(loads) > 0
	}, time.Minute, 2*settle)
}

// TestFileBehindALinkIsWatched where it is, too.
func TestFileBehindALinkIsWatched(t *testing.T) {
	t.Parallel()
	elsewhere, dir := filepath.Join(t.TempDir(), "real.yaml"), t.TempDir()
	write := func() { require.NoError(t, os.WriteFile(elsewhere, nil, 0o600)) }
	write()
	file := filepath.Join(dir, "hookarr.yaml")
	require.NoError(t, os.Symlink(elsewhere, file))
	loads, _ := watching(t, file)
	require.Eventually(t, func() bool {
		write()
		return len(loads) > 0
	}, time.Minute, 2*settle)
}
