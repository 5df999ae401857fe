package arr

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"github.com/hookarr/hookarr/sdk"
)

// WorksTitle names works of one maker for people: "Boards of Canada - Geogaddi", or
// "Boards of Canada - Geogaddi and 2 more". It is empty when no name is known.
func WorksTitle(maker string, works ...string) string {
	var titles []string
	for _, w := range works {
		if w = OneLine(w); w != "" {
			titles = append(titles, w)
		}
	}
	title := OneLine(maker)
	if len(titles) > 0 {
		title = Join(" - ", title, titles[0])
	}
	if more := len(titles) - 1; more > 0 {
		title += fmt.Sprintf(" and %d more", more)
	}
	return title
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
		e.Fingerprint = Fingerprint("retag", cmp.Or(e.Files[0].Path, e.Files[0].ID))
	}
	e.CorrelationKey = s.fileKey(f)
}

// DeletedWork fills in the event of a work that left the library while its maker
// stayed. The event has its title; the subject is the work.
func (p *Payload) DeletedWork(e *sdk.Event, s Subject) {
	p.Deleted(e, s)
	// The ids of works and makers are counted apart.
	if e.Fingerprint != "" {
		e.Fingerprint = Fingerprint("deleted "+s.Kind, s.Key)
	}
}

// filesFingerprint is that of files which an event is about together, whatever their
// order. It is empty for a payload without files.
func (s Subject) filesFingerprint(kind string, files []File) string {
	keys := make([]string, 0, len(files))
	for i := range files {
		keys = append(keys, s.fileFingerprint(kind, &files[i]))
	}
	slices.Sort(keys)
	return Fingerprint(kind, keys...)
}
