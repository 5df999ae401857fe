package fakearr

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
)

// series is Sonarr and Whisparr v2, whose sites are series and whose scenes are
// episodes.
type series struct{ *Arr }

func (s series) v2() bool { return s.app == WhisparrV2 }

func (s series) words() words {
	return words{
		imported: "downloadFolderImported", file: "episodeFile", first: "WEBDL-1080p", better: "Bluray-1080p",
		kinds: map[int]string{
			1: "grabbed", 2: "seriesFolderImported", 3: "downloadFolderImported", 4: "downloadFailed",
			5: "episodeFileDeleted", 6: "episodeFileRenamed", 7: "downloadIgnored",
		},
	}
}

func (s series) adopt(t *Title) {
	t.Path = cmp.Or(t.Path, "/tv/"+t.Name)
	t.SeriesType = cmp.Or(t.SeriesType, "standard")
	for i := range t.Episodes {
		if e := &t.Episodes[i]; e.ID == 0 {
			e.ID = s.id("episode")
		}
	}
}

func (s series) parts(t *Title, r Release) []part {
	var out []part
	for _, e := range t.Episodes {
		if len(r.Parts) == 0 || slices.Contains(r.Parts, e.ID) {
			out = append(out, part{episode: e.ID})
		}
	}
	return out
}

func (s series) holds(f *File) []part {
	return each(f.Episodes, func(id int) part { return part{episode: id} })
}

func (s series) batches(t *Title, d *Download) [][]File {
	var ids []int
	for _, p := range s.parts(t, d.Release) {
		ids = append(ids, p.episode)
	}
	groups := each(ids, func(id int) []int { return []int{id} })
	if d.SingleFile && len(ids) > 0 {
		groups = [][]int{ids}
	}
	return each(groups, func(ids []int) []File {
		e := s.episodesOf(t, ids)[0]
		name := fmt.Sprintf("%s/Season %02d/%s - S%02dE%02d %s.mkv", t.Path, e.Season, t.Name, e.Season, e.Number, d.Quality)
		if s.v2() {
			name = fmt.Sprintf("%s/%d/%s [%s].mp4", t.Path, e.Season, e.Title, d.Quality)
		}
		return []File{{Path: name, Size: d.Size / int64(len(groups)), Episodes: ids}}
	})
}

func (s series) episodesOf(t *Title, ids []int) []Episode {
	var out []Episode
	for _, e := range t.Episodes {
		if slices.Contains(ids, e.ID) {
			out = append(out, e)
		}
	}
	return out
}

// about begins an event about a series and some of its episodes.
func (s series) about(kind, flag string, t *Title) happening {
	return happening{kind: kind, flag: flag, title: t, body: object{{"series", s.series(t)}}}
}

func (s series) aboutEpisodes(kind, flag string, t *Title, ids []int) happening {
	h := s.about(kind, flag, t)
	h.body = append(h.body, member{"episodes", each(s.episodesOf(t, ids), func(e Episode) object { return s.episode(t, e) })})
	return h
}

func (s series) aboutDownload(kind, flag string, t *Title, d *Download) happening {
	h := s.aboutEpisodes(kind, flag, t, each(s.parts(t, d.Release), func(p part) int { return p.episode }))
	h.download = d.ID
	return h
}

func slug(name string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(name), func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9')
	}), "-")
}

func (s series) series(t *Title) object {
	o := object{
		{"id", t.ID},
		{"title", t.Name},
		{"titleSlug", slug(t.Name)},
		{"path", t.Path},
		{"tvdbId", t.TVDB},
	}
	if s.v2() {
		return o
	}
	return append(o, object{
		{"tvMazeId", t.TVMaze},
		{"tmdbId", t.TMDB},
		{"imdbId", text(t.IMDB)},
		{"type", t.SeriesType},
		{"year", t.Year},
		{"genres", list(t.Genres)},
		{"images", s.images(t, strconv.Itoa(t.ID))},
		{"tags", list(t.Tags)},
		{"originalLanguage", english()[0]},
	}...)
}

func (s series) episode(t *Title, e Episode) object {
	o := object{{"id", e.ID}}
	if !s.v2() {
		o = append(o, member{"episodeNumber", e.Number})
	}
	o = append(o, object{
		{"seasonNumber", e.Season},
		{"title", text(e.Title)},
		{"overview", text(e.Overview)},
		{"airDate", text(e.Aired)},
		{"airDateUtc", midnight(e.Aired)},
		{"seriesId", t.ID},
	}...)
	if !s.v2() {
		o = append(o, member{"tvdbId", e.TVDB})
	}
	return o
}

// midnight is the begin of a date.
func midnight(date string) any {
	if date == "" {
		return nil
	}
	return date + "T00:00:00Z"
}

func (s series) file(t *Title, f *File) object {
	o := object{
		{"id", f.ID},
		{"relativePath", relative(t, f.Path)},
		{"path", f.Path},
		{"quality", f.Quality},
		{"qualityVersion", 1},
		{"releaseGroup", text(f.Group)},
		{"sceneName", text(f.Scene)},
		{"size", f.Size},
		{"dateAdded", exact(f.Added)},
	}
	if !s.v2() {
		o = append(o, member{"languages", english()})
	}
	return append(o, member{"mediaInfo", mediaInfo()})
}

