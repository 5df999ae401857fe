package admin

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/hookarr/hookarr/core/pluginhost"
	"github.com/hookarr/hookarr/core/store"
)

// Overview is what needs an operator now, as JSON.
type Overview struct {
	Pending   int `json:"pending" doc:"Deliveries that wait for an attempt, of all targets."`
	Verifying int `json:"verifying" doc:"Deliveries that were accepted and are not proven yet."`
	Dead      int `json:"dead" doc:"Dead letters."`
	// PendingSince is when the age of the oldest pending delivery began; nil without one.
	PendingSince *time.Time `json:"pending_since,omitempty" doc:"When the age of the oldest pending delivery began."`
	Targets      []Target   `json:"targets" nullable:"false" doc:"Those that are not open."`
	Silent       []Silent   `json:"silent_sources" nullable:"false" doc:"Sources of which nothing was received for longer than is usual for them."`
	Unused       []string   `json:"unused_sources" nullable:"false" doc:"Sources of which no event is stored."`
	// CatchupTroubles are the sources whose history cannot be read.
	CatchupTroubles []CatchupTrouble `json:"catchup_troubles" nullable:"false" doc:"Sources whose application does not let its history be read."`
	// NotReloaded says why the last reload was refused; empty where it was not.
	NotReloaded string `json:"not_reloaded,omitempty" doc:"Why the last reload was refused: the former configuration holds."`
	// LowSpace is nil where there is space, or nobody knows.
	LowSpace *LowSpace `json:"low_space,omitempty" doc:"Little space is left on the file system of the database; left out where there is enough."`
	// Plugins are those that are not ready; none without a running server.
	Plugins  []Plugin       `json:"plugins" nullable:"false" doc:"Those that are not ready."`
	Silences int            `json:"active_silences" doc:"How many silences are active."`
	Actions  []Action       `json:"running_actions" nullable:"false" doc:"Bulk actions that are under way, newest first; at most 20."`
	Paths    []PathProblems `json:"paths" nullable:"false" doc:"What the last look at the paths of targets found wrong."`
}

// LowSpace says how little space is left for the database.
type LowSpace struct {
	Free  int64 `json:"free_bytes" doc:"What is free on the file system of the database."`
	Limit int64 `json:"limit_bytes" doc:"What is to be free at least: database.low_space."`
}

// Silent is a source of which nothing was received for longer than is usual for it.
type Silent struct {
	Source    string    `json:"source"`
	LastEvent time.Time `json:"last_event"`
	// Usual is the longest time between two of its last hundred events.
	Usual float64 `json:"longest_pause_seconds" doc:"The longest time between two of its last 100 events."`
}

// CatchupTrouble is why a history cannot be read; it is tried again.
type CatchupTrouble struct {
	Source string    `json:"source"`
	Reason string    `json:"reason"`
	Since  time.Time `json:"since"`
}

// PathProblems is what is wrong with the paths of a target.
type PathProblems struct {
	Target   string   `json:"target"`
	Problems []string `json:"problems" nullable:"false"`
}

// A source is silent once nothing was received for silentAfter, and for silentTimes the
// longest pause between its last events. Half of a year's imports may come on one evening, so
// that a mean or a median says nothing of the pauses; a week without is usual for anybody who
// is away. Of a source with less than silentEvents events nobody knows what is usual. The
// retention of events ends the matter: a source without events is not used.
const (
	silentAfter  = 7 * 24 * time.Hour
	silentTimes  = 2
	silentEvents = 20
)

// sources finds those of the configuration that are silent for longer than is usual, that
// never sent anything, and that do not let their history be read.
func (v *Overview) sources(ctx context.Context, s *Service, now time.Time) error {
	for _, name := range slices.Sorted(maps.Keys(s.Settings.Config().Sources)) {
		p, err := s.Store.PausesOf(ctx, name)
		if err != nil {
			return err
		}
		switch {
		case p.Events == 0:
			v.Unused = append(v.Unused, name)
		case p.Events >= silentEvents && now.Sub(p.Last) > max(silentAfter, silentTimes*p.Longest):
			v.Silent = append(v.Silent, Silent{Source: name, LastEvent: p.Last, Usual: p.Longest.Seconds()})
		}
		if s.Histories == nil {
			continue
		}
		if reason, since := s.Histories.Trouble(name); reason != "" {
			v.CatchupTroubles = append(v.CatchupTroubles, CatchupTrouble{Source: name, Reason: reason, Since: since})
		}
	}
	return nil
}

// maxRunning bounds the actions of an overview.
const maxRunning = 20

// Overview returns what needs an operator now.
func (s *Service) Overview(ctx context.Context) (Overview, error) {
	v := Overview{
		Targets: []Target{}, Silent: []Silent{}, Unused: []string{}, CatchupTroubles: []CatchupTrouble{}, Plugins: []Plugin{}, Actions: []Action{}, Paths: []PathProblems{},
	}
	targets, err := s.ListTargets(ctx)
	if err != nil {
		return Overview{}, err
	}
	for _, t := range targets {
		v.Pending, v.Verifying, v.Dead = v.Pending+t.Pending, v.Verifying+t.Verifying, v.Dead+t.Dead
		if t.State != TargetOpen {
			v.Targets = append(v.Targets, t)
		}
		if t.PendingSince != nil && (v.PendingSince == nil || t.PendingSince.Before(*v.PendingSince)) {
			v.PendingSince = t.PendingSince
		}
	}
	silences, now, err := s.Store.ListSilences(ctx, 0)
	if err != nil {
		return Overview{}, fmt.Errorf("list silences: %w", err)
	}
	v.Silences = len(silences)
	if err := v.sources(ctx, s, now); err != nil {
		return Overview{}, err
	}
	running, err := s.Store.ListActions(ctx, store.ActionFilter{Running: true, Limit: maxRunning})
	if err != nil {
		return Overview{}, fmt.Errorf("list actions: %w", err)
	}
	for _, a := range running {
		v.Actions = append(v.Actions, viewAction(a))
	}
	if s.Plugins != nil {
		for _, status := range s.Plugins.Status() {
			if status.State != pluginhost.Ready {
				v.Plugins = append(v.Plugins, viewPlugin(status))
			}
		}
	}
	if s.NotReloaded != nil {
		v.NotReloaded = s.NotReloaded()
	}
	if s.LowSpace != nil {
		v.LowSpace = s.LowSpace()
	}
	if s.KnownPaths != nil {
		known := s.KnownPaths()
		for _, target := range slices.Sorted(maps.Keys(known)) {
			v.Paths = append(v.Paths, PathProblems{Target: target, Problems: known[target]})
		}
	}
	return v, nil
}
