package fakearr

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
)

// books is Readarr.
type books struct{ *Arr }

func (b books) words() words {
	return words{
		imported: "bookFileImported", file: "bookFile", first: "EPUB", better: "AZW3",
		without: []string{"downloadClientName", "sourceRelativePath", "relativePath"},
		kinds: map[int]string{
			1: "grabbed", 3: "bookFileImported", 4: "downloadFailed", 5: "bookFileDeleted", 6: "bookFileRenamed",
			7: "bookImportIncomplete", 8: "downloadImported", 9: "bookFileRetagged", 10: "downloadIgnored",
		},
	}
}

func (b books) adopt(t *Title) {
	t.Path = cmp.Or(t.Path, "/books/"+t.Name)
	for i := range t.Books {
		if t.Books[i].ID == 0 {
			t.Books[i].ID = b.id("book")
		}
	}
}

func (b books) held(t *Title, r Release) []Book {
	return slices.DeleteFunc(slices.Clone(t.Books), func(o Book) bool { return len(r.Parts) > 0 && !slices.Contains(r.Parts, o.ID) })
}

func (b books) parts(t *Title, r Release) []part {
	return each(b.held(t, r), func(o Book) part { return part{book: o.ID} })
}

func (b books) holds(f *File) []part { return []part{{book: f.Book}} }

func (b books) batches(t *Title, d *Download) [][]File {
	return each(b.held(t, d.Release), func(o Book) []File {
		n := max(o.Files, 1)
		var files []File
		for i := range n {
			name := o.Title
			if n > 1 {
				name = fmt.Sprintf("%s - Part %02d", o.Title, i+1)
			}
			files = append(files, File{
				Path: fmt.Sprintf("%s/%s/%s.%s", t.Path, o.Title, name, slug(d.Quality)), Size: d.Size / int64(n), Book: o.ID,
			})
		}
		return files
	})
}

func (b books) book(t *Title, id int) (Book, bool) {
	i := slices.IndexFunc(t.Books, func(o Book) bool { return o.ID == id })
	if i < 0 {
		return Book{}, false
	}
	return t.Books[i], true
}

func (b books) identity(t *Title, p part) object {
	return object{{"authorId", t.ID}, {"bookId", p.book}}
}

func (b books) included(t *Title, p part, wanted func(string) bool) object {
	var o object
	if book, ok := b.book(t, p.book); ok && wanted("includeBook") {
		o = append(o, member{"book", b.bookResource(t, book)})
	}
	if wanted("includeAuthor") {
		o = append(o, member{"author", b.resource(t)})
	}
	return o
}

// about begins an event about an author.
func (b books) about(kind, flag string, t *Title) happening {
	return happening{kind: kind, flag: flag, title: t, body: object{{"author", object{
		{"id", t.ID}, {"name", t.Name}, {"path", t.Path}, {"goodreadsId", t.Goodreads},
	}}}}
}

func (b books) bookObject(o Book) object {
	return object{
		{"id", o.ID},
		{"goodreadsId", o.Goodreads},
		{"title", o.Title},
		{"edition", object{{"title", o.Title}, {"goodreadsId", o.Edition}, {"asin", text(o.ASIN)}, {"isbn13", text(o.ISBN)}}},
		{"releaseDate", midnight(o.Released)},
	}
}

func (b books) file(f *File) object {
	return object{
		{"id", f.ID},
		{"path", f.Path},
		{"quality", f.Quality},
		{"qualityVersion", 1},
		{"releaseGroup", text(f.Group)},
		{"sceneName", text(f.Scene)},
		{"size", f.Size},
		{"dateAdded", exact(f.Added)},
	}
}

func (b books) test() object {
	return object{
		{"author", object{{"id", 1}, {"name", "Test Name"}, {"path", `C:\testpath`}, {"goodreadsId", "aaaaa-aaa-aaaa-aaaaaa"}}},
		{"books", []object{{{"id", 123}, {"title", "Test title"}}}},
	}
}

func (b books) added(t *Title) happening { return b.about("AuthorAdded", "onAuthorAdded", t) }

func (b books) removed(t *Title, files bool, _ int64) happening {
	h := b.about("AuthorDelete", "onAuthorDelete", t)
	h.body = append(h.body, member{"deletedFiles", files})
	return h
}

func (b books) grabbed(t *Title, d *Download) happening {
	h := b.about("Grab", "onGrab", t)
	h.download = d.ID
	h.body = append(h.body, member{"books", each(b.held(t, d.Release), b.bookObject)}, member{"release", d.grabRelease()})
	h.body = append(h.body, d.client()...)
	return h
}

