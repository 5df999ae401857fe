package message

import (
	"cmp"
	"slices"
	"time"

	"github.com/hookarr/hookarr/sdk"
)

// story is events of one title, or of one download, as one event: the last state of it,
// with what the events before know.
type story struct {
	sdk.Event
	events []sdk.Event
	// before is what the files took the place of.
	before []sdk.File
	// awaited is how many episodes or albums were grabbed, when there are more than came,
	// and upgraded how many of those that came are upgrades.
	awaited, upgraded int
	// scoreBefore is the score of what was replaced, where that is known.
	scoreBefore *int
	// earlier are episodes that came before the lead, which speaks of something else.
	earlier []sdk.Episode
	// availableOn are the media servers that have all that came, partlyOn those that have some
	// of it, with how much, and missingOn those that were asked for the last time.
	availableOn, partlyOn, missingOn []string
	// lasted is how long an issue or a hold did that is over.
	lasted time.Duration
}

// sorted is the events by time, those of the same by id, without repetitions.
func sorted(events []sdk.Event) []sdk.Event {
	events = slices.Clone(events)
	slices.SortStableFunc(events, func(a, b sdk.Event) int {
		return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.ID, b.ID))
	})
	return slices.CompactFunc(events, func(a, b sdk.Event) bool { return a.ID != "" && a.ID == b.ID })
}

// arrival reports whether files came into the library.
func arrival(e sdk.Event) bool {
	switch e.Type {
	case sdk.TypeMediaImported, sdk.TypeMediaUpgraded, sdk.TypeImportCompleted:
		return true
	default:
		return false
	}
}

// housekeeping reports whether an event says nothing of what became of a title.
func housekeeping(e sdk.Event) bool {
	switch e.Type {
	case sdk.TypeFileDeletedForUpgrade, sdk.TypeFileRenamed, sdk.TypeFileRetagged, sdk.TypeTest,
		sdk.TypeLibraryAvailable, sdk.TypeLibraryMissing, sdk.TypeLibraryRemoved:
		return true
	case sdk.TypeUnknown:
		return !isRequest(e)
	default:
		return false
	}
}

// Lead returns the index of the event that says how the story of events stands, which are in
// order: the last that is no housekeeping. It is -1 where there are none.
func Lead(events []sdk.Event) int {
	for i, e := range slices.Backward(events) {
		if !housekeeping(e) {
			return i
		}
	}
	return len(events) - 1
}

// storyOf merges events of one story, which are in order.
func storyOf(events []sdk.Event) story {
	s := story{events: events}
	if len(events) == 0 {
		return s
	}
	s.Event = events[Lead(events)]
	s.media()
	s.facts()
	switch {
	case arrival(s.Event):
		s.arrived()
	case s.Type == sdk.TypeReleaseGrabbed:
		s.parts(func(e sdk.Event) bool { return e.Type == s.Type })
	case s.Type == sdk.TypeHealthRestored:
		s.lasted = s.since(sdk.TypeHealthIssue)
	case s.Type == sdk.TypeTargetResumed:
		s.lasted = s.since(sdk.TypeTargetHeld)
	case s.Type == sdk.TypeSpaceRestored:
		s.lasted = s.since(sdk.TypeSpaceLow)
	case s.Type == sdk.TypeFileDeleted, s.Type == sdk.TypeFileDeletedForUpgrade, s.Type == sdk.TypeFileRenamed, s.Type == sdk.TypeFileRetagged,
		aboutLibrary(s.Event):
		s.parts(func(e sdk.Event) bool { return e.Type == s.Type })
		s.files()
	default:
		s.parts(s.sameDownload)
	}
	if arrival(s.Event) || aboutLibrary(s.Event) {
		s.onServers()
	}
	if !arrival(s.Event) {
		if len(s.Files) == 0 {
			s.before = s.DeletedFiles
		}
		s.earlier = episodesOf(events, arrival)
	}
	return s
}

// merged reports whether the lead's own sentence speaks of a part of the story.
func (s *story) merged() bool {
	return len(s.events) > 1 && (arrival(s.Event) || s.Type == sdk.TypeReleaseGrabbed || s.Type == sdk.TypeFileDeleted)
}

