package app

import (
	"context"
	"errors"
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

// TestReplacedDirectoryIsWatched like the one before, as when a deployment swaps it.
func TestReplacedDirectoryIsWatched(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "config")
	file := filepath.Join(dir, "hookarr.yaml")
	write := func() {
		require.NoError(t, os.MkdirAll(dir, 0o700))
		require.NoError(t, os.WriteFile(file, nil, 0o600))
	}
	write()
	loads := make(chan struct{}, 100)
	load := func() (*config.Config, error) {
		loads <- struct{}{}
		return nil, errors.New("it is empty")
	}
	a := &App{
		config: &config.Config{File: file, Reload: config.Reload{Watch: true}}, log: slog.New(slog.DiscardHandler),
		reloads: newReloads(Options{Load: load}, prometheus.NewRegistry()), plugins: pluginhost.New(pluginhost.Options{}),
	}
	a.current.Store(&generation{config: a.config})
	a.reloads.start()
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { a.watch(ctx) })
	defer running.Wait()
	defer cancel()
	awaitLoad := func() {
		select {
		case <-loads:
		case <-time.After(time.Minute):
			require.Fail(t, "the file is not read again")
		}
	}
	require.Eventually(t, func() bool { write(); return len(loads) > 0 }, time.Minute, 2*settle, "it is watched")
	awaitLoad()
	awaitLoad() // of the last write
	require.NoError(t, os.Rename(dir, dir+".old"))
	write()
	awaitLoad()
	write()
	awaitLoad()
}
