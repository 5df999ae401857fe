package message

import (
	"slices"
	"strconv"
	"strings"

	"github.com/hookarr/hookarr/sdk"
)

// aboutLibrary reports whether a media server was asked for what an event is about.
func aboutLibrary(e sdk.Event) bool {
	switch e.Type {
	case sdk.TypeLibraryAvailable, sdk.TypeLibraryMissing, sdk.TypeLibraryRemoved:
		return true
	default:
		return false
	}
}

// serverOf is what people call the media server of an event.
func serverOf(e sdk.Event) string {
	if e.Library == nil {
		return "the media server"
	}
	return firstLine(e.Library.Server, e.Library.Target, "the media server")
}

// presence is how much of what came a media server has.
type presence struct {
	server string
	has    map[string]bool // by unit
	// missing says that the server was asked for the last time, and had not all of it.
	missing bool
}

// presences are those of the media servers that were asked after the last import, in the
// order of their answers. What came are the units of the imports; without any, those that the
// servers tell of.
func (s *story) presences(came map[string]int) []presence {
	var all []presence
	for i, e := range s.events {
		if !aboutLibrary(e) || e.Type == sdk.TypeLibraryRemoved {
			continue
		}
		at := slices.IndexFunc(all, func(p presence) bool { return p.server == serverOf(e) })
		if at < 0 {
			at = len(all)
			all = append(all, presence{server: serverOf(e), has: map[string]bool{}})
		}
		all[at].missing = e.Type == sdk.TypeLibraryMissing
		for _, unit := range unitsIn(e, came) {
			if last, known := came[unit]; known && i > last {
				all[at].has[unit] = e.Type == sdk.TypeLibraryAvailable
			}
		}
	}
	return slices.DeleteFunc(all, func(p presence) bool { return len(p.has) == 0 })
}

// unitsIn are the units of an event, or all that came for one that names none.
func unitsIn(e sdk.Event, came map[string]int) []string {
	own := units(e)
	if _, known := came[""]; known || !slices.Equal(own, []string{""}) {
		return own
	}
	all := make([]string, 0, len(came))
	for unit := range came {
		all = append(all, unit)
	}
	return all
}

// onServers decides on which media servers a story is, whole or in part, and on which it is
// missing.
func (s *story) onServers() {
	came := map[string]int{} // the last event that brought a unit, by unit
	for i, e := range s.events {
		if arrival(e) {
			for _, unit := range units(e) {
				came[unit] = i
			}
		}
	}
	if len(came) == 0 {
		for _, e := range s.events {
			for _, unit := range units(e) {
				came[unit] = -1
			}
		}
	}
	for _, p := range s.presences(came) {
		n := 0
		for _, has := range p.has {
			if has {
				n++
			}
		}
		switch {
		case p.missing && n < len(came):
			s.missingOn = append(s.missingOn, p.server)
		case n == len(came):
			s.availableOn = append(s.availableOn, p.server)
		}
		if n > 0 && n < len(came) {
			s.partlyOn = append(s.partlyOn, p.server+" ("+strconv.Itoa(n)+" of "+strconv.Itoa(len(came))+")")
		}
	}
}

// onServersWords is what a headline says of media servers after what came, or empty.
func (s story) onServersWords() string {
	switch {
	case len(s.missingOn) > 0:
		return "missing on " + and(s.missingOn)
	case len(s.availableOn) > 0:
		return "available on " + and(s.availableOn)
	default:
		return ""
	}
}

// libraryStyle is the style of a story of which media servers tell.
func libraryStyle(s story) (style, bool) {
	words := s.onServersWords()
	what := things(s, "Item")
	switch {
	case s.Type == sdk.TypeLibraryRemoved:
		return style{what + " removed from " + serverOf(s.Event), "🧹", grey}, true
	case words == "", !arrival(s.Event) && !aboutLibrary(s.Event):
		return style{}, false
	case len(s.missingOn) > 0:
		return style{what + " " + words, "❓", yellow}, true
	case s.Type == sdk.TypeMediaUpgraded:
		return style{what + " upgraded, " + words, "✨", purple}, true
	default:
		return style{what + " " + words, "🍿", green}, true
	}
}

// removedFrom are the media servers that no longer have what the story is about.
func (s story) removedFrom() []string {
	var all []string
	for _, e := range s.events {
		if e.Type == sdk.TypeLibraryRemoved && s.Type != sdk.TypeLibraryRemoved && !slices.Contains(all, serverOf(e)) {
			all = append(all, serverOf(e))
		}
	}
	return all
}

// serverLinks lead to the title on the media servers that tell where it is.
func (s story) serverLinks() []Link {
	var all []Link
	for _, e := range s.events {
		if e.Type != sdk.TypeLibraryAvailable || e.Library == nil {
			continue
		}
		url := WebURL(e.Library.URL)
		if url != "" && !slices.ContainsFunc(all, func(l Link) bool { return l.Name == serverOf(e) }) {
			all = append(all, Link{Name: serverOf(e), URL: url})
		}
	}
	return all
}

// and joins names: "Plex", "Plex and Jellyfin", "Plex, Jellyfin and Emby".
func and(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " and " + names[last]
}
