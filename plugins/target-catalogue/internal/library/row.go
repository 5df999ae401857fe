package library

import (
	"maps"
	"slices"
	"strings"
)

// Key names a title or a part within its source.
type Key struct {
	Kind string `json:"kind"`
	ID   string `json:"id"`
}

// The kinds of parts. Titles have those of sdk.Media.
const (
	KindEpisode = "episode"
	KindAlbum   = "album"
	KindTrack   = "track"
)

// presence is whether a source has something.
type presence struct {
	// Seen is the latest event that showed it, Gone the latest that took it away.
	Seen Version `json:"seen,omitempty"`
	Gone Version `json:"gone,omitempty"`
	// Held is what follows from both, and from what it belongs to.
	Held bool `json:"held,omitempty"`
}

func (p *presence) seen(v Version) { p.Seen = max(p.Seen, v) }
func (p *presence) gone(v Version) { p.Gone = max(p.Gone, v) }

// Touched is the version of the latest event that had anything to say of it.
func (p presence) touched(fields Fields) Version {
	last := max(p.Seen, p.Gone)
	for _, f := range fields {
		if !strings.HasPrefix(string(f.Said), weak) {
			last = max(last, f.Said)
		}
	}
	return last
}

// Title is a movie, series, artist, scene, author or book of a source. Its fields are
// those of sdk.Media, with ids as id:SERVICE.
type Title struct {
	Key
	presence
	Fields Fields `json:"fields,omitempty"`
	// Listed are the versions of the latest events that listed all parts of a kind, or all
	// ids: what is not listed is gone.
	Listed map[string]Version `json:"listed,omitempty"`
}

func (t *Title) list(kind string, v Version) {
	if t.Listed == nil {
		t.Listed = map[string]Version{}
	}
	t.Listed[kind] = max(t.Listed[kind], v)
}

// Touched is the version of the latest event that had anything to say of the title.
func (t *Title) Touched() Version { return t.touched(t.Fields) }

const (
	// idPrefix begins the names of fields that are ids elsewhere.
	idPrefix = "id:"
	// listedIDs is the key of ids in Title.Listed.
	listedIDs = "id"
)

// IDs returns the title's ids by service.
func (t *Title) IDs() map[string]string {
	ids := map[string]string{}
	for name := range t.Fields {
		if service, ok := strings.CutPrefix(name, idPrefix); ok && t.Fields.Text(name) != "" && t.Fields[name].Said >= t.Listed[listedIDs] {
			ids[service] = t.Fields.Text(name)
		}
	}
	return ids
}

// Part is an episode, an album or a track.
type Part struct {
	Key
	presence
	// Title is what it is a part of.
	Title  Key    `json:"title"`
	Fields Fields `json:"fields,omitempty"`
}

// Touched is the version of the latest event that had anything to say of the part.
func (p *Part) Touched() Version { return p.touched(p.Fields) }

// File is a media file.
type File struct {
	ID string `json:"id"`
	presence
	Fields Fields `json:"fields,omitempty"`
	// Added is the first event that showed the file as imported.
	Added Version `json:"added,omitempty"`
	// Took is the latest event that put the file at a path, by its id.
	Took   Version `json:"took,omitempty"`
	TookAt string  `json:"took_at,omitempty"`
	// Links are the parts that it holds, by kind.
	Links map[string]Link `json:"links,omitempty"`
	// Path is where it is, or was.
	Path string `json:"path,omitempty"`
}

// Link are the parts of one kind that a file holds, as one event said it.
type Link struct {
	Said  Version  `json:"said"`
	Parts []string `json:"parts"`
}

// Touched is the version of the latest event that had anything to say of the file.
func (f *File) Touched() Version { return max(f.touched(f.Fields), f.Took) }

// fieldTitle is the field of a file that says what title it is of.
const fieldTitle = "title"

// Title returns the title that the file is of.
func (f *File) Title() Key { return Decoded[Key](f.Fields[fieldTitle].Value) }

// Parts returns the parts that the file holds.
func (f *File) Parts() []Key {
	var all []Key
	for _, kind := range slices.Sorted(maps.Keys(f.Links)) {
		for _, id := range f.Links[kind].Parts {
			all = append(all, Key{kind, id})
		}
	}
	return all
}

// RelativePath returns the path inside the title's folder, if it is known for where the
// file is.
func (f *File) RelativePath() string {
	relative := f.Fields.Text("relative_path")
	slashed := func(s string) string { return "/" + strings.TrimPrefix(strings.ReplaceAll(s, `\`, "/"), "/") }
	if relative == "" || !strings.HasSuffix(slashed(f.Path), slashed(relative)) {
		return ""
	}
	return relative
}

// link takes over which parts of a kind the file holds. It reports whether they changed.
func (f *File) link(v Version, kind string, parts []string) bool {
	old := f.Links[kind]
	if len(parts) == 0 || old.Said >= v {
		return false
	}
	if f.Links == nil {
		f.Links = map[string]Link{}
	}
	parts = slices.Compact(slices.Sorted(slices.Values(parts)))
	f.Links[kind] = Link{Said: v, Parts: parts}
	return !slices.Equal(old.Parts, parts)
}

// Claim is what an event said of who is at a path.
type Claim struct {
	Path string  `json:"path"`
	Said Version `json:"said"`
	// File came to the path. It is empty where nobody did, or nobody knows who.
	File string `json:"file,omitempty"`
	// MovedTo is where whoever was at the path went. It is empty where they are gone.
	MovedTo string `json:"moved_to,omitempty"`
}

// The operations of changes.
const (
	OpAdded       = "added"
	OpUpdated     = "updated"
	OpRemoved     = "removed"
	OpFileAdded   = "file_added"
	OpFileUpdated = "file_updated"
	OpFileRemoved = "file_removed"
	OpRenamed     = "renamed"
)

// Change is what one event changed in the library.
type Change struct {
	Op    string
	Title Key
	// Fields are the names of those with another value.
	Fields []string
	// File and Path are the file's, OldPath where it was before it was renamed.
	File, Path, OldPath string
	// Event is the id of the event, Time its time in RFC 3339.
	Event, Time string
}
