package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/pluginhost"
	"github.com/hookarr/hookarr/core/timeout"
	"github.com/hookarr/hookarr/sdk/host"
)

// ErrStopping is returned by Reload and Apply when the process stops.
var ErrStopping = errors.New("hookarr is stopping: it reads its configuration when it starts again")

// drainTimeout bounds how long a reload waits for attempts of targets that left or have
// another number of workers, beside the longest time-out of a target.
const drainTimeout = 30 * time.Second

// changeTimeout bounds the changes of rows by a reload, for which attempts wait that begin.
const changeTimeout = 5 * time.Second

// restartKeys are what a running process keeps as it was made. A key ends with a dot for
// everything below it.
var restartKeys = []string{"listen", "admin.listen", "admin.socket", "database.url", "plugins.dir", "plugins.lock", "limits.", "log.format", "tracing."}

// Reloaded says what a reload changed, or would change.
type Reloaded struct {
	Changes []config.Change `json:"changes"`
	// NeedsRestart are the keys whose change has no effect before a restart.
	NeedsRestart []string `json:"needs_restart,omitempty"`
	// Warnings are what is probably a mistake and keeps nothing from working.
	Warnings []config.Problem `json:"warnings,omitempty"`
}

// reloads are the changes of generations: one at a time, while the process runs.
type reloads struct {
	load func() (*config.Config, error)
	// turn is taken by the reload under way. It is empty while the process does not run.
	turn chan struct{}
	// described says that plugins may have other defaults and features, or that queues are to
	// be changed once more.
	described chan struct{}
	// stopping is closed by stop.
	stopping chan struct{}
	level    *slog.LevelVar

	// refused is why the last reload was refused; nil where it was not.
	refused atomic.Pointer[string]

	success, at, hash prometheus.Gauge
}

func newReloads(o Options, r prometheus.Registerer) *reloads {
	f := promauto.With(r)
	gauge := func(name, help string) prometheus.Gauge {
		return f.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
	}
	return &reloads{
		load: o.Load, level: o.Level, turn: make(chan struct{}, 1), described: make(chan struct{}, 1), stopping: make(chan struct{}),
		success: gauge("hookarr_config_last_reload_successful", "1 if the last reload of the configuration was successful, or there was none."),
		at:      gauge("hookarr_config_last_reload_success_timestamp_seconds", "When the configuration that holds now was loaded."),
		hash:    gauge("hookarr_config_hash", "48 bits of a hash of the configuration that holds now, without its secrets."),
	}
}

// start lets reloads begin.
func (r *reloads) start() { r.turn <- struct{}{} }

// stop lets no other reload begin, and waits for one under way, or until ctx ends. It is
// called once.
func (r *reloads) stop(ctx context.Context, started bool) {
	close(r.stopping)
	if !started {
		return
	}
	select {
	case <-r.turn:
	case <-ctx.Done():
	}
}

// begin waits for the turn of a reload. End gives it to the next.
func (r *reloads) begin(ctx context.Context) error {
	select {
	case <-r.turn:
		return nil
	case <-r.stopping:
		return ErrStopping
	case <-ctx.Done():
		return fmt.Errorf("wait for the reload under way: %w", ctx.Err())
	}
}

func (r *reloads) end() { r.turn <- struct{}{} }

