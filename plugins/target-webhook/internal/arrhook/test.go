package arrhook

import "github.com/hookarr/hookarr/sdk"

// test is what the applications' Test buttons send: the same made-up title for all, so
// that a program which looks at the title takes it.
func (h *hook) test(f family, e *sdk.Event) {
	const folder = `C:\testpath`
	switch f {
	case movies:
		h.Movie = &movie{
			ID: 1, Title: "Test Title", Year: 1970, ReleaseDate: "1970-01-01", FolderPath: folder,
			Genres: []string{}, Images: []image{}, Tags: []string{"test-tag"},
		}
		if e.App == "whisparr" {
			h.Movie.ItemType = "Movie"
		}
		h.RemoteMovie = &remoteMovie{TmdbID: 1234, ImdbID: "5678", Title: "Test title", Year: 1970}
		h.Release = &release{
			Quality: "Test Quality", QualityVersion: oneVersion, ReleaseGroup: "Test Group", ReleaseTitle: "Test Title",
			Indexer: "Test Indexer", Size: 9999999, CustomFormatScore: new(0),
		}
	case shows:
		h.Series = &series{ID: 1, Title: "Test Title", Path: folder, TvdbID: 1234}
		h.Episodes = []episode{{ID: 123, EpisodeNumber: new(1), SeasonNumber: 1, Title: "Test title"}}
		if e.App == "whisparr" {
			h.Episodes[0].EpisodeNumber = nil
			break
		}
		s := h.Series
		s.TvMazeID, s.TmdbID, s.Type, s.Year, s.Tags = new(int64(0)), new(int64(0)), "standard", new(0), []string{"test-tag"}
	case artists:
		h.Artist = &artist{
			ID: 1, Name: "Test Name", Path: folder, MbID: "aaaaa-aaa-aaaa-aaaaaa",
			Genres: []string{}, Images: []image{}, Tags: []string{"test-tag"},
		}
		h.Albums = []album{{ID: 123, Title: "Test title"}}
	case authors:
		h.Author = &author{ID: 1, Name: "Test Name", Path: folder, GoodreadsID: "aaaaa-aaa-aaaa-aaaaaa"}
		h.Books = []book{{ID: 123, Title: "Test title"}}
	case releases, none:
	}
}
