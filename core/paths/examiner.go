package paths

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/route"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
	"github.com/hookarr/hookarr/sdk/pathmap"
)

const (
	// maxRoots bounds the folders of a source, and of a target's libraries, that are compared.
	maxRoots = 200
	// maxPlaces bounds the places of one title on a server.
	maxPlaces = 4
	// sample is how many titles of each source are compared: enough that some are of each
	// root folder, and few enough that a server which is asked for each answers in seconds.
	sample = 20
	// sourceTimeout bounds the question to a source, which may have to read its whole
	// library, and targetTimeout that to a target.
	sourceTimeout = time.Minute
	targetTimeout = 2 * time.Minute
	// atOnce is how many sources are asked at once.
	atOnce = 4
	// past is how far back stored events are tried, and maxEvents how many of each source
	// and type: the newest.
	past      = 30 * 24 * time.Hour
	maxEvents = 100
)

// ErrNoFolders is matched when the plugin of a target does not know libraries.
var ErrNoFolders = errors.New("its plugin knows no libraries")

// Plugins tell of folders. pluginhost.Host is one.
type Plugins interface {
	// Folders asks a source or a target. The error matches host.ErrUnsupported for one that
	// cannot tell.
	Folders(ctx context.Context, kind host.Kind, instance string, q sdk.FoldersQuery) (sdk.Folders, error)
}

// Events are those that are stored. store.Store is one.
type Events interface {
	ReadNormalized(ctx context.Context, f store.EventFilter) ([][]byte, error)
}

// Examiner gathers the evidence of reports.
type Examiner struct {
	Plugins Plugins
	// Events may be nil: none are tried.
	Events Events
}

// Examine asks a target of a configuration, and the sources whose events go there, and
// makes a report. The error matches ErrNoFolders for a target that has no libraries.
func (x *Examiner) Examine(ctx context.Context, target string, c *config.Config, routes *route.Table) (Report, error) {
	e := Evidence{Target: target, Plugin: c.Targets[target].Plugin}
	// A target that cannot tell is known before the sources are asked for anything.
	asked, cancel := context.WithTimeout(ctx, targetTimeout)
	defer cancel()
	if _, err := x.server(asked, target, nil); err != nil {
		return Report{}, err
	}
	names := routes.SourcesOf(target, slices.Sorted(maps.Keys(c.Sources)))
	e.Sources = x.sources(ctx, names)
	var titles []sdk.FolderTitle
	for _, s := range e.Sources {
		titles = append(titles, s.Titles...)
	}
	asked, cancel = context.WithTimeout(ctx, targetTimeout)
	defer cancel()
	var err error
	if e.Server, err = x.server(asked, target, titles); err != nil {
		return Report{}, err
	}
	if x.Events != nil {
		if e.Events, err = x.events(ctx, target, names, routes); err != nil {
			return Report{}, fmt.Errorf("read stored events: %w", err)
		}
	}
	return Examine(e), nil
}

func (x *Examiner) server(ctx context.Context, target string, titles []sdk.FolderTitle) (sdk.Folders, error) {
	found, err := x.Plugins.Folders(ctx, host.KindTarget, target, sdk.FoldersQuery{Titles: titles})
	switch {
	case errors.Is(err, host.ErrUnsupported):
		return sdk.Folders{}, fmt.Errorf("target %s: %w", target, ErrNoFolders)
	case err != nil:
		return sdk.Folders{}, fmt.Errorf("ask target %s for its libraries: %w", target, err)
	}
	if _, err := pathmap.New(found.Map); err != nil {
		return sdk.Folders{}, fmt.Errorf("target %s tells a path map that is none: %w", target, err)
	}
	found.Roots = found.Roots[:min(len(found.Roots), maxRoots)]
	found.Titles = found.Titles[:min(len(found.Titles), maxPlaces*len(titles))]
	return found, nil
}

// sources asks those that can tell folders. That one fails is part of the report.
func (x *Examiner) sources(ctx context.Context, names []string) []Source {
	all := make([]Source, len(names))
	var group errgroup.Group
	group.SetLimit(atOnce)
	for i, name := range names {
		group.Go(func() error {
			ctx, cancel := context.WithTimeout(ctx, sourceTimeout)
			defer cancel()
			folders, err := x.Plugins.Folders(ctx, host.KindSource, name, sdk.FoldersQuery{Sample: sample})
			// What is compared grows with the square of these.
			folders.Titles = folders.Titles[:min(len(folders.Titles), sample)]
			folders.Roots = folders.Roots[:min(len(folders.Roots), maxRoots)]
			all[i] = Source{Name: name, Folders: folders, Silent: errors.Is(err, host.ErrUnsupported)}
			if err != nil && !all[i].Silent {
				all[i].Problem = err.Error()
			}
			return nil
		})
	}
	_ = group.Wait() // none returns an error
	return all
}

// types are those of events that a media server looks for files of.
func types() []sdk.Type {
	return []sdk.Type{sdk.TypeMediaImported, sdk.TypeMediaUpgraded, sdk.TypeImportCompleted, sdk.TypeFileRenamed}
}

// events are the newest that routes bring to the target, with a path.
func (x *Examiner) events(ctx context.Context, target string, sources []string, routes *route.Table) ([]Event, error) {
	var all []Event
	since := time.Now().Add(-past)
	for _, source := range sources {
		for _, typ := range types() {
			stored, err := x.Events.ReadNormalized(ctx, store.EventFilter{Source: source, Type: typ, State: event.Routed, Since: since, Limit: maxEvents})
			if err != nil {
				return nil, err
			}
			for _, normalized := range stored {
				var e sdk.Event
				if json.Unmarshal(normalized, &e) != nil {
					continue // of another version
				}
				path := folderOf(&e)
				if path == "" || !slices.ContainsFunc(routes.Match(source, &e, normalized), func(m route.Match) bool { return m.Target == target }) {
					continue
				}
				all = append(all, Event{ID: e.ID, Source: source, Time: e.Time, Type: e.Type, Title: e.Title, Path: path})
			}
		}
	}
	slices.SortFunc(all, func(a, b Event) int { return cmp.Or(b.Time.Compare(a.Time), cmp.Compare(b.ID, a.ID)) })
	return all, nil
}

// folderOf is where an event's files are.
func folderOf(e *sdk.Event) string {
	switch {
	case e.Media != nil && e.Media.Path != "":
		return e.Media.Path
	case len(e.Files) > 0 && e.Files[0].Path != "":
		return pathmap.Dir(e.Files[0].Path)
	default:
		return ""
	}
}
