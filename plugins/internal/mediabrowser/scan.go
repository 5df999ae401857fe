package mediabrowser

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/hookarr/hookarr/plugins/internal/mediaserver"
	"github.com/hookarr/hookarr/sdk/pathmap"
)

// Scope returns the folder to have refreshed for a change: that of the series or the artist,
// which is an item of its own, or the root of the library. The folder of a movie is no item
// (FileRefresher.GetAffectedBaseItem climbs past it), and the refresh of a movie reads its
// metadata and finds no other file (ProviderManager.RefreshItem looks for children of folders
// alone).
func (s *Server) Scope(l mediaserver.Library, c mediaserver.Change) string {
	root := l.Root(c.Path)
	if !shapeOf(c.Title.Kind).hasFolder() || pathmap.Equal(c.Path, root) {
		return root
	}
	if t := c.Title.Path; pathmap.Under(c.Path, t) && pathmap.Under(t, root) && !pathmap.Equal(t, root) {
		return t
	}
	at := c.Path
	for !pathmap.Equal(pathmap.Dir(at), root) && !pathmap.Equal(pathmap.Dir(at), at) {
		at = pathmap.Dir(at)
	}
	if !c.Folder && pathmap.Equal(at, c.Path) { // a file in the root itself
		return root
	}
	return at
}

// Scan refreshes the series or the artist that has the folder. What no known item has needs
// the refresh of the library, once for all that waits for it: while one runs, the next waits,
// and whatever it has brought is not asked for again. The refresh of a series does not wait:
// the server has a queue and drops nothing (ProviderManager.QueueRefresh), and a scan of all
// libraries may take an hour.
//
// The other way to tell of new files, Library/Media/Updated, is not used. It comes to the
// same refresh, of a library's root, because nothing nearer is known; but only 60 s after the
// last report of anybody, without an upper bound, nowhere to be seen until then, and not at
// all for a path that a rule ignores. The refresh of an item begins at once, is in the
// library's status, and is answered 404 when there is no such item. What it costs more is the
// library's other roots, where it has several.
func (s *Server) Scan(ctx context.Context, sc mediaserver.Scan) error {
	const lost = 1 // After as many refreshes of the item that came to nothing, the library's may do better.
	if sc.Again <= lost && !pathmap.Equal(sc.Folder, sc.Library.Root(sc.Folder)) {
		id, err := s.owner(ctx, sc)
		if err != nil {
			return err
		}
		if id != "" {
			err := s.refresh(ctx, id)
			if !errors.Is(err, mediaserver.ErrStale) {
				return err
			}
		}
	}
	done, err := s.settled(ctx, sc)
	if done || err != nil {
		return err
	}
	busy, err := s.Busy(ctx, sc.Library)
	if err != nil {
		return err
	}
	if busy {
		return mediaserver.ErrBusy
	}
	return s.refresh(ctx, sc.Library.ID)
}

// owner returns the id of the item that the folder is, or is in.
func (s *Server) owner(ctx context.Context, sc mediaserver.Scan) (string, error) {
	var title mediaserver.Title
	for _, c := range sc.Changes {
		if shapeOf(c.Title.Kind).hasFolder() {
			title = c.Title
			break
		}
	}
	if title.Kind == "" {
		return "", nil
	}
	title.Path = sc.Folder
	found, _, err := s.titles(ctx, sc.Library.ID, title, mediaserver.PathSet{})
	if err != nil {
		return "", err
	}
	for _, it := range found {
		if pathmap.Equal(it.Path, sc.Folder) {
			return it.ID, nil
		}
	}
	return "", nil
}

// settled reports whether the library is as the changes want it. Files that were replaced at
// their own paths have their metadata read again, of the item alone.
func (s *Server) settled(ctx context.Context, sc mediaserver.Scan) (bool, error) {
	byTitle := map[string][]mediaserver.Change{}
	for _, c := range sc.Changes {
		key := strings.Join([]string{c.Title.Kind, c.Title.Title, c.Title.Path}, "\x00")
		byTitle[key] = append(byTitle[key], c)
	}
	const most = 10 // titles, each of which costs some requests
	if len(byTitle) > most {
		return false, nil
	}
	var again []string
	for _, changes := range byTitle {
		q := mediaserver.Query{Library: sc.Library, Title: changes[0].Title}
		for _, c := range changes {
			q.Paths = append(q.Paths, c.Path)
			q.Absence = q.Absence || c.Gone
		}
		items, err := s.Find(ctx, q)
		if err != nil {
			return false, err
		}
		paths, at := mediaserver.NewPathSet(q.Paths...), map[string]mediaserver.Item{}
		for _, it := range items {
			if p, ok := paths.Match(it.Path); ok {
				at[p] = it
			}
		}
		for _, c := range changes {
			it, there := at[c.Path]
			if there == c.Gone {
				return false, nil
			}
			// Where something went, the file came from there, and was read when it was found.
			if there && !c.Fresh && !q.Absence && !slices.Contains(again, it.ID) {
				again = append(again, it.ID)
			}
		}
	}
	for _, id := range again {
		if err := s.refresh(ctx, id); err != nil {
			return false, err
		}
	}
	return true, nil
}
