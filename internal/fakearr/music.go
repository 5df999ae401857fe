package fakearr

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
)

// music is Lidarr.
type music struct{ *Arr }

func (m music) words() words {
	return words{
		imported: "trackFileImported", file: "trackFile", first: "MP3-320", better: "FLAC",
		without: []string{"downloadClientName", "sourceRelativePath", "relativePath"},
		kinds: map[int]string{
			1: "grabbed", 2: "artistFolderImported", 3: "trackFileImported", 4: "downloadFailed", 5: "trackFileDeleted",
			6: "trackFileRenamed", 7: "albumImportIncomplete", 8: "downloadImported", 9: "trackFileRetagged", 10: "downloadIgnored",
		},
	}
}

func (m music) adopt(t *Title) {
	t.Path = cmp.Or(t.Path, "/music/"+t.Name)
	for i := range t.Albums {
		al := &t.Albums[i]
		if al.ID != 0 {
			continue
		}
		al.ID = m.id("album")
		al.Tracks = slices.Clone(al.Tracks)
		for j := range al.Tracks {
			al.Tracks[j].ID = m.id("track")
		}
	}
}

func (m music) parts(t *Title, r Release) []part {
	return each(m.held(t, r), func(al Album) part { return part{album: al.ID} })
}

func (m music) held(t *Title, r Release) []Album {
	var out []Album
	for _, al := range t.Albums {
		if len(r.Parts) == 0 || slices.Contains(r.Parts, al.ID) {
			out = append(out, al)
		}
	}
	return out
}

func (m music) holds(f *File) []part { return []part{{album: f.Album, track: f.Track}} }

func (m music) batches(t *Title, d *Download) [][]File {
	ext := ".mp3"
	if d.Quality == m.words().better {
		ext = ".flac"
	}
	return each(m.held(t, d.Release), func(al Album) []File {
		return each(al.Tracks, func(tr Track) File {
			name := fmt.Sprintf("%s/%s/%s - %s - %s - %s%s", t.Path, al.Title, t.Name, al.Title, tr.Number, tr.Title, ext)
			return File{Path: name, Size: d.Size / int64(len(al.Tracks)), Album: al.ID, Track: tr.ID}
		})
	})
}

func (m music) album(t *Title, id int) (Album, bool) {
	i := slices.IndexFunc(t.Albums, func(al Album) bool { return al.ID == id })
	if i < 0 {
		return Album{}, false
	}
	return t.Albums[i], true
}

func (m music) about(kind, flag string, t *Title) happening {
	return happening{kind: kind, flag: flag, title: t, body: object{{"artist", m.artist(t)}}}
}

func (m music) artist(t *Title) object {
	return object{
		{"id", t.ID},
		{"name", t.Name},
		{"disambiguation", t.Disambiguation},
		{"path", t.Path},
		{"mbId", text(t.MusicBrainz)},
		{"type", "Person"},
		{"overview", text(t.Overview)},
		{"genres", list(t.Genres)},
		{"images", m.images(t, strconv.Itoa(t.ID))},
		{"tags", list(t.Tags)},
	}
}

func (m music) covers(al Album) []object {
	if al.Cover == "" {
		return []object{}
	}
	return []object{m.image("cover", "Albums/"+strconv.Itoa(al.ID), al.Cover)}
}

func (m music) albumObject(al Album) object {
	return object{
		{"id", al.ID},
		{"mbId", text(al.MusicBrainz)},
		{"title", al.Title},
		{"disambiguation", ""},
		{"overview", text(al.Overview)},
		{"albumType", cmp.Or(al.Type, "Album")},
		{"secondaryAlbumTypes", []string{}},
		{"releaseDate", midnight(al.Released)},
		{"genres", list(al.Genres)},
		{"images", m.covers(al)},
	}
}

func (m music) file(f *File) object {
	return object{
		{"id", f.ID},
		{"path", f.Path},
		{"quality", f.Quality},
		{"qualityVersion", 1},
		{"releaseGroup", text(f.Group)},
		{"sceneName", text(f.Scene)},
		{"size", f.Size},
		{"dateAdded", exact(f.Added)},
	}
}

func (m music) test() object {
	return object{
		{"artist", object{
			{"id", 1},
			{"name", "Test Name"},
			{"path", `C:\testpath`},
			{"mbId", "aaaaa-aaa-aaaa-aaaaaa"},
			{"tags", []string{"test-tag"}},
		}},
		{"albums", []object{{{"id", 123}, {"title", "Test title"}}}},
	}
}

func (m music) added(t *Title) happening { return m.about("ArtistAdd", "onArtistAdd", t) }

func (m music) removed(t *Title, files bool, _ int64) happening {
	h := m.about("ArtistDelete", "onArtistDelete", t)
	h.body = append(h.body, member{"deletedFiles", files})
	return h
}

func (m music) grabbed(t *Title, d *Download) happening {
	h := m.about("Grab", "onGrab", t)
	h.download = d.ID
	h.body = append(h.body, member{"albums", each(m.held(t, d.Release), m.albumObject)}, member{"release", d.grabRelease()})
	h.body = append(h.body, d.client()...)
	return h
}

