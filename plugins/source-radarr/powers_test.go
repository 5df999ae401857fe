package radarr

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/fakearr"
	"github.com/hookarr/hookarr/plugins/internal/arr/api"
	"github.com/hookarr/hookarr/plugins/internal/arr/arrtest"
	"github.com/hookarr/hookarr/sdk"
)

func dune() fakearr.Title {
	return fakearr.Title{
		Name: "Dune: Part Two", Year: 2024, Released: "2024-05-14", TMDB: 693134, IMDB: "tt15239678", Overview: "Paul goes on.",
		Genres: []string{"Science Fiction"}, Tags: []string{"4k", "kids"}, Poster: "https://image.example/p.jpg", Fanart: "https://image.example/f.jpg",
	}
}

func live(t *testing.T) *arrtest.Installation {
	t.Helper()
	in := arrtest.Install(t, fakearr.Radarr, newSource)
	in.Live(dune(), fakearr.Title{Name: "Arrival", Year: 2016, Released: "2017-02-14", TMDB: 329865})
	return in
}

func TestHistoryTellsWhatTheWebhooksTold(t *testing.T) {
	t.Parallel()
	past := live(t).Twins(arrtest.Kept()...)
	media := past[0].Event.Media
	require.Equal(t, dune().Tags, media.Tags)
	require.Equal(t, dune().Poster, media.Poster)
	require.Equal(t, "2024-05-14", media.ReleaseDate)
	require.Equal(t, map[string]string{"tmdb": "693134", "imdb": "tt15239678"}, media.IDs)
}

func TestFetchAddsWhatTheWebhookLacks(t *testing.T) {
	t.Parallel()
	in := arrtest.Install(t, fakearr.Radarr, newSource)
	title, err := in.Add(t.Context(), dune())
	require.NoError(t, err)
	d, err := in.Grab(t.Context(), title.ID, fakearr.Release{Group: "GROUP"})
	require.NoError(t, err)
	_, err = in.Import(t.Context(), d.ID)
	require.NoError(t, err)
	fetched := in.Fetched(in.Imported())
	require.Equal(t, in.Imported().Media.ReleaseDate, fetched.Media.ReleaseDate)
}

func TestOddAnswers(t *testing.T) {
	t.Parallel()
	arrtest.OddAnswers(t, live(t), newSource)
}

// What makes films smaller writes a file anew, after its import was told.
func TestAFileThatWasWrittenAnewIsKnown(t *testing.T) {
	t.Parallel()
	in := arrtest.Install(t, fakearr.Radarr, newSource)
	title, err := in.Add(t.Context(), dune())
	require.NoError(t, err)
	d, err := in.Grab(t.Context(), title.ID, fakearr.Release{})
	require.NoError(t, err)
	_, err = in.Import(t.Context(), d.ID)
	require.NoError(t, err)

	size := regexp.MustCompile(`"size":\s*\d+`)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := httptest.NewRecorder()
		in.ServeHTTP(answer, r)
		body := answer.Body.Bytes()
		if strings.HasSuffix(r.URL.Path, "/moviefile") {
			body = size.ReplaceAll(body, []byte(`"size":1`))
		}
		_, _ = w.Write(body)
	}))
	t.Cleanup(server.Close)
	today := *in
	today.Source, err = newSource(t.Context(), sdk.Env{HTTP: &sdk.HTTP{}}, api.Config{BaseURL: server.URL + "/base", APIKey: sdk.Secret(in.APIKey())})
	require.NoError(t, err)
	past := today.Past(10)
	require.Equal(t, sdk.TypeMediaImported, past[1].Event.Type)
	require.Equal(t, in.Imported().Fingerprint, past[1].Event.Fingerprint)
	require.NotEqual(t, int64(1), past[1].Event.Files[0].SizeBytes)
}

func TestFolders(t *testing.T) {
	t.Parallel()
	arrtest.Folders(t, fakearr.Radarr, newSource, dune(), "movie", sdk.FolderTitle{
		Kind: "movie", Title: "Dune: Part Two", Year: 2024, IDs: map[string]string{"tmdb": "693134", "imdb": "tt15239678"},
	})
}
