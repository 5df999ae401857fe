package plex

import (
	"context"
	"net/url"
	"slices"

	"github.com/hookarr/hookarr/plugins/internal/mediaserver"
	"github.com/hookarr/hookarr/sdk"
)

// numbers are those that Plex has for types of items, in queries.
type numbers struct {
	// title is of what a title is, leaf of what has files.
	title, leaf string
}

func numbersOf(l mediaserver.Library) numbers {
	switch {
	case slices.Contains(l.Kinds, "series"):
		return numbers{title: "2", leaf: "4"}
	case slices.Contains(l.Kinds, "artist"):
		return numbers{title: "8", leaf: "10"}
	default:
		return numbers{title: "1", leaf: "1"}
	}
}

const (
	// likely is how many titles with the name of the one that is looked for are read.
	likely = 20
	// recent is how many items are read of those that came last.
	recent = 200
	// most is how many items of a library are read at most, in one search.
	most = 50_000
)

// search collects the files that a query asks for.
type search struct {
	*server
	mediaserver.Query
	wanted mediaserver.PathSet
	found  []mediaserver.Item
	// seen has the files that were taken, and which of the query's paths they are in.
	seen, met map[string]bool
}

// Find is mediaserver.Server's. Plex has no search by path. The title's name leads to its
// files, and what came last has those of a title that Plex took for another.
func (s *server) Find(ctx context.Context, q mediaserver.Query) ([]mediaserver.Item, error) {
	f := &search{server: s, Query: q, wanted: mediaserver.NewPathSet(q.Paths...), seen: map[string]bool{}, met: map[string]bool{}}
	known, err := f.byTitle(ctx)
	if err != nil {
		return nil, err
	}
	all := url.Values{"type": {numbersOf(q.Library).leaf}, "includeGuids": {"1"}}
	path := sectionPath(q.Library) + "/all"
	for _, by := range []string{"addedAt:desc", "updatedAt:desc"} {
		if f.complete() {
			return f.found, nil
		}
		all.Set("sort", by)
		if err := s.list(ctx, path, all, recent, func(m *metadata) { f.take(m, m.Grandparent, nil) }); err != nil {
			return nil, err
		}
	}
	// What is to be gone and has no name any more may be there under another.
	if f.complete() || !q.Thorough && (known || !q.Absence) {
		return f.found, nil
	}
	all.Del("sort")
	all.Del("includeGuids")
	err = s.list(ctx, path, all, most, func(m *metadata) { f.take(m, m.Grandparent, nil) })
	return f.found, err
}

func sectionPath(l mediaserver.Library) string { return "/library/sections/" + url.PathEscape(l.ID) }

// titles are those of a library with the name of one, the ones with its ids first.
func (s *server) titles(ctx context.Context, l mediaserver.Library, t sdk.FolderTitle) ([]metadata, error) {
	var found []metadata
	err := s.list(ctx, sectionPath(l)+"/all", url.Values{"type": {numbersOf(l).title}, "title": {t.Title}, "includeGuids": {"1"}}, likely,
		func(m *metadata) { found = append(found, *m) })
	slices.SortStableFunc(found, func(a, b metadata) int {
		switch x, y := mediaserver.ShareID(a.ids(), t.IDs), mediaserver.ShareID(b.ids(), t.IDs); {
		case x == y:
			return 0
		case x:
			return -1
		default:
			return 1
		}
	})
	return found, err
}

// byTitle takes the files of the titles with the name of the one that is looked for, and
// reports whether there are any.
func (f *search) byTitle(ctx context.Context) (bool, error) {
	if f.Title.Title == "" {
		return false, nil
	}
	titles, err := f.titles(ctx, f.Library, f.Title)
	if err != nil {
		return false, err
	}
	for i := range titles {
		t := &titles[i]
		if len(t.Media) > 0 {
			f.take(t, t.Title, t.ids())
			continue
		}
		err := f.list(ctx, "/library/metadata/"+url.PathEscape(t.Key)+"/allLeaves", nil, most, func(m *metadata) { f.take(m, t.Title, t.ids()) })
		if err != nil {
			return false, err
		}
		if f.complete() {
			break
		}
	}
	return len(titles) > 0, nil
}

// take keeps an item's files. One that is in the trash is gone.
func (f *search) take(m *metadata, title string, ids map[string]string) {
	if m.Deleted != 0 {
		return
	}
	if title == "" {
		title, ids = m.Title, m.ids()
	}
	for _, media := range m.Media {
		if media.Deleted != 0 {
			continue
		}
		for _, part := range media.Part {
			path, ok := f.wanted.Match(part.File)
			if !ok || f.seen[part.File] {
				continue
			}
			f.seen[part.File], f.met[path] = true, true
			item := mediaserver.Item{ID: m.Key, URL: f.pageOf(m.Key), Path: part.File, Size: part.Size, Title: title, IDs: ids}
			if m.GrandKey != "" {
				item.TitleID, item.TitleURL = m.GrandKey, f.pageOf(m.GrandKey)
			}
			f.found = append(f.found, item)
		}
	}
}

// complete reports whether there is a file for every path.
func (f *search) complete() bool { return len(f.met) == f.wanted.Len() }

// pageOf is an item's page in Plex's web app, once the server's own id is known.
func (s *server) pageOf(key string) string {
	machine := s.machine.Load()
	if machine == nil {
		return ""
	}
	return "https://app.plex.tv/desktop/#!/server/" + url.PathEscape(*machine) + "/details?key=" + url.QueryEscape("/library/metadata/"+key)
}
