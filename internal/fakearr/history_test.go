package fakearr_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/fakearr"
)

type historyRecord struct {
	ID                                    int
	EventType, Date, SourceTitle          string
	DownloadID                            string
	Data                                  map[string]string
	MovieID, SeriesID, EpisodeID, AlbumID int
	ArtistID, TrackID                     int
	Movie                                 *struct{ Title string }
	Series                                *struct{ Title string }
	Episode                               *struct{ SeasonNumber, EpisodeNumber int }
	Artist                                *struct{ ArtistName string }
}

func kinds(records []historyRecord) []string {
	out := []string{}
	for _, r := range records {
		out = append(out, r.EventType)
	}
	return out
}

// What the history keeps after a title was grabbed, imported, upgraded, renamed and
// emptied, by application.
func recorded() map[fakearr.App][]string {
	movies := []string{
		"grabbed", "downloadFolderImported", "grabbed", "movieFileDeleted", "downloadFolderImported",
		"movieFileRenamed", "grabbed", "downloadFailed", "movieFileDeleted",
	}
	series := []string{
		"grabbed", "downloadFolderImported", "grabbed", "episodeFileDeleted", "downloadFolderImported",
		"episodeFileDeleted", "downloadFolderImported", "episodeFileRenamed", "grabbed", "downloadFailed", "episodeFileDeleted",
	}
	return map[fakearr.App][]string{
		fakearr.Radarr: movies, fakearr.WhisparrV3: movies, fakearr.Sonarr: series, fakearr.WhisparrV2: series,
		fakearr.Lidarr: {
			"grabbed", "trackFileImported", "downloadImported", "grabbed", "trackFileDeleted", "trackFileImported",
			"downloadImported", "trackFileRenamed", "grabbed", "downloadFailed", "trackFileDeleted",
		},
	}
}

func TestHistorySince(t *testing.T) {
	t.Parallel()
	for _, app := range fakearr.Apps() {
		t.Run(string(app), func(t *testing.T) {
			t.Parallel()
			c := newClock()
			a := fakearr.New(app, fakearr.Options{Now: func() time.Time { c.Pass(time.Second); return c.Now() }})
			client := serve(t, a)
			title, err := a.Add(t.Context(), movie())
			require.NoError(t, err)
			d, err := a.Grab(t.Context(), title.ID, fakearr.Release{})
			require.NoError(t, err)
			_, err = a.Import(t.Context(), d.ID)
			require.NoError(t, err)
			files, err := a.Upgrade(t.Context(), title.ID, fakearr.Release{})
			require.NoError(t, err)
			require.NoError(t, a.Rename(t.Context(), title.ID, "!"))
			failing, err := a.Grab(t.Context(), title.ID, fakearr.Release{})
			require.NoError(t, err)
			require.NoError(t, a.FailDownload(t.Context(), failing.ID, "gone"))
			require.NoError(t, a.DeleteFile(t.Context(), files[0].ID, fakearr.Manual))

			var all, later, grabs []historyRecord
			client.get(base(app)+"history/since?date=2020-01-01", &all)
			require.Equal(t, recorded()[app], slices.Compact(kinds(all)))

			// Dates are cut off to the second, so the record of that second comes again.
			third := all[2]
			client.get(base(app)+"history/since?date="+third.Date, &later)
			require.Contains(t, later, third)
			require.Less(t, len(later), len(all))
			for _, kind := range []string{"1", "grabbed", "Grabbed"} {
				client.get(base(app)+"history/since?date=2020-01-01&eventType="+kind, &grabs)
				require.Equal(t, []string{"grabbed"}, slices.Compact(kinds(grabs)))
			}
			require.Equal(t, d.ID, all[0].DownloadID)
			require.Equal(t, d.Name, all[0].SourceTitle)
			require.Equal(t, d.Indexer, all[0].Data["indexer"])

			status, _ := client.do(http.MethodGet, base(app)+"history/since?date=yesterday", "")
			require.Equal(t, http.StatusBadRequest, status)

			require.NoError(t, a.Delete(t.Context(), title.ID, true))
			client.get(base(app)+"history/since?date=2020-01-01", &all)
			require.Empty(t, all, "a title takes its history with it")
		})
	}
}

