package arr

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hookarr/hookarr/sdk"
)

// Works are what a webhook is about where a maker has works: an artist albums, an
// author books.
type Works struct {
	// MakerKind and Kind are artist and album, or author and book.
	MakerKind, Kind string
	// Maker is empty when the webhook names none.
	Maker Maker
	// All are the works of the maker that the webhook is about.
	All []Work
}

// Maker is an artist or an author.
type Maker struct {
	ID ID
	// ForeignID is the id where the metadata come from, which names the maker's page.
	ForeignID  ID
	Name, Path string
}

// Work is an album or a book.
type Work struct {
	ID        ID
	ForeignID ID
	Title     string
}

// Title is the maker's name, or else the folder's.
func (m Maker) Title() string { return OneLine(cmp.Or(m.Name, Base(m.Path))) }

// Title names the works for people: "Boards of Canada - Geogaddi", or "Boards of
// Canada - Geogaddi and 2 more". It is empty when no name is known.
func (w Works) Title() string {
	var titles []string
	for _, work := range w.All {
		if t := OneLine(work.Title); t != "" {
			titles = append(titles, t)
		}
	}
	title := w.Maker.Title()
	if len(titles) > 0 {
		title = Join(" - ", title, titles[0])
	}
	if more := len(titles) - 1; more > 0 {
		title += fmt.Sprintf(" and %d more", more)
	}
	return title
}

// ByMaker is the maker as the subject.
func (w Works) ByMaker() Subject {
	m := w.Maker
	return Subject{
		Kind: w.MakerKind, Key: cmp.Or(string(m.ID), string(m.ForeignID), m.Path), External: string(m.ForeignID), Folder: m.Path,
	}
}

// ByWork is the only work as the subject, or else the maker: old versions do not name
// the work.
func (w Works) ByWork() Subject {
	if keys := w.Keys(); len(keys) == 1 {
		work := w.All[0]
		return Subject{Kind: w.Kind, Key: keys[0], External: cmp.Or(string(work.ForeignID), work.Title), Folder: w.Maker.Path}
	}
	return w.ByMaker()
}

// Keys tell the works from all others of the same instance.
func (w Works) Keys() []string {
	var keys []string
	for _, work := range w.All {
		keys = append(keys, cmp.Or(string(work.ID), string(work.ForeignID), work.Title))
	}
	slices.Sort(keys)
	return keys
}

// MakerPage is the maker's page in the application at base, or empty.
func (w Works) MakerPage(base string) string {
	if w.Maker.ForeignID == "" {
		return ""
	}
	return Page(base, w.MakerKind, string(w.Maker.ForeignID))
}

// Page is the page of the only work, or else the maker's.
func (w Works) Page(base string) string {
	if len(w.All) == 1 && w.All[0].ForeignID != "" {
		return Page(base, w.Kind, string(w.All[0].ForeignID))
	}
	return w.MakerPage(base)
}

// Count is a number of things in parentheses, to go on in a sentence, or empty for
// none: " (1 track)", " (23 tracks)".
func Count(n int, noun string) string {
	switch n {
	case 0:
		return ""
	case 1:
		return Parenthesis("1 " + noun)
	default:
		return Parenthesis(strconv.Itoa(n) + " " + noun + "s")
	}
}

// ImportedWork fills in the event of a work whose files were imported together: an
// album, a book. The event has its title; the subject is the work; count says how much
// of it there is, as [Count] does.
func (p *Payload) ImportedWork(e *sdk.Event, s Subject, files []File, count string) {
	e.Files = Files(s.Folder, files...)
	p.imported(e, s, e.Title+count)
	e.CorrelationKey = cmp.Or(Key("download", p.DownloadID), s.correlationKey())
	e.Fingerprint = s.filesFingerprint("import", files)
}

// Retagged fills in the event of a file whose tags were written anew. The event has
// its title. The tags are not sent, and the history knows nothing of the file but its
// path: the same file is taken for the same event again.
func (*Payload) Retagged(e *sdk.Event, s Subject, f *File) {
	e.Type = sdk.TypeFileRetagged
	e.Files = s.file(f)
	e.Summary = "Retagged files of " + e.Title
	if len(e.Files) > 0 {
		e.Summary = "Retagged " + cmp.Or(OneLine(Base(e.Files[0].Path)), "a file") + " of " + e.Title
		e.Fingerprint = Fingerprint("retag", e.Files[0].Path)
	}
	e.CorrelationKey = s.fileKey(f)
}

// DeletedWork fills in the event of a work that left the library while its maker
// stayed. The event has its title.
func (p *Payload) DeletedWork(e *sdk.Event, w Works) {
	s, title := w.ByWork(), e.Title
	if len(w.All) == 0 {
		e.Title = Join(" of ", w.indefinite(), w.Maker.Title())
	}
	p.Deleted(e, s)
	e.Title = title
	if len(w.All) != 1 {
		e.Fingerprint = "" // The next may be another work.
	}
}

// indefinite is what a work is called of which nothing is known: an album, a book.
func (w Works) indefinite() string {
	if strings.ContainsRune("aeiou", rune(w.Kind[0])) {
		return "an " + w.Kind
	}
	return "a " + w.Kind
}

// filesFingerprint is that of files which an event is about together, whatever their
// order. Their sizes have no part in it: tags are written into files while they are
// imported, and the history has the size from before. It is empty for a payload without
// files.
func (s Subject) filesFingerprint(kind string, files []File) string {
	keys := make([]string, 0, len(files))
	for i := range files {
		keys = append(keys, s.storedFingerprint(kind, &files[i]))
	}
	slices.Sort(keys)
	return Fingerprint(kind, keys...)
}
