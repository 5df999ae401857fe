package readarr

import (
	"cmp"
	"context"
	"strings"

	"github.com/hookarr/hookarr/plugins/internal/arr"
	"github.com/hookarr/hookarr/sdk"
)

// decoder is the source: pure, and safe for concurrent use.
type decoder struct{ applicationURL string }

// Decode implements sdk.Source.
func (d decoder) Decode(_ context.Context, r sdk.Request) (sdk.Event, error) {
	var p payload
	if err := arr.Unmarshal(r.Body, &p); err != nil {
		return sdk.Event{}, err
	}
	return d.decode(&p, r)
}

// decode returns the event of a request whose body is p.
func (d decoder) decode(p *payload, r sdk.Request) (sdk.Event, error) {
	e, err := p.Event(arr.Readarr, r, d.applicationURL)
	if err != nil {
		return sdk.Event{}, err
	}
	if p.System(&e, arr.Readarr) {
		return e, nil
	}
	if p.Book != nil {
		p.Books = []book{*p.Book}
	}
	base, works := e.URL, p.works()
	author, book := works.ByMaker(), works.ByWork()
	e.Title = cmp.Or(works.Title(), arr.OneLine(p.Release.ReleaseTitle), arr.FolderOf(p.BookFiles, p.RenamedBookFiles), "Unknown author")
	e.Media = p.media(works)
	e.URL = works.Page(base)
	switch strings.ToLower(p.EventType) {
	case "grab":
		p.Grabbed(&e, works.Keys()...)
	case "download":
		p.ImportedWork(&e, book, p.BookFiles, p.fileCount())
	case "rename":
		p.Renamed(&e, author, p.RenamedBookFiles)
	case "retag":
		p.Retagged(&e, author, p.BookFile)
	case "authoradded":
		p.Added(&e, author)
	case "authordelete":
		p.Deleted(&e, author)
	case "bookdelete":
		p.DeletedWork(&e, works)
		e.URL = works.MakerPage(base)
	case "bookfiledelete":
		// Readarr sends it for upgrades too, if told to, and does not say why.
		p.FileDeleted(&e, book, p.BookFile)
	default:
		e.URL = cmp.Or(e.URL, base)
		p.Unknown(&e, arr.Readarr, works.Title())
	}
	return e, nil
}

// fileCount is of books in parts, which are mostly read aloud.
func (p *payload) fileCount() string {
	if len(p.BookFiles) < 2 {
		return ""
	}
	return arr.Count(len(p.BookFiles), "file")
}
