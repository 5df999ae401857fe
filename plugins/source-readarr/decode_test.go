package main

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/plugins/internal/arr/arrtest"
	"github.com/hookarr/hookarr/sdk"
)

const agent = "Readarr/0.4.10.2734 (alpine 3.20)"

func decode(body []byte, header http.Header) (sdk.Event, error) {
	return arrtest.Decode(decoder{applicationURL: "http://nas:8787"}, body, header)
}

func sample(t *testing.T, name string) sdk.Event {
	t.Helper()
	e, err := decode(arrtest.Sample(t, name), nil)
	require.NoError(t, err, name)
	return e
}

func TestDecodeEveryEvent(t *testing.T) {
	t.Parallel()
	const (
		kings = "Brandon Sanderson - The Way of Kings"
		page  = "http://nas:8787/"
	)
	tests := []struct {
		sample  string
		native  string
		want    sdk.Type
		title   string
		summary string
		url     string
	}{
		{"test", "Test", sdk.TypeTest, "Readarr", "Readarr tested its connection to Hookarr", "http://nas:8787"},
		{"grab", "Grab", sdk.TypeReleaseGrabbed, kings, "Grabbed Brandon Sanderson - The Way of Kings from Example Tracker (7.0 MiB, EPUB)", page + "book/8134945"},
		{"grab_two", "Grab", sdk.TypeReleaseGrabbed, kings + " and 1 more", "Grabbed Brandon Sanderson - The Way of Kings and 1 more from Example Tracker (7.0 MiB, EPUB)", page + "author/38550"},
		{"import", "Download", sdk.TypeMediaImported, kings, "Imported Brandon Sanderson - The Way of Kings in EPUB", page + "book/8134945"},
		{"import_audiobook", "Download", sdk.TypeMediaImported, "Brandon Sanderson - Words of Radiance", "Imported Brandon Sanderson - Words of Radiance (3 files) in MP3-320", page + "book/16482835"},
		{"upgrade", "Download", sdk.TypeMediaUpgraded, kings, "Upgraded Brandon Sanderson - The Way of Kings from EPUB to AZW3", page + "book/8134945"},
		{"rename", "Rename", sdk.TypeFileRenamed, "Brandon Sanderson", "Renamed a file of Brandon Sanderson to The Way of Kings.epub", page + "author/38550"},
		{"retag", "Retag", sdk.TypeFileRetagged, "Brandon Sanderson", "Retagged The Way of Kings.epub of Brandon Sanderson", page + "author/38550"},
		{"author_added", "AuthorAdded", sdk.TypeMediaAdded, "Brandon Sanderson", "Added Brandon Sanderson", page + "author/38550"},
		{"author_delete", "AuthorDelete", sdk.TypeMediaDeleted, "Brandon Sanderson", "Deleted Brandon Sanderson and kept its files", ""},
		{"book_delete", "BookDelete", sdk.TypeMediaDeleted, kings, "Deleted Brandon Sanderson - The Way of Kings and its files", page + "author/38550"},
		{"book_delete_2021", "BookDelete", sdk.TypeMediaDeleted, "Brandon Sanderson - Words of Radiance", "Deleted Brandon Sanderson - Words of Radiance", page + "author/38550"},
		{"book_file_delete", "BookFileDelete", sdk.TypeFileDeleted, kings, "Deleted the file of Brandon Sanderson - The Way of Kings", page + "book/8134945"},
		{"book_file_delete_bare", "BookFileDelete", sdk.TypeFileDeleted, "Unknown author", "Deleted the file of Unknown author", ""},
		{"health", "Health", sdk.TypeHealthIssue, "Indexer status check", "Warning: Indexers unavailable due to failures: Example Tracker", page + "system/status"},
		{"application_update", "ApplicationUpdate", sdk.TypeAppUpdated, "Readarr 0.4.10.2734", "Updated Readarr from 0.4.9.2700 to 0.4.10.2734", page + "system/updates"},
		{"unknown_event", "SeriesAdded", sdk.TypeUnknown, "Brandon Sanderson", "Readarr reported SeriesAdded for Brandon Sanderson, which Hookarr does not know", page + "author/38550"},
	}
	for _, tt := range tests {
		e, err := decode(arrtest.Sample(t, tt.sample), arrtest.Agent(agent))
		require.NoError(t, err, tt.sample)
		require.Equal(t, tt.want, e.Type, tt.sample)
		require.Equal(t, tt.native, e.NativeType, tt.sample)
		require.Equal(t, tt.title, e.Title, tt.sample)
		require.Equal(t, tt.summary, e.Summary, tt.sample)
		require.Equal(t, tt.url, e.URL, tt.sample)
		require.Equal(t, "readarr", e.App, tt.sample)
		require.Equal(t, "0.4.10.2734", e.AppVersion, tt.sample)
	}
}

