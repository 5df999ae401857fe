package kodi

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hookarr/hookarr/plugins/internal/mediaserver"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/pathmap"
)

// rule is one of a filter, which compares without case; % and _ in its value stand for
// other text too.
func rule(field, operator, value string) map[string]any {
	return map[string]any{"field": field, "operator": operator, "value": value}
}

// entry is a movie, an episode, a song or a show.
type entry struct {
	MovieID, EpisodeID, SongID, TVShowID int
	File, Title, ShowTitle               string
	UniqueID                             map[string]string
}

// perQuery bounds the folders that one query asks for.
const perQuery = 20

// Find asks for what Kodi has in the folders of the paths.
func (k *kodi) Find(ctx context.Context, q mediaserver.Query) ([]mediaserver.Item, error) {
	known := k.spelled()
	var rules []map[string]any
	var asked []string
	for _, p := range q.Paths {
		folder, operator := pathmap.Dir(p), "is"
		if pathmap.Equal(p, q.Title.Path) {
			folder, operator = p, "startswith"
		}
		if !slices.Contains(asked, folder) {
			asked = append(asked, folder)
			rules = append(rules, rule("path", operator, known.spell(folder)+separatorOf(folder)))
		}
	}
	var items []mediaserver.Item
	for some := range slices.Chunk(rules, perQuery) {
		for _, in := range k.lists(q) {
			found, err := k.list(ctx, in, map[string]any{"or": some})
			if err != nil {
				return nil, err
			}
			items = append(items, found...)
		}
	}
	return items, nil
}

// list is one of Kodi's lists.
type list struct {
	method, name string
	properties   []string
}

// lists are those that may have a title's files.
func (k *kodi) lists(q mediaserver.Query) []list {
	movies := list{"VideoLibrary.GetMovies", "movies", []string{"file", "title", "uniqueid"}}
	episodes := list{"VideoLibrary.GetEpisodes", "episodes", []string{"file", "showtitle", "tvshowid"}}
	switch {
	case mediaOf(q.Library) == music:
		return []list{{"AudioLibrary.GetSongs", "songs", []string{"file", "title"}}}
	case q.Title.Kind == "series":
		return []list{episodes}
	case q.Title.Kind == "movie":
		return []list{movies}
	default:
		return []list{movies, episodes}
	}
}

func (k *kodi) list(ctx context.Context, in list, filter map[string]any) ([]mediaserver.Item, error) {
	entries, err := k.entries(ctx, in.method, in.name, map[string]any{"properties": in.properties, "filter": filter})
	if err != nil {
		return nil, err
	}
	known := k.spelled()
	shows := map[int]map[string]string{}
	var items []mediaserver.Item
	for _, e := range entries {
		item := mediaserver.Item{ID: strconv.Itoa(max(e.MovieID, e.EpisodeID, e.SongID)), Title: e.Title, IDs: e.UniqueID}
		if e.TVShowID != 0 {
			ids, ok := shows[e.TVShowID]
			if !ok {
				if ids, err = k.show(ctx, e.TVShowID); err != nil {
					return nil, err
				}
				shows[e.TVShowID] = ids
			}
			item.Title, item.IDs = e.ShowTitle, ids
		}
		for _, file := range filesOf(e.File) {
			item.Path = known.read(file)
			items = append(items, item)
		}
	}
	return items, nil
}

// entries reads a list, which an answer has by its name beside its limits.
func (k *kodi) entries(ctx context.Context, method, name string, params map[string]any) ([]entry, error) {
	var got map[string]json.RawMessage
	if err := k.call(ctx, method, params, &got); err != nil {
		return nil, err
	}
	var all []entry
	if raw, ok := got[name]; ok {
		if err := json.Unmarshal(raw, &all); err != nil {
			return nil, fmt.Errorf("read the answer to %s: %w", method, err)
		}
	}
	return all, nil
}

// show returns the ids of a show. One that went meanwhile has none.
func (k *kodi) show(ctx context.Context, id int) (map[string]string, error) {
	var got struct{ TVShowDetails entry }
	err := k.call(ctx, "VideoLibrary.GetTVShowDetails", map[string]any{"tvshowid": id, "properties": []string{"uniqueid"}}, &got)
	if refuses(err) {
		return nil, nil
	}
	return got.TVShowDetails.UniqueID, err
}

// filesOf are the files of an entry: several of a movie in parts.
func filesOf(file string) []string {
	parts, ok := strings.CutPrefix(file, "stack://")
	if !ok {
		return []string{file}
	}
	all := strings.Split(parts, " , ")
	for i := range all {
		all[i] = strings.ReplaceAll(all[i], ",,", ",")
	}
	return all
}

// FindTitle finds a movie or a show by its name, and wants one id to be the same.
func (k *kodi) FindTitle(ctx context.Context, l mediaserver.Library, t sdk.FolderTitle) (string, error) {
	method, name := "VideoLibrary.GetMovies", "movies"
	switch {
	case mediaOf(l) == music:
		return "", nil
	case t.Kind == "series":
		method, name = "VideoLibrary.GetTVShows", "tvshows"
	}
	entries, err := k.entries(ctx, method, name, map[string]any{"properties": []string{"file", "title", "uniqueid"}, "filter": rule("title", "is", t.Title)})
	if err != nil {
		return "", err
	}
	known := k.spelled()
	for _, e := range entries {
		for service, id := range t.IDs {
			if id == "" || e.UniqueID[service] != id {
				continue
			}
			folder := pathmap.Clean(known.read(filesOf(e.File)[0]))
			if name == "movies" {
				folder = pathmap.Dir(folder)
			}
			if l.Root(folder) != "" {
				return folder, nil
			}
		}
	}
	return "", nil
}
