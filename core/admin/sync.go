package admin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// Snapshot says how far reading everything that an application has has come, as JSON.
type Snapshot struct {
	Run   int                 `json:"run" doc:"Number of the run that is under way or was last."`
	Phase store.SnapshotPhase `json:"phase,omitempty" doc:"reading, settling or telling; absent when none is under way."`
	Full  bool                `json:"full,omitempty" doc:"The run tells everything, not only what has changed."`
	To    string              `json:"to,omitempty" doc:"The one target that a full run tells."`
	First bool                `json:"first,omitempty" doc:"Nothing was known before this run, which tells nothing of what it found."`
	Asked bool                `json:"asked,omitempty" doc:"Somebody has asked for another run."`

	Items  int `json:"items" doc:"Titles and files that the run has read."`
	Titles int `json:"titles" doc:"How many of them are titles."`
	Total  int `json:"total,omitempty" doc:"How many there are, if the application says so."`
	Told   int `json:"told" doc:"Events that the run has told."`
	Known  int `json:"known" doc:"Differences that webhooks or catch-up had told before."`

	Withheld  string     `json:"withheld,omitempty" doc:"Why deletions are not told."`
	Trouble   string     `json:"trouble,omitempty" doc:"Why the run does not go on; it is tried again."`
	TroubleAt *time.Time `json:"trouble_at,omitempty" doc:"Since when."`

	BegunAt  *time.Time `json:"begun_at,omitempty" doc:"When the run began."`
	EndedRun int        `json:"ended_run,omitempty" doc:"Number of the last run that came to its end."`
	EndedAt  *time.Time `json:"ended_at,omitempty" doc:"When it did."`
	NextAt   *time.Time `json:"next_at,omitempty" doc:"When the next begins; absent when only on demand."`
}

// snapshot returns nil for a source of which none was read.
func (s *Service) snapshot(ctx context.Context, source string) (*Snapshot, error) {
	state, err := s.Store.FindSnapshot(ctx, source)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil //nolint:nilnil // to have none is no error
	}
	if err != nil {
		return nil, err
	}
	v := viewSnapshot(state, s.Settings.Config().Sources[source].Snapshot)
	return &v, nil
}

func viewSnapshot(state store.Snapshot, settings config.Snapshot) Snapshot {
	at := func(t time.Time) *time.Time {
		if t.IsZero() {
			return nil
		}
		return &t
	}
	v := Snapshot{
		Run: state.Run, Phase: state.Phase, Full: state.Wish.Full, To: state.Wish.To, First: state.First, Asked: state.Asked != nil,
		Items: state.Items, Titles: state.Titles, Total: state.Total, Told: state.Told, Known: state.Known,
		Withheld: state.Withheld, Trouble: state.Trouble, TroubleAt: at(state.TroubleAt),
		BegunAt: at(state.BegunAt), EndedRun: state.EndedRun, EndedAt: at(state.EndedAt),
	}
	if settings.Every > 0 && state.Phase == "" && !state.BegunAt.IsZero() {
		v.NextAt = at(state.BegunAt.Add(settings.Every))
	}
	return v
}

// Sync says what is wanted of a snapshot.
type Sync struct {
	Full           bool   `json:"full,omitempty" doc:"Tell every title and file, and not only what has changed."`
	To             string `json:"to,omitempty" maxLength:"40" doc:"The one target that a full run tells; absent goes by the routes."`
	AllowDeletions bool   `json:"allow_deletions,omitempty" doc:"Tell deletions however many they are."`
}

// Synced is a snapshot that was asked for.
type Synced struct {
	Source string `json:"source"`
	// Awaited is the run that does what was asked for.
	Awaited  int      `json:"awaited_run" doc:"Number of the run that does what was asked for. It is done when ended_run is as high."`
	Snapshot Snapshot `json:"snapshot"`
}

// SyncSource has everything that the application of a source has read now.
func (s *Service) SyncSource(ctx context.Context, p Principal, name string, wish Sync) (Synced, error) {
	if s.Plugins == nil {
		return Synced{}, errNoServer
	}
	c, err := s.sourceConfig(name)
	if err != nil {
		return Synced{}, err
	}
	for _, plugin := range s.Plugins.Status() {
		if plugin.Kind == host.KindSource && plugin.Plugin == c.Plugin && !plugin.May(sdk.FeatureSnapshot) {
			return Synced{}, conflict("source %s: the plugin source-%s does not read what the application has", name, c.Plugin)
		}
	}
	state, run, err := s.Operate.SyncSource(ctx, p.actor(), name, store.SnapshotWish(wish))
	if err != nil {
		return Synced{}, explain("ask for a snapshot", err)
	}
	return Synced{Source: name, Awaited: run, Snapshot: viewSnapshot(state, c.Snapshot)}, nil
}

func (s *Service) sourceConfig(name string) (config.Source, error) {
	sources := s.Settings.Config().Sources
	c, ok := sources[name]
	if !ok {
		names := make([]string, 0, len(sources))
		for name := range sources {
			names = append(names, name)
		}
		slices.Sort(names)
		return c, notFound("no source is called %q%s", name, config.Suggest(name, names))
	}
	return c, nil
}

// FindSource returns a source by its name.
func (s *Service) FindSource(ctx context.Context, name string) (Source, error) {
	all, err := s.ListSources(ctx)
	if err != nil {
		return Source{}, err
	}
	for _, v := range all {
		if v.Name == name {
			return v, nil
		}
	}
	_, err = s.sourceConfig(name)
	return Source{}, fmt.Errorf("find source: %w", err)
}
