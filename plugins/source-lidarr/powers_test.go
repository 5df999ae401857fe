package lidarr

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/fakearr"
	"github.com/hookarr/hookarr/plugins/internal/arr/arrtest"
	"github.com/hookarr/hookarr/sdk"
)

func boards() fakearr.Title {
	return fakearr.Title{
		Name: "Boards of Canada", MusicBrainz: "69158f97-4c07-4c4e-baf8-4e4ab1ed666e", Overview: "Two brothers.",
		Genres: []string{"IDM"}, Tags: []string{"quiet"}, Poster: "https://image.example/p.jpg", Fanart: "https://image.example/f.jpg",
		Albums: []fakearr.Album{
			{Title: "Geogaddi", MusicBrainz: "cb51ff1a-0fd1-3b5c-a1a1-8b7d1a9e1d1c", Type: "Album", Released: "2002-02-13", Tracks: []fakearr.Track{
				{Number: "1", Title: "Ready Lets Go"}, {Number: "2", Title: "Music Is Math"},
			}},
			{Title: "Twoism", Type: "EP", Released: "1995-01-01", Tracks: []fakearr.Track{{Number: "A1", Title: "Sixtyniner"}}},
		},
	}
}

func live(t *testing.T) *arrtest.Installation {
	t.Helper()
	in, ctx := arrtest.Install(t, fakearr.Lidarr, newSource), t.Context()
	artist, err := in.Add(ctx, boards())
	require.NoError(t, err)
	both, err := in.Grab(ctx, artist.ID, fakearr.Release{})
	require.NoError(t, err)
	in.Later()
	_, err = in.Import(ctx, both.ID)
	require.NoError(t, err)
	in.Later()
	better, err := in.Grab(ctx, artist.ID, fakearr.Release{Quality: "FLAC", Parts: []int{artist.Albums[0].ID}})
	require.NoError(t, err)
	files, err := in.Import(ctx, better.ID)
	require.NoError(t, err)
	in.Later()
	require.NoError(t, in.Retag(ctx, files[1].ID))
	in.Later()
	require.NoError(t, in.Rename(ctx, artist.ID, " new"))
	failed, err := in.Grab(ctx, artist.ID, fakearr.Release{Name: "Broken"})
	require.NoError(t, err)
	require.NoError(t, in.FailImport(ctx, both.ID, "missing tracks"))
	require.NoError(t, in.FailDownload(ctx, failed.ID, "broken"))
	return in
}

func kept() []sdk.Type {
	return []sdk.Type{
		sdk.TypeReleaseGrabbed, sdk.TypeMediaImported, sdk.TypeMediaUpgraded, sdk.TypeDownloadFailed,
		sdk.TypeFileRenamed, sdk.TypeFileRetagged,
	}
}

func TestHistoryTellsWhatTheWebhooksTold(t *testing.T) {
	t.Parallel()
	past := live(t).Twins(kept()...)
	grab := past[0].Event
	require.Len(t, grab.Albums, 2)
	require.Equal(t, map[string]string{"musicbrainz": boards().Albums[0].MusicBrainz}, grab.Albums[0].IDs)
	require.Equal(t, boards().Tags, grab.Media.Tags)
	require.Equal(t, "2002-02-13", grab.Albums[0].ReleaseDate)
	require.Len(t, past[1].Event.Tracks, 2)
}

func TestFetchAddsWhatTheWebhookLacks(t *testing.T) {
	t.Parallel()
	in := arrtest.Install(t, fakearr.Lidarr, newSource)
	artist, err := in.Add(t.Context(), boards())
	require.NoError(t, err)
	d, err := in.Grab(t.Context(), artist.ID, fakearr.Release{Parts: []int{artist.Albums[0].ID}})
	require.NoError(t, err)
	_, err = in.Import(t.Context(), d.ID)
	require.NoError(t, err)
	fetched := in.Fetched(in.Imported())
	require.Equal(t, "as the webhook says", fetched.Albums[0].Title)
	require.Equal(t, "Album", fetched.Albums[0].Type)
	require.Equal(t, "2002-02-13", fetched.Albums[0].ReleaseDate)
}

func TestOddAnswers(t *testing.T) {
	t.Parallel()
	arrtest.OddAnswers(t, live(t), newSource)
}

func TestFolders(t *testing.T) {
	t.Parallel()
	arrtest.Folders(t, fakearr.Lidarr, newSource, boards(), "artist", sdk.FolderTitle{
		Kind: "artist", Title: "Boards of Canada", IDs: map[string]string{"musicbrainz": "69158f97-4c07-4c4e-baf8-4e4ab1ed666e"},
	})
}
