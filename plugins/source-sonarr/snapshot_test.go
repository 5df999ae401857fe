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

func bare(ctx context.Context, env sdk.Env, c api.Config) (sdk.Source, error) {
	return newSource(ctx, env, config{Config: c, ImportPair: "both"})
}

// library is an application with two series. Of the first it has two episodes in one
// file and one in another.
func library(t *testing.T) *arrtest.Installation {
	t.Helper()
	in, ctx := arrtest.Install(t, fakearr.Sonarr, bare), t.Context()
	added, err := in.Add(ctx, fakearr.Title{
		Name: "Severance", Year: 2022, TVDB: 371980, IMDB: "tt11280740", Tags: []string{"b", "a"}, Genres: []string{"Drama"},
		Runtime: 50, Certification: "TV-MA", QualityProfile: "Any",
		Episodes: []fakearr.Episode{
			{Season: 1, Number: 2, Title: "Half Loop", Aired: "2022-02-18"},
			{Season: 1, Number: 1, Title: "Good News About Hell", Aired: "2022-02-18"},
			{Season: 1, Number: 3, Title: "In Perpetuity", Aired: "2022-02-25"},
			{Season: 0, Number: 1, Title: "Special"},
		},
	})
	require.NoError(t, err)
	for _, r := range []fakearr.Release{
		{Parts: []int{added.Episodes[0].ID, added.Episodes[1].ID}, SingleFile: true}, {Parts: []int{added.Episodes[2].ID}, Name: "Third"},
	} {
		d, err := in.Grab(ctx, added.ID, r)
		require.NoError(t, err)
		_, err = in.Import(ctx, d.ID)
		require.NoError(t, err)
	}
	_, err = in.Add(ctx, fakearr.Title{Name: "Andor", Year: 2022, TVDB: 393189, Unmonitored: true})
	require.NoError(t, err)
	return in
}

func TestSnapshotSaysWhatTheWebhooksSaid(t *testing.T) {
	t.Parallel()
	library(t).SameFacts()
}

func TestSnapshotHasTheEpisodes(t *testing.T) {
	t.Parallel()
	in := library(t)
	items := in.Items(10)
	require.Len(t, items, 4)
	title := items[0].Event
	require.Equal(t, "Severance (2022)", title.Title)
	require.Len(t, title.Episodes, 4)
	require.Equal(t, "S00E01", title.Episodes[0].Code)
	require.Equal(t, "S01E01", title.Episodes[1].Code)
	require.Equal(t, "Any", title.Media.QualityProfile)
	require.Equal(t, "TV-MA", title.Media.Certification)
	require.Equal(t, 50, title.Media.RuntimeMinutes)
	require.Equal(t, []string{"a", "b"}, title.Media.Tags)
	require.Equal(t, "series/1", items[1].Parent)
	require.Len(t, items[1].Event.Episodes, 2)
	require.Equal(t, "Severance S01E01-E02", items[1].Event.Title)
	require.Equal(t, "Severance S01E03 - In Perpetuity", items[2].Event.Title)
	require.Empty(t, items[3].Event.Episodes)
	require.False(t, *items[3].Event.Media.Monitored)
}

func TestSnapshotAsksForEpisodesOfThePageOnly(t *testing.T) {
	t.Parallel()
	in := arrtest.Install(t, fakearr.Sonarr, bare)
	in.Seed(20, func(i int) fakearr.Title {
		return fakearr.Title{Name: "Series", TVDB: 1000 + i, Tags: []string{"all"}, Episodes: []fakearr.Episode{{Season: 1, Number: 1}, {Season: 1, Number: 2}}}
	}, true)
	ask := func(q sdk.SnapshotQuery) sdk.SnapshotPage {
		page, err := in.Source.(sdk.Snapshotter).Snapshot(t.Context(), q)
		require.NoError(t, err)
		return page
	}
	page := ask(sdk.SnapshotQuery{Limit: 9})
	require.Len(t, page.Items, 9)
	require.True(t, page.More)
	require.Equal(t, 60, page.Total)
	require.Equal(t, map[string]int{
		"GET system/status": 1, "GET series": 1, "GET tag": 1, "GET qualityprofile": 1, "GET config/host": 1,
		"GET episode": 3, "GET episodefile": 3,
	}, in.Requests())
	for page.More {
		page = ask(sdk.SnapshotQuery{Cursor: page.Cursor, Limit: 9})
	}
	require.Equal(t, map[string]int{
		"GET system/status": 1, "GET series": 1, "GET tag": 1, "GET qualityprofile": 1, "GET config/host": 1,
		"GET episode": 20, "GET episodefile": 20,
	}, in.Requests())
}

func TestSnapshotKnowsHowWebhooksTellDeletions(t *testing.T) {
	t.Parallel()
	in := library(t)
	in.Gone(func() {
		require.NoError(t, in.DeleteFile(t.Context(), 1, fakearr.MissingFromDisk))
		require.NoError(t, in.Delete(t.Context(), 2, true))
	})
	require.False(t, in.Has("file/1"))
	require.False(t, in.Has("series/2"))
}

func TestSnapshotShowsWhatNoWebhookTells(t *testing.T) {
	t.Parallel()
	in := library(t)
	before := in.Items(10)
	require.NoError(t, in.Edit(1, func(s *fakearr.Title) { s.Episodes[0].Title = "Half Loops" }))
	after := in.Items(10)
	require.NotEqual(t, before[0], after[0])
	require.NotEqual(t, before[1], after[1], "the file has that episode")
	require.Equal(t, before[2:], after[2:])
}

func TestSnapshotStandsOddAnswers(t *testing.T) {
	t.Parallel()
	arrtest.OddLists(t, library(t), bare)
}
