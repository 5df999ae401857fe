package whisparr

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/fakearr"
	"github.com/hookarr/hookarr/plugins/internal/arr/arrtest"
	"github.com/hookarr/hookarr/sdk"
)

// title is a site with scenes for version 2, a scene for version 3.
func title(name string) fakearr.Title {
	return fakearr.Title{
		Name: name, Year: 2024, Released: "2024-05-14", TVDB: 77, Stash: "0195-" + name, Overview: "Plot.", Genres: []string{"Genre"},
		Tags: []string{"tag"}, Poster: "https://image.example/p.jpg", Fanart: "https://image.example/f.jpg",
		Episodes: []fakearr.Episode{
			{Season: 2024, Title: "One", Overview: "First.", Aired: "2024-01-01"}, {Season: 2024, Title: "Two", Aired: "2024-02-01"},
		},
	}
}

func live(t *testing.T, app fakearr.App) *arrtest.Installation {
	t.Helper()
	in := arrtest.Install(t, app, newSource)
	in.Live(title("First"), title("Second"))
	return in
}

func TestHistoryTellsWhatTheWebhooksTold(t *testing.T) {
	t.Parallel()
	for _, app := range []fakearr.App{fakearr.WhisparrV2, fakearr.WhisparrV3} {
		in := live(t, app)
		in.Twins(arrtest.Kept()...)
	}
}

func TestFetchAddsWhatTheWebhookLacks(t *testing.T) {
	t.Parallel()
	for _, app := range []fakearr.App{fakearr.WhisparrV2, fakearr.WhisparrV3} {
		in := arrtest.Install(t, app, newSource)
		added, err := in.Add(t.Context(), title("First"))
		require.NoError(t, err)
		d, err := in.Grab(t.Context(), added.ID, fakearr.Release{})
		require.NoError(t, err)
		_, err = in.Import(t.Context(), d.ID)
		require.NoError(t, err)
		in.Fetched(in.Imported())
	}
}

func TestOddAnswers(t *testing.T) {
	t.Parallel()
	arrtest.OddAnswers(t, live(t, fakearr.WhisparrV3), newSource)
}

func TestFolders(t *testing.T) {
	t.Parallel()
	arrtest.Folders(t, fakearr.WhisparrV2, newSource, title("First"), "series", sdk.FolderTitle{
		Kind: "series", Title: "First", Year: 2024, IDs: map[string]string{"tpdb": "77"},
	})
	arrtest.Folders(t, fakearr.WhisparrV3, newSource, title("First"), "movie", sdk.FolderTitle{
		Kind: "scene", Title: "First", Year: 2024, IDs: map[string]string{"stash": "0195-First"},
	})
}
