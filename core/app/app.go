// Package app wires the parts of Hookarr into one running process.
package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/riverqueue/river"

	"github.com/hookarr/hookarr/core/alert"
	"github.com/hookarr/hookarr/core/catchup"
	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/deliver"
	"github.com/hookarr/hookarr/core/enrich"
	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/ingest"
	"github.com/hookarr/hookarr/core/pluginhost"
	"github.com/hookarr/hookarr/core/route"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

const (
	// databasePause is the time between tries to reach a database that is down at
	// start.
	databasePause = time.Second
	// defaultConcurrency is for targets that neither the operator nor the plugin gives
	// one.
	defaultConcurrency = 8
	// stopTimeout bounds each step of the end after the drain.
	stopTimeout = 10 * time.Second
)

// App is one Hookarr process.
type App struct {
	config   *config.Config
	log      *slog.Logger
	node     string
	registry *prometheus.Registry
	store    *store.Store
	plugins  *pluginhost.Host
	routes   *route.Table
	intake   *ingest.Intake
	servers  *servers

	workers *deliver.Workers
	queue   store.Queue
	keeper  struct {
		stop context.CancelFunc
		done sync.WaitGroup
	}
}

// New builds a process from a checked configuration. It takes the addresses, and a
// database that cannot be shared, before it makes anything, so that a process that is
// one too many leaves no trace. Nothing runs before Start.
func New(ctx context.Context, c *config.Config, log *slog.Logger) (*App, error) {
	l, err := listen(ctx, c)
	if err != nil {
		return nil, err
	}
	a, err := build(ctx, c, log, l)
	if err != nil {
		return nil, errors.Join(err, l.close())
	}
	return a, nil
}

func build(ctx context.Context, c *config.Config, log *slog.Logger, l listeners) (*App, error) {
	hostname, _ := os.Hostname()
	id := event.NewID().String()
	a := &App{
		config:   c,
		log:      log,
		node:     fmt.Sprintf("%.40s_%s", hostname, id),
		registry: prometheus.NewRegistry(),
	}
	a.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	a.plugins = pluginhost.New(pluginhost.Options{
		Dir: c.Plugins.Dir, LockFile: c.Plugins.Lock, Log: log, Metrics: a.registry,
	})
	var err error
	if a.store, err = OpenStore(ctx, c.Database.URL, log); err != nil {
		return nil, err
	}
	if err = a.store.Reserve(); err != nil {
		return nil, errors.Join(at(c, "database.url", err), a.store.Close())
	}
	if a.intake, err = newIntake(a); err != nil {
		return nil, errors.Join(err, a.store.Close())
	}
	a.servers = newServers(a, l)
	return a, nil
}

// at returns err as one line that begins with where a key was set.
func at(c *config.Config, key string, err error) error {
	return fmt.Errorf("%s%w", c.Problem(key, ""), err)
}

// Start answers, then starts the plugins and the queue. It waits for a database that
// is down; until everything runs, webhooks are answered 503. After an error, Stop
// need not be called.
func (a *App) Start(ctx context.Context) error {
	a.warnUnsafe(ctx)
	a.servers.serve()
	if err := a.start(ctx); err != nil {
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
		defer cancel()
		return errors.Join(err, a.Stop(stop))
	}
	a.servers.open()
	a.log.InfoContext(ctx, "ready", slog.String("listen", a.Addr().String()), slog.String("node", a.node))
	return nil
}

func (a *App) start(ctx context.Context) error {
	instances, err := Instances(a.config)
	if err != nil {
		return err
	}
	if err := a.plugins.Start(ctx, instances); err != nil {
		return err
	}
	a.tellRefused(ctx)
	if err := a.awaitDatabase(ctx); err != nil {
		return err
	}
	if err := a.store.Join(ctx, a.node); err != nil {
		return fmt.Errorf("join database: %w", err)
	}
	// Before the workers fetch: River forgets the queues of a server that was off for long.
	if _, err := a.store.AgreeQueues(ctx); err != nil {
		return err
	}
	return a.startQueue(ctx, a.targets())
}

