package mediabrowser

import (
	"context"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/hookarr/hookarr/plugins/internal/mediaserver"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/pathmap"
)

// Find returns the files that the library has of a title. It looks for the title, and for
// the files below it. Only where no title is in the folder, the files are looked for
// themselves: by their paths, or among the newest.
func (s *Server) Find(ctx context.Context, q mediaserver.Query) ([]mediaserver.Item, error) {
	f := &finding{Server: s, query: q, paths: mediaserver.NewPathSet(q.Paths...), shape: shapeOf(q.Title.Kind)}
	titles, placed, err := s.titles(ctx, q.Library.ID, q.Title, f.paths)
	if err != nil {
		return nil, err
	}
	if f.shape.hasFolder() {
		err = f.below(ctx, titles)
	} else {
		err = f.add(ctx, nil, titles)
	}
	if err != nil {
		return nil, err
	}
	lacking := f.lacking()
	// All that is below a title was read, and its folder is the title's.
	known := placed && f.shape.hasFolder() && !q.Thorough
	switch {
	case len(lacking) == 0 || known:
	case s.brand.finds:
		err = f.exactly(ctx, lacking)
	case !placed || q.Thorough:
		err = f.newest(ctx)
	}
	return f.found, err
}

// FindTitle returns the folder of a title that has one of the ids.
func (s *Server) FindTitle(ctx context.Context, l mediaserver.Library, t sdk.FolderTitle) (string, error) {
	t.Path = ""
	titles, _, err := s.titles(ctx, l.ID, t, mediaserver.PathSet{})
	if err != nil {
		return "", err
	}
	for _, it := range titles {
		folder := it.Path
		if !shapeOf(t.Kind).hasFolder() {
			folder = pathmap.Dir(folder)
		}
		isRoot := func(root string) bool { return pathmap.Equal(root, folder) }
		if mediaserver.ShareID(t.IDs, it.ids()) && it.Path != "" && !slices.ContainsFunc(l.Roots, isRoot) {
			return folder, nil
		}
	}
	return "", nil
}

// finding gathers the files that a query is for.
type finding struct {
	*Server
	query mediaserver.Query
	paths mediaserver.PathSet // the query's
	shape shape
	found []mediaserver.Item
}

// lacking are the paths that nothing was found at.
func (f *finding) lacking() []string {
	found := map[string]bool{}
	for _, it := range f.found {
		if p, ok := f.paths.Match(it.Path); ok {
			found[p] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(f.query.Paths), func(p string) bool { return found[p] })
}

// below reads the episodes of a series, or the tracks of an artist.
func (f *finding) below(ctx context.Context, titles []item) error {
	for _, t := range titles {
		const most = 25 // pages: 5,000 files
		var all []item
		err := f.pages(ctx, t.ID, url.Values{"IncludeItemTypes": {f.shape.leaves}}, most, func(some []item) bool {
			all = append(all, some...)
			return false
		})
		if err != nil {
			return err
		}
		if err := f.add(ctx, &t, all); err != nil {
			return err
		}
	}
	return nil
}

// add takes the files of items, which are below a title or titles themselves.
func (f *finding) add(ctx context.Context, title *item, all []item) error {
	var closer []string // ids of items to ask more of
	for _, it := range all {
		versions := it.MediaSourceCount > 1 || f.brand.finds && !f.shape.hasFolder()
		if versions || f.replaced() && it.isIn("", f.paths) {
			closer = append(closer, it.ID)
		}
	}
	for ids := range slices.Chunk(closer, 50) { // 50 ids are 2 KiB of an URL, of which 8 KiB are usual
		detailed, _, err := f.items(ctx, "", url.Values{"Ids": {strings.Join(ids, ",")}, "Fields": {f.brand.fields + ",MediaSources"}})
		if err != nil {
			return err
		}
		for _, d := range detailed {
			if i := slices.IndexFunc(all, func(it item) bool { return it.ID == d.ID }); i >= 0 {
				all[i].MediaSources = d.MediaSources
			}
		}
	}
	for _, it := range all {
		f.found = append(f.found, f.files(title, it)...)
	}
	return nil
}

// replaced reports whether files may have been replaced at their own paths: their sizes
// are looked at then.
func (f *finding) replaced() bool {
	return slices.ContainsFunc(f.query.Events, func(e sdk.Event) bool { return e.Upgrade || len(e.DeletedFiles) > 0 })
}

// files are those of an item: one, or as many as it has versions.
func (f *finding) files(title *item, it item) []mediaserver.Item {
	file := mediaserver.Item{ID: it.ID, URL: f.base + f.brand.page + url.QueryEscape(it.ID), Path: it.Path}
	switch {
	case title != nil:
		file.Title, file.IDs = title.Name, title.ids()
	case it.SeriesName != "":
		file.Title = it.SeriesName // its ids are not told with an episode
	default:
		file.Title, file.IDs = it.Name, it.ids()
	}
	all := []mediaserver.Item{file}
	for _, source := range it.MediaSources {
		if pathmap.Equal(source.Path, it.Path) {
			all[0].Size = source.Size
			continue
		}
		version := file
		version.Path, version.Size = source.Path, source.Size
		all = append(all, version)
	}
	return all
}

// exactly asks for files by their paths, which Emby alone can be asked for.
func (f *finding) exactly(ctx context.Context, paths []string) error {
	const most = 50 // a title's own items were looked at before
	for _, p := range paths[:min(len(paths), most)] {
		if path.Ext(pathmap.Base(p)) == "" {
			continue // a folder
		}
		all, _, err := f.items(ctx, f.query.Library.ID, url.Values{"Path": {p}, "IncludeItemTypes": {f.shape.leaves}})
		if err != nil {
			return err
		}
		if err := f.add(ctx, nil, slices.DeleteFunc(all, func(it item) bool { return it.Path != "" && !pathmap.Equal(it.Path, p) })); err != nil {
			return err
		}
	}
	return nil
}

// newest looks among the items that the library got last, for a title that the server takes
// for another. What is older than the events by so much that no clock and no file system's
// date explains it ends the search.
func (f *finding) newest(ctx context.Context) error {
	const slack = 30 * 24 * time.Hour
	most := 1 // page
	if f.query.Thorough || f.query.Absence {
		most = 10
	}
	since := time.Time{}
	for _, e := range f.query.Events {
		if at := e.Time.Add(-slack); since.IsZero() || at.Before(since) {
			since = at
		}
	}
	query := url.Values{"IncludeItemTypes": {f.shape.leaves}, "SortBy": {"DateCreated"}, "SortOrder": {"Descending"}}
	var all []item
	err := f.pages(ctx, f.query.Library.ID, query, most, func(some []item) bool {
		old := false
		for _, it := range some {
			if it.isIn(f.query.Title.Path, f.paths) {
				all = append(all, it)
			}
			old = old || it.before(since)
		}
		return old || len(all) >= len(f.query.Paths)
	})
	if err != nil {
		return err
	}
	return f.add(ctx, nil, all)
}