func TestHistoryPages(t *testing.T) {
	t.Parallel()
	a := fakearr.New(fakearr.Radarr, fakearr.Options{})
	client := serve(t, a)
	title, err := a.Add(t.Context(), movie())
	require.NoError(t, err)
	for range 25 {
		_, err = a.Grab(t.Context(), title.ID, fakearr.Release{})
		require.NoError(t, err)
	}
	type page struct {
		Page, PageSize, TotalRecords int
		SortKey, SortDirection       string
		Records                      []historyRecord
	}
	var total int
	ids := func(query string) []int {
		t.Helper()
		var p page
		client.get("/api/v3/history?"+query, &p)
		out := []int{}
		for _, r := range p.Records {
			out = append(out, r.ID)
		}
		total = p.TotalRecords
		return out
	}
	require.Equal(t, []int{25, 24, 23, 22, 21, 20, 19, 18, 17, 16}, ids(""))
	require.Equal(t, []int{5, 4, 3, 2, 1}, ids("page=3"))
	require.Equal(t, []int{1, 2, 3}, ids("pageSize=3&sortDirection=ascending"))
	require.Empty(t, ids("page=9"))

	require.Equal(t, 25, total)

	a.Trouble(fakearr.Trouble{Overlap: 2})
	require.Equal(t, []int{17, 16, 15, 14, 13, 12, 11, 10, 9, 8}, ids("page=2"))
	require.Equal(t, []int{9, 8, 7, 6, 5, 4, 3, 2, 1}, ids("page=3"))
	require.Equal(t, 29, total)
	a.Trouble(fakearr.Trouble{Unordered: true})
	got := ids("pageSize=5")
	require.ElementsMatch(t, []int{25, 24, 23, 22, 21}, got)
	require.False(t, slices.IsSorted(got))
	slices.Reverse(got)
	require.False(t, slices.IsSorted(got))
}

func TestRecordsHaveWhatTheyAreAbout(t *testing.T) {
	t.Parallel()
	for _, app := range fakearr.Apps() {
		t.Run(string(app), func(t *testing.T) {
			t.Parallel()
			a := fakearr.New(app, fakearr.Options{})
			client := serve(t, a)
			title, err := a.Add(t.Context(), movie())
			require.NoError(t, err)
			d, err := a.Grab(t.Context(), title.ID, fakearr.Release{})
			require.NoError(t, err)
			var queue struct {
				TotalRecords int
				Records      []struct{ DownloadID, TrackedDownloadState string }
			}
			client.get(base(app)+"queue", &queue)
			require.Equal(t, d.ID, queue.Records[0].DownloadID)
			require.Equal(t, "importPending", queue.Records[0].TrackedDownloadState)
			files, err := a.Import(t.Context(), d.ID)
			require.NoError(t, err)
			client.get(base(app)+"queue", &queue)
			require.Zero(t, queue.TotalRecords)

			var page struct{ Records []historyRecord }
			client.get(base(app)+"history?pageSize=100&sortDirection=ascending&includeMovie=true&includeSeries=true&includeEpisode=true&includeArtist=true", &page)
			for _, r := range page.Records {
				switch app {
				case fakearr.Radarr, fakearr.WhisparrV3:
					require.Equal(t, title.ID, r.MovieID)
					require.Equal(t, title.Name, r.Movie.Title)
				case fakearr.Sonarr, fakearr.WhisparrV2:
					require.Equal(t, title.ID, r.SeriesID)
					require.Equal(t, title.Name, r.Series.Title)
					require.NotZero(t, r.EpisodeID)
					require.Equal(t, 2, r.Episode.SeasonNumber)
				default:
					require.Equal(t, title.ID, r.ArtistID)
					require.Equal(t, title.Name, r.Artist.ArtistName)
					require.NotZero(t, r.AlbumID)
				}
				if r.Data["fileId"] != "" {
					require.Equal(t, d.ID, r.DownloadID)
				}
			}
			byID := map[fakearr.App]string{
				fakearr.Radarr: "moviefile/%d", fakearr.WhisparrV3: "moviefile/%d", fakearr.Sonarr: "episodefile/%d",
				fakearr.WhisparrV2: "episodefile/%d", fakearr.Lidarr: "trackfile/%d",
			}
			var file struct {
				ID   int
				Path string
				Size int64
			}
			client.get(base(app)+fmt.Sprintf(byID[app], files[0].ID), &file)
			require.Equal(t, files[0].Path, file.Path)
			require.Equal(t, files[0].Size, file.Size)
		})
	}
}

func TestMovies(t *testing.T) {
	t.Parallel()
	a := fakearr.New(fakearr.Radarr, fakearr.Options{URLBase: "/r"})
	client := serve(t, a)
	_, err := a.Add(t.Context(), fakearr.Title{Name: "Other", TMDB: 1})
	require.NoError(t, err)
	title, err := a.Add(t.Context(), movie())
	require.NoError(t, err)
	var list []struct {
		ID, TMDBID int
		Title      string
		HasFile    bool
		Tags       []int
		Images     []struct{ URL, RemoteURL string }
	}
	client.get("/r/api/v3/movie?tmdbId=194", &list)
	require.Len(t, list, 1)
	require.Equal(t, title.ID, list[0].ID)
	require.Equal(t, []int{1, 2}, list[0].Tags)
	require.Contains(t, list[0].Images[0].URL, "/r/MediaCover/2/poster.jpg?lastWrite=")
}