// untilStop returns a context that ends with ctx, or when the process stops.
func (r *reloads) untilStop(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		select {
		case <-r.stopping:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// drain is the time for what a generation leaves behind. It ends when the process stops,
// which drains everything.
func (r *reloads) drain(ctx context.Context, former *generation) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(ctx, drainTimeout+former.longestTimeout())
	ctx, stop := r.untilStop(ctx)
	return ctx, func() { stop(); cancel() }
}

// holds tells of a configuration that was applied.
func (r *reloads) holds(c *config.Config) {
	r.refused.Store(nil)
	r.success.Set(1)
	r.at.SetToCurrentTime()
	r.hash.Set(float64(c.Hash()))
	if r.level != nil {
		var level slog.Level
		_ = level.UnmarshalText([]byte(c.Log.Level)) // one of those that slog knows
		r.level.Set(level)
	}
}

// why is why the last reload was refused; empty where it was not.
func (r *reloads) why() string {
	if reason := r.refused.Load(); reason != nil {
		return *reason
	}
	return ""
}

// pluginChanged has the targets take the defaults of a plugin that came up.
func (r *reloads) pluginChanged() {
	select {
	case r.described <- struct{}{}:
	default:
	}
}

// Reload reads the configuration again and applies it, or, with dryRun, says what that
// would change. The error of one that is wrong is a [*config.Error], and the process goes
// on as it was.
func (a *App) Reload(ctx context.Context, dryRun bool) (Reloaded, error) {
	if a.reloads.load == nil {
		return Reloaded{}, errors.New("reload: this process does not read its configuration again")
	}
	if err := a.reloads.begin(ctx); err != nil {
		return Reloaded{}, err
	}
	defer a.reloads.end()
	if !dryRun {
		defer a.reading(ctx)()
	}
	c, err := a.reloads.load()
	if err == nil {
		err = emptied(a.current.Load().config, c)
	}
	var r Reloaded
	if err == nil {
		r, err = a.apply(ctx, c, dryRun)
	}
	if err != nil && !dryRun && !errors.Is(err, ErrStopping) {
		a.reloads.success.Set(0)
		reason := err.Error()
		a.reloads.refused.Store(&reason)
		a.tellNotReloaded(ctx, err)
	}
	return r, err
}

// emptied refuses a configuration without what every other one has: a file that is being
// written, or was cut when the disk was full, is most often one in good order. Its sources
// would be answered 404, which applications do not try again.
func emptied(former, next *config.Config) error {
	const message = "there is none, though the configuration in use has some: the file may not be written to its end; restart hookarr if you mean it"
	var problems []config.Problem
	if len(next.Sources) == 0 && len(former.Sources) > 0 {
		problems = append(problems, next.Problem("sources", message))
	}
	if len(next.Routes) == 0 && len(former.Routes) > 0 {
		problems = append(problems, next.Problem("routes", message))
	}
	if len(problems) == 0 {
		return nil
	}
	return &config.Error{Problems: problems}
}

// tellNotReloaded logs each problem of a configuration that is not taken.
func (a *App) tellNotReloaded(ctx context.Context, err error) {
	problems := []string{err.Error()}
	if wrong, ok := errors.AsType[*config.Error](err); ok {
		problems = nil
		for _, p := range wrong.Problems {
			problems = append(problems, p.String())
		}
	}
	for _, p := range problems {
		a.log.ErrorContext(ctx, "configuration not reloaded: the former one holds", slog.String("problem", p))
	}
}

// Apply has the process go by another checked configuration, or, if anything in it is
// wrong, go on as it was. No webhook is refused and no attempt fails meanwhile. It returns
// once what is gone has ended.
func (a *App) Apply(ctx context.Context, c *config.Config) (Reloaded, error) {
	if err := a.reloads.begin(ctx); err != nil {
		return Reloaded{}, err
	}
	defer a.reloads.end()
	defer a.reading(ctx)()
	return a.apply(ctx, c, false)
}

func (a *App) apply(ctx context.Context, c *config.Config, dryRun bool) (Reloaded, error) {
	former := a.current.Load()
	r := Reloaded{Changes: config.Diff(former.config, c), NeedsRestart: needsRestart(a.config, c)}
	next, problems := compile(c)
	instances, err := Instances(c)
	if err != nil {
		problems = append(problems, config.Problem{File: c.File, Message: err.Error()})
	}
	preparing, stop := a.reloads.untilStop(ctx)
	defer stop()
	change, found := a.plugins.Prepare(preparing, instances)
	for _, p := range found {
		problems = append(problems, c.Problem(pluginKey(c, p), p.Message))
	}
	unusable, doubtful := c.CheckTLS(time.Now())
	problems = append(problems, unusable...)
	r.Warnings = slices.Concat(c.Warnings, doubtful)
	stopping := len(problems) > 0 && preparing.Err() != nil && ctx.Err() == nil
	if len(problems) > 0 || dryRun {
		if change != nil {
			change.Abandon(ctx)
		}
		switch {
		case stopping:
			return r, ErrStopping
		case len(problems) > 0:
			return r, &config.Error{Problems: problems}
		}
		return r, nil
	}
	// From here on the new configuration holds, whoever waits for it.
	ctx = context.WithoutCancel(ctx)
	a.note(ctx, "plugins not configured yet", change.Begin(ctx))
	next.routes.OnOverrun(a.overruns.note)
	next.resolve(a.plugins, former.plan)
	a.replace(ctx, former, next)
	a.note(ctx, "plugins not replaced for their settings: those before serve on", a.plugins.ApplySettings(ctx))
	a.note(ctx, "certificate not read", a.servers.certificate.load(c.TLS))
	a.note(ctx, "operators let in as before", a.operators.admit(c))
	draining, cancel := a.reloads.drain(ctx, former)
	defer cancel()
	a.note(ctx, "queues not changed yet: it is tried again", a.changeQueues(draining, next))
	a.note(ctx, "former plugins not ended in time", change.Finish(draining))
	a.reloads.holds(c)
	a.welcome(ctx)
	a.folders.Again()
	a.warnUnsafe(ctx)
	for _, w := range r.Warnings {
		a.log.WarnContext(ctx, "configuration", slog.String("problem", w.String()))
	}
	if len(r.Changes) > 0 {
		a.log.InfoContext(ctx, "configuration reloaded", slog.Int("changes", len(r.Changes)))
	}
	for _, key := range r.NeedsRestart {
		a.log.WarnContext(ctx, "configuration changed: needs a restart", slog.String("key", key))
	}
	return r, nil
}

// replace has everything that is worked go by the next generation.
func (a *App) replace(ctx context.Context, former, next *generation) {
	changing, cancel := context.WithTimeout(ctx, timeout.Of(changeTimeout))
	defer cancel()
	a.expect(next)
	a.note(ctx, "rate of a target not reset", a.workers.Follow(changing, former.plan, func() { a.current.Store(next) }))
	histories, snapshots := !maps.Equal(former.histories, next.histories), !maps.Equal(former.snapshots, next.snapshots)
	if !histories && !snapshots {
		return
	}
	a.queue.PeriodicJobs().Clear()
	a.queue.PeriodicJobs().AddMany(append(a.reader.PeriodicJobs(), a.inventories.PeriodicJobs()...))
	if histories {
		a.note(ctx, "catch-up not begun", errors.Join(a.reader.Begin(changing), a.reader.Ask(changing)))
	}
	if snapshots {
		a.note(ctx, "snapshots not begun", a.inventories.Ask(changing))
	}
}

// describe takes what plugins that came up say of themselves into the generation.
func (a *App) describe(ctx context.Context) {
	if a.reloads.begin(ctx) != nil {
		return
	}
	defer a.reloads.end()
	former := a.current.Load()
	next := *former
	next.resolve(a.plugins, former.plan)
	a.replace(ctx, former, &next)
	draining, cancel := a.reloads.drain(ctx, former)
	defer cancel()
	a.note(ctx, "queues not changed yet: it is tried again", a.changeQueues(draining, &next))
}

// note logs what a reload could not do and a later one, or the plugin's restart, will.
func (a *App) note(ctx context.Context, what string, err error) {
	if err != nil {
		a.log.WarnContext(ctx, what, slog.Any("error", err)) //nolint:sloglint // one of a few constants
	}
}

// pluginKey is where a plugin's problem was configured.
func pluginKey(c *config.Config, p pluginhost.Problem) string {
	if p.Instance != "" {
		return pluginhost.ConfigKey(p.Kind, p.Instance, p.Key)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Sources)) {
		if p.Kind == host.KindSource && c.Sources[name].Plugin == p.Plugin {
			return "sources." + name + ".plugin"
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Targets)) {
		if p.Kind == host.KindTarget && c.Targets[name].Plugin == p.Plugin {
			return "targets." + name + ".plugin"
		}
	}
	return "plugins"
}

// needsRestart returns the keys whose changes since the start have no effect.
func needsRestart(was, is *config.Config) []string {
	var keys []string
	for _, c := range config.Diff(was, is) {
		if slices.ContainsFunc(restartKeys, func(k string) bool {
			return c.Key == strings.TrimSuffix(k, ".") || strings.HasSuffix(k, ".") && strings.HasPrefix(c.Key, k)
		}) {
			keys = append(keys, c.Key)
		}
	}
	if was.TLS.Enabled() != is.TLS.Enabled() { // other files of a listener that speaks TLS are read alive
		keys = append(keys, "tls")
	}
	return keys
}
