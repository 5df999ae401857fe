package readarr

import (
	"cmp"

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

	// What only the API has.

	Overview string
	Genres   arr.Names
	Images   arr.List[arr.Image]
	Tags     arr.Names
	arr.Keeping
}

type book struct {
	ID          arr.ID
	GoodreadsID arr.ID
	Title       string
	ReleaseDate string
	Edition     edition

	// What only the API has.

	Overview string
	Images   arr.List[arr.Image]
}

type edition struct {
	Title       string
	GoodreadsID arr.ID
	Asin        arr.ID
	Isbn13      arr.ID
}

func (b *book) title() string { return arr.OneLine(cmp.Or(b.Title, b.Edition.Title)) }

func (p *payload) works() arr.Works {
	w := arr.Works{MakerKind: "author", Kind: "book"}
	if a := p.Author; a != nil {
		w.Maker = arr.Maker{ID: a.ID, ForeignID: a.GoodreadsID, Name: a.Name, Path: a.Path}
	}
	for i := range p.Books {
		b := &p.Books[i]
		w.All = append(w.All, arr.Work{ID: b.ID, ForeignID: b.GoodreadsID, Title: b.title()})
	}
	return w
}

// media is the book of an event about one, or else the author.
func (p *payload) media(works arr.Works) *sdk.Media {
	if len(p.Books) == 1 {
		b := &p.Books[0]
		return &sdk.Media{
			Overview:    b.Overview,
			Poster:      arr.Picture(b.Images, "cover"),
			Kind:        "book",
			ID:          string(b.ID),
			Title:       cmp.Or(b.title(), works.Title()),
			ReleaseDate: arr.Date(b.ReleaseDate),
			IDs: arr.IDs{
				"goodreads": b.GoodreadsID, "goodreads_edition": b.Edition.GoodreadsID,
				"isbn": b.Edition.Isbn13, "asin": b.Edition.Asin,
			}.Event(),
			Path: works.Maker.Path,
		}
	}
	if a := p.Author; a != nil {
		m := &sdk.Media{
			Kind:     "author",
			ID:       string(a.ID),
			Title:    works.Maker.Title(),
			IDs:      arr.IDs{"goodreads": a.GoodreadsID}.Event(),
			Path:     a.Path,
			Overview: a.Overview,
			Genres:   a.Genres,
			Poster:   arr.Picture(a.Images, "poster"),
			Tags:     a.Tags,
		}
		a.Fill(m)
		return m
	}
	return nil
}