func TestMedia(t *testing.T) {
	t.Parallel()
	require.Equal(t, map[string]string{"goodreads": "8134945", "goodreads_edition": "7235533", "isbn": "9780765326355", "asin": "B003P2WO5E"}, sample(t, "import").Media.IDs)
	require.Equal(t, "author", sample(t, "grab_two").Media.Kind, "the books are several")
	require.Equal(t, "author", sample(t, "rename").Media.Kind)
	require.Nil(t, sample(t, "test").Media, "the ids of a test belong to a real author")
	odd := sample(t, "odd_types")
	require.Equal(t, "Brandon Sanderson - The Way of Kings", odd.Title, "the edition's title")
	require.Equal(t, "8134945", odd.Media.IDs["goodreads"])
	require.Equal(t, "9780765326355", odd.Media.IDs["isbn"])
	require.Empty(t, odd.Media.ReleaseDate)
	require.False(t, odd.Upgrade)
}

func TestFingerprint(t *testing.T) {
	t.Parallel()
	id := func(key string) func(map[string]any) {
		return func(m map[string]any) { arrtest.Object(m, key)["id"] = 999 }
	}
	arrtest.Fingerprints(t, decoder{}, map[string]arrtest.Change{
		"metadata arrived": arrtest.Same("import", func(m map[string]any) { arrtest.Object(m, "book")["title"] = "x" }),
		"order of files": arrtest.Same("import_audiobook", func(m map[string]any) {
			all := m["bookFiles"].([]any)
			all[0], all[1] = all[1], all[0]
		}),
		"second import":         arrtest.Other("import", func(m map[string]any) { arrtest.First(m, "bookFiles")["id"] = 999 }),
		"second grab":           arrtest.Other("grab", func(m map[string]any) { m["downloadId"] = "OTHER" }),
		"grab of another book":  arrtest.Other("grab", func(m map[string]any) { arrtest.First(m, "books")["id"] = 999 }),
		"renamed back":          arrtest.Other("rename", func(m map[string]any) { arrtest.First(m, "renamedBookFiles")["previousPath"] = "/x" }),
		"other file retagged":   arrtest.Other("retag", func(m map[string]any) { arrtest.Object(m, "bookFile")["path"] = "/other.epub" }),
		"other author added":    arrtest.Other("author_added", id("author")),
		"other author deleted":  arrtest.Other("author_delete", id("author")),
		"other book deleted":    arrtest.Other("book_delete", id("book")),
		"book is no author":     arrtest.Other("book_delete", func(m map[string]any) { m["eventType"] = "AuthorDelete"; arrtest.Object(m, "author")["id"] = 4 }),
		"other file deleted":    arrtest.Other("book_file_delete", func(m map[string]any) { arrtest.Object(m, "bookFile")["path"] = "/other.epub" }),
		"update in other words": arrtest.Same("application_update", func(m map[string]any) { m["message"] = "x" }),
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
		require.Equal(t, want, sample(t, name).CorrelationKey, name)
	}
}

func TestInvalid(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{}`:                              "the body has no eventType: it is not a webhook of Readarr",
		`{"eventType":"Grab","movie":{}}`: "this looks like Radarr: point it at a source with plugin radarr",
		`{"eventType":"Test","instanceName":"Lidarr"}`:             "this looks like Lidarr: point it at a source with plugin lidarr",
		`{"eventType":"Health","instanceName":"Prowlarr (cloud)"}`: "this looks like Prowlarr: point it at a source with plugin prowlarr",
	} {
		_, err := decode([]byte(body), nil)
		require.EqualError(t, err, want)
		_, ok := sdk.AsInvalid(err)
		require.True(t, ok)
	}
}

func TestCollectedPayloads(t *testing.T) {
	t.Parallel()
	arrtest.Collected(t, decoder{}, "readarr")
}
