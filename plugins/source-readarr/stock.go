package readarr

import (
	"cmp"
	"context"
	"iter"
	"net/url"
	"slices"

	"github.com/hookarr/hookarr/plugins/internal/arr"
	"github.com/hookarr/hookarr/plugins/internal/arr/api"
	"github.com/hookarr/hookarr/sdk"
)

// stock knows all authors and their files. Readarr tells imports by book: the
// fingerprint of a file is that of its import if the book has one file, as most have that
// are read and not listened to.
//
// Readarr/Readarr, src/Readarr.Api.V1: Author/AuthorResource.cs at
// 7f8dc3d2b434e58a94d2d40048416c13c42f2593, Books/BookResource.cs at
// 2558660b7b6af0199d315e0b17b268a9bf0cdd19, Books/EditionResource.cs at
// c6f37a916820a957d3fab165cbeaeab18937b4cb, BookFiles/BookFileResource.cs at
// d0df761422df6fe6722062cc513a0df3df9db574.
type stock struct{ api.Library }

func newStock(l api.Library) api.Stock { return stock{l} }

// Path implements api.Stock.
func (stock) Path() string { return "author" }

// New implements api.Stock.
func (stock) New() api.Listed { return &apiAuthor{} }

// apiAuthor is an author in the API, where some fields have other names.
type apiAuthor struct {
	author

	AuthorName      string
	ForeignAuthorID arr.ID
	Tags            arr.List[arr.ID]
	api.Holdings
}

// Title implements api.Stock.
func (stock) Title(t api.Listed) sdk.FolderTitle {
	known, _ := t.(*apiAuthor)
	p := payload{Author: known.named()}
	return api.TitleIn(known.Path, p.media(p.works()))
}

// named is the author with the names that webhooks have.
func (a *apiAuthor) named() *author {
	out := a.author
	out.Name, out.GoodreadsID = cmp.Or(a.AuthorName, a.Name), cmp.Or(a.ForeignAuthorID, a.GoodreadsID)
	return &out
}

// Row implements api.Listed.
func (a *apiAuthor) Row() int64 { return api.Row(a.ID) }

// apiBook is a book in the API, which has all editions and not only the wanted one.
type apiBook struct {
	book

	ForeignBookID arr.ID
	Editions      arr.List[apiEdition]
}

type apiEdition struct {
	edition

	ForeignEditionID arr.ID
	Monitored        arr.Bool
}

func (b *apiBook) webhook() book {
	out := b.book
	out.GoodreadsID = cmp.Or(b.ForeignBookID, b.GoodreadsID)
	for i := range b.Editions {
		if e := &b.Editions[i]; bool(e.Monitored) {
			out.Edition = e.edition
			out.Edition.GoodreadsID = cmp.Or(e.ForeignEditionID, e.GoodreadsID)
			break
		}
	}
	return out
}

// apiFile is a file in the API.
type apiFile struct {
	api.File

	BookID arr.ID
}

// Items implements api.Stock.
func (s stock) Items(ctx context.Context, t api.Listed) iter.Seq2[api.Item, error] {
	known, _ := t.(*apiAuthor)
	a, err := s.webhook(ctx, known)
	if err != nil {
		return api.Failed(err)
	}
	about := url.Values{"authorId": {string(a.ID)}}
	books, err := api.Fresh[[]apiBook](ctx, s.Client, "book", about)
	if err != nil {
		return api.Failed(err)
	}
	files, err := api.Fresh[[]apiFile](ctx, s.Client, "bookfile", about)
	if err != nil {
		return api.Failed(err)
	}
	p := &payload{Author: a}
	e, err := s.event(ctx, p, "AuthorAdded")
	if err != nil {
		return api.Failed(err)
	}
	title := api.Item{Item: sdk.Item{Key: "author/" + string(a.ID), Event: e, GoneFingerprints: p.Gone(p.works().ByMaker())}}
	return api.Items(title, api.Ordered(files, func(f *apiFile) arr.ID { return f.ID }), func(f *apiFile) (api.Item, error) {
		p := &payload{Author: a, BookFiles: []arr.File{f.Webhook()}}
		if i := slices.IndexFunc(books, func(b apiBook) bool { return b.ID == f.BookID }); i >= 0 {
			p.Book = new(books[i].webhook())
		}
		e, err := s.event(ctx, p, "Download")
		return api.FileItem(f.ID, title.Key, e, p.works().ByWork().FileGone(&p.BookFiles[0])), err
	})
}

// event is the event of a webhook.
func (s stock) event(ctx context.Context, p *payload, eventType string) (e sdk.Event, err error) {
	if p.Payload, err = s.Envelope(ctx, eventType); err != nil {
		return e, err
	}
	return decoder{s.ApplicationURL}.decode(p, sdk.Request{})
}

// webhook is an author as webhooks have it.
func (s stock) webhook(ctx context.Context, known *apiAuthor) (_ *author, err error) {
	a := known.named()
	if a.Tags, err = s.Labels(ctx, known.Tags); err != nil {
		return nil, err
	}
	a.QualityProfile, err = s.Profile(ctx, a.QualityProfileID)
	return a, err
}
