package readarr

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/plugins/internal/arr/arrtest"
	"github.com/hookarr/hookarr/sdk"
)

const agent = "Readarr/0.4.10.2734 (alpine 3.20)"

func source() decoder { return decoder{applicationURL: "http://nas:8787"} }

func TestDecodeEveryEvent(t *testing.T) {
	t.Parallel()
	const (
		kings = "Brandon Sanderson - The Way of Kings"
		page  = "http://nas:8787/"
	)
	is := arrtest.Table(t, source(), agent)
	is("test", "Test", sdk.TypeTest, "Readarr", "Readarr tested its connection to Hookarr", "http://nas:8787")
	is("grab", "Grab", sdk.TypeReleaseGrabbed, kings, "Grabbed Brandon Sanderson - The Way of Kings from Example Tracker (7.0 MiB, EPUB)", page+"book/8134945")
	is("grab_two", "Grab", sdk.TypeReleaseGrabbed, kings+" and 1 more", "Grabbed Brandon Sanderson - The Way of Kings and 1 more from Example Tracker (7.0 MiB, EPUB)", page+"author/38550")
	is("import", "Download", sdk.TypeMediaImported, kings, "Imported Brandon Sanderson - The Way of Kings in EPUB", page+"book/8134945")
	is("import_audiobook", "Download", sdk.TypeMediaImported, "Brandon Sanderson - Words of Radiance", "Imported Brandon Sanderson - Words of Radiance (3 files) in MP3-320", page+"book/16482835")
	is("upgrade", "Download", sdk.TypeMediaUpgraded, kings, "Upgraded Brandon Sanderson - The Way of Kings from EPUB to AZW3", page+"book/8134945")
	is("rename", "Rename", sdk.TypeFileRenamed, "Brandon Sanderson", "Renamed a file of Brandon Sanderson to The Way of Kings.epub", page+"author/38550")
	is("retag", "Retag", sdk.TypeFileRetagged, "Brandon Sanderson", "Retagged The Way of Kings.epub of Brandon Sanderson", page+"author/38550")
	is("author_added", "AuthorAdded", sdk.TypeMediaAdded, "Brandon Sanderson", "Added Brandon Sanderson", page+"author/38550")
	is("author_delete", "AuthorDelete", sdk.TypeMediaDeleted, "Brandon Sanderson", "Deleted Brandon Sanderson and kept its files", "")
	is("book_delete", "BookDelete", sdk.TypeMediaDeleted, kings, "Deleted Brandon Sanderson - The Way of Kings and its files", page+"author/38550")
	is("book_delete_2021", "BookDelete", sdk.TypeMediaDeleted, "Brandon Sanderson - Words of Radiance", "Deleted Brandon Sanderson - Words of Radiance", page+"author/38550")
	is("book_file_delete", "BookFileDelete", sdk.TypeFileDeleted, kings, "Deleted the file of Brandon Sanderson - The Way of Kings", page+"book/8134945")
	is("book_file_delete_bare", "BookFileDelete", sdk.TypeFileDeleted, "Unknown author", "Deleted the file of Unknown author", "")
	is("health", "Health", sdk.TypeHealthIssue, "Indexer status check", "Warning: Indexers unavailable due to failures: Example Tracker", page+"system/status")
	is("application_update", "ApplicationUpdate", sdk.TypeAppUpdated, "Readarr 0.4.10.2734", "Updated Readarr from 0.4.9.2700 to 0.4.10.2734", page+"system/updates")
	is("unknown_event", "SeriesAdded", sdk.TypeUnknown, "Brandon Sanderson", "Readarr reported SeriesAdded for Brandon Sanderson, which Hookarr does not know", page+"author/38550")
}

