package arrhook

import (
	"strings"

	"github.com/hookarr/hookarr/sdk"
)

type author struct {
	ID          int64  `json:"id"`
	Name        string `json:"name"`
	Path        string `json:"path"`
	GoodreadsID string `json:"goodreadsId,omitempty"`
}

type book struct {
	ID          int64    `json:"id"`
	GoodreadsID string   `json:"goodreadsId,omitempty"`
	Title       string   `json:"title"`
	Edition     *edition `json:"edition,omitempty"`
	ReleaseDate string   `json:"releaseDate,omitempty"`
}

type edition struct {
	Title       string `json:"title"`
	GoodreadsID string `json:"goodreadsId,omitempty"`
	Asin        string `json:"asin,omitempty"`
	Isbn13      string `json:"isbn13,omitempty"`
}

// authors fills in a webhook of Readarr. An event about one book has its author's name
// and folder alone, and one about several books has the author without them.
func (h *hook) authors(e *sdk.Event) {
	h.Author, h.Book = newAuthor(e), newBook(e)
	folder := mediaOf(e).Path
	switch e.Type {
	case sdk.TypeReleaseGrabbed:
		if h.Book != nil {
			h.Books, h.Book = []book{*h.Book}, nil
		}
		h.release(e)
		h.download(e)
	case sdk.TypeMediaImported, sdk.TypeMediaUpgraded, sdk.TypeImportCompleted:
		h.BookFiles = wholePaths(files(folder, e.Files)...)
		h.imported(e, folder)
		h.ofWork(e)
	case sdk.TypeFileRenamed:
		h.RenamedBookFiles = wholePaths(renamed(folder, e)...)
	case sdk.TypeFileRetagged:
		h.BookFile = wholePath(first(folder, e.Files))
	case sdk.TypeMediaDeleted:
		h.deleted(e, folder)
		h.ofWork(e)
	case sdk.TypeFileDeleted, sdk.TypeFileDeletedForUpgrade:
		h.BookFile, h.DeleteReason = wholePath(first(folder, e.DeletedFiles)), deleteReason(e)
	case sdk.TypeManualInteractionRequired:
		h.waiting(e)
	default:
		h.download(e)
	}
}

func newAuthor(e *sdk.Event) *author {
	m := e.Media
	if m == nil {
		return nil
	}
	if m.Kind != "book" {
		return &author{ID: number(m.ID), Name: m.Title, Path: m.Path, GoodreadsID: m.IDs["goodreads"]}
	}
	// The event's title is the author's name, " - " and the book's.
	name, _ := strings.CutSuffix(e.Title, " - "+m.Title)
	if name == e.Title {
		name = ""
	}
	return &author{Name: name, Path: m.Path, GoodreadsID: slug(e, "author")}
}

func newBook(e *sdk.Event) *book {
	m := e.Media
	if m == nil || m.Kind != "book" {
		return nil
	}
	return &book{
		ID: number(m.ID), GoodreadsID: m.IDs["goodreads"], Title: m.Title, ReleaseDate: midnight(m.ReleaseDate),
		Edition: &edition{Title: m.Title, GoodreadsID: m.IDs["goodreads_edition"], Asin: m.IDs["asin"], Isbn13: m.IDs["isbn"]},
	}
}