// media fills what the lead does not know of the title from the other events, which are
// of the same.
func (s *story) media() {
	var m sdk.Media
	known := false
	for _, e := range slices.Backward(append(slices.Clone(s.events), s.Event)) {
		if e.Media == nil || s.Media != nil && e.Media.Kind != s.Media.Kind {
			continue
		}
		if !known {
			m, known = *e.Media, true
			continue
		}
		m.Poster, m.Fanart = cmp.Or(m.Poster, e.Media.Poster), cmp.Or(m.Fanart, e.Media.Fanart)
		m.Overview, m.Path = cmp.Or(m.Overview, e.Media.Overview), cmp.Or(m.Path, e.Media.Path)
		m.Year, m.ReleaseDate = cmp.Or(m.Year, e.Media.Year), cmp.Or(m.ReleaseDate, e.Media.ReleaseDate)
		if len(m.IDs) == 0 {
			m.IDs = e.Media.IDs
		}
	}
	if known {
		s.Media = &m
	}
	for _, e := range slices.Backward(s.events) {
		if s.Type != sdk.TypeMediaDeleted && e.Type != sdk.TypeMediaDeleted {
			s.URL = cmp.Or(s.URL, e.URL)
		}
	}
}

// sameDownload reports whether e is of the same download as the lead.
func (s *story) sameDownload(e sdk.Event) bool { return e.CorrelationKey == s.CorrelationKey }

// facts fills what the lead does not know of its release and download.
func (s *story) facts() {
	var r sdk.Release
	var d sdk.Download
	for _, e := range slices.Backward(append(slices.Clone(s.events), s.Event)) {
		if !s.sameDownload(e) {
			continue
		}
		if o := e.Release; o != nil {
			r.Title, r.Group, r.Indexer = cmp.Or(r.Title, o.Title), cmp.Or(r.Group, o.Group), cmp.Or(r.Indexer, o.Indexer)
			r.SizeBytes, r.Quality = cmp.Or(r.SizeBytes, o.SizeBytes), cmp.Or(r.Quality, o.Quality)
			if len(r.Languages) == 0 {
				r.Languages = o.Languages
			}
			if len(r.CustomFormats) == 0 && r.Score == 0 {
				r.CustomFormats, r.Score = o.CustomFormats, o.Score
			}
			if len(r.Flags) == 0 {
				r.Flags = o.Flags
			}
			s.Release = &r
		}
		if o := e.Download; o != nil {
			d.Client, d.ClientType, d.ID = cmp.Or(d.Client, o.Client), cmp.Or(d.ClientType, o.ClientType), cmp.Or(d.ID, o.ID)
			d.Title, d.SizeBytes = cmp.Or(d.Title, o.Title), cmp.Or(d.SizeBytes, o.SizeBytes)
			if s.Download == nil || len(d.Messages) == 0 && e.Type == s.Type {
				d.Messages, d.Status = o.Messages, o.Status
			}
			s.Download = &d
		}
	}
}

// arrived merges the imports: what came, what it replaced, what is yet to come.
func (s *story) arrived() {
	s.parts(arrival)
	s.files()
	came := map[string]sdk.Type{} // by unit
	onlyCompleted := true
	for _, e := range s.events {
		if !arrival(e) {
			continue
		}
		onlyCompleted = onlyCompleted && e.Type == sdk.TypeImportCompleted
		for _, unit := range units(e) {
			if e.Type != sdk.TypeImportCompleted || came[unit] == "" {
				came[unit] = e.Type
			}
		}
	}
	for _, t := range came {
		if t == sdk.TypeMediaUpgraded {
			s.upgraded++
		}
	}
	replaced := s.replaced()
	// Where nothing but the end of an import is told, what it replaced shows the upgrade.
	if onlyCompleted && len(s.events) > 1 && len(replaced) > 0 {
		s.upgraded = len(came)
	}
	switch {
	case s.upgraded == len(came):
		s.Type, s.before, s.scoreBefore = sdk.TypeMediaUpgraded, replaced, s.score()
	case onlyCompleted:
		s.Type = sdk.TypeImportCompleted
	default:
		s.Type = sdk.TypeMediaImported
	}
	s.awaited = s.grabbed(came)
}