func TestSeries(t *testing.T) {
	t.Parallel()
	r := newReceiver(t)
	a := fakearr.New(fakearr.Sonarr, fakearr.Options{})
	client := serve(t, a)
	title, err := a.Add(t.Context(), movie())
	require.NoError(t, err)
	a.Connect("Hookarr", r.URL)
	second := title.Episodes[1].ID
	d, err := a.Grab(t.Context(), title.ID, fakearr.Release{Parts: []int{second}})
	require.NoError(t, err)
	one, err := a.Import(t.Context(), d.ID)
	require.NoError(t, err)
	require.Len(t, one, 1)
	both, err := a.Upgrade(t.Context(), title.ID, fakearr.Release{SingleFile: true})
	require.NoError(t, err)
	require.Equal(t, []int{title.Episodes[0].ID, second}, both[0].Episodes)
	require.Equal(t, []string{"Grab", "Download", "Download", "Grab", "EpisodeFileDelete", "Download", "Download"}, r.Types(t))

	var episodes []struct {
		ID, EpisodeFileID, EpisodeNumber int
		HasFile                          bool
		Series                           struct{ TVDBID int }
		EpisodeFile                      struct{ Path string }
	}
	client.get(fmt.Sprintf("/api/v3/episode?seriesId=%d&episodeIds=%d&includeSeries=true&includeEpisodeFile=true", title.ID, second), &episodes)
	require.Len(t, episodes, 1)
	require.Equal(t, both[0].ID, episodes[0].EpisodeFileID)
	require.Equal(t, 2, episodes[0].EpisodeNumber)
	require.True(t, episodes[0].HasFile)
	require.Equal(t, title.TVDB, episodes[0].Series.TVDBID)
	require.Equal(t, both[0].Path, episodes[0].EpisodeFile.Path)
	client.get("/api/v3/episode?seasonNumber=1", &episodes)
	require.Empty(t, episodes)
	status, _ := client.do(http.MethodGet, "/api/v3/episode/999", "")
	require.Equal(t, http.StatusNotFound, status)
}

func TestMusic(t *testing.T) {
	t.Parallel()
	r := newReceiver(t)
	a := fakearr.New(fakearr.Lidarr, fakearr.Options{})
	client := serve(t, a)
	artist, err := a.Add(t.Context(), movie())
	require.NoError(t, err)
	a.Connect("Hookarr", r.URL)
	d, err := a.Grab(t.Context(), artist.ID, fakearr.Release{})
	require.NoError(t, err)
	require.NoError(t, a.FailImport(t.Context(), d.ID, "Has unmatched tracks"))
	files, err := a.Import(t.Context(), d.ID)
	require.NoError(t, err)
	require.NoError(t, a.Retag(t.Context(), files[0].ID))
	require.Equal(t, []string{"Grab", "ImportFailure", "Download", "Retag"}, r.Types(t))
	var records []historyRecord
	client.get("/api/v1/history/since?date=2020-01-01&eventType=7&eventType=trackFileRetagged", &records)
	require.Equal(t, []string{"albumImportIncomplete", "trackFileRetagged"}, kinds(records))
	require.Equal(t, artist.Albums[0].Tracks[0].ID, records[1].TrackID)
	require.Contains(t, records[0].Data["statusMessages"], "Has unmatched tracks")

	var albums []struct {
		ID             int
		ForeignAlbumID string
		Artist         struct{ ForeignArtistID string }
	}
	client.get("/api/v1/album?foreignAlbumId="+artist.Albums[0].MusicBrainz, &albums)
	require.Len(t, albums, 1)
	require.Equal(t, artist.MusicBrainz, albums[0].Artist.ForeignArtistID)
	var tracks []struct {
		ID, TrackFileID int
		TrackNumber     string
		HasFile         bool
	}
	client.get(fmt.Sprintf("/api/v1/track?albumId=%d", albums[0].ID), &tracks)
	require.Len(t, tracks, 2)
	require.Equal(t, files[1].ID, tracks[1].TrackFileID)
	require.Equal(t, "2", tracks[1].TrackNumber)

	require.NoError(t, a.DeleteAlbum(t.Context(), albums[0].ID, true))
	client.get("/api/v1/trackfile", &tracks)
	require.Empty(t, tracks)
	client.get("/api/v1/album", &albums)
	require.Empty(t, albums)
}
