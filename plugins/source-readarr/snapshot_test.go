package readarr

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/fakearr"
	"github.com/hookarr/hookarr/plugins/internal/arr/api"
	"github.com/hookarr/hookarr/plugins/internal/arr/arrtest"
	"github.com/hookarr/hookarr/sdk"
)

// library is an application with an author, of whom it has a book to read and one to
// listen to.
func library(t *testing.T) *arrtest.Installation {
	t.Helper()
	in, ctx := arrtest.Install(t, fakearr.Readarr, newSource), t.Context()
	added, err := in.Add(ctx, fakearr.Title{
		Name: "Brandon Sanderson", Goodreads: "38550", Overview: "Writes.", Genres: []string{"Fantasy"}, Tags: []string{"b", "a"},
		Poster: "https://image.example/p.jpg", QualityProfile: "eBook",
		Books: []fakearr.Book{
			{
				Title: "The Way of Kings", Goodreads: "8134945", Edition: "7235533", ASIN: "B003P2WO5E", ISBN: "9780765326355",
				Released: "2010-08-31", Cover: "https://image.example/c.jpg", Overview: "Storms.",
			},
			{Title: "Warbreaker", Goodreads: "1268479", Edition: "2", Files: 2},
		},
	})
	require.NoError(t, err)
	for _, book := range added.Books {
		d, err := in.Grab(ctx, added.ID, fakearr.Release{Parts: []int{book.ID}, Name: book.Title})
		require.NoError(t, err)
		_, err = in.Import(ctx, d.ID)
		require.NoError(t, err)
	}
	return in
}

func TestFolders(t *testing.T) {
	t.Parallel()
	arrtest.Folders(t, fakearr.Readarr, newSource, fakearr.Title{
		Name: "Brandon Sanderson", Goodreads: "38550", Books: []fakearr.Book{{Title: "Warbreaker", Goodreads: "1268479"}},
	}, "author", sdk.FolderTitle{Kind: "author", Title: "Brandon Sanderson", IDs: map[string]string{"goodreads": "38550"}})
}

// The import of a book of one file is told by the file, too.
func TestSnapshotSaysWhatTheWebhooksSaid(t *testing.T) {
	t.Parallel()
	library(t).SameFacts()
}

func TestSnapshotSaysMoreThanTheWebhooks(t *testing.T) {
	t.Parallel()
	items := library(t).Items(10)
	require.Len(t, items, 4)
	m := items[0].Event.Media
	require.Equal(t, "author/1", items[0].Key)
	require.Equal(t, "Added Brandon Sanderson", items[0].Event.Summary)
	require.Equal(t, "eBook", m.QualityProfile)
	require.Equal(t, []string{"a", "b"}, m.Tags)
	require.Equal(t, "https://image.example/p.jpg", m.Poster)
	require.Equal(t, "author/1", items[1].Parent)
	book := items[1].Event.Media
	require.Equal(t, "book", book.Kind)
	require.Equal(t, "The Way of Kings", book.Title)
	require.Equal(t, "2010-08-31", book.ReleaseDate)
	require.Equal(t, map[string]string{
		"goodreads": "8134945", "goodreads_edition": "7235533", "isbn": "9780765326355", "asin": "B003P2WO5E",
	}, book.IDs)
	require.Equal(t, "Warbreaker", items[3].Event.Media.Title)
}

func TestSnapshotKnowsHowWebhooksTellDeletions(t *testing.T) {
	t.Parallel()
	in := library(t)
	in.Gone(func() {
		require.NoError(t, in.DeleteFile(t.Context(), 1, fakearr.Manual))
		require.NoError(t, in.Delete(t.Context(), 1, true))
	})
	require.Empty(t, in.Items(10))
}

func TestSnapshotStandsOddAnswers(t *testing.T) {
	t.Parallel()
	arrtest.OddLists(t, library(t), newSource)
}

// Without the API, the source decodes and says what it lacks for more.
func TestWithoutAPIKey(t *testing.T) {
	t.Parallel()
	s, err := newSource(t.Context(), sdk.Env{Instance: "books"}, api.Config{})
	require.NoError(t, err)
	_, err = s.(sdk.Snapshotter).Snapshot(t.Context(), sdk.SnapshotQuery{})
	require.EqualError(t, err, "set base_url and api_key in sources.books.config")
}
