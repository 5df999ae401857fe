package message

import (
	"fmt"
	"strings"

	"github.com/hookarr/hookarr/sdk"
)

// listMax is how many things are named one by one, and namesMax how many values share
// one field: a message is read at a glance.
const (
	listMax  = 10
	namesMax = 8
)

// list names what a story is about in the plural: episodes, all of them, albums, files.
// What the title says already is not named.
func list(s story, titled bool) []string {
	switch {
	case len(s.RenamedFiles) > 0:
		return counted(s.RenamedFiles, renamed)
	case len(s.Episodes) == 1:
		if s.titles(s.Episodes[0]) {
			return nil
		}
		return named(s.Episodes, episodeLine)
	case len(s.Episodes) > listMax && titled:
		return nil
	case len(s.Episodes) > listMax:
		return ranges(s.Episodes)
	case len(s.Episodes) > 0:
		return named(s.Episodes, episodeLine)
	case len(s.Albums) > 1:
		return counted(s.Albums, albumLine)
	case len(s.Albums) > 0:
		return nil
	case len(s.Tracks) > 0:
		return counted(s.Tracks, func(t sdk.Track) string { return joined(" ", line(t.Number), line(t.Title)) })
	case len(s.Files) > 1:
		return counted(s.Files, fileName)
	case len(s.Files) == 0 && len(s.DeletedFiles) > 1:
		return counted(s.DeletedFiles, fileName)
	default:
		return nil
	}
}

// titles reports whether the story's title names an episode.
func (s *story) titles(ep sdk.Episode) bool {
	title := line(s.Title)
	return strings.Contains(title, episodeCode(ep)) && strings.Contains(title, episodeTitle(ep))
}

func named[T any](all []T, name func(T) string) []string {
	lines := set[string]{key: func(s string) string { return s }}
	for _, v := range all {
		if l := line(name(v)); l != "" {
			lines.add([]string{l})
		}
	}
	return lines.all()
}

// counted names the first listMax and says how many there are besides.
func counted[T any](all []T, name func(T) string) []string {
	lines := named(all, name)
	if extra := len(lines) - listMax; extra > 0 {
		lines = append(lines[:listMax], fmt.Sprintf("… and %d more", extra))
	}
	return lines
}

// renamed is "before → after" without the folder that both are in.
func renamed(r sdk.Rename) string {
	shared := 0
	for i := range min(len(r.From), len(r.To)) {
		if r.From[i] != r.To[i] {
			break
		}
		if r.From[i] == '/' || r.From[i] == '\\' {
			shared = i + 1
		}
	}
	return change(r.From[shared:], r.To[shared:])
}

func fileName(f sdk.File) string { return firstLine(f.RelativePath, base(f.Path)) }
