package mediabrowser

import (
	"context"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hookarr/hookarr/plugins/internal/mediaserver"
	"github.com/hookarr/hookarr/sdk/pathmap"
)

// page is how many items are asked for at once.
const page = 200

// item is a movie, an episode, a series and so on.
type item struct {
	ID               string `json:"Id"`
	Name             string
	Path             string
	ProviderIDs      map[string]string `json:"ProviderIds"`
	DateCreated      string
	SeriesID         string `json:"SeriesId"`
	SeriesName       string
	MediaSourceCount int
	MediaSources     []struct {
		Path string
		Size int64
	}
}

// shape says which items stand for a kind of media.
type shape struct {
	// titles are those with the ids, leaves those with the files. A movie is both.
	titles, leaves string
}

func shapeOf(kind string) shape {
	switch kind {
	case "movie", "scene":
		return shape{titles: "Movie,Video", leaves: "Movie,Video"}
	case "series":
		return shape{titles: "Series", leaves: "Episode"}
	case "artist":
		return shape{titles: "MusicArtist", leaves: "Audio"}
	case "author", "book":
		return shape{titles: "AudioBook,Book", leaves: "AudioBook,Book"}
	default:
		const all = "Movie,Video,Episode,Audio,AudioBook,Book,MusicVideo"
		return shape{titles: all, leaves: all}
	}
}

// hasFolder reports whether the title is a folder with leaves below it.
func (sh shape) hasFolder() bool { return sh.titles != sh.leaves }

// items asks for one page of items below a parent: a library or a title.
func (s *Server) items(ctx context.Context, parent string, query url.Values) (all []item, total int, err error) {
	q := url.Values{
		"Recursive": {"true"}, "Fields": {s.brand.fields}, "Limit": {strconv.Itoa(page)}, "EnableImages": {"false"}, "EnableUserData": {"false"},
	}
	if parent != "" {
		q.Set("ParentId", parent)
	}
	maps.Copy(q, query)
	var answer struct {
		Items            []item
		TotalRecordCount int
	}
	if err := s.get(ctx, "/Items", q, &answer); err != nil {
		return nil, 0, notTheAPI(err)
	}
	// Whatever the server takes for a page: items are compared with each other.
	return answer.Items[:min(len(answer.Items), page)], answer.TotalRecordCount, nil
}

// pages asks for one page after the other, at most so many, until enough has them.
func (s *Server) pages(ctx context.Context, parent string, query url.Values, most int, enough func([]item) bool) error {
	for n := range most {
		q := url.Values{"StartIndex": {strconv.Itoa(n * page)}}
		maps.Copy(q, query)
		all, total, err := s.items(ctx, parent, q)
		if err != nil {
			return err
		}
		if enough(all) || len(all) == 0 || n*page+len(all) >= total {
			return nil
		}
	}
	return nil
}

// titles returns what a library has of a title: by its folder or a path, or by an id
// elsewhere. No server can be asked for a folder, and Jellyfin for no id either: it is
// asked for the name, which may be in another language there, and then for the years
// around. It ends with the first that has an item in the folder.
func (s *Server) titles(ctx context.Context, library string, t mediaserver.Title, paths mediaserver.PathSet) (found []item, placed bool, err error) {
	for _, q := range s.questions(t) {
		q.Set("IncludeItemTypes", shapeOf(t.Kind).titles)
		const most = 10 // pages: 2,000 titles of three years
		err := s.pages(ctx, library, q, most, func(all []item) bool {
			for _, it := range all {
				in := it.isIn(t.Path, paths)
				if (in || mediaserver.ShareID(t.IDs, it.ids())) && !slices.ContainsFunc(found, func(had item) bool { return had.ID == it.ID }) {
					found = append(found, it)
				}
				placed = placed || in
			}
			return false
		})
		if err != nil {
			return nil, false, err
		}
		if placed {
			break
		}
	}
	return found, placed, nil
}

// questions are the queries by which a title may be found, the cheapest first.
func (s *Server) questions(t mediaserver.Title) []url.Values {
	var all []url.Values
	if ids := elsewhere(t.IDs); s.brand.finds && ids != "" {
		all = append(all, url.Values{"AnyProviderIdEquals": {ids}})
	}
	// Applications put the year behind names that several titles have.
	if name := strings.TrimSuffix(t.Title, " ("+strconv.Itoa(t.Year)+")"); name != "" {
		all = append(all, url.Values{"SearchTerm": {name}})
	}
	if t.Year > 0 && !s.brand.finds {
		years := []string{strconv.Itoa(t.Year - 1), strconv.Itoa(t.Year), strconv.Itoa(t.Year + 1)}
		all = append(all, url.Values{"Years": {strings.Join(years, ",")}})
	}
	return all
}

// elsewhere writes ids as Emby's filter has them: tmdb.123,imdb.tt1.
func elsewhere(ids map[string]string) string {
	var all []string
	for _, service := range []string{"tmdb", "tvdb", "imdb"} {
		if id := ids[service]; id != "" {
			all = append(all, service+"."+id)
		}
	}
	return strings.Join(all, ",")
}

// isIn reports whether an item is a title's folder, in it, or at one of the paths.
func (it item) isIn(folder string, paths mediaserver.PathSet) bool {
	if it.Path == "" {
		return false
	}
	_, ok := paths.Match(it.Path)
	return ok || folder != "" && pathmap.Under(it.Path, folder)
}

// before reports whether an item came to the library before a time. It does not where that is
// not told.
func (it item) before(at time.Time) bool {
	created, err := time.Parse(time.RFC3339, it.DateCreated)
	return err == nil && created.Before(at)
}

// ids are an item's, keyed like those of sdk.Media.
func (it item) ids() map[string]string {
	ids := map[string]string{}
	for service, id := range it.ProviderIDs {
		service = strings.ToLower(service)
		if service == "musicbrainzartist" {
			service = "musicbrainz"
		}
		ids[service] = id
	}
	return ids
}
