package whisparr

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/fakearr"
	"github.com/hookarr/hookarr/plugins/internal/arr/arrtest"
)

func library(t *testing.T, app fakearr.App) *arrtest.Installation {
	t.Helper()
	in, ctx := arrtest.Install(t, app, newSource), t.Context()
	for _, name := range []string{"First", "Second"} {
		added, err := in.Add(ctx, title(name))
		require.NoError(t, err)
		d, err := in.Grab(ctx, added.ID, fakearr.Release{})
		require.NoError(t, err)
		_, err = in.Import(ctx, d.ID)
		require.NoError(t, err)
	}
	return in
}

func TestSnapshotSaysWhatTheWebhooksSaid(t *testing.T) {
	t.Parallel()
	for _, app := range []fakearr.App{fakearr.WhisparrV2, fakearr.WhisparrV3} {
		library(t, app).SameFacts()
	}
}

func TestSnapshotIsOfSitesOrScenes(t *testing.T) {
	t.Parallel()
	items := library(t, fakearr.WhisparrV2).Items(10)
	require.Len(t, items, 6)
	require.Equal(t, "series/1", items[0].Key)
	require.Equal(t, 2024, items[0].Event.Media.Year, "which no webhook says")
	require.Len(t, items[0].Event.Episodes, 2)
	require.Equal(t, "2024-01-01", items[0].Event.Episodes[0].AirDate)
	require.Equal(t, "series/1", items[1].Parent)

	items = library(t, fakearr.WhisparrV3).Items(10)
	require.Len(t, items, 4)
	require.Equal(t, "movie/1", items[0].Key)
	require.Equal(t, "scene", items[0].Event.Media.Kind)
	require.Equal(t, "movie/1", items[1].Parent)
}

func TestSnapshotKnowsHowWebhooksTellDeletions(t *testing.T) {
	t.Parallel()
	for _, app := range []fakearr.App{fakearr.WhisparrV2, fakearr.WhisparrV3} {
		in := library(t, app)
		in.Gone(func() {
			require.NoError(t, in.DeleteFile(t.Context(), 1, fakearr.MissingFromDisk))
			require.NoError(t, in.Delete(t.Context(), 2, true))
		})
	}
}
