// Package app wires the parts of Hookarr into one running process.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/riverqueue/river"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/alert"
	"github.com/hookarr/hookarr/core/catchup"
	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/deliver"
	"github.com/hookarr/hookarr/core/enrich"
	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/ingest"
	"github.com/hookarr/hookarr/core/operate"
	"github.com/hookarr/hookarr/core/outage"
	"github.com/hookarr/hookarr/core/paths"
	"github.com/hookarr/hookarr/core/pluginhost"
	"github.com/hookarr/hookarr/core/sdnotify"
	"github.com/hookarr/hookarr/core/silence"
	"github.com/hookarr/hookarr/core/snapshot"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/core/trace"
	"github.com/hookarr/hookarr/sdk/host"
)

const (
	// databasePause is the time between tries to reach a database that is down at
	// start.
	databasePause = time.Second
	// stopTimeout bounds each step of the end after the drain.
	stopTimeout = 10 * time.Second
)

// App is one Hookarr process. What lives as long as the process is here; what a reload of
// the configuration replaces is the generation.
type App struct {
	// config is what the process was made from. What cannot change while it runs is taken
	// from it, and everything else from the generation.
	config   *config.Config
	log      *slog.Logger
	node     string
	registry *prometheus.Registry
	store    *store.Store
	// tracer is nil where traces go nowhere.
	tracer   *trace.Tracer
	outage   *outage.Log
	plugins  *pluginhost.Host
	intake   *ingest.Intake
	servers  *servers
	reloads  *reloads
	operate  *operate.Service
	silences *silence.Silences
	folders  *paths.Watch
	// operators are let in; program is what they are told of this one.
	operators *operators
	program   admin.Version
	logs      admin.Logs
	// manager is told what the process does, and heartbeats counts those of the keeper, by
	// which it knows that the process works.
	manager    *sdnotify.Manager
	heartbeats atomic.Uint64
	database   *readiness
	space      *spaceWatch
	// overruns is told of expressions that took too long.
	overruns *overruns
	// unseen: the database had no events at the start, and nobody was told of it yet. It belongs
	// to the start, and then to the reload whose turn it is.
	unseen bool
	// current is the generation that holds now.
	current atomic.Pointer[generation]

	workers *deliver.Workers
	queue   store.Queue
	// queues are those that River works, with the number of their workers.
	queues map[string]int
	reader *catchup.Reader
	// inventories reads what sources have.
	inventories *snapshot.Reader
	// background ends with stopBackground.
	background     sync.WaitGroup
	stopBackground context.CancelFunc
}

// Options are what an App is made of beside its configuration.
type Options struct {
	Log *slog.Logger
	// Level is that of the log, which a reload may change. It may be nil.
	Level *slog.LevelVar
	// Load reads the configuration again. Without it nothing is reloaded.
	Load func() (*config.Config, error)
	// Program is what operators are told of the program.
	Program admin.Version
	// Logs is what Log has written lately; nil is not kept.
	Logs admin.Logs
	// Manager is the service manager; nil for none.
	Manager *sdnotify.Manager
}

// New builds a process from a checked configuration. It takes the addresses, and a
// database that cannot be shared, before it makes anything, so that a process that is
// one too many leaves no trace. Nothing runs before Start.
func New(ctx context.Context, c *config.Config, o Options) (*App, error) {
	l, err := listen(ctx, c)
	if err != nil {
		return nil, err
	}
	a, err := build(ctx, c, o, l)
	if err != nil {
		return nil, errors.Join(err, l.close())
	}
	return a, nil
}

