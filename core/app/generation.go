package app

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/riverqueue/river"

	"github.com/hookarr/hookarr/core/auth"
	"github.com/hookarr/hookarr/core/calendar"
	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/deliver"
	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/ingest"
	"github.com/hookarr/hookarr/core/pluginhost"
	"github.com/hookarr/hookarr/core/route"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// defaultConcurrency is for targets that neither the operator nor the plugin gives one.
const defaultConcurrency = 8

// generation is everything that is made of one configuration. It does not change once it
// holds.
type generation struct {
	config *config.Config
	routes *route.Table
	intake *ingest.Generation
	// plan, histories and snapshots take what the plugins say of themselves.
	plan      *deliver.Plan
	histories map[string]config.Catchup
	snapshots map[string]config.Snapshot
}

// compile makes of a configuration what needs no plugin, or says everything that is wrong
// with it.
func compile(c *config.Config) (*generation, []config.Problem) {
	var problems []config.Problem
	add := func(key, message string) { problems = append(problems, c.Problem(key, message)) }
	hosts := ownHosts(c)
	sources := make(map[string]ingest.Source, len(c.Sources))
	for _, name := range slices.Sorted(maps.Keys(c.Sources)) {
		source := c.Sources[name]
		gate, err := auth.New(source, c.TrustedProxies, hosts...)
		each(err, func(err error) {
			key, message, ok := strings.Cut(err.Error(), ": ")
			if !ok {
				key, message = "auth", err.Error()
			}
			add("sources."+name+"."+key, message)
		})
		sources[name] = ingest.Source{Gate: gate, TrustTraceparent: source.TrustTraceparent, Enrich: source.Enrich, Window: source.Dedup.Window}
	}
	routes, err := route.New(c.Routes)
	if err == nil {
		err = routes.SetGroups(groupsOf(c))
	}
	each(err, func(err error) {
		if p, ok := errors.AsType[*route.Problem](err); ok {
			add(p.Key, p.Message)
		}
	})
	if len(problems) > 0 {
		return nil, problems
	}
	return &generation{config: c, routes: routes, intake: ingest.NewGeneration(sources, routes)}, nil
}

// groupsOf are the groups of targets, by name.
func groupsOf(c *config.Config) map[string]*config.Group {
	groups := make(map[string]*config.Group, len(c.Targets))
	for name, t := range c.Targets {
		groups[name] = t.Group
	}
	return groups
}

// Judge returns what is wrong with the sources and routes of a configuration, which Load
// cannot tell.
func Judge(c *config.Config) []config.Problem {
	_, problems := compile(c)
	return problems
}

// each calls f for every error that err joins.
func each(err error, f func(error)) {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			each(e, f)
		}
	} else if err != nil {
		f(err)
	}
}

// resolve takes from the plugins what the operator left to them. Former is the plan that
// holds before, or nil.
func (g *generation) resolve(plugins *pluginhost.Host, former *deliver.Plan) {
	targets := make([]deliver.Target, 0, len(g.config.Targets))
	powers := make(map[string]route.Powers, len(g.config.Targets))
	for name, t := range g.config.Targets {
		d, described := plugins.Describe(host.KindTarget, t.Plugin)
		info := plugins.Info(host.KindTarget, name)
		groups := slices.Contains(d.Features, sdk.FeatureGroup) && !info.NeedsOriginals && !info.SingleEvents
		// What a plugin does not take together is divided once it has come up and says so.
		powers[name] = route.Powers{Groups: groups || !described, Proposed: d.Defaults.Group, FoldUpgrades: d.Defaults.FoldUpgrades}
		concurrency := cmp.Or(t.Concurrency, d.Defaults.Concurrency, defaultConcurrency)
		targets = append(targets, deliver.Target{
			Name: name, Timeout: t.Timeout, Concurrency: concurrency, Retry: t.Retry, Rate: rateOf(t, d.Defaults),
			Described: described, Groups: groups, Edits: t.Edit && slices.Contains(d.Features, sdk.FeatureEdit),
			Quiet: quietOf(t), Drop: t.Quiet != nil && t.Quiet.Then == config.ThenDrop,
			DigestQuiet: t.Quiet != nil && t.Quiet.Then == config.ThenDigest, DigestAfter: t.DigestAfter,
		})
	}
	g.routes = g.routes.WithPowers(powers)
	g.intake = g.intake.WithRouter(g.routes)
	g.plan = deliver.NewPlan(targets, slices.Sorted(maps.Keys(g.config.Sources)), former)
	g.histories, g.snapshots = map[string]config.Catchup{}, map[string]config.Snapshot{}
	for name, s := range g.config.Sources {
		d, _ := plugins.Describe(host.KindSource, s.Plugin)
		if s.Catchup.Enabled && slices.Contains(d.Features, sdk.FeatureHistory) {
			g.histories[name] = s.Catchup
		}
		if slices.Contains(d.Features, sdk.FeatureSnapshot) {
			g.snapshots[name] = s.Snapshot
		}
	}
}

// quietOf are the hours in which a target takes nothing.
func quietOf(t config.Target) calendar.Quiet {
	if t.Quiet == nil {
		return calendar.Quiet{}
	}
	q, _ := t.Quiet.Calendar() // Load has checked it
	return q
}

// rateOf is the operator's, or the plugin's proposal.
func rateOf(t config.Target, proposed sdk.Defaults) store.Rate {
	if t.Rate != nil {
		return store.Rate{PerSecond: t.Rate.PerSecond, Burst: t.Rate.Burst}
	}
	return store.Rate{PerSecond: proposed.Rate, Burst: proposed.Burst}
}

func (g *generation) longestTimeout() time.Duration {
	var longest time.Duration
	for _, t := range g.config.Targets {
		longest = max(longest, t.Timeout)
	}
	return longest
}

// longestMaxAge is how old a delivery may be that still waits.
func (g *generation) longestMaxAge() time.Duration {
	var longest time.Duration
	for _, t := range g.config.Targets {
		longest = max(longest, t.Retry.MaxAge)
	}
	return longest
}

// router goes by the routes that hold now.
type router struct{ app *App }

// Match returns the targets of an event.
func (r router) Match(source string, e *sdk.Event, normalized []byte) []route.Match {
	return r.app.current.Load().routes.Match(source, e, normalized)
}

// Flushes returns the groups that an event closes.
func (r router) Flushes(source string, e *sdk.Event, normalized []byte) []event.GroupRef {
	return r.app.current.Load().routes.Flushes(source, e, normalized)
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

// workersOf are the numbers of workers of queues.
func workersOf(queues map[string]river.QueueConfig) map[string]int {
	workers := make(map[string]int, len(queues))
	for name, q := range queues {
		workers[name] = q.MaxWorkers
	}
	return workers
}