func TestMedia(t *testing.T) {
	t.Parallel()
	require.Equal(t, map[string]string{"goodreads": "8134945", "goodreads_edition": "7235533", "isbn": "9780765326355", "asin": "B003P2WO5E"}, arrtest.Event(t, source(), "import").Media.IDs)
	require.Equal(t, "author", arrtest.Event(t, source(), "grab_two").Media.Kind, "the books are several")
	require.Equal(t, "author", arrtest.Event(t, source(), "rename").Media.Kind)
	require.Nil(t, arrtest.Event(t, source(), "test").Media, "the ids of a test belong to a real author")
	odd := arrtest.Event(t, source(), "odd_types")
	require.Equal(t, "Brandon Sanderson - The Way of Kings", odd.Title, "the edition's title")
	require.Equal(t, "8134945", odd.Media.IDs["goodreads"])
	require.Equal(t, "9780765326355", odd.Media.IDs["isbn"])
	require.Empty(t, odd.Media.ReleaseDate)
	require.False(t, odd.Upgrade)
}

func TestFingerprint(t *testing.T) {
	t.Parallel()
	arrtest.Fingerprints(t, decoder{}, map[string]arrtest.Change{
		"metadata arrived":      arrtest.Same("import", func(m map[string]any) { arrtest.Object(m, "book")["title"] = "x" }),
		"order of files":        arrtest.Same("import_audiobook", arrtest.Swap("bookFiles")),
		"second import":         arrtest.Other("import", func(m map[string]any) { arrtest.First(m, "bookFiles")["id"] = 999 }),
		"second grab":           arrtest.Other("grab", arrtest.Set("downloadId", "OTHER")),
		"grab of another book":  arrtest.Other("grab", func(m map[string]any) { arrtest.First(m, "books")["id"] = 999 }),
		"renamed back":          arrtest.Other("rename", func(m map[string]any) { arrtest.First(m, "renamedBookFiles")["previousPath"] = "/x" }),
		"other file retagged":   arrtest.Other("retag", func(m map[string]any) { arrtest.Object(m, "bookFile")["path"] = "/other.epub" }),
		"other author added":    arrtest.Other("author_added", arrtest.ID("author")),
		"other author deleted":  arrtest.Other("author_delete", arrtest.ID("author")),
		"other book deleted":    arrtest.Other("book_delete", arrtest.ID("book")),
		"book is no author":     arrtest.Other("book_delete", func(m map[string]any) { m["eventType"] = "AuthorDelete"; arrtest.Object(m, "author")["id"] = 4 }),
		"other file deleted":    arrtest.Other("book_file_delete", func(m map[string]any) { arrtest.Object(m, "bookFile")["path"] = "/other.epub" }),
		"update in other words": arrtest.Same("application_update", arrtest.Set("message", "x")),
	})
}

func TestCorrelationKey(t *testing.T) {
	t.Parallel()
	const download = "download:AAAABBBBCCCCDDDDEEEEFFFF0000111122223333"
	for name, want := range map[string]string{
		"grab":             download,
		"import":           download,
		"upgrade":          download,
		"grab_two":         "",
		"import_audiobook": "book:52",
		"book_delete":      "book:4",
		"book_file_delete": "book:51:file:81",
		"author_added":     "author:4",
		"author_delete":    "author:4",
		"rename":           "author:4:file:81",
		"retag":            "author:4:file:81",
		"health":           "health:IndexerStatusCheck",
	} {
		require.Equal(t, want, arrtest.Event(t, source(), name).CorrelationKey, name)
	}
}

func TestInvalid(t *testing.T) {
	t.Parallel()
	refused := arrtest.Refusals(t, decoder{})
	refused(`{}`, "", "the body has no eventType: it is not a webhook of Readarr", false)
	refused(`{"eventType":"Grab","movie":{}}`, "", "this looks like Radarr: point it at a source with plugin radarr", false)
	refused(`{"eventType":"Test","instanceName":"Lidarr"}`, "", "this looks like Lidarr: point it at a source with plugin lidarr", true)
	refused(`{"eventType":"Health","instanceName":"Prowlarr (cloud)"}`, "", "this looks like Prowlarr: point it at a source with plugin prowlarr", false)
}

func TestCollectedPayloads(t *testing.T) {
	t.Parallel()
	arrtest.Collected(t, decoder{}, "readarr")
}

func TestRowNumbersAloneTellNothing(t *testing.T) {
	t.Parallel()
	arrtest.Identity(t, decoder{})
}