func build(ctx context.Context, c *config.Config, o Options, l listeners) (_ *App, err error) {
	g, problems := compile(c)
	if len(problems) > 0 {
		return nil, &config.Error{Problems: problems}
	}
	hostname, _ := os.Hostname()
	node := fmt.Sprintf("%.40s_%s", hostname, event.NewID())
	tracer, err := newTracer(ctx, c, node, o.Program.Version, o.Log)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, tracer.Shutdown(ctx))
		}
	}()
	if tracer != nil {
		o.Log = slog.New(trace.Log(o.Log.Handler()))
		to, _ := TracesTo(c, os.Getenv) // which the tracer has read
		o.Log.InfoContext(ctx, "traces are sent", slog.String("to", to))
	}
	a := &App{
		config:   c,
		log:      o.Log,
		tracer:   tracer,
		node:     node,
		registry: prometheus.NewRegistry(),
		program:  o.Program,
		logs:     o.Logs,
		manager:  o.Manager,
	}
	started := time.Now()
	a.program.Node, a.program.Started = a.node, &started
	a.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	a.overruns = newOverruns(a.log, a.registry)
	g.routes.OnOverrun(a.overruns.note)
	a.current.Store(g)
	a.reloads = newReloads(o, a.registry)
	a.plugins = pluginhost.New(pluginhost.Options{
		Dirs: c.Plugins.Dir, LockFile: c.Plugins.Lock, Log: o.Log, Metrics: a.registry, Changed: a.reloads.pluginChanged,
		Settings: func(kind host.Kind, name string) pluginhost.Settings {
			return PluginSettings(a.current.Load().config)(kind, name)
		},
	})
	if a.store, err = OpenStore(ctx, c.Database.URL, o.Log); err != nil {
		return nil, err
	}
	a.store.Digest = func(held store.Target) bool { return a.current.Load().plan.Digests(held, time.Now()) }
	a.outage = outage.New(o.Log.Handler(), a.store.Ready)
	a.space = newSpaceWatch(a)
	a.database = &readiness{ready: a.store.Ready, log: a.log}
	if err = a.store.Reserve(); err != nil {
		return nil, errors.Join(at(c, "database.url", err), a.store.Close())
	}
	a.intake = ingest.New(ingest.Options{
		Generation: func() *ingest.Generation { return a.current.Load().intake },
		Decoder:    a.plugins, Store: a.store, Log: a.log, Tracer: a.tracer, Metrics: a.registry,
		MaxBodies: int64(c.Limits.Bodies),
		Verified:  func(ctx context.Context) { proven(ctx, sender) },
	})
	a.expect(g)
	a.silences = &silence.Silences{
		Store: a.store, MaxAge: func() time.Duration { return a.current.Load().longestMaxAge() }, Log: a.outage.Logger(),
	}
	a.operate = newOperate(a)
	a.folders = newFolders(a)
	// While this process has the database to itself.
	if l.local, err = listenLocally(ctx, c, o.Log); err != nil {
		return nil, errors.Join(err, a.store.Close())
	}
	a.servers, err = newServers(a, l) //nolint:contextcheck // handlers have those of their requests
	if err != nil {
		err = errors.Join(err, a.store.Close())
		if l.local != nil {
			err = errors.Join(err, l.local.Close())
		}
		return nil, err
	}
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
	a.manager.Ready(a.status(ctx))
	a.log.InfoContext(ctx, "ready", slog.String("listen", a.Addr().String()), slog.String("node", a.node))
	return nil
}

func (a *App) start(ctx context.Context) error {
	instances, err := Instances(a.config)
	if err != nil {
		return err
	}
	a.manager.Status("starting the plugins")
	if err := a.plugins.Start(ctx, instances); err != nil {
		return err
	}
	a.tellRefused(ctx)
	g := *a.current.Load()
	g.resolve(a.plugins, nil)
	a.current.Store(&g)
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
	a.unseen = a.isNew(ctx) // before catch-up can fill the database
	a.welcome(ctx)
	return a.startQueue(ctx)
}

