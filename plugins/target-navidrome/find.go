package navidrome

import (
	"context"
	"errors"
	"net/url"
	"path"
	"strings"
	"unicode"

	"github.com/hookarr/hookarr/plugins/internal/mediaserver"
	"github.com/hookarr/hookarr/sdk/pathmap"
)

// unproven is what is said of a song that was found by its names alone.
const unproven = "Navidrome has it by its tags; it was scanned and is not proven by path, which only the API of the web pages tells, or a player that reports real paths"

// Find asks for the songs in the folders of the paths. Where only the Subsonic API can be
// used, it looks for songs that are called like the files.
func (n *navidrome) Find(ctx context.Context, q mediaserver.Query) ([]mediaserver.Item, error) {
	if q.Library.ID == "" {
		return n.findByName(ctx, q)
	}
	items, err := n.findByPath(ctx, q)
	if errors.Is(err, errNoPages) {
		return n.findByName(ctx, q)
	}
	return items, err
}

func (n *navidrome) findByPath(ctx context.Context, q mediaserver.Query) ([]mediaserver.Item, error) {
	root := q.Library.Roots[0]
	var items []mediaserver.Item
	asked := map[string]bool{}
	for _, p := range q.Paths {
		folder := pathmap.Dir(p)
		if pathmap.Equal(p, q.Title.Path) {
			folder = p
		}
		if asked[folder] {
			continue
		}
		asked[folder] = true
		// The path is how it begins, in any case: the engine compares the whole.
		query := url.Values{"path": {relative(folder, root)}, "library_id": {q.Library.ID}, "missing": {"false"}}
		err := n.songs(ctx, query, func(s song) {
			if !s.Missing {
				items = append(items, mediaserver.Item{
					ID: s.ID, URL: n.pageOf(s.AlbumID), Path: s.at(root), Size: s.Size, Title: s.Title,
				})
			}
		})
		if err != nil {
			return nil, err
		}
	}
	return items, nil
}

// pageOf is the page of an album.
func (n *navidrome) pageOf(album string) string {
	return n.base + "/app/#/album/" + url.PathEscape(album) + "/show"
}

// child is a song of the Subsonic API. Its path is made of its tags, unless the player is
// set to report real ones.
type child struct {
	ID, Title, AlbumID, Path string
}

// findByName takes a song for a file when it is of the album that was imported, has the
// same kind of file, and its title is in the file's name. That counts once a scan ended
// that began after it was asked for.
func (n *navidrome) findByName(ctx context.Context, q mediaserver.Query) ([]mediaserver.Item, error) {
	now, err := n.status(ctx)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	before := n.before
	n.mu.Unlock()
	if now.Scanning || !now.LastScan.After(before) {
		return nil, nil
	}
	songs, err := n.candidates(ctx, q)
	if err != nil {
		return nil, err
	}
	var items []mediaserver.Item
	for _, p := range q.Paths {
		for _, s := range songs {
			item := mediaserver.Item{ID: s.ID, URL: n.pageOf(s.AlbumID), Path: p, Title: s.Title}
			switch {
			case pathmap.Absolute(s.Path) && pathmap.Equal(s.Path, p):
			case !pathmap.Absolute(s.Path) && strings.EqualFold(path.Ext(s.Path), path.Ext(p)) && s.Title != "" && strings.Contains(plain(pathmap.Base(p)), plain(s.Title)):
				item.Note = unproven
			default:
				continue
			}
			items = append(items, item)
			break
		}
	}
	return items, nil
}

// candidates are the songs of the albums that the events name, by their MusicBrainz ids or
// else by their names.
func (n *navidrome) candidates(ctx context.Context, q mediaserver.Query) ([]child, error) {
	var found []child
	asked := map[string]bool{}
	for _, e := range q.Events {
		for _, album := range e.Albums {
			key := album.IDs["musicbrainz"]
			if key == "" {
				key = q.Title.Title + " " + album.Title
			}
			if asked[key] {
				continue
			}
			asked[key] = true
			some, err := n.album(ctx, key, q.Title.Title+" "+album.Title)
			if err != nil {
				return nil, err
			}
			found = append(found, some...)
		}
	}
	return found, nil
}

// album returns the songs of the albums that have a MusicBrainz id, or what is found by
// names.
func (n *navidrome) album(ctx context.Context, id, names string) ([]child, error) {
	var songs []child
	if id != names {
		var got struct {
			SearchResult3 struct{ Album []struct{ ID string } }
		}
		if err := n.rest(ctx, "search3", url.Values{"query": {id}, "artistCount": {"0"}, "albumCount": {"10"}, "songCount": {"0"}}, &got); err != nil {
			return nil, err
		}
		for _, a := range got.SearchResult3.Album {
			var one struct{ Album struct{ Song []child } }
			if err := n.rest(ctx, "getAlbum", url.Values{"id": {a.ID}}, &one); err != nil {
				return nil, err
			}
			songs = append(songs, one.Album.Song...)
		}
	}
	if len(songs) > 0 {
		return songs, nil
	}
	var got struct{ SearchResult3 struct{ Song []child } }
	err := n.rest(ctx, "search3", url.Values{"query": {names}, "artistCount": {"0"}, "albumCount": {"0"}, "songCount": {"500"}}, &got)
	return got.SearchResult3.Song, err
}

// plain leaves of a name its letters and digits.
func plain(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, name)
}