// grabbed is how many parts the downloads have of which some came and some did not. It is
// 0 when all did, or may have: an application says when a download is complete.
func (s *story) grabbed(came map[string]sdk.Type) int {
	begun := map[string]bool{} // by correlation key
	for _, e := range s.events {
		if arrival(e) {
			_, known := begun[e.CorrelationKey]
			begun[e.CorrelationKey] = e.Type != sdk.TypeImportCompleted && (begun[e.CorrelationKey] || !known)
		}
	}
	missing := map[string]bool{}
	for _, e := range s.events {
		if e.Type != sdk.TypeReleaseGrabbed || !begun[e.CorrelationKey] {
			continue
		}
		for _, unit := range units(e) {
			if _, known := came[unit]; !known {
				missing[unit] = true
			}
		}
	}
	if len(missing) == 0 {
		return 0
	}
	return len(came) + len(missing)
}

// units are the parts of a title that an event is about, or the title as a whole.
func units(e sdk.Event) []string {
	var all []string
	switch {
	case len(e.Episodes) > 0:
		for _, ep := range e.Episodes {
			all = append(all, episodeKey(ep))
		}
	case len(e.Albums) > 0:
		for _, a := range e.Albums {
			all = append(all, albumKey(a))
		}
	default:
		return []string{""}
	}
	return all
}

// parts are the episodes, albums, tracks and renames of some of the events.
func (s *story) parts(of func(sdk.Event) bool) {
	albums, tracks := set[sdk.Album]{key: albumKey}, set[sdk.Track]{key: trackKey}
	renames := set[sdk.Rename]{key: func(r sdk.Rename) string { return r.From + "\n" + r.To }}
	for _, e := range s.events {
		if of(e) {
			albums.add(e.Albums)
			tracks.add(e.Tracks)
			renames.add(e.RenamedFiles)
		}
	}
	s.Episodes, s.Albums, s.Tracks, s.RenamedFiles = episodesOf(s.events, of), albums.all(), tracks.all(), renames.all()
	slices.SortStableFunc(s.Albums, byRelease)
}

func episodesOf(events []sdk.Event, of func(sdk.Event) bool) []sdk.Episode {
	episodes := set[sdk.Episode]{key: episodeKey}
	for _, e := range events {
		if of(e) {
			episodes.add(e.Episodes)
		}
	}
	all := episodes.all()
	slices.SortStableFunc(all, byPlace)
	return all
}

// files are those that came and are still there, or those that events of the lead's type
// tell.
func (s *story) files() {
	files, deleted := set[sdk.File]{key: fileKey}, set[sdk.File]{key: fileKey}
	var going []sdk.File // told before what takes their place
	for _, e := range s.events {
		if e.Type == sdk.TypeFileDeletedForUpgrade {
			going = append(going, e.DeletedFiles...)
		}
		if e.Type == sdk.TypeMediaUpgraded {
			files.remove(going)
			going = nil
		}
		if arrival(s.Event) && arrival(e) || e.Type == s.Type {
			files.remove(e.DeletedFiles)
			deleted.add(e.DeletedFiles)
			files.add(e.Files)
		}
	}
	s.Files, s.DeletedFiles = files.all(), deleted.all()
}

// replaced is what was there before the first of the imports, or else what they replaced
// of each other.
func (s *story) replaced() []sdk.File {
	old, first := set[sdk.File]{key: fileKey}, set[sdk.File]{key: fileKey}
	for _, e := range s.events {
		if e.Type == sdk.TypeFileDeletedForUpgrade || arrival(e) {
			old.add(e.DeletedFiles)
		}
	}
	first.add(old.all())
	for _, e := range s.events {
		if arrival(e) {
			first.remove(e.Files)
		}
	}
	if all := first.all(); len(all) > 0 {
		return all
	}
	return old.all()
}

// score is that of the last release before the lead's, or nil.
func (s *story) score() *int {
	for _, e := range slices.Backward(s.events) {
		if r := e.Release; r != nil && !s.sameDownload(e) && e.Time.Before(s.Time) && (r.Score != 0 || len(r.CustomFormats) > 0) {
			return &r.Score
		}
	}
	return nil
}

// since is how long before the lead the first event of what is over was.
func (s *story) since(began sdk.Type) time.Duration {
	var since time.Time
	for _, e := range s.events {
		switch {
		case !e.Time.Before(s.Time):
		case e.Type == s.Type:
			since = time.Time{}
		case e.Type == began && since.IsZero():
			since = e.Time
		}
	}
	if since.IsZero() {
		return 0
	}
	return s.Time.Sub(since)
}

func fileKey(f sdk.File) string { return cmp.Or(f.ID, f.Path, f.RelativePath) }
