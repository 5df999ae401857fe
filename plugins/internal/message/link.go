package message

import (
	"fmt"
	"net/url"
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
	tmdb := "movie/"
	if e.Media.Kind == "series" {
		tmdb = "tv/"
	}
	for _, site := range []struct{ id, name, prefix string }{
		{"tmdb", "TMDb", "https://www.themoviedb.org/" + tmdb},
		{"imdb", "IMDb", "https://www.imdb.com/title/"},
		{"tvdb", "TVDB", "https://thetvdb.com/dereferrer/series/"},
		{"tvmaze", "TVmaze", "https://www.tvmaze.com/shows/"},
		{"musicbrainz", "MusicBrainz", "https://musicbrainz.org/artist/"},
	} {
		if id := e.Media.IDs[site.id]; isID(id) {
			found = append(found, Link{site.name, site.prefix + id})
		}
	}
	return found
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
