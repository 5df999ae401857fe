package library

import (
	"slices"
	"strings"

	"github.com/hookarr/hookarr/sdk"
)

// ofTitle is what an event says of its title.
func ofTitle(e sdk.Event) statement {
	m := e.Media
	s := statement{}
	s.say("app", e.App)
	s.say("title", m.Title)
	s.say("year", m.Year)
	s.say("release_date", m.ReleaseDate)
	s.say("path", m.Path)
	s.say("original_language", m.OriginalLanguage)
	s.say("tags", m.Tags)
	s.say("quality_profile", m.QualityProfile)
	s.say("added_at", m.AddedAt)
	s.say("certification", m.Certification)
	s.say("runtime_minutes", m.RuntimeMinutes)
	s.say("monitored", m.Monitored)
	s.say("fanart", m.Fanart)
	for service, id := range m.IDs {
		s.say(idPrefix+service, id)
	}
	// An event about one album has its cover, and may have its plot and genres. A snapshot's
	// of an artist with one album has the artist's.
	whole := len(e.Files) == 0 && (e.Type == sdk.TypeMediaAdded || e.Type == sdk.TypeMediaUpdated)
	if whole || len(e.Albums) != 1 {
		s.say("poster", m.Poster)
		s.say("overview", m.Overview)
		s.say("genres", m.Genres)
	}
	for _, name := range e.Fields {
		if name = strings.TrimPrefix(name, "media."); slices.Contains(titleFields(), name) {
			s.clear(name) // it changed, and to nothing unless the event says more
		}
	}
	return s
}

// titleFields are those that an event can say to be none.
func titleFields() []string {
	return []string{
		"year", "release_date", "path", "original_language", "tags", "quality_profile", "added_at", "certification", "runtime_minutes",
		"monitored", "fanart", "poster", "overview", "genres",
	}
}

// said is a part, and what an event says of it.
type said struct {
	Key
	statement
}

// ofParts is what an event says of episodes, albums and tracks. Those without an id cannot
// be told from others and are left out.
func ofParts(e sdk.Event) []said {
	var all []said
	add := func(kind, id string, fill func(s statement)) {
		if id == "" {
			return
		}
		s := statement{}
		fill(s)
		all = append(all, said{Key{kind, id}, s})
	}
	for _, p := range e.Episodes {
		add(KindEpisode, p.ID, func(s statement) {
			s["season"] = number(p.Season)
			s.say("number", p.Number)
			s.say("code", p.Code)
			s.say("title", p.Title)
			s.say("air_date", p.AirDate)
			s.say("overview", p.Overview)
		})
	}
	for _, p := range e.Albums {
		add(KindAlbum, p.ID, func(s statement) {
			s.say("title", p.Title)
			s.say("album_type", p.Type)
			s.say("release_date", p.ReleaseDate)
			s.say("ids", p.IDs)
		})
	}
	for _, p := range e.Tracks {
		add(KindTrack, p.ID, func(s statement) {
			s.say("title", p.Title)
			s.say("track_number", p.Number)
			if len(e.Albums) == 1 {
				s.say(fieldAlbum, e.Albums[0].ID)
			}
		})
	}
	return all
}

// fieldAlbum is the field of a track that says what album it is on.
const fieldAlbum = "album"

// ofFile is what an event says of a file. A whole file has no other values.
func ofFile(f sdk.File, whole bool) statement {
	s := statement{}
	s.say("relative_path", f.RelativePath)
	s.say("size_bytes", f.SizeBytes)
	s.say("quality", f.Quality)
	s.say("languages", f.Languages)
	s.say("release_group", f.ReleaseGroup)
	s.say("scene_name", f.SceneName)
	s.say("edition", f.Edition)
	s.say("media_info", f.MediaInfo)
	if whole {
		s.clear("relative_path", "size_bytes", "quality", "languages", "release_group", "scene_name", "edition", "media_info")
	}
	return s
}

// ofWork reports whether a deletion is of an album or a book, while its artist or author
// stays. Webhooks of old versions do not name the work.
func ofWork(e sdk.Event) bool {
	native := strings.ToLower(e.NativeType)
	switch e.Media.Kind {
	case "artist":
		return len(e.Albums) > 0 || strings.HasPrefix(native, "album")
	case "author":
		return strings.HasPrefix(native, "book")
	default:
		return false
	}
}
