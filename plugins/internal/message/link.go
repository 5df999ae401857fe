package message

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/hookarr/hookarr/sdk"
)

// links leads to the pages of the title in the databases that the applications use.
func links(e sdk.Event) []Link {
	var found []Link
	if h := e.Health; h != nil {
		if u := WebURL(h.WikiURL); u != "" {
			found = append(found, Link{"Wiki", u})
		}
	}
	if e.Media == nil {
		return found
	}
	tmdb, trakt := "movie/", "movie"
	if len(e.Episodes) > 0 || strings.EqualFold(e.Media.Kind, "series") {
		tmdb, trakt = "tv/", "show"
	}
	if strings.EqualFold(e.Media.Kind, "request") && e.Media.IDs["tvdb"] != "" {
		tmdb, trakt = "tv/", "show"
	}
	musicbrainz := "artist/"
	ids := e.Media.IDs
	if len(e.Albums) == 1 && e.Albums[0].IDs["musicbrainz"] != "" {
		ids, musicbrainz = e.Albums[0].IDs, "release-group/"
	}
	goodreads := "author/show/"
	if strings.EqualFold(e.Media.Kind, "book") {
		goodreads = "work/" // The edition is what Goodreads calls a book.
	}
	for _, site := range []struct{ id, name, before, after string }{
		{"tmdb", "TMDb", "https://www.themoviedb.org/" + tmdb, ""},
		{"imdb", "IMDb", "https://www.imdb.com/title/", ""},
		{"tvdb", "TVDB", "https://thetvdb.com/dereferrer/series/", ""},
		{"tvmaze", "TVmaze", "https://www.tvmaze.com/shows/", ""},
		{"tmdb", "Trakt", "https://trakt.tv/search/tmdb/", "?id_type=" + trakt},
		{"anilist", "AniList", "https://anilist.co/anime/", ""},
		{"mal", "MyAnimeList", "https://myanimelist.net/anime/", ""},
		{"musicbrainz", "MusicBrainz", "https://musicbrainz.org/" + musicbrainz, ""},
		{"goodreads_edition", "Goodreads", "https://www.goodreads.com/book/show/", ""},
		{"goodreads", "Goodreads", "https://www.goodreads.com/" + goodreads, ""},
		{"isbn", "Open Library", "https://openlibrary.org/isbn/", ""},
		{"stash", "StashDB", "https://stashdb.org/scenes/", ""},
	} {
		known := slices.ContainsFunc(found, func(l Link) bool { return l.Name == site.name })
		if id := ids[site.id]; isID(id) && !known {
			found = append(found, Link{site.name, site.before + id + site.after})
		}
	}
	return found
}

// image is the poster of a title, or the cover of a book, of which Readarr names only the
// ISBN: https://openlibrary.org/dev/docs/api/covers.
func image(e sdk.Event) string {
	if e.Media == nil {
		return ""
	}
	if u := WebURL(e.Media.Poster); u != "" {
		return u
	}
	if isbn := e.Media.IDs["isbn"]; isID(isbn) && strings.EqualFold(e.Media.Kind, "book") {
		return "https://covers.openlibrary.org/b/isbn/" + isbn + "-L.jpg"
	}
	return ""
}

// isID reports whether s is safe as the last part of a URL. Zero is how the
// applications write "unknown".
func isID(s string) bool {
	const longest = 64 // a MusicBrainz id has 36
	return s != "" && s != "0" && len(s) <= longest && strings.IndexFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-'
	}) < 0
}

// WebURL returns s when it is an absolute http or https URL, without credentials and
// escaped so that it holds no character that a service's markup gives a meaning;
// else it returns nothing, as for one that is longer than 2,000 bytes: services
// refuse a whole message for one bad URL.
func WebURL(s string) string {
	const longest = 2000
	u, err := url.Parse(strings.TrimSpace(s))
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || !isHost(u.Host) {
		return ""
	}
	rest := u.EscapedPath()
	if u.RawQuery != "" {
		rest += "?" + u.RawQuery
	}
	if u.Fragment != "" {
		rest += "#" + u.EscapedFragment()
	}
	var b strings.Builder
	b.WriteString(u.Scheme + "://" + u.Host)
	for _, c := range []byte(rest) {
		if c <= ' ' || c >= 0x7F || strings.IndexByte("<>()[]|\"\\`", c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	if b.Len() > longest {
		return ""
	}
	return b.String()
}

// isHost reports whether s is a name or an address in ASCII, with or without a port.
func isHost(s string) bool {
	return s != "" && s[0] != ':' && strings.IndexFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-._:[]", r)
	}) < 0
}
