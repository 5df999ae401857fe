package fakearr

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
)

// movies is Radarr and Whisparr v3.
type movies struct{ *Arr }

func (m movies) v3() bool { return m.app == WhisparrV3 }

func (m movies) words() words {
	return words{imported: "downloadFolderImported", file: "movieFile", overrides: true, first: "WEBDL-1080p", better: "Bluray-1080p", kinds: map[int]string{
		1: "grabbed", 3: "downloadFolderImported", 4: "downloadFailed", 6: "movieFileDeleted", 8: "movieFileRenamed", 9: "downloadIgnored",
	}}
}

func (m movies) adopt(t *Title) {
	t.Path = cmp.Or(t.Path, fmt.Sprintf("/movies/%s (%d)", t.Name, t.Year))
}

func (m movies) parts(*Title, Release) []part { return []part{{}} }

func (m movies) holds(*File) []part { return []part{{}} }

func (m movies) batches(t *Title, d *Download) [][]File {
	return [][]File{{{Path: fmt.Sprintf("%s/%s (%d) %s.mkv", t.Path, t.Name, t.Year, d.Quality), Size: d.Size}}}
}

func (m movies) identity(t *Title, _ part) object {
	return object{{"movieId", t.ID}, {"languages", english()}}
}

func (m movies) included(t *Title, _ part, wanted func(string) bool) object {
	if wanted("includeMovie") {
		return object{{"movie", m.resource(t)}}
	}
	return nil
}

// about begins an event about a movie. Whisparr v3 cannot make one of a title without
// a release date.
func (m movies) about(kind, flag string, t *Title) happening {
	h := happening{kind: kind, flag: flag, title: t, body: object{{"movie", m.movie(t)}}}
	if m.v3() && t.Released == "" {
		h.broken = errors.New("nullable object must have a value")
	}
	return h
}

func (m movies) movie(t *Title) object {
	o := object{
		{"id", t.ID},
		{"title", t.Name},
		{"year", t.Year},
		{"releaseDate", cmp.Or(t.Released, "9999-12-31")},
		{"folderPath", t.Path},
		{"tmdbId", t.TMDB},
		{"imdbId", text(t.IMDB)},
	}
	if m.v3() {
		o = append(o, member{"stashId", text(t.Stash)})
	}
	o = append(o, member{"overview", text(t.Overview)})
	if m.v3() {
		o = append(o, member{"itemType", m.itemType(t)})
	}
	o = append(o, object{
		{"genres", list(t.Genres)}, {"images", m.images(t, m.imageFolder(t))}, {"tags", list(t.Tags)},
	}...)
	if !m.v3() {
		o = append(o, member{"originalLanguage", english()[0]})
	}
	return o
}

func (m movies) itemType(t *Title) string {
	if t.Movie {
		return "Movie"
	}
	return "Scene"
}

func (m movies) imageFolder(t *Title) string {
	if m.v3() {
		return "movie/" + strconv.Itoa(t.ID)
	}
	return strconv.Itoa(t.ID)
}

func (m movies) remote(t *Title) object {
	return object{{"tmdbId", t.TMDB}, {"imdbId", text(t.IMDB)}, {"title", t.Name}, {"year", t.Year}}
}

func (m movies) file(t *Title, f *File, more ...member) object {
	o := object{
		{"id", f.ID},
		{"relativePath", relative(t, f.Path)},
		{"path", f.Path},
		{"quality", f.Quality},
		{"qualityVersion", 1},
		{"releaseGroup", text(f.Group)},
		{"sceneName", text(f.Scene)},
		{"indexerFlags", "0"},
		{"size", f.Size},
		{"dateAdded", exact(f.Added)},
	}
	if !m.v3() {
		o = append(o, member{"languages", english()})
	}
	return append(append(o, member{"mediaInfo", mediaInfo()}), more...)
}

func (m movies) release(d *Download) object {
	if d == nil {
		return object{{"size", 0}, {"indexerFlags", []string{}}}
	}
	return object{{"releaseTitle", d.Name}, {"indexer", d.Indexer}, {"size", d.Size}, {"indexerFlags", []string{}}}
}

func (m movies) test() object {
	return object{
		{"movie", object{
			{"id", 1},
			{"title", "Test Title"},
			{"year", 1970},
			{"releaseDate", "1970-01-01"},
			{"folderPath", `C:\testpath`},
			{"tmdbId", 0},
			{"tags", []string{"test-tag"}},
		}},
		{"remoteMovie", object{{"tmdbId", 1234}, {"imdbId", "5678"}, {"title", "Test title"}, {"year", 1970}}},
		{"release", object{
			{"quality", "Test Quality"},
			{"qualityVersion", 1},
			{"releaseGroup", "Test Group"},
			{"releaseTitle", "Test Title"},
			{"indexer", "Test Indexer"},
			{"size", 9999999},
			{"customFormatScore", 0},
		}},
	}
}

func (m movies) added(t *Title) happening {
	h := m.about("MovieAdded", "onMovieAdded", t)
	h.body = append(h.body, member{"addMethod", t.AddMethod})
	return h
}

func (m movies) removed(t *Title, files bool, size int64) happening {
	h := m.about("MovieDelete", "onMovieDelete", t)
	h.body = append(h.body, member{"deletedFiles", files}, member{"movieFolderSize", size})
	return h
}

