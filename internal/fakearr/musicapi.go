package fakearr

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
)

func (m music) identity(t *Title, p part) object {
	return object{{"artistId", t.ID}, {"albumId", p.album}, {"trackId", p.track}}
}

func (m music) included(t *Title, p part, wanted func(string) bool) object {
	var o object
	al, ok := m.album(t, p.album)
	if ok && wanted("includeAlbum") {
		o = append(o, member{"album", m.albumResource(t, al)})
	}
	if wanted("includeArtist") {
		o = append(o, member{"artist", m.artistResource(t)})
	}
	for _, tr := range al.Tracks {
		if tr.ID == p.track && wanted("includeTrack") {
			o = append(o, member{"track", m.trackResource(t, al, tr)})
		}
	}
	return o
}

func (m music) routes() {
	m.list("artist", nil, m.artistResource)
	m.get("artist/{id}", func(r *http.Request) any {
		t, err := m.title(pathID(r))
		if err != nil {
			return nil
		}
		return m.artistResource(t)
	})
	m.get("album", m.albums)
	m.get("album/{id}", func(r *http.Request) any {
		for _, t := range m.titles {
			if al, ok := m.album(t, pathID(r)); ok {
				return m.albumResource(t, al)
			}
		}
		return nil
	})
	m.get("track", func(r *http.Request) any { return m.tracks(r, 0) })
	m.get("track/{id}", func(r *http.Request) any {
		if found := m.tracks(r, pathID(r)); len(found) > 0 {
			return found[0]
		}
		return nil
	})
	m.get("trackfile", func(r *http.Request) any {
		q := r.URL.Query()
		files := m.files
		if q.Has("artistId") {
			t, err := m.title(positive(q.Get("artistId"), 0))
			if err != nil {
				return nil
			}
			files = m.filesOf(t.ID)
		}
		out := []object{}
		for _, f := range files {
			if m.selects(q.Get("albumId"), f.Album) {
				out = append(out, m.fileResource(f))
			}
		}
		return out
	})
	m.get("trackfile/{id}", func(r *http.Request) any {
		f, err := m.Arr.file(pathID(r))
		if err != nil {
			return nil
		}
		return m.fileResource(f)
	})
}

// selects reports whether a filter that may be absent lets an id through.
func (m music) selects(filter string, id int) bool { return filter == "" || filter == strconv.Itoa(id) }

func (m music) albums(r *http.Request) any {
	q := r.URL.Query()
	out := []object{}
	for _, t := range m.named(q.Get("artistId")) {
		for _, al := range t.Albums {
			if (!q.Has("albumIds") || slices.Contains(q["albumIds"], strconv.Itoa(al.ID))) &&
				(!q.Has("foreignAlbumId") || q.Get("foreignAlbumId") == al.MusicBrainz) {
				out = append(out, m.albumResource(t, al))
			}
		}
	}
	return out
}

// tracks selects by artist, album and, unless zero, id.
func (m music) tracks(r *http.Request, id int) []object {
	q := r.URL.Query()
	out := []object{}
	for _, t := range m.named(q.Get("artistId")) {
		for _, al := range t.Albums {
			for _, tr := range al.Tracks {
				if (id == 0 || tr.ID == id) && m.selects(q.Get("albumId"), al.ID) {
					out = append(out, m.trackResource(t, al, tr))
				}
			}
		}
	}
	return out
}

func (m music) artistResource(t *Title) object {
	return object{
		{"artistName", t.Name},
		{"foreignArtistId", t.MusicBrainz},
		{"mbId", text(t.MusicBrainz)},
		{"status", "continuing"},
		{"overview", text(t.Overview)},
		{"artistType", "Person"},
		{"disambiguation", t.Disambiguation},
		{"images", m.images(t, strconv.Itoa(t.ID))},
		{"path", t.Path},
		{"qualityProfileId", m.profileID(t.QualityProfile)},
		{"metadataProfileId", 1},
		{"monitored", !t.Unmonitored},
		{"genres", list(t.Genres)},
		{"tags", m.tagIDs(t.Tags)},
		{"added", seconds(t.Added)},
		{"ratings", object{{"votes", 0}, {"value", 0}}},
		{"statistics", object{{"trackFileCount", len(m.filesOf(t.ID))}, {"sizeOnDisk", m.sizeOf(t.ID)}}},
		{"id", t.ID},
	}
}

func (m music) albumResource(t *Title, al Album) object {
	return object{
		{"title", al.Title},
		{"artistId", t.ID},
		{"foreignAlbumId", al.MusicBrainz},
		{"overview", text(al.Overview)},
		{"monitored", true},
		{"albumType", cmp.Or(al.Type, "Album")},
		{"secondaryTypes", []string{}},
		{"releaseDate", midnight(al.Released)},
		{"genres", list(al.Genres)},
		{"artist", m.artistResource(t)},
		{"images", m.covers(al)},
		{"id", al.ID},
	}
}

func (m music) trackResource(t *Title, al Album, tr Track) object {
	o := object{
		{"artistId", t.ID},
		{"albumId", al.ID},
		{"trackNumber", tr.Number},
		{"title", tr.Title},
		{"hasFile", false},
		{"trackFileId", 0},
		{"id", tr.ID},
	}
	for _, f := range m.filesOf(t.ID) {
		if f.Track == tr.ID {
			o[4].value, o[5].value = true, f.ID
		}
	}
	return o
}

func (m music) fileResource(f *File) object {
	return apiFile(f, member{"artistId", f.TitleID}, member{"albumId", f.Album})
}