// importedFile is a file just after its import. Whisparr v2 tells where it was before.
func (s series) importedFile(t *Title, f *File) object {
	o := s.file(t, f)
	if !s.v2() {
		return append(o, member{"sourcePath", f.Source})
	}
	i := slices.IndexFunc(o, func(m member) bool { return m.name == "path" })
	o[i].value = f.Source
	return o
}

func (s series) release(t *Title, d *Download) object {
	o := object{{"releaseTitle", d.Name}, {"indexer", d.Indexer}, {"size", d.Size}}
	if s.v2() {
		return o
	}
	kind := "multiEpisode"
	switch n := len(s.parts(t, d.Release)); {
	case n == 1:
		kind = "singleEpisode"
	case n == len(t.Episodes):
		kind = "seasonPack"
	}
	return append(o, member{"releaseType", kind})
}

func (s series) test() object {
	o := object{{"id", 1}, {"title", "Test Title"}, {"path", `C:\testpath`}, {"tvdbId", 1234}}
	e := object{{"id", 123}}
	if !s.v2() {
		o = append(o, object{{"tvMazeId", 0}, {"tmdbId", 0}, {"type", "standard"}, {"year", 0}, {"tags", []string{"test-tag"}}}...)
		e = append(e, member{"episodeNumber", 1})
	}
	e = append(e, object{{"seasonNumber", 1}, {"title", "Test title"}, {"seriesId", 0}}...)
	if !s.v2() {
		e = append(e, member{"tvdbId", 0})
	}
	return object{{"series", o}, {"episodes", []object{e}}}
}

func (s series) added(t *Title) happening { return s.about("SeriesAdd", "onSeriesAdd", t) }

func (s series) removed(t *Title, files bool, _ int64) happening {
	h := s.about("SeriesDelete", "onSeriesDelete", t)
	h.body = append(h.body, member{"deletedFiles", files})
	return h
}

func (s series) grabbed(t *Title, d *Download) happening {
	h := s.aboutDownload("Grab", "onGrab", t, d)
	release := d.grabRelease()
	if !s.v2() {
		release = append(release, member{"languages", english()})
	}
	h.body = append(append(h.body, member{"release", release}), d.client()...)
	h.body = append(h.body, member{"customFormatInfo", formats()})
	return h
}

func (s series) imported(t *Title, d *Download, files, replaced []*File) happening {
	h := s.aboutEpisodes("Download", "onDownload", t, files[0].Episodes)
	h.download = d.ID
	h.body = append(h.body,
		member{"episodeFile", s.importedFile(t, files[0])},
		member{"isUpgrade", len(replaced) > 0},
	)
	h.body = append(h.body, d.client()...)
	if len(replaced) > 0 {
		h.also = "onUpgrade"
		h.body = append(h.body, member{"deletedFiles", each(replaced, func(f *File) object { return s.file(t, f) })})
	}
	h.body = append(h.body, member{"customFormatInfo", formats()}, member{"release", s.release(t, d)})
	return h
}

// completed tells of a whole download, beside what was told of each file.
func (s series) completed(t *Title, d *Download, files []*File) []happening {
	if s.v2() || len(files) == 0 {
		return nil
	}
	h := s.aboutDownload("Download", "onImportComplete", t, d)
	h.body = append(h.body, member{"episodeFiles", each(files, func(f *File) object { return s.importedFile(t, f) })})
	h.body = append(append(h.body, d.client()...), object{
		{"release", s.release(t, d)},
		{"fileCount", len(files)},
		{"sourcePath", path.Dir(files[0].Source)},
		{"destinationPath", path.Dir(files[0].Path)},
	}...)
	return []happening{h}
}

func (s series) renamed(t *Title, files []renaming) happening {
	h := s.about("Rename", "onRename", t)
	h.body = append(h.body, member{"renamedEpisodeFiles", each(files, func(r renaming) object {
		return append(object{{"previousRelativePath", relative(t, r.from)}, {"previousPath", r.from}}, s.file(t, r.file)...)
	})})
	return h
}

func (s series) fileDeleted(t *Title, f *File, reason string) []happening {
	if reason == NoLinkedEpisodes {
		return nil
	}
	h := s.aboutEpisodes("EpisodeFileDelete", "onEpisodeFileDelete", t, f.Episodes)
	if reason == Upgrade {
		h.also = "onEpisodeFileDeleteForUpgrade"
	}
	h.body = append(h.body, member{"episodeFile", s.file(t, f)}, member{"deleteReason", camel(reason)})
	return []happening{h}
}

func (s series) downloadFailed(*Title, *Download) []happening { return nil }

func (s series) manual(t *Title, d *Download, messages []string) []happening {
	h := s.aboutDownload("ManualInteractionRequired", "onManualInteractionRequired", t, d)
	h.body = append(append(h.body, member{"downloadInfo", d.info()}), d.client()...)
	if !s.v2() {
		h.body = append(h.body, member{"downloadStatus", "Warning"}, member{"downloadStatusMessages", statusMessages(d, messages)})
	}
	h.body = append(h.body, member{"customFormatInfo", formats()}, member{"release", s.release(t, d)})
	return []happening{h}
}