func (m movies) grabbed(t *Title, d *Download) happening {
	h := m.about("Grab", "onGrab", t)
	h.download = d.ID
	var languages any
	if !m.v3() {
		languages = english()
	}
	h.body = append(h.body,
		member{"remoteMovie", m.remote(t)},
		member{"release", d.grabRelease(member{"languages", languages}, member{"indexerFlags", []string{}})},
	)
	h.body = append(append(h.body, d.client()...), member{"customFormatInfo", formats()})
	return h
}

func (m movies) imported(t *Title, d *Download, files, replaced []*File) happening {
	h := m.about("Download", "onDownload", t)
	if d != nil {
		h.download = d.ID
	}
	if len(replaced) > 0 {
		h.also = "onUpgrade"
	}
	h.body = append(h.body,
		member{"remoteMovie", m.remote(t)},
		member{"movieFile", m.file(t, files[0], member{"sourcePath", files[0].Source})},
		member{"isUpgrade", len(replaced) > 0},
	)
	h.body = append(h.body, d.client()...)
	if len(replaced) > 0 {
		h.body = append(h.body, member{"deletedFiles", each(replaced, func(f *File) object { return m.file(t, f) })})
	}
	h.body = append(h.body, member{"customFormatInfo", formats()}, member{"release", m.release(d)})
	return h
}

func (m movies) completed(*Title, *Download, []*File) []happening { return nil }

func (m movies) renamed(t *Title, files []renaming) happening {
	h := m.about("Rename", "onRename", t)
	h.body = append(h.body, member{"renamedMovieFiles", each(files, func(r renaming) object {
		return append(object{{"previousRelativePath", relative(t, r.from)}, {"previousPath", r.from}}, m.file(t, r.file)...)
	})})
	return h
}

func (m movies) fileDeleted(t *Title, f *File, reason string) []happening {
	if m.v3() && reason == Manual {
		return nil
	}
	h := m.about("MovieFileDelete", "onMovieFileDelete", t)
	if reason == Upgrade {
		h.also = "onMovieFileDeleteForUpgrade"
	}
	h.body = append(h.body, member{"movieFile", m.file(t, f)}, member{"deleteReason", camel(reason)})
	return []happening{h}
}

func (m movies) downloadFailed(*Title, *Download) []happening { return nil }

func (m movies) manual(t *Title, d *Download, messages []string) []happening {
	h := m.about("ManualInteractionRequired", "onManualInteractionRequired", t)
	h.download, h.forgiven = d.ID, m.v3()
	h.body = append(append(h.body, member{"downloadInfo", d.info()}), d.client()...)
	h.body = append(h.body,
		member{"downloadStatus", "Warning"},
		member{"downloadStatusMessages", statusMessages(d, messages)},
		member{"customFormatInfo", formats()},
		member{"release", m.release(d)},
	)
	return []happening{h}
}

func (m movies) routes() {
	m.list("movie", func(q url.Values, t *Title) bool {
		return (!q.Has("tmdbId") || q.Get("tmdbId") == strconv.Itoa(t.TMDB)) && (!m.v3() || !q.Has("stashId") || q.Get("stashId") == t.Stash)
	}, m.resource)
	m.get("movie/{id}", func(r *http.Request) any {
		t, err := m.title(pathID(r))
		if err != nil {
			return nil
		}
		return m.resource(t)
	})
	m.get("moviefile", func(r *http.Request) any {
		return each(m.filesOf(positive(r.URL.Query().Get("movieId"), 0)), m.fileResource)
	})
	m.get("moviefile/{id}", func(r *http.Request) any {
		f, err := m.Arr.file(pathID(r))
		if err != nil {
			return nil
		}
		return m.fileResource(f)
	})
}

func (m movies) fileResource(f *File) object {
	o := object{{"movieId", f.TitleID}, {"languages", english()}}
	if t, err := m.title(f.TitleID); err == nil {
		o = append(o, member{"relativePath", relative(t, f.Path)})
	}
	return apiFile(f, append(o, object{{"edition", f.Edition}, {"indexerFlags", 0}, {"mediaInfo", apiMediaInfo()}}...)...)
}

// resource is a movie in the API.
func (m movies) resource(t *Title) object {
	files := m.filesOf(t.ID)
	o := object{
		{"title", t.Name},
		{"originalTitle", t.Name},
		{"originalLanguage", english()[0]},
		{"year", t.Year},
		{"status", "released"},
		{"overview", text(t.Overview)},
		{"images", m.images(t, m.imageFolder(t))},
		{"path", t.Path},
		{"qualityProfileId", m.profileID(t.QualityProfile)},
		{"hasFile", len(files) > 0},
		{"monitored", !t.Unmonitored},
		{"runtime", t.Runtime},
		{"added", seconds(t.Added)},
		{"ratings", object{{"tmdb", object{{"votes", 0}, {"value", 0}}}}},
		{"sizeOnDisk", m.sizeOf(t.ID)},
		{"imdbId", text(t.IMDB)},
		{"tmdbId", t.TMDB},
		{"titleSlug", strconv.Itoa(t.TMDB)},
		{"genres", list(t.Genres)},
		{"tags", m.tagIDs(t.Tags)},
	}
	if len(files) > 0 {
		o = append(o, member{"movieFileId", files[0].ID}, member{"movieFile", m.fileResource(files[0])})
	}
	if m.v3() {
		o = append(o, object{
			{"releaseDate", text(t.Released)},
			{"foreignId", cmp.Or(t.Stash, strconv.Itoa(t.TMDB))},
			{"stashId", text(t.Stash)},
			{"itemType", camel(m.itemType(t))},
		}...)
	} else {
		o = append(o, member{"physicalRelease", midnight(t.Released)}, member{"certification", text(t.Certification)})
	}
	return append(o, member{"id", t.ID})
}