// awaitDatabase migrates, and waits for a server that does not answer. What waiting
// cannot mend is an error.
func (a *App) awaitDatabase(ctx context.Context) error {
	for tries := 0; ; tries++ {
		err := a.store.Migrate(ctx)
		if err == nil {
			return nil
		}
		if errors.Is(err, store.ErrNewer) || ctx.Err() != nil {
			return fmt.Errorf("migrate database: %w", err)
		}
		if tries%10 == 0 {
			a.log.WarnContext(ctx, "waiting for the database", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("migrate database: %w", err)
		case <-time.After(databasePause):
		}
	}
}

func (a *App) startQueue(ctx context.Context, targets []deliver.Target) error {
	workers := deliver.New(deliver.Options{
		Store: a.store, Deliverer: a.plugins, Redecoder: a.intake, Targets: targets,
		Sources: slices.Sorted(maps.Keys(a.config.Sources)), Log: a.log, Metrics: a.registry,
		Alerts: &alert.Alerts{Router: a.routes, Store: a.store, Log: a.log},
	})
	registered := river.NewWorkers()
	if err := workers.Register(registered); err != nil {
		return err
	}
	reader := catchup.New(catchup.Options{
		Sources: a.histories(), Historian: a.plugins, Rememberer: a.intake, Store: a.store, Log: a.log, Metrics: a.registry,
	})
	enricher := &enrich.Worker{Fetcher: a.plugins, Store: a.store, Log: a.log}
	if err := errors.Join(reader.Begin(ctx), reader.Register(registered), enricher.Register(registered)); err != nil {
		return err
	}
	fetch := fetchSettings(a.config)
	queues := workers.Queues(fetch)
	reader.Queues(queues, fetch)
	enricher.Queues(queues, fetch)
	queue, err := a.store.OpenQueue(&river.Config{
		ID:           a.node,
		Logger:       slog.New(quiet{a.log.Handler()}),
		Workers:      registered,
		Queues:       queues,
		PeriodicJobs: reader.PeriodicJobs(),
		MaxAttempts:  store.MaxAttempts,
		// A backstop: the keeper takes over jobs within seconds.
		RescueStuckJobsAfter: time.Hour + a.longestTimeout(),
	})
	if err != nil {
		return fmt.Errorf("open queue: %w", err)
	}
	// River ends at Stop, not with the context of the start.
	if err := queue.Start(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("start queue: %w", err)
	}
	a.workers, a.queue = workers, queue
	keeper := deliver.Keeper{
		Workers: workers, Store: a.store, Node: a.node, Quarantine: a.quarantined,
		Retention: store.Retention{Events: a.config.Retention.Events, DeadLetters: a.config.Retention.DeadLetters},
	}
	keeping, stop := context.WithCancel(context.WithoutCancel(ctx))
	a.keeper.stop = stop
	a.keeper.done.Go(func() { keeper.Run(keeping) })
	// Not by a periodic job: those wait for River to elect a leader, which after a kill
	// takes as long as the former one's lease.
	return reader.Ask(ctx)
}

// Stop stops taking webhooks, lets deliveries under way finish until ctx ends, then
// interrupts them, which counts no attempt, and closes everything.
func (a *App) Stop(ctx context.Context) error {
	begun := time.Now()
	errs := []error{a.servers.shutdown(ctx)}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	if a.queue != nil {
		a.workers.Quit()
		if err := a.queue.Stop(ctx); err != nil {
			a.log.WarnContext(ctx, "deliveries interrupted: they go on at the next start")
			cancel()
			last, cancel = context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
			errs = append(errs, a.queue.StopAndCancel(last))
		}
		errs = append(errs, a.workers.Wait(last))
		a.keeper.stop()
		a.keeper.done.Wait()
	}
	defer cancel()
	drained := time.Since(begun).Round(time.Millisecond)
	errs = append(errs, a.plugins.Stop(last), a.store.Leave(last, a.node), a.close())
	a.log.InfoContext(ctx, "stopped", slog.Duration("drained_in", drained))
	return errors.Join(errs...)
}

func (a *App) close() error {
	if err := a.store.Close(); err != nil {
		return fmt.Errorf("close database: %w", err)
	}
	return nil
}

// Run starts, waits for ctx to end, and stops within the configured drain time. To be
// told to stop before everything runs is no error.
func (a *App) Run(ctx context.Context) error {
	if err := a.Start(ctx); err != nil {
		if ctx.Err() == nil {
			return err
		}
		// It was told to stop, and that is what failed.
		a.log.DebugContext(ctx, "stopped while starting", slog.Any("error", err))
		return nil
	}
	var failed error
	select {
	case <-ctx.Done():
	case failed = <-a.servers.failed:
	}
	a.log.InfoContext(ctx, "stopping", slog.Duration("drain", a.config.Shutdown.Drain))
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), a.config.Shutdown.Drain)
	defer cancel()
	return errors.Join(failed, a.Stop(stop))
}

// Addr is where webhooks are taken once Start has returned.
func (a *App) Addr() net.Addr { return a.servers.addr() }

// targets resolves what the operator left to the plugins.
func (a *App) targets() []deliver.Target {
	targets := make([]deliver.Target, 0, len(a.config.Targets))
	for name, t := range a.config.Targets {
		d, _ := a.plugins.Describe(host.KindTarget, t.Plugin)
		concurrency := cmp.Or(t.Concurrency, d.Defaults.Concurrency, defaultConcurrency)
		targets = append(targets, deliver.Target{Name: name, Timeout: t.Timeout, Concurrency: concurrency, Retry: t.Retry, Rate: rateOf(t, d.Defaults)})
	}
	return targets
}

// rateOf is the operator's, or the plugin's proposal.
func rateOf(t config.Target, proposed sdk.Defaults) store.Rate {
	if t.Rate != nil {
		return store.Rate{PerSecond: t.Rate.PerSecond, Burst: t.Rate.Burst}
	}
	return store.Rate{PerSecond: proposed.Rate, Burst: proposed.Burst}
}

func (a *App) longestTimeout() time.Duration {
	var longest time.Duration
	for _, t := range a.config.Targets {
		longest = max(longest, t.Timeout)
	}
	return longest
}

const (
	// pollCost is the part of a second for which one queue's poll is worth it: polls are a
	// backstop, and with many queues they are what an idle process spends.
	pollCost = 20
	// longestPoll bounds what a lost notification costs.
	longestPoll = 15 * time.Second
)

// fetchSettings are River's, by database: how soon a queue looks again after a fetch,
// which also delays the news of new jobs, and how often it looks without news.
func fetchSettings(c *config.Config) river.QueueConfig {
	poll := max(time.Second, min(time.Duration(len(c.Targets)+len(c.Sources))*time.Second/pollCost, longestPoll))
	if strings.HasPrefix(c.Database.URL.Reveal(), "sqlite") {
		return river.QueueConfig{FetchCooldown: 5 * time.Millisecond, FetchPollInterval: poll}
	}
	return river.QueueConfig{FetchCooldown: time.Millisecond, FetchPollInterval: poll}
}

// quiet passes River's warnings and errors: its news is not the operator's.
type quiet struct{ slog.Handler }

// Enabled reports whether level is worth an operator's time.
func (q quiet) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && q.Handler.Enabled(ctx, level)
}
