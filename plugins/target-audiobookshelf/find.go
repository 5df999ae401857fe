package audiobookshelf

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strconv"

	"github.com/hookarr/hookarr/plugins/internal/mediaserver"
)

// item is a book: a folder, or a file that lies in the library's folder itself.
type item struct {
	ID        string
	Path      string
	IsMissing bool
	Media     struct{ Metadata struct{ Title string } }
	// LibraryFiles are told of one item alone.
	LibraryFiles []struct {
		Metadata struct {
			Path string
			Size int64
		}
	}
}

// Find looks for the books of the paths among those that came last and those that changed
// last. The whole library, which has no filter for paths, is looked through where that is
// not enough: for what is to be gone, and when a scan seems to be lost. Then it asks for the
// files of each.
func (a *audiobookshelf) Find(ctx context.Context, q mediaserver.Query) ([]mediaserver.Item, error) {
	books, err := a.books(ctx, q)
	if err != nil {
		return nil, err
	}
	var items []mediaserver.Item
	for _, id := range books {
		var book item
		err := a.get(ctx, "/api/items/"+url.PathEscape(id), url.Values{"expanded": {"1"}}, &book)
		if errors.Is(err, mediaserver.ErrStale) {
			continue // it went meanwhile
		}
		if err != nil {
			return nil, err
		}
		for _, f := range book.LibraryFiles {
			items = append(items, mediaserver.Item{
				ID: book.ID, URL: a.base + "/item/" + url.PathEscape(book.ID), Path: f.Metadata.Path, Size: f.Metadata.Size, Title: book.Media.Metadata.Title,
			})
		}
	}
	return items, nil
}

const (
	// few are the items that are looked at before the whole library is.
	few = 100
	// size and most bound the whole: 250 items a page, 400 pages.
	size = 250
	most = 400
)

// books returns the ids of the books that have one of the paths.
func (a *audiobookshelf) books(ctx context.Context, q mediaserver.Query) ([]string, error) {
	wanted := mediaserver.NewPathSet(q.Paths...)
	found := map[string]bool{} // paths
	var ids []string
	take := func(items []item) {
		byPath := map[string]string{}
		paths := make([]string, 0, len(items))
		for _, i := range items {
			if i.IsMissing {
				continue
			}
			byPath[i.Path] = i.ID
			paths = append(paths, i.Path)
			if _, in := wanted.Match(i.Path); in && !slices.Contains(ids, i.ID) {
				ids = append(ids, i.ID)
			}
		}
		books := mediaserver.NewPathSet(paths...)
		for _, p := range q.Paths {
			book, ok := books.Match(p)
			found[p] = found[p] || ok
			if id := byPath[book]; ok && !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	all := func() bool { return !slices.ContainsFunc(q.Paths, func(p string) bool { return !found[p] }) }
	for _, sort := range []string{"addedAt", "mtimeMs"} {
		items, err := a.page(ctx, q.Library.ID, sort, few, 0)
		if err != nil {
			return nil, err
		}
		if take(items); all() {
			return ids, nil
		}
	}
	if !q.Absence && !q.Thorough {
		return ids, nil
	}
	for page := range most {
		items, err := a.page(ctx, q.Library.ID, "addedAt", size, page)
		if err != nil {
			return nil, err
		}
		if take(items); len(items) < size {
			break
		}
	}
	return ids, nil
}

func (a *audiobookshelf) page(ctx context.Context, library, sort string, limit, page int) ([]item, error) {
	var got struct{ Results []item }
	query := url.Values{"sort": {sort}, "desc": {"1"}, "limit": {strconv.Itoa(limit)}, "page": {strconv.Itoa(page)}, "minified": {"1"}}
	err := a.get(ctx, "/api/libraries/"+url.PathEscape(library)+"/items", query, &got)
	return got.Results[:min(len(got.Results), limit)], err
}