// awaitDatabase migrates, and waits for a server that does not answer. What waiting
// cannot mend is an error.
func (a *App) awaitDatabase(ctx context.Context) error {
	for tries := 0; ; tries++ {
		err := a.migrate(ctx)
		if err == nil {
			return nil
		}
		_, moved := errors.AsType[*store.MoveError](err)
		if moved || errors.Is(err, store.ErrNewer) || ctx.Err() != nil {
			return fmt.Errorf("migrate database: %w", err)
		}
		a.manager.Status("waiting for the database: webhooks are answered 503")
		if tries%60 == 0 {
			a.log.WarnContext(ctx, "waiting for the database: webhooks are answered 503", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("migrate database: %w", err)
		case <-time.After(databasePause):
		}
	}
}

func (a *App) startQueue(ctx context.Context) error {
	workers := deliver.New(deliver.Options{
		Store: a.store, Deliverer: a.plugins, Redecoder: a.intake, Composer: a.intake, Silencer: a.silences, Log: a.outage.Logger(),
		Tracer: a.tracer, Metrics: a.registry,
		Plan:   func() *deliver.Plan { return a.current.Load().plan },
		Alerts: &alert.Alerts{Router: router{a}, Store: a.store, Log: a.log},
	})
	registered := river.NewWorkers()
	if err := workers.Register(registered); err != nil {
		return err
	}
	reader := catchup.New(catchup.Options{
		Sources:   func() map[string]config.Catchup { return a.current.Load().histories },
		Historian: a.plugins, Rememberer: a.intake, Store: a.store, Log: a.log, Metrics: a.registry,
	})
	inventories := snapshot.New(snapshot.Options{
		Sources:     func() map[string]config.Snapshot { return a.current.Load().snapshots },
		Snapshotter: a.plugins, Composer: a.intake, Store: a.store, Log: a.log, Metrics: a.registry,
	})
	enricher := &enrich.Worker{Fetcher: a.plugins, Store: a.store, Log: a.outage.Logger()}
	if err := errors.Join(reader.Begin(ctx), reader.Register(registered), inventories.Register(registered),
		enricher.Register(registered), a.operate.Register(registered)); err != nil {
		return err
	}
	g := a.current.Load()
	fetch := fetchSettings(g.config)
	queues := g.plan.Queues(fetch)
	a.queues = workersOf(queues)
	reader.Queues(queues, fetch)
	inventories.Queues(queues, fetch)
	enricher.Queues(queues, fetch)
	a.operate.Queues(queues, fetch)
	queue, err := a.store.OpenQueue(&river.Config{
		ID:           a.node,
		Logger:       a.outage.River(),
		Workers:      registered,
		Queues:       queues,
		PeriodicJobs: append(reader.PeriodicJobs(), inventories.PeriodicJobs()...),
		MaxAttempts:  store.MaxAttempts,
		// A backstop: the keeper takes over jobs within seconds.
		RescueStuckJobsAfter: time.Hour + g.longestTimeout(),
	})
	if err != nil {
		return fmt.Errorf("open queue: %w", err)
	}
	// River ends at Stop, not with the context of the start.
	if err := queue.Start(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("start queue: %w", err)
	}
	a.workers, a.queue, a.reader, a.inventories = workers, queue, reader, inventories
	keeper := deliver.Keeper{
		Workers: workers, Store: a.store, Node: a.node, Quarantine: a.quarantined, OnHeartbeat: func() { a.heartbeats.Add(1) },
		Retention: func() store.Retention {
			c := a.current.Load().config
			return store.Retention{Events: c.Retention.Events, DeadLetters: c.Retention.DeadLetters}
		},
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	a.stopBackground = stop
	a.background.Go(func() { keeper.Run(running) })
	a.background.Go(func() { a.outage.Run(running) })
	a.background.Go(func() { a.watch(running) })
	a.background.Go(func() { a.tellManager(running) })
	a.background.Go(func() { a.space.Run(running) })
	a.background.Go(func() { a.folders.Run(running) })
	a.reloads.holds(g.config)
	a.reloads.start()
	// Not by a periodic job: those wait for River to elect a leader, which after a kill
	// takes as long as the former one's lease.
	return errors.Join(reader.Ask(ctx), inventories.Ask(ctx))
}

// Stop stops taking webhooks, lets deliveries under way finish until ctx ends, then
// interrupts them, which counts no attempt, and closes everything.
func (a *App) Stop(ctx context.Context) error {
	begun := time.Now()
	a.reloads.stop(ctx, a.queue != nil)
	// Beside the drain, of which requests that stall would take a part.
	closing := make(chan error, 1)
	go func() { closing <- a.servers.shutdown(ctx) }()
	var drain error
	if a.queue != nil {
		drain = a.workers.Drain(ctx, a.queue.Stop)
	}
	errs := []error{<-closing}
	a.operators.queue.Close()
	a.operators.changes.Close()
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	if a.queue != nil {
		if drain != nil {
			errs = append(errs, a.queue.StopAndCancel(last))
		}
		errs = append(errs, a.workers.Wait(last))
		a.stopBackground()
		a.background.Wait()
	}
	drained := time.Since(begun).Round(time.Millisecond)
	errs = append(errs, a.plugins.Stop(last), a.store.Leave(last, a.node), a.close(), a.tracer.Shutdown(last))
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
	drain := a.current.Load().config.Shutdown.Drain
	a.manager.Stopping(endsWithin(a.current.Load().config), "finishing the deliveries under way")
	a.log.InfoContext(ctx, "stopping", slog.Duration("drain", drain))
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
	defer cancel()
	return errors.Join(failed, a.Stop(stop))
}

// Addr is where webhooks are taken once Start has returned.
func (a *App) Addr() net.Addr { return a.servers.addr() }