func (b books) imported(t *Title, d *Download, files, replaced []*File) happening {
	h := b.about("Download", "onReleaseImport", t)
	h.download = d.ID
	if len(files) > 0 {
		book, _ := b.book(t, files[0].Book)
		h.body = append(h.body, member{"book", b.bookObject(book)})
	}
	h.body = append(h.body, member{"bookFiles", each(files, b.file)})
	if len(replaced) > 0 {
		h.also = "onUpgrade"
		h.body = append(h.body, member{"deletedFiles", each(replaced, b.file)})
	}
	h.body = append(append(h.body, member{"isUpgrade", len(replaced) > 0}), d.client()...)
	return h
}

func (b books) completed(*Title, *Download, []*File) []happening { return nil }

func (b books) renamed(t *Title, files []renaming) happening {
	h := b.about("Rename", "onRename", t)
	h.body = append(h.body, member{"renamedBookFiles", each(files, func(r renaming) object {
		return append(object{{"previousPath", r.from}}, b.file(r.file)...)
	})})
	return h
}

// fileDeleted does not say why.
func (b books) fileDeleted(t *Title, f *File, reason string) []happening {
	h := b.about("BookFileDelete", "onBookFileDelete", t)
	if reason == Upgrade {
		h.also = "onBookFileDeleteForUpgrade"
	}
	book, _ := b.book(t, f.Book)
	h.body = append(h.body, member{"book", b.bookObject(book)}, member{"bookFile", b.file(f)})
	return []happening{h}
}

func (b books) downloadFailed(*Title, *Download) []happening { return nil }

func (b books) manual(*Title, *Download, []string) []happening { return nil }

func (b books) routes() {
	b.list("author", nil, b.resource)
	b.get("author/{id}", func(r *http.Request) any {
		t, err := b.title(pathID(r))
		if err != nil {
			return nil
		}
		return b.resource(t)
	})
	b.get("book", func(r *http.Request) any {
		out := []object{}
		for _, t := range b.named(r.URL.Query().Get("authorId")) {
			for _, o := range t.Books {
				out = append(out, b.bookResource(t, o))
			}
		}
		return out
	})
	b.get("bookfile", func(r *http.Request) any {
		t, err := b.title(positive(r.URL.Query().Get("authorId"), 0))
		if err != nil {
			return nil
		}
		return each(b.filesOf(t.ID), func(f *File) object {
			return object{
				{"authorId", f.TitleID},
				{"bookId", f.Book},
				{"path", f.Path},
				{"size", f.Size},
				{"dateAdded", seconds(f.Added)},
				{"quality", quality(f.Quality)},
				{"qualityCutoffNotMet", false},
				{"id", f.ID},
			}
		})
	})
}

func (b books) resource(t *Title) object {
	return object{
		{"authorName", t.Name},
		{"foreignAuthorId", t.Goodreads},
		{"titleSlug", t.Goodreads},
		{"overview", text(t.Overview)},
		{"images", b.images(t, "Authors/"+strconv.Itoa(t.ID))},
		{"path", t.Path},
		{"qualityProfileId", b.profileID(t.QualityProfile)},
		{"metadataProfileId", 1},
		{"monitored", !t.Unmonitored},
		{"genres", list(t.Genres)},
		{"tags", b.tagIDs(t.Tags)},
		{"added", seconds(t.Added)},
		{"ratings", object{{"votes", 0}, {"value", 0}}},
		{"statistics", object{{"bookFileCount", len(b.filesOf(t.ID))}, {"sizeOnDisk", b.sizeOf(t.ID)}}},
		{"id", t.ID},
	}
}

// bookResource has all editions, of which one is wanted.
func (b books) bookResource(t *Title, o Book) object {
	images := []object{}
	if o.Cover != "" {
		images = append(images, b.image("cover", "Books/"+strconv.Itoa(o.ID), o.Cover))
	}
	return object{
		{"title", o.Title},
		{"authorId", t.ID},
		{"foreignBookId", o.Goodreads},
		{"titleSlug", o.Goodreads},
		{"overview", text(o.Overview)},
		{"monitored", true},
		{"releaseDate", midnight(o.Released)},
		{"images", images},
		{"editions", []object{
			{{"id", 2*o.ID - 1}, {"title", o.Title + " (large print)"}, {"foreignEditionId", "0"}, {"monitored", false}},
			{
				{"id", 2 * o.ID},
				{"title", o.Title},
				{"foreignEditionId", o.Edition},
				{"asin", text(o.ASIN)},
				{"isbn13", text(o.ISBN)},
				{"monitored", true},
			},
		}},
		{"id", o.ID},
	}
}
