package app

import (
	"context"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/hookarr/hookarr/core/alert"
	"github.com/hookarr/hookarr/core/paths"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

func newPathProblems(r prometheus.Registerer) *prometheus.GaugeVec {
	return promauto.With(r).NewGaugeVec(prometheus.GaugeOpts{
		Name: "hookarr_target_path_problems",
		Help: "How many root folders reach no library of the target, or other problems of its paths; hookarr paths tells them. Looked for once a day.",
	}, []string{"target"})
}

// newFolders returns what looks, rarely, whether applications and media servers know the
// same folders.
func newFolders(a *App) *paths.Watch {
	problems := newPathProblems(a.registry)
	examiner := paths.Examiner{Plugins: a.plugins}
	alerts := &alert.Alerts{Router: router{a}, Store: a.store, Log: a.log}
	return &paths.Watch{
		Log:     a.log,
		Targets: a.libraries,
		Examine: func(ctx context.Context, target string) (paths.Report, error) {
			g := a.current.Load()
			return examiner.Examine(ctx, target, g.config, g.routes)
		},
		New: alerts.PathsApart,
		Found: func(found map[string][]string) {
			problems.Reset()
			for target, all := range found {
				problems.WithLabelValues(target).Set(float64(len(all)))
			}
		},
	}
}

// libraries are the targets that know any.
func (a *App) libraries() []string {
	var names []string
	for name, t := range a.current.Load().config.Targets {
		if d, ok := a.plugins.Describe(host.KindTarget, t.Plugin); ok && slices.Contains(d.Features, sdk.FeatureFolders) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
