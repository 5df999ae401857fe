package fakearr_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/fakearr"
)

// live makes everything happen that any application tells of.
func live(ctx context.Context, t *testing.T, app fakearr.App, a *fakearr.Arr) {
	t.Helper()
	title, err := a.Add(ctx, movie())
	require.NoError(t, err)
	d, err := a.Grab(ctx, title.ID, fakearr.Release{})
	require.NoError(t, err)
	_, err = a.Import(ctx, d.ID)
	require.NoError(t, err)
	files, err := a.Upgrade(ctx, title.ID, fakearr.Release{})
	require.NoError(t, err)
	require.NoError(t, a.Rename(ctx, title.ID, " [renamed]"))
	d, err = a.Grab(ctx, title.ID, fakearr.Release{})
	require.NoError(t, err)
	require.NoError(t, a.NeedManualInteraction(ctx, d.ID, "Title mismatch"))
	require.NoError(t, a.NeedManualInteraction(ctx, d.ID, "Title mismatch"))
	if app == fakearr.Lidarr {
		require.NoError(t, a.FailImport(ctx, d.ID, "Has unmatched tracks"))
		require.NoError(t, a.Retag(ctx, files[0].ID))
	} else {
		require.Error(t, a.FailImport(ctx, d.ID, ""))
		require.Error(t, a.Retag(ctx, files[0].ID))
		require.Error(t, a.DeleteAlbum(ctx, 1, false))
	}
	require.NoError(t, a.FailDownload(ctx, d.ID, "Password protected"))
	require.NoError(t, a.DeleteFile(ctx, files[0].ID, fakearr.MissingFromDisk))
	a.Health(ctx, fakearr.Check{Level: "warning", Type: "IndexerStatusCheck", Message: "Indexers unavailable", Wiki: "https://wiki.example/#x"})
	a.HealthRestored(ctx, "IndexerStatusCheck")
	a.Update(ctx, "99.0.0.1")
	if app == fakearr.Lidarr {
		require.NoError(t, a.DeleteAlbum(ctx, title.Albums[0].ID, true))
	}
	require.NoError(t, a.Delete(ctx, title.ID, true))
}

// What every application posts, to the byte.
func TestWebhooks(t *testing.T) {
	t.Parallel()
	for _, app := range fakearr.Apps() {
		t.Run(string(app), func(t *testing.T) {
			t.Parallel()
			r := newReceiver(t)
			a := fakearr.New(app, fakearr.Options{Now: newClock().Now, ApplicationURL: "https://arr.example"})
			a.Connect("Hookarr", r.URL)
			live(t.Context(), t, app, a)
			var story strings.Builder
			for _, g := range r.Got() {
				story.WriteString(g.body + "\n")
			}
			golden := filepath.Join("testdata", string(app)+".golden")
			if *update {
				require.NoError(t, os.WriteFile(golden, []byte(story.String()), 0o600))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			require.Equal(t, string(want), story.String())

			events := a.Events()
			require.Equal(t, len(r.Got()), a.Count(fakearr.Delivered))
			require.Equal(t, r.Got()[0].body, string(events[0].Body))
		})
	}
}
