package lidarr

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/fakearr"
	"github.com/hookarr/hookarr/plugins/internal/arr/arrtest"
)

// library is an application with an artist of whom it has both albums.
func library(t *testing.T) *arrtest.Installation {
	t.Helper()
	in, ctx := arrtest.Install(t, fakearr.Lidarr, newSource), t.Context()
	title := boards()
	title.QualityProfile = "Lossless"
	added, err := in.Add(ctx, title)
	require.NoError(t, err)
	for _, album := range added.Albums {
		d, err := in.Grab(ctx, added.ID, fakearr.Release{Parts: []int{album.ID}, Name: album.Title})
		require.NoError(t, err)
		_, err = in.Import(ctx, d.ID)
		require.NoError(t, err)
	}
	return in
}

// The import of an album of one track is told by the file, too.
func TestSnapshotSaysWhatTheWebhooksSaid(t *testing.T) {
	t.Parallel()
	library(t).SameFacts()
}

func TestSnapshotHasTheAlbums(t *testing.T) {
	t.Parallel()
	items := library(t).Items(10)
	require.Len(t, items, 4)
	artist := items[0]
	require.Equal(t, "artist/1", artist.Key)
	require.Equal(t, "Boards of Canada", artist.Event.Title)
	require.Equal(t, "Lossless", artist.Event.Media.QualityProfile)
	require.Equal(t, boards().Poster, artist.Event.Media.Poster)
	require.Len(t, artist.Event.Albums, 2)
	require.Equal(t, "Geogaddi", artist.Event.Albums[0].Title)
	require.Equal(t, "2002-02-13", artist.Event.Albums[0].ReleaseDate)
	file := items[1]
	require.Equal(t, "artist/1", file.Parent)
	require.Equal(t, "Imported Boards of Canada - Geogaddi (1 track) in MP3-320", file.Event.Summary)
	require.Equal(t, "Geogaddi", file.Event.Albums[0].Title)
	require.Equal(t, "Ready Lets Go", file.Event.Tracks[0].Title)
	require.Equal(t, "A1", items[3].Event.Tracks[0].Number)
}

func TestSnapshotKnowsHowWebhooksTellDeletions(t *testing.T) {
	t.Parallel()
	in := library(t)
	in.Gone(func() { require.NoError(t, in.Delete(t.Context(), 1, true)) })
	require.Empty(t, in.Items(10))
}

func TestSnapshotShowsWhatNoWebhookTells(t *testing.T) {
	t.Parallel()
	in := library(t)
	require.NoError(t, in.DeleteFile(t.Context(), 2, fakearr.Manual))
	require.False(t, in.Has("file/2"))
	before := in.Items(10)
	require.NoError(t, in.Edit(1, func(a *fakearr.Title) { a.Albums[1].Released = "1996-01-01" }))
	after := in.Items(10)
	require.NotEqual(t, before[0], after[0])
	require.Equal(t, before[1], after[1])
	require.NotEqual(t, before[2], after[2], "the file is of that album")
}

func TestSnapshotStandsOddAnswers(t *testing.T) {
	t.Parallel()
	arrtest.OddLists(t, library(t), newSource)
}
