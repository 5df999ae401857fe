package main

import (
	"cmp"
	"slices"

	"github.com/hookarr/hookarr/plugins/internal/arr"
	"github.com/hookarr/hookarr/sdk"
)

// payload is a webhook of Readarr. An import is of one book, a grab of any number.
//
// Readarr/Readarr, src/NzbDrone.Core/Notifications/Webhook: WebhookBase.cs and
// WebhookEventType.cs at 18f0741e3d7d44517e529b6f3e70f7d284a43008, WebhookBook.cs at
// 0411102f574bb4a97e74cc5ab8e7d04ebce065a8, WebhookBookFile.cs at
// d15c42957a981b10589904a66ebc7458dbe830f4.
type payload struct {
	arr.Payload

	Author           *author
	Book             *book
	Books            arr.List[book]
	BookFile         *arr.File
	BookFiles        arr.List[arr.File]
	RenamedBookFiles arr.List[arr.File]
}

type author struct {
	ID          arr.ID
	Name        string
	Path        string
	GoodreadsID arr.ID
}

type book struct {
	ID          arr.ID
	GoodreadsID arr.ID
	Title       string
	ReleaseDate string
	Edition     edition
}

type edition struct {
	Title       string
	GoodreadsID arr.ID
	Asin        arr.ID
	Isbn13      arr.ID
}

// books are the one that an import or a deletion is about, or those of a grab.
func (p *payload) books() []book {
	if p.Book != nil {
		return []book{*p.Book}
	}
	return p.Books
}

// only is the book of an event about one, or nil.
func (p *payload) only() *book {
	if all := p.books(); len(all) == 1 {
		return &all[0]
	}
	return nil
}

func (b *book) title() string { return arr.OneLine(cmp.Or(b.Title, b.Edition.Title)) }

// name is "Author - Book", as far as it is known.
func (p *payload) name() string {
	var titles []string
	for _, b := range p.books() {
		titles = append(titles, b.title())
	}
	if p.Author == nil {
		return arr.WorksTitle("", titles...)
	}
	return arr.WorksTitle(cmp.Or(p.Author.Name, arr.Base(p.Author.Path)), titles...)
}

// folder is the author's.
func (p *payload) folder() string {
	if p.Author == nil {
		return ""
	}
	return p.Author.Path
}

func (p *payload) byAuthor() arr.Subject {
	s := arr.Subject{Kind: "author", Folder: p.folder()}
	if a := p.Author; a != nil {
		s.Key = cmp.Or(string(a.ID), string(a.GoodreadsID), a.Path)
	}
	return s
}

func (p *payload) byBook() arr.Subject {
	if keys := p.bookKeys(); len(keys) == 1 {
		return arr.Subject{Kind: "book", Key: keys[0], Folder: p.folder()}
	}
	return p.byAuthor()
}

// bookKeys tell the books from all others of the same Readarr.
func (p *payload) bookKeys() []string {
	var keys []string
	for _, b := range p.books() {
		keys = append(keys, cmp.Or(string(b.ID), string(b.GoodreadsID), b.title()))
	}
	slices.Sort(keys)
	return keys
}

// authorPage and bookPage are in Readarr, which names them by their ids at Goodreads.
func (p *payload) authorPage(base string) string {
	if p.Author == nil || p.Author.GoodreadsID == "" {
		return ""
	}
	return arr.Page(base, "author", string(p.Author.GoodreadsID))
}

func (p *payload) bookPage(base string) string {
	if b := p.only(); b != nil && b.GoodreadsID != "" {
		return arr.Page(base, "book", string(b.GoodreadsID))
	}
	return ""
}

// media is the book of an event about one, or else the author.
func (p *payload) media() *sdk.Media {
	if b := p.only(); b != nil {
		return &sdk.Media{
			Kind:        "book",
			ID:          string(b.ID),
			Title:       cmp.Or(b.title(), p.name()),
			ReleaseDate: arr.Date(b.ReleaseDate),
			IDs: arr.IDs{
				"goodreads": b.GoodreadsID, "goodreads_edition": b.Edition.GoodreadsID,
				"isbn": b.Edition.Isbn13, "asin": b.Edition.Asin,
			}.Event(),
			Path: p.folder(),
		}
	}
	if a := p.Author; a != nil {
		return &sdk.Media{
			Kind:  "author",
			ID:    string(a.ID),
			Title: arr.OneLine(cmp.Or(a.Name, arr.Base(a.Path))),
			IDs:   arr.IDs{"goodreads": a.GoodreadsID}.Event(),
			Path:  a.Path,
		}
	}
	return nil
}
