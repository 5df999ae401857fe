package arrtest

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/fakearr"
	"github.com/hookarr/hookarr/sdk"
)

// Items are what a source says that its application has, read in pages of a size.
func (in *Installation) Items(size int) []sdk.Item {
	in.t.Helper()
	var all []sdk.Item
	q := sdk.SnapshotQuery{Limit: size}
	seen := map[string]bool{"": true}
	for range 100_000 {
		page, err := in.Source.(sdk.Snapshotter).Snapshot(context.Background(), q)
		require.NoError(in.t, err)
		require.LessOrEqual(in.t, len(page.Items), size)
		for i := range page.Items {
			item := &page.Items[i]
			require.False(in.t, seen[item.Key], item.Key)
			require.True(in.t, seen[item.Parent], "%s is after %s", item.Parent, item.Key)
			seen[item.Key] = true
		}
		all = append(all, page.Items...)
		if !page.More {
			require.Len(in.t, all, page.Total)
			return all
		}
		require.NotEqual(in.t, q.Cursor, page.Cursor)
		q.Cursor = page.Cursor
	}
	require.Fail(in.t, "the snapshot does not end")
	return nil
}

// Item is the one with a key.
func (in *Installation) Item(key string) sdk.Item {
	in.t.Helper()
	items := in.Items(100)
	i := slices.IndexFunc(items, func(item sdk.Item) bool { return item.Key == key })
	require.GreaterOrEqual(in.t, i, 0, key)
	return items[i]
}

// Has reports whether the source says that its application has an item.
func (in *Installation) Has(key string) bool {
	in.t.Helper()
	return slices.ContainsFunc(in.Items(100), func(item sdk.Item) bool { return item.Key == key })
}

// SameFacts checks that a snapshot tells of what was added and imported what the webhooks
// told, under the same fingerprints, whatever the size of its pages and the order in which
// the application lists titles.
func (in *Installation) SameFacts() {
	in.t.Helper()
	items := in.Items(100)
	require.NotEmpty(in.t, items)
	in.Trouble(fakearr.Trouble{Unordered: true})
	for _, size := range []int{1, 2, 3, 7} {
		require.Equal(in.t, encoded(in, items), encoded(in, in.Items(size)), "pages of %d", size)
	}
	in.Trouble(fakearr.Trouble{})
	added, imported := 0, 0
	for _, e := range in.Webhooks() {
		switch e.Type { //nolint:exhaustive // The others make no item.
		case sdk.TypeMediaAdded:
			added++
			in.added(items, e)
		case sdk.TypeMediaImported, sdk.TypeMediaUpgraded:
			if in.imported(items, e) {
				imported++
			}
		}
	}
	require.Positive(in.t, added)
	require.Positive(in.t, imported)
}

func (in *Installation) added(items []sdk.Item, e sdk.Event) {
	in.t.Helper()
	item := find(items, e.Media.Kind, e.Media.ID)
	if item == nil {
		return // It was deleted since.
	}
	got := item.Event
	require.Equal(in.t, e.Fingerprint, got.Fingerprint, item.Key)
	require.NotEmpty(in.t, e.Fingerprint)
	require.Equal(in.t, e.Title, got.Title)
	require.Equal(in.t, e.CorrelationKey, got.CorrelationKey)
	require.Equal(in.t, e.URL, got.URL)
	require.Equal(in.t, e.Media.Title, got.Media.Title)
	require.Equal(in.t, e.Media.IDs, got.Media.IDs)
	require.Equal(in.t, e.Media.Path, got.Media.Path)
	require.NotNil(in.t, got.Media.Monitored)
	require.NotEmpty(in.t, got.Media.QualityProfile)
	require.NotEmpty(in.t, got.Media.AddedAt)
}

// imported compares an import of one file, and reports whether that file is still there.
func (in *Installation) imported(items []sdk.Item, e sdk.Event) bool {
	in.t.Helper()
	if len(e.Files) != 1 {
		return false
	}
	i := slices.IndexFunc(items, func(item sdk.Item) bool { return item.Key == "file/"+e.Files[0].ID })
	if i < 0 || items[i].Event.Files[0].Path != e.Files[0].Path {
		return false // It was deleted or renamed since.
	}
	item := items[i]
	require.Equal(in.t, e.Fingerprint, item.Event.Fingerprint, item.Key)
	require.NotEmpty(in.t, e.Fingerprint)
	require.Equal(in.t, sdk.TypeMediaImported, item.Event.Type)
	require.Equal(in.t, e.Title, item.Event.Title)
	require.ElementsMatch(in.t, e.Episodes, item.Event.Episodes)
	require.Equal(in.t, e.Albums, item.Event.Albums)
	require.Equal(in.t, e.Tracks, item.Event.Tracks)
	want, got := e.Files[0], item.Event.Files[0]
	want.SourcePath, got.Edition = "", "" // The one is forgotten, the other not told.
	if len(want.Languages) == 0 {
		got.Languages = nil // Whisparr and Lidarr do not tell them.
	}
	if want.MediaInfo == nil {
		got.MediaInfo = nil // Nor does Lidarr this.
	}
	if e.App == "readarr" {
		want.ReleaseGroup, want.SceneName = "", "" // Its API does not tell them.
	}
	require.Equal(in.t, want, got)
	return true
}

// Gone checks that the webhooks of deletions have fingerprints that the items had before.
// Delete deletes.
func (in *Installation) Gone(deletes func()) {
	in.t.Helper()
	gone := map[string]bool{}
	for _, item := range in.Items(100) {
		for _, f := range item.GoneFingerprints {
			gone[f] = true
		}
	}
	before := len(in.Webhooks())
	deletes()
	told := 0
	for _, e := range in.Webhooks()[before:] {
		switch e.Type { //nolint:exhaustive // The others delete nothing.
		case sdk.TypeMediaDeleted, sdk.TypeFileDeleted, sdk.TypeFileDeletedForUpgrade:
			told++
			require.True(in.t, gone[e.Fingerprint], "%s of %s", e.Type, e.Title)
		}
	}
	require.Positive(in.t, told)
}

func find(items []sdk.Item, kind, id string) *sdk.Item {
	for i := range items {
		m := items[i].Event.Media
		if items[i].Parent == "" && m.Kind == kind && m.ID == id {
			return &items[i]
		}
	}
	return nil
}

func encoded(in *Installation, items []sdk.Item) string {
	in.t.Helper()
	var b strings.Builder
	e := json.NewEncoder(&b)
	for _, item := range items {
		require.NoError(in.t, e.Encode(item))
	}
	return b.String()
}
