package admin

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
)

// Source is a source as JSON.
type Source struct {
	Name   string   `json:"name"`
	Plugin string   `json:"plugin,omitempty"`
	Auth   []string `json:"auth" nullable:"false" doc:"How senders identify themselves."`
	// Configured is false for one that has left the configuration and has events.
	Configured bool `json:"configured"`
	// LastSeen is the latest event of each type.
	LastSeen []Seen `json:"last_seen" nullable:"false" doc:"The latest event of each type."`
	// Catchup says how far the application's history was read; nil where it is not.
	Catchup *Catchup `json:"catchup,omitempty" doc:"How far the application's history was read."`
	// Snapshot says what came of reading everything that the application has; nil where it
	// was not read.
	Snapshot *Snapshot `json:"snapshot,omitempty" doc:"What came of reading everything that the application has."`
}

// Seen is when the latest event of a type was received.
type Seen struct {
	Type sdk.Type  `json:"type,omitempty" doc:"Absent for what is not decoded."`
	At   time.Time `json:"at"`
	ID   string    `json:"id" doc:"Of the event."`
}

// Catchup is how far a history was read.
type Catchup struct {
	From   time.Time `json:"from" doc:"Nothing before is of interest."`
	ReadTo time.Time `json:"read_to" doc:"Everything before is known."`
	// Trouble is of a running server.
	Trouble   string     `json:"trouble,omitempty" doc:"Why the last run ended early; it is tried again."`
	TroubleAt *time.Time `json:"trouble_at,omitempty" doc:"Since when."`
}

// catchup returns nil for a source whose history is not read.
func (s *Service) catchup(ctx context.Context, source string) (*Catchup, error) {
	c, err := s.Store.FindCursor(ctx, source)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil //nolint:nilnil // to have none is no error
	}
	if err != nil {
		return nil, err
	}
	v := Catchup{From: c.From, ReadTo: c.ReadTo}
	if s.Histories != nil {
		reason, since := s.Histories.Trouble(source)
		v.Trouble, v.TroubleAt = reason, timeOr(since)
	}
	return &v, nil
}

// authSchemes names the ways in of a source.
func authSchemes(c config.Source) []string {
	schemes := []string{}
	for _, a := range c.Auth {
		switch {
		case a.HMAC != nil && a.HMAC.Preset != "":
			schemes = append(schemes, "hmac "+a.HMAC.Preset)
		case a.HMAC != nil:
			schemes = append(schemes, "hmac")
		case a.Basic != nil:
			schemes = append(schemes, "basic")
		case a.Header != nil:
			schemes = append(schemes, "header "+a.Header.Name)
		case a.Token != nil:
			schemes = append(schemes, "token")
		case a.None != nil:
			schemes = append(schemes, "none")
		}
	}
	return schemes
}

// ListSources returns the sources of the configuration and those of which events are
// stored, by name.
func (s *Service) ListSources(ctx context.Context) ([]Source, error) {
	seen, err := s.Store.LastSeen(ctx)
	if err != nil {
		return nil, fmt.Errorf("list what was last seen: %w", err)
	}
	byName := map[string]*Source{}
	for name, c := range s.Settings.Config().Sources {
		byName[name] = &Source{Name: name, Plugin: c.Plugin, Configured: true, Auth: authSchemes(c), LastSeen: []Seen{}}
	}
	for _, last := range seen {
		v := byName[last.Source]
		if v == nil {
			v = &Source{Name: last.Source, Auth: []string{}, LastSeen: []Seen{}}
			byName[last.Source] = v
		}
		v.LastSeen = append(v.LastSeen, Seen{Type: last.Type, At: last.At, ID: last.EventID.String()})
	}
	views := make([]Source, 0, len(byName))
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		v := byName[name]
		if v.Catchup, err = s.catchup(ctx, name); err != nil {
			return nil, fmt.Errorf("find how far the history of %s was read: %w", name, err)
		}
		if v.Snapshot, err = s.snapshot(ctx, name); err != nil {
			return nil, fmt.Errorf("find the snapshot of %s: %w", name, err)
		}
		views = append(views, *v)
	}
	return views, nil
}