func (m music) imported(t *Title, d *Download, files, replaced []*File) happening {
	h := m.about("Download", "onReleaseImport", t)
	h.download = d.ID
	var al Album
	if len(files) > 0 {
		al, _ = m.album(t, files[0].Album)
	}
	h.body = append(h.body,
		member{"album", m.albumObject(al)},
		member{"tracks", each(al.Tracks, func(tr Track) object {
			return object{{"id", tr.ID}, {"title", tr.Title}, {"trackNumber", tr.Number}, {"qualityVersion", 0}}
		})},
		member{"trackFiles", each(files, m.file)},
	)
	if len(replaced) > 0 {
		h.also = "onUpgrade"
		h.body = append(h.body, member{"deletedFiles", each(replaced, m.file)})
	}
	h.body = append(append(h.body, member{"isUpgrade", len(replaced) > 0}), d.client()...)
	return h
}

// completed only goes into the history.
func (m music) completed(t *Title, d *Download, _ []*File) []happening {
	m.remember(t, m.parts(t, d.Release), record{
		kind: "downloadImported", source: d.Name, quality: d.Quality, download: d.ID, data: map[string]any{"releaseGroup": d.Group},
	})
	return nil
}

func (m music) renamed(t *Title, files []renaming) happening {
	h := m.about("Rename", "onRename", t)
	h.body = append(h.body, member{"renamedTrackFiles", each(files, func(r renaming) object {
		return append(object{{"previousPath", r.from}}, m.file(r.file)...)
	})})
	return h
}

func (m music) fileDeleted(*Title, *File, string) []happening { return nil }

func (m music) downloadFailed(t *Title, d *Download) []happening {
	return []happening{{kind: "DownloadFailure", flag: "onDownloadFailure", title: t, download: d.ID, body: object{
		{"quality", d.Quality},
		{"qualityVersion", 1},
		{"releaseTitle", d.Name},
		{"downloadClient", d.Client},
		{"downloadId", d.ID},
	}}}
}

func (m music) manual(*Title, *Download, []string) []happening { return nil }

// lidarr is the application's family, or an error for the others.
func (a *Arr) lidarr() (music, error) {
	m, ok := a.family.(music)
	if !ok {
		return music{}, fmt.Errorf("%s has no music", a.app)
	}
	return m, nil
}

// FailImport makes Lidarr reject some tracks of a download. The webhook does not tell
// which.
func (a *Arr) FailImport(ctx context.Context, downloadID, message string) error {
	return a.do(ctx, func() ([]happening, error) {
		m, err := a.lidarr()
		if err != nil {
			return nil, err
		}
		d, err := a.download(downloadID)
		if err != nil {
			return nil, err
		}
		t, err := a.title(d.TitleID)
		if err != nil {
			return nil, err
		}
		d.state = blockedImport
		messages, err := plainJSON(statusMessages(d, []string{message}))
		if err != nil {
			return nil, err
		}
		a.remember(t, m.parts(t, d.Release), record{
			kind: "albumImportIncomplete", source: d.Name, quality: d.Quality, download: d.ID,
			data: map[string]any{"statusMessages": string(messages), "releaseGroup": d.Group, "indexerFlags": "0"},
		})
		return []happening{{kind: "ImportFailure", flag: "onImportFailure", title: t, download: d.ID, body: object{
			{"tracks", []object{}}, {"trackFiles", []object{}}, {"isUpgrade", false},
		}}}, nil
	})
}

// Retag makes Lidarr rewrite the tags of a file.
func (a *Arr) Retag(ctx context.Context, fileID int) error {
	return a.do(ctx, func() ([]happening, error) {
		m, err := a.lidarr()
		if err != nil {
			return nil, err
		}
		f, err := a.file(fileID)
		if err != nil {
			return nil, err
		}
		t, err := a.title(f.TitleID)
		if err != nil {
			return nil, err
		}
		a.remember(t, m.holds(f), record{
			kind: "trackFileRetagged", source: f.Path, quality: f.Quality,
			data: map[string]any{"tagsScrubbed": "False", "releaseGroup": f.Group, "diff": "[]"},
		})
		h := m.about("Retag", "onTrackRetag", t)
		h.body = append(h.body, member{"trackFile", m.file(f)})
		return []happening{h}, nil
	})
}

// DeleteAlbum removes an album of an artist from Lidarr, and its files when asked.
func (a *Arr) DeleteAlbum(ctx context.Context, albumID int, files bool) error {
	return a.do(ctx, func() ([]happening, error) {
		m, err := a.lidarr()
		if err != nil {
			return nil, err
		}
		for _, t := range a.titles {
			al, ok := m.album(t, albumID)
			if !ok {
				continue
			}
			h := m.about("AlbumDelete", "onAlbumDelete", t)
			h.body = append(h.body, member{"album", m.albumObject(al)}, member{"deletedFiles", files})
			t.Albums = slices.DeleteFunc(slices.Clone(t.Albums), func(o Album) bool { return o.ID == albumID })
			a.release(t.ID, func(f *File) bool { return f.Album == albumID })
			return []happening{h}, nil
		}
		return nil, fmt.Errorf("%s has no album %d", a.app, albumID)
	})
}
