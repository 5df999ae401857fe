package model

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/hookarr/hookarr/sdk"
)

// newFile is one that an application imports next.
func (w *World) newFile(a *app, t *title, path string) *file {
	a.lastFile++
	f := &file{
		id: strconv.Itoa(a.lastFile), path: path, edition: pick(w, []string{"", "", "Uncut"}), size: int64(1 + w.random.IntN(1_000_000)), quality: pick(w, []string{"HDTV-720p", "WEBDL-1080p", "Bluray-2160p"}),
	}
	if f.path == "" {
		f.path = fmt.Sprintf("%s/%s.mkv", t.path, pick(w, []string{"a", "b", "c", "d", "e"}))
	}
	return f
}

func (a *app) event(f *file) sdk.File {
	e := sdk.File{ID: f.id, Path: f.path, RelativePath: f.path[len(f.path)-5:], SizeBytes: f.size, Quality: f.quality, Edition: f.edition}
	if a.nameless {
		e.ID = ""
	}
	return e
}

// known is a file as an event has it that may know its path alone.
func (w *World) known(a *app, f *file) sdk.File {
	e := a.event(f)
	if w.random.IntN(3) == 0 {
		return sdk.File{Path: e.Path}
	}
	return e
}

// importFile imports a file, mostly for what has none. Whoever is at its path is replaced.
func (w *World) importFile(a *app, t *title) {
	if a.kind == "artist" {
		w.importAlbum(a, t)
		return
	}
	f := w.newFile(a, t, "")
	f.parts = w.somePart(t)
	t.files = slices.DeleteFunc(t.files, func(o *file) bool { return o.path == f.path })
	t.files = append(t.files, f)
	e := w.tell(a, t, sdk.TypeMediaImported, f.parts)
	e.Files = []sdk.File{a.event(f)}
	if w.random.IntN(3) == 0 && !a.nameless {
		e := w.tell(a, t, sdk.TypeImportCompleted, f.parts)
		e.Files = []sdk.File{a.event(f)}
	}
}

// somePart is one episode, or two in a row.
func (w *World) somePart(t *title) []*part {
	if len(t.parts) == 0 {
		return nil
	}
	n := w.random.IntN(len(t.parts))
	return slices.Clone(t.parts[n:min(n+1+w.random.IntN(2), len(t.parts))])
}

// importAlbum imports the tracks of an album in one event, which does not say what track
// is in which file.
func (w *World) importAlbum(a *app, t *title) {
	albums := slices.DeleteFunc(slices.Clone(t.parts), func(p *part) bool { return p.kind != "album" })
	if len(albums) == 0 {
		return
	}
	album := pick(w, albums)
	tracks := slices.DeleteFunc(slices.Clone(t.parts), func(p *part) bool { return p.album != album.id })
	tracks = tracks[:1+w.random.IntN(len(tracks))]
	var all []sdk.File
	for i, p := range tracks {
		f := w.newFile(a, t, fmt.Sprintf("%s/%s %d.flac", t.path, album.id, i))
		f.parts = []*part{album}
		if len(tracks) == 1 {
			f.parts = append(f.parts, p)
		}
		t.files = slices.DeleteFunc(t.files, func(o *file) bool { return o.path == f.path })
		t.files = append(t.files, f)
		all = append(all, a.event(f))
	}
	w.tell(a, t, sdk.TypeMediaImported, append([]*part{album}, tracks...)).Files = all
}

// upgrade replaces a file by another, at its path or elsewhere. The deletion is told with
// the import, before it, or both.
func (w *World) upgrade(a *app, t *title, old *file) {
	gone := w.known(a, old)
	var path string
	if w.random.IntN(2) == 0 {
		path = old.path
	}
	f := w.newFile(a, t, path)
	f.parts = old.parts
	t.files = slices.DeleteFunc(t.files, func(o *file) bool { return o == old || o.path == f.path })
	t.files = append(t.files, f)
	told := w.random.IntN(3)
	if told > 0 {
		before := w.tell(a, t, sdk.TypeFileDeletedForUpgrade, nil)
		before.DeletedFiles = []sdk.File{gone}
	}
	e := w.tell(a, t, sdk.TypeMediaUpgraded, f.parts)
	e.Files, e.Upgrade = []sdk.File{a.event(f)}, true
	if told < 2 {
		e.DeletedFiles = []sdk.File{gone}
	}
}

// rename gives files other paths: one, or two that change places.
func (w *World) rename(a *app, t *title) {
	f := pick(w, t.files)
	if other := pick(w, t.files); other != f && w.random.IntN(2) == 0 {
		// An event knows the ids of both or of none.
		named := w.random.IntN(2) == 0 && !a.nameless
		from, to := f.path, other.path
		f.path, other.path = to, from
		e := w.tell(a, t, sdk.TypeFileRenamed, nil)
		e.RenamedFiles = []sdk.Rename{{From: from, To: to}, {From: to, To: from}}
		if named {
			e.Files = []sdk.File{a.event(f), a.event(other)}
		} else {
			e.Files = []sdk.File{{Path: to}, {Path: from}}
		}
		return
	}
	from := f.path
	f.path = fmt.Sprintf("%s/%s.mkv", t.path, pick(w, []string{"f", "g", "h", "i"}))
	if slices.ContainsFunc(t.files, func(o *file) bool { return o != f && o.path == f.path }) || f.path == from {
		f.path = from
		return // the application does not overwrite
	}
	e := w.tell(a, t, sdk.TypeFileRenamed, nil)
	e.RenamedFiles = []sdk.Rename{{From: from, To: f.path}}
	e.Files = []sdk.File{w.known(a, f)}
	e.Files[0].Edition = "" // of which it says nothing
}

// editFile changes what an application knows of a file, which a snapshot tells.
func (w *World) editFile(a *app, t *title) {
	f := pick(w, t.files)
	f.edition, f.quality = pick(w, []string{"", "Final"}), pick(w, []string{"WEBDL-1080p", "Remux-2160p"})
	e := w.tell(a, t, sdk.TypeMediaUpdated, f.parts)
	e.Files, e.Fields = []sdk.File{a.event(f)}, []string{"files"}
	if len(f.parts) > 0 && f.parts[0].kind == "album" {
		e.Media.Poster, e.Media.Overview = "https://covers.example/1", "Of the album"
	}
}

// retag writes tags into a file, which may change its size.
func (w *World) retag(a *app, t *title) {
	f := pick(w, t.files)
	f.size++
	w.tell(a, t, sdk.TypeFileRetagged, nil).Files = []sdk.File{a.event(f)}
}

func (w *World) deleteFile(a *app, t *title, i int) {
	gone := w.known(a, t.files[i])
	t.files = slices.Delete(t.files, i, i+1)
	e := w.tell(a, t, sdk.TypeFileDeleted, nil)
	e.DeletedFiles = []sdk.File{gone}
}

// deleteAlbum takes an album away with its tracks and files.
func (w *World) deleteAlbum(a *app, t *title) {
	i := slices.IndexFunc(t.parts, func(p *part) bool { return p.kind == "album" })
	album := t.parts[i]
	e := w.tell(a, t, sdk.TypeMediaDeleted, []*part{album})
	e.NativeType = "AlbumDelete"
	t.parts = slices.DeleteFunc(t.parts, func(p *part) bool { return p == album || p.album == album.id })
	t.files = slices.DeleteFunc(t.files, func(f *file) bool { return slices.Contains(f.parts, album) })
}
