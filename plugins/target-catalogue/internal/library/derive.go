package library

import (
	"regexp"
	"strconv"
	"strings"
)

// SortTitle is a title as lists are sorted by it: in lower case, without the English
// article that it may begin with.
func SortTitle(title string) string {
	s := strings.ToLower(strings.TrimSpace(title))
	for _, article := range []string{"the ", "an ", "a "} {
		if rest, ok := strings.CutPrefix(s, article); ok && strings.TrimSpace(rest) != "" {
			return strings.TrimSpace(rest)
		}
	}
	return s
}

// resolution matches the lines in the name of a quality: Bluray-2160p.
var resolution = regexp.MustCompile(`(\d{3,4})[pi]\b`)

// Rank orders qualities by their names, the way the applications' own default order does:
// by resolution, then by where it is from. Unknown names are 0.
func Rank(quality string) int64 {
	s := strings.ToLower(quality)
	var rank int64
	if m := resolution.FindStringSubmatch(s); m != nil {
		lines, err := strconv.ParseInt(m[1], 10, 64)
		if err == nil {
			rank = lines * 10
		}
	}
	for _, origin := range []struct {
		name string
		rank int64
	}{{"remux", 8}, {"bluray", 7}, {"webrip", 5}, {"web", 6}, {"hdtv", 4}, {"dvd", 3}, {"telesync", 2}, {"cam", 1}} {
		if strings.Contains(s, origin.name) {
			rank += origin.rank
			break
		}
	}
	for i, audio := range []string{"mp3", "aac", "flac", "flac 24"} {
		if strings.Contains(s, audio) {
			rank = int64(i + 1)
		}
	}
	return rank
}
