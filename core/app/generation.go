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
	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/deliver"
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
	door   *ingest.Generation
	// plan and histories take what the plugins say of themselves.
	plan      *deliver.Plan
	histories map[string]config.Catchup
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
		sources[name] = ingest.Source{Gate: gate, Enrich: source.Enrich, Window: source.Dedup.Window}
	}
	routes, err := route.New(c.Routes)
	each(err, func(err error) {
		if p, ok := errors.AsType[*route.Problem](err); ok {
			add(p.Key, p.Message)
		}
	})
	if len(problems) > 0 {
		return nil, problems
	}
	return &generation{config: c, routes: routes, door: ingest.NewGeneration(sources, routes)}, nil
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
	for name, t := range g.config.Targets {
		d, _ := plugins.Describe(host.KindTarget, t.Plugin)
		concurrency := cmp.Or(t.Concurrency, d.Defaults.Concurrency, defaultConcurrency)
		targets = append(targets, deliver.Target{Name: name, Timeout: t.Timeout, Concurrency: concurrency, Retry: t.Retry, Rate: rateOf(t, d.Defaults)})
	}
	g.plan = deliver.NewPlan(targets, slices.Sorted(maps.Keys(g.config.Sources)), former)
	g.histories = map[string]config.Catchup{}
	for name, s := range g.config.Sources {
		d, _ := plugins.Describe(host.KindSource, s.Plugin)
		if s.Catchup.Enabled && slices.Contains(d.Features, sdk.FeatureHistory) {
			g.histories[name] = s.Catchup
		}
	}
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

// router goes by the routes that hold now.
type router struct{ app *App }

// Match returns the targets of an event.
func (r router) Match(source string, e *sdk.Event, normalized []byte) []route.Match {
	return r.app.current.Load().routes.Match(source, e, normalized)
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
