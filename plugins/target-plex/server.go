package plex

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"slices"

	"github.com/hookarr/hookarr/plugins/internal/mediaserver"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/pathmap"
)

// Libraries is mediaserver.Server's.
func (s *server) Libraries(ctx context.Context) ([]mediaserver.Library, error) {
	c, err := s.get(ctx, "/library/sections", nil)
	if err != nil {
		return nil, s.notPlex(err)
	}
	if s.machine.Load() == nil {
		about, err := s.get(ctx, "/identity", nil)
		if err != nil {
			return nil, err
		}
		s.machine.Store(&about.MediaContainer.Machine)
	}
	var libs []mediaserver.Library
	for _, d := range c.MediaContainer.Directory {
		l := mediaserver.Library{ID: d.Key, Name: d.Title, Kinds: kindsOf(d.Type)}
		for _, at := range d.Location {
			l.Roots = append(l.Roots, at.Path)
		}
		libs = append(libs, l)
	}
	return libs, nil
}

// kindsOf are the kinds of sdk.Media that go into a library of a type. Scenes are movies
// or episodes, as their owner likes; Plex has books as music.
func kindsOf(typ string) []string {
	switch typ {
	case "movie":
		return []string{"movie", "scene"}
	case "show":
		return []string{"series", "scene"}
	case "artist":
		return []string{"artist", "author", "book"}
	default:
		return []string{typ}
	}
}

// Scan is mediaserver.Server's.
func (s *server) Scan(ctx context.Context, scan mediaserver.Scan) error {
	path := "/library/sections/" + url.PathEscape(scan.Library.ID) + "/refresh"
	query := url.Values{"path": {scan.Folder}}
	method, other := http.MethodGet, http.MethodPost
	if s.posts.Load() {
		method, other = other, method
	}
	err := s.do(ctx, method, path, query, nil)
	// Plex says 404 for a method that it does not take, as for a library that is gone.
	if status := mediaserver.StatusOf(err); status != http.StatusNotFound && status != http.StatusMethodNotAllowed {
		return err
	}
	if second := s.do(ctx, other, path, query, nil); second == nil {
		s.posts.Store(other == http.MethodPost)
		return nil
	}
	return err
}

// Busy is mediaserver.Busier's.
func (s *server) Busy(ctx context.Context, l mediaserver.Library) (bool, error) {
	c, err := s.get(ctx, "/library/sections", nil)
	if err != nil {
		return false, s.notPlex(err)
	}
	i := slices.IndexFunc(c.MediaContainer.Directory, func(d directory) bool { return d.Key == l.ID })
	return i >= 0 && bool(c.MediaContainer.Directory[i].Refreshing), nil
}

// List is mediaserver.Looker's. The call is not in Plex's description; its own apps have it
// for the choice of a library's folders.
func (s *server) List(ctx context.Context, folder string) ([]string, error) {
	names, err := s.browse(ctx, folder)
	if err != nil || len(names) > 0 {
		return names, err
	}
	// For a folder that is not there the answer may be that nothing is in it.
	up := pathmap.Dir(folder)
	if pathmap.Equal(up, folder) {
		return nil, nil
	}
	beside, err := s.browse(ctx, up)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(beside, pathmap.Base(folder)) {
		return nil, fmt.Errorf("%s: %w", folder, fs.ErrNotExist)
	}
	return nil, nil
}

func (s *server) browse(ctx context.Context, folder string) ([]string, error) {
	const browse = "/services/browse"
	c, err := s.get(ctx, browse+"/"+base64.StdEncoding.EncodeToString([]byte(folder)), url.Values{"includeFiles": {"1"}})
	if errors.Is(err, mediaserver.ErrStale) {
		if _, err := s.get(ctx, browse, nil); errors.Is(err, mediaserver.ErrStale) {
			return nil, fmt.Errorf("browse folders: %w", errors.ErrUnsupported)
		}
		return nil, fmt.Errorf("%s: %w", folder, fs.ErrNotExist)
	}
	if err != nil {
		return nil, err
	}
	var names []string
	for _, in := range slices.Concat(c.MediaContainer.Path, c.MediaContainer.File) {
		names = append(names, pathmap.Base(in.Path))
	}
	return names, nil
}

// FindTitle is mediaserver.TitleFinder's.
func (s *server) FindTitle(ctx context.Context, l mediaserver.Library, t sdk.FolderTitle) (string, error) {
	found, err := s.titles(ctx, l, t)
	if err != nil {
		return "", err
	}
	for i := range found {
		if !mediaserver.ShareID(found[i].ids(), t.IDs) {
			continue
		}
		for _, media := range found[i].Media {
			for _, part := range media.Part {
				return pathmap.Dir(part.File), nil
			}
		}
		c, err := s.get(ctx, "/library/metadata/"+url.PathEscape(found[i].Key), nil)
		if err != nil {
			return "", err
		}
		for _, m := range c.MediaContainer.Metadata {
			for _, at := range m.Location {
				return at.Path, nil
			}
		}
	}
	return "", nil
}
