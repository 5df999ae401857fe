// Package mediabrowser asks Jellyfin and Emby, whose APIs come from the one of Media
// Browser.
//
// What is told of Jellyfin's inside is by its sources, at 12.0.
package mediabrowser

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"strings"

	"github.com/hookarr/hookarr/plugins/internal/mediaserver"
	"github.com/hookarr/hookarr/sdk"
)

// Server is one Jellyfin or Emby.
type Server struct {
	http  *sdk.HTTP
	brand Brand
	base  string
	key   sdk.Secret
}

// New returns the target of a server. It does no I/O. Times in o that are zero are the
// usual ones.
func New(env sdk.Env, b Brand, c Config, o mediaserver.Options) (*mediaserver.Target, error) {
	o.Kind, o.Name, o.Queues = b.Kind, b.Name, true
	return mediaserver.New(env, &Server{http: env.HTTP, brand: b, base: c.base(), key: c.APIKey}, o, c.Config)
}

// Check logs in and asks for what only administrators are told.
func (s *Server) Check(ctx context.Context) (string, error) {
	var a about
	if err := s.get(ctx, "/System/Info", nil, &a); err != nil {
		return "", fmt.Errorf("log in to %s: %w", s.brand.Name, err)
	}
	if a.Version == "" {
		return "", sdk.Misconfigured(fmt.Errorf("what answers does not say its version: is %s at the URL?", s.brand.Name))
	}
	if s.brand.Kind == "jellyfin" && !a.isJellyfin() {
		return "", sdk.Misconfigured(errors.New(s.brand.refused(a)))
	}
	if err := s.get(ctx, "/ScheduledTasks", nil, nil); err != nil {
		return "", fmt.Errorf("ask %s for what only administrators are told: %w", s.brand.Name, err)
	}
	return fmt.Sprintf("%s %s on %s", s.brand.Name, a.Version, a.ServerName), nil
}

// virtualFolder is a library as the server tells it.
type virtualFolder struct {
	Name           string
	Locations      []string
	CollectionType string
	ItemID         string `json:"ItemId"`
	RefreshStatus  string
}

// virtualFolders reads the libraries that are on disks.
func (s *Server) virtualFolders(ctx context.Context) ([]virtualFolder, error) {
	var err error
	for _, path := range s.brand.folders {
		var folders folderList
		if err = s.get(ctx, path, nil, &folders); err == nil {
			return folders.usable(), nil
		}
		if mediaserver.StatusOf(err) != http.StatusNotFound {
			break
		}
	}
	return nil, err
}

// folderList is a list, or a page of one.
type folderList []virtualFolder

// UnmarshalJSON reads either.
func (l *folderList) UnmarshalJSON(raw []byte) error {
	if strings.HasPrefix(string(raw), "[") {
		return decode(raw, (*[]virtualFolder)(l))
	}
	var page struct{ Items []virtualFolder }
	err := decode(raw, &page)
	*l = page.Items
	return err
}

// usable leaves out what has no folders of its own.
func (l folderList) usable() []virtualFolder {
	var all []virtualFolder
	for _, f := range l {
		switch f.CollectionType {
		case "boxsets", "playlists", "livetv", "trailers", "photos":
			continue
		}
		if f.ItemID != "" && len(f.Locations) > 0 {
			all = append(all, f)
		}
	}
	return all
}

// Libraries returns the libraries.
func (s *Server) Libraries(ctx context.Context) ([]mediaserver.Library, error) {
	folders, err := s.virtualFolders(ctx)
	if err != nil {
		return nil, err
	}
	libs := make([]mediaserver.Library, 0, len(folders))
	for _, f := range folders {
		libs = append(libs, mediaserver.Library{ID: f.ItemID, Name: f.Name, Kinds: kinds(f.CollectionType), Roots: f.Locations})
	}
	return libs, nil
}

// kinds are those of sdk.Media that a library of a type holds; none is any.
func kinds(collectionType string) []string {
	switch strings.ToLower(collectionType) {
	case "movies":
		return []string{"movie", "scene"}
	case "tvshows":
		return []string{"series"}
	case "music":
		return []string{"artist"}
	case "books", "audiobooks":
		return []string{"author", "book"}
	default:
		return nil
	}
}

// Busy reports whether a library is refreshed as a whole, or will be. The refresh of a series
// is not told.
func (s *Server) Busy(ctx context.Context, l mediaserver.Library) (bool, error) {
	folders, err := s.virtualFolders(ctx)
	if err != nil {
		return false, err
	}
	for _, f := range folders {
		if f.ItemID == l.ID {
			return f.RefreshStatus == "Active" || f.RefreshStatus == "Queued", nil
		}
	}
	return false, mediaserver.ErrStale
}

// List returns the names of what is in a folder.
func (s *Server) List(ctx context.Context, folder string) ([]string, error) {
	var entries []struct{ Name string }
	query := url.Values{"path": {folder}, "includeFiles": {"true"}, "includeDirectories": {"true"}}
	err := s.get(ctx, "/Environment/DirectoryContents", query, &entries)
	if err != nil {
		return nil, s.unlisted(ctx, folder, err)
	}
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		names = append(names, e.Name)
	}
	return names, nil
}

// unlisted tells a folder that is not there from other errors: not every version answers
// 404 for it, and other servers do for anything.
func (s *Server) unlisted(ctx context.Context, folder string, err error) error {
	switch mediaserver.StatusOf(err) {
	case http.StatusNotFound:
		if s.about(ctx).Version == "" {
			return notTheAPI(err)
		}
		return fs.ErrNotExist
	case http.StatusBadRequest, http.StatusInternalServerError:
		// Jellyfin reads the path in the body, Emby in the query.
		in := map[string]any{"Path": folder, "IsFile": false}
		there := s.send(ctx, http.MethodPost, "/Environment/ValidatePath", url.Values{"Path": {folder}}, in, nil)
		if mediaserver.StatusOf(there) == http.StatusNotFound {
			return fs.ErrNotExist
		}
	}
	return err
}
