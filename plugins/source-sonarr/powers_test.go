package sonarr

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/fakearr"
	"github.com/hookarr/hookarr/plugins/internal/arr/api"
	"github.com/hookarr/hookarr/plugins/internal/arr/arrtest"
	"github.com/hookarr/hookarr/sdk"
)

func install(t *testing.T) *arrtest.Installation {
	t.Helper()
	return arrtest.Install(t, fakearr.Sonarr, newFiles)
}

func newFiles(ctx context.Context, env sdk.Env, c api.Config) (sdk.Source, error) {
	return newSource(ctx, env, config{Config: c, ImportPair: pairFiles})
}

func dark() fakearr.Title {
	return fakearr.Title{
		Name: "Dark", Year: 2017, TVDB: 334824, IMDB: "tt5753856", Overview: "Children vanish.", SeriesType: "standard",
		Genres: []string{"Mystery"}, Tags: []string{"german"}, Poster: "https://image.example/p.jpg", Fanart: "https://image.example/f.jpg",
		Episodes: []fakearr.Episode{
			{Season: 1, Number: 1, Title: "Secrets", Overview: "A boy is gone.", Aired: "2017-12-01"},
			{Season: 1, Number: 2, Title: "Lies", Overview: "A box.", Aired: "2017-12-01"},
			{Season: 1, Number: 3, Title: "Past and Present", Aired: "2017-12-01"},
		},
	}
}

func live(t *testing.T) *arrtest.Installation {
	t.Helper()
	in := install(t)
	in.Live(dark(), fakearr.Title{Name: "Severance", Year: 2022, TVDB: 371980, Episodes: []fakearr.Episode{{Season: 2, Number: 3, Title: "Who Is Alive?", Aired: "2025-01-31"}}})
	return in
}

func TestHistoryTellsWhatTheWebhooksTold(t *testing.T) {
	t.Parallel()
	past := live(t).Twins(arrtest.Kept()...)
	grab := past[0].Event
	require.Len(t, grab.Episodes, 3)
	require.Equal(t, "Lies", grab.Episodes[1].Title)
	require.Equal(t, dark().Tags, grab.Media.Tags)
	require.Equal(t, dark().Fanart, grab.Media.Fanart)
	require.Equal(t, "334824", grab.Media.IDs["tvdb"])
}

func TestFetchAddsWhatTheWebhookLacks(t *testing.T) {
	t.Parallel()
	in := install(t)
	title, err := in.Add(t.Context(), dark())
	require.NoError(t, err)
	d, err := in.Grab(t.Context(), title.ID, fakearr.Release{Group: "GROUP", Parts: []int{title.Episodes[1].ID}})
	require.NoError(t, err)
	_, err = in.Import(t.Context(), d.ID)
	require.NoError(t, err)
	fetched := in.Fetched(in.Imported())
	require.Equal(t, "A box.", fetched.Episodes[0].Overview)
	require.Equal(t, new(2), fetched.Episodes[0].Number)
	require.Equal(t, "2017-12-01", fetched.Episodes[0].AirDate)
	require.Equal(t, "as the webhook says", fetched.Episodes[0].Title)
}

func TestOddAnswers(t *testing.T) {
	t.Parallel()
	arrtest.OddAnswers(t, live(t), newFiles)
}

func TestFolders(t *testing.T) {
	t.Parallel()
	arrtest.Folders(t, fakearr.Sonarr, newFiles, dark(), "series", sdk.FolderTitle{
		Kind: "series", Title: "Dark", Year: 2017, IDs: map[string]string{"tvdb": "334824", "imdb": "tt5753856"},
	})
}
