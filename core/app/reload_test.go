package app

import (
	"context"
	"database/sql"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/riverqueue/river"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/deliver"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/core/store/sqlite"
)

// work is a queue over a database, whose jobs of deliveries do what it says.
func work(t *testing.T, do func(context.Context) error) (a *App, database string) {
	t.Helper()
	database = filepath.Join(t.TempDir(), "hookarr.db")
	s, err := sqlite.Open(t.Context(), database, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	require.NoError(t, s.Migrate(t.Context()))
	workers := river.NewWorkers()
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, _ *river.Job[store.DeliverArgs]) error { return do(ctx) }))
	a = &App{
		store: s, log: slog.New(slog.DiscardHandler), queues: map[string]int{},
		reloads: newReloads(Options{}, prometheus.NewRegistry()),
	}
	// River wants a queue to begin with.
	a.queue, err = s.OpenQueue(&river.Config{Workers: workers, Queues: map[string]river.QueueConfig{"other": {MaxWorkers: 1}}})
	require.NoError(t, err)
	require.NoError(t, a.queue.Start(context.WithoutCancel(t.Context())))
	t.Cleanup(func() { require.NoError(t, a.queue.StopAndCancel(context.WithoutCancel(t.Context()))) })
	return a, database
}

func generationOf(targets ...deliver.Target) *generation {
	return &generation{config: &config.Config{}, plan: deliver.NewPlan(targets, nil, nil)}
}

// TestQueuesOutliveAnOutage: those that could not be begun anew are, once they can.
func TestQueuesOutliveAnOutage(t *testing.T) {
	t.Parallel()
	a, file := work(t, func(context.Context) error { return nil })
	require.NoError(t, a.changeQueues(t.Context(), generationOf(deliver.Target{Name: "kept", Concurrency: 1})))
	database, err := sql.Open("sqlite", "file:"+file+"?_pragma=busy_timeout(10000)&_txlock=immediate")
	require.NoError(t, err)
	defer func() { require.NoError(t, database.Close()) }()
	exec := func(statement string) {
		_, err := database.ExecContext(t.Context(), statement)
		require.NoError(t, err)
	}
	next := generationOf(deliver.Target{Name: "kept", Concurrency: 2}, deliver.Target{Name: "new", Concurrency: 3})
	exec("ALTER TABLE river_queue RENAME TO away")
	require.Error(t, a.changeQueues(t.Context(), next))
	exec("ALTER TABLE away RENAME TO river_queue")
	select {
	case <-a.reloads.described:
	case <-time.After(time.Minute):
		require.Fail(t, "nobody tries again")
	}
	require.NoError(t, a.changeQueues(t.Context(), next))
	require.Equal(t, map[string]int{store.TargetQueue("kept"): 2, store.TargetQueue("new"): 3}, a.queues)
}

// TestQueuesEndInAnyOrder: none waits for the attempts of another.
func TestQueuesEndInAnyOrder(t *testing.T) {
	t.Parallel()
	begun, release := make(chan struct{}), make(chan struct{})
	a, file := work(t, func(ctx context.Context) error {
		select {
		case begun <- struct{}{}:
		case <-ctx.Done(): // the test has failed
			return nil
		}
		select {
		case <-release:
		case <-ctx.Done():
		}
		return nil
	})
	slow, quick := []string{"a", "b", "c"}, []string{"d", "e", "f"}
	targets := func(concurrency int) (targets []deliver.Target) {
		for _, name := range slices.Concat(slow, quick) {
			targets = append(targets, deliver.Target{Name: name, Concurrency: concurrency})
		}
		return targets
	}
	require.NoError(t, a.changeQueues(t.Context(), generationOf(targets(1)...)))
	database, err := sql.Open("sqlite", "file:"+file+"?_pragma=busy_timeout(10000)&_txlock=immediate")
	require.NoError(t, err)
	defer func() { require.NoError(t, database.Close()) }()
	for _, name := range slow {
		_, err := database.ExecContext(t.Context(), "INSERT INTO river_job (args, kind, max_attempts, queue) VALUES ('{}', ?, 1, ?)",
			store.DeliverArgs{}.Kind(), store.TargetQueue(name))
		require.NoError(t, err)
	}
	for range slow {
		<-begun
	}
	changed := func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, a.changeQueues(ctx, generationOf(targets(2)...)), context.DeadlineExceeded)
		return !slices.ContainsFunc(quick, func(name string) bool { return a.queues[store.TargetQueue(name)] != 2 })
	}
	for tries := 0; !changed(); tries++ { // a machine with much to do takes more than one
		require.Less(t, tries, 60)
	}
	close(release)
	require.NoError(t, a.changeQueues(t.Context(), generationOf(targets(2)...)))
	for _, workers := range a.queues {
		require.Equal(t, 2, workers)
	}
}

func TestNeedsRestart(t *testing.T) {
	t.Parallel()
	was := &config.Config{Listen: ":1", TLS: config.TLS{CertFile: "a", KeyFile: "a"}}
	renewed := &config.Config{Listen: ":1", TLS: config.TLS{CertFile: "b", KeyFile: "b"}, Hosts: config.Hosts{"x"}}
	require.Empty(t, needsRestart(was, renewed))
	plain := &config.Config{Listen: ":2", Limits: config.Limits{Bodies: 1}, Tracing: config.Tracing{Endpoint: "http://127.0.0.1:4318"}}
	require.Equal(t, []string{"limits.bodies", "listen", "tracing.endpoint", "tls"}, needsRestart(was, plain))
	require.Contains(t, needsRestart(plain, was), "tls")

	plugins := &config.Config{Listen: ":1", TLS: was.TLS, Plugins: config.Plugins{
		Dir: []string{"a"}, Lock: "b", ByName: map[string]config.Plugin{"target-chat": {Memory: config.GiB, Sandbox: config.SandboxOff}},
	}}
	require.Equal(t, []string{"plugins.dir", "plugins.lock"}, needsRestart(was, plugins), "settings of plugins take effect at once")
}
