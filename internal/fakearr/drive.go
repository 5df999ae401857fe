package fakearr

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The states of a download.
const (
	pending       = "importPending"
	blockedImport = "importBlocked"
	imported      = "imported"
)

// do changes the state and announces what that made happen.
func (a *Arr) do(ctx context.Context, f func() ([]happening, error)) error {
	a.driving.Lock()
	defer a.driving.Unlock()
	a.state.Lock()
	happened, err := f()
	a.state.Unlock()
	if err != nil || quiet(ctx) {
		return err
	}
	for _, h := range happened {
		a.announce(ctx, h)
	}
	a.watch(ctx)
	return nil
}

// Add adds a title to the library and returns it with its ids.
func (a *Arr) Add(ctx context.Context, t Title) (Title, error) {
	err := a.do(ctx, func() ([]happening, error) {
		kept := a.shelve(t, a.now())
		t = *kept
		return []happening{a.family.added(kept)}, nil
	})
	return t, err
}

// shelve gives a title all ids and puts it into the library.
func (a *Arr) shelve(t Title, added time.Time) *Title {
	t.ID = a.id("title")
	t.AddMethod = cmp.Or(t.AddMethod, "manual")
	t.Episodes, t.Albums, t.Books = slices.Clone(t.Episodes), slices.Clone(t.Albums), slices.Clone(t.Books)
	for i := range t.Episodes {
		t.Episodes[i].ID = 0
	}
	for i := range t.Albums {
		t.Albums[i].ID = 0
	}
	for i := range t.Books {
		t.Books[i].ID = 0
	}
	t.Tags = slices.Sorted(slices.Values(t.Tags))
	a.tagIDs(t.Tags)
	if t.Added.IsZero() {
		t.Added = added
	}
	a.family.adopt(&t)
	a.titles = append(a.titles, &t)
	return &t
}

// Grab hands a release to the download client.
func (a *Arr) Grab(ctx context.Context, titleID int, r Release) (Download, error) {
	var grabbed Download
	err := a.do(ctx, func() ([]happening, error) {
		t, err := a.title(titleID)
		if err != nil {
			return nil, err
		}
		n := a.id("download")
		r.Quality = cmp.Or(r.Quality, a.family.words().first)
		r.Group = cmp.Or(r.Group, "GROUP")
		r.Name = cmp.Or(r.Name, fmt.Sprintf("%s.%s-%s", strings.ReplaceAll(t.Name, " ", "."), r.Quality, r.Group))
		r.Indexer = cmp.Or(r.Indexer, "Indexer (Prowlarr)")
		r.Size = cmp.Or(r.Size, 4<<30)
		d := &Download{ID: fmt.Sprintf("%040X", n), Client: "qBittorrent", ClientType: "qBittorrent", TitleID: t.ID, Release: r, state: pending}
		a.downloads = append(a.downloads, d)
		a.remember(t, a.family.parts(t, r), record{
			kind: "grabbed", source: r.Name, quality: r.Quality, download: d.ID,
			data: map[string]any{
				"indexer": r.Indexer, "nzbInfoUrl": nil, "releaseGroup": r.Group, "size": strconv.FormatInt(r.Size, 10),
				"downloadClient": d.ClientType, "downloadClientName": d.Client, "guid": "https://indexer.example/" + d.ID,
				"protocol": "2", "customFormatScore": "0", "releaseSource": "Rss", "indexerFlags": "0", "torrentInfoHash": d.ID,
			},
		})
		grabbed = *d
		return []happening{a.family.grabbed(t, d)}, nil
	})
	return grabbed, err
}

// Import imports a download. Files that hold the same parts of the title are replaced,
// which makes it an upgrade.
func (a *Arr) Import(ctx context.Context, downloadID string) ([]File, error) {
	var files []File
	err := a.do(ctx, func() ([]happening, error) {
		d, err := a.download(downloadID)
		if err != nil {
			return nil, err
		}
		t, err := a.title(d.TitleID)
		if err != nil {
			return nil, err
		}
		var out []happening
		var all []*File
		for _, batch := range a.family.batches(t, d) {
			added := each(batch, func(f File) *File {
				f.ID, f.TitleID, f.DownloadID, f.Added = a.id("file"), t.ID, d.ID, a.now()
				f.Quality, f.Group, f.Scene = d.Quality, d.Group, d.Name
				f.Edition = d.Edition
				f.Source = "/downloads/" + d.Name + "/" + path.Base(f.Path)
				return &f
			})
			replaced := a.replacedBy(t, added)
			for _, f := range replaced {
				out = append(out, a.drop(t, f, Upgrade)...)
			}
			for _, f := range added {
				a.hold(f)
				a.remember(t, a.family.holds(f), a.importRecord(d, f))
				files = append(files, *f)
			}
			out = append(out, a.family.imported(t, d, added, replaced))
			all = append(all, added...)
		}
		d.state = imported
		return append(out, a.family.completed(t, d, all)...), nil
	})
	return files, err
}

// Upgrade grabs and imports a release that replaces files.
func (a *Arr) Upgrade(ctx context.Context, titleID int, r Release) ([]File, error) {
	a.state.Lock()
	n := len(a.filesOf(titleID))
	a.state.Unlock()
	if n == 0 {
		return nil, errors.New("nothing to upgrade")
	}
	r.Quality = cmp.Or(r.Quality, a.family.words().better)
	d, err := a.Grab(ctx, titleID, r)
	if err != nil {
		return nil, err
	}
	return a.Import(ctx, d.ID)
}

// Scan finds files of a whole title that nobody downloaded. The history does not know
// them, and only Whisparr v3 tells of them.
func (a *Arr) Scan(ctx context.Context, titleID int) ([]File, error) {
	var files []File
	err := a.do(ctx, func() ([]happening, error) {
		t, err := a.title(titleID)
		if err != nil {
			return nil, err
		}
		var out []happening
		for _, batch := range a.family.batches(t, &Download{Release: Release{Quality: a.family.words().first, Size: 1 << 30}}) {
			for _, f := range batch {
				f.ID, f.TitleID, f.Added, f.Quality, f.Source = a.id("file"), t.ID, a.now(), a.family.words().first, f.Path
				a.hold(&f)
				files = append(files, f)
				if a.app == WhisparrV3 {
					out = append(out, a.family.imported(t, nil, []*File{&f}, nil))
				}
			}
		}
		return out, nil
	})
	return files, err
}

func (a *Arr) importRecord(d *Download, f *File) record {
	return record{
		kind: a.family.words().imported, source: f.Scene, quality: f.Quality, download: d.ID,
		data: map[string]any{
			"fileId": strconv.Itoa(f.ID), "droppedPath": f.Source, "importedPath": f.Path,
			"downloadClient": d.ClientType, "downloadClientName": d.Client, "releaseGroup": f.Group,
			"customFormatScore": "0", "size": strconv.FormatInt(f.Size, 10), "indexerFlags": "0",
		},
	}
}

// replacedBy returns the files that hold what new files hold too.
func (a *Arr) replacedBy(t *Title, added []*File) []*File {
	var out []*File
	for _, old := range a.filesOf(t.ID) {
		if slices.ContainsFunc(added, func(f *File) bool {
			return slices.ContainsFunc(a.family.holds(old), func(p part) bool { return slices.Contains(a.family.holds(f), p) })
		}) {
			out = append(out, old)
		}
	}
	return out
}

// drop removes a file.
func (a *Arr) drop(t *Title, f *File, reason string) []happening {
	a.release(t.ID, func(o *File) bool { return o.ID == f.ID })
	w := a.family.words()
	if reason != NoLinkedEpisodes && (reason != ManualOverride || w.overrides) {
		a.remember(t, a.family.holds(f), record{
			kind: w.file + "Deleted", source: f.Path, quality: f.Quality,
			data: map[string]any{
				"reason": reason, "releaseGroup": f.Group, "size": strconv.FormatInt(f.Size, 10), "indexerFlags": "0",
			},
		})
	}
	return a.family.fileDeleted(t, f, reason)
}

// DeleteFile removes a file for one of the reasons.
func (a *Arr) DeleteFile(ctx context.Context, fileID int, reason string) error {
	return a.do(ctx, func() ([]happening, error) {
		f, err := a.file(fileID)
		if err != nil {
			return nil, err
		}
		t, err := a.title(f.TitleID)
		if err != nil {
			return nil, err
		}
		return a.drop(t, f, reason), nil
	})
}

// Rename appends a mark to the names of all files of a title.
func (a *Arr) Rename(ctx context.Context, titleID int, mark string) error {
	return a.do(ctx, func() ([]happening, error) {
		t, err := a.title(titleID)
		if err != nil {
			return nil, err
		}
		var files []renaming
		for _, f := range a.filesOf(t.ID) {
			from, ext := f.Path, path.Ext(f.Path)
			f.Path = strings.TrimSuffix(from, ext) + mark + ext
			files = append(files, renaming{f, from})
			a.remember(t, a.family.holds(f), record{
				kind: a.family.words().file + "Renamed", source: from, quality: f.Quality,
				data: map[string]any{
					"sourcePath": from, "sourceRelativePath": relative(t, from), "path": f.Path, "relativePath": relative(t, f.Path),
					"releaseGroup": f.Group, "size": strconv.FormatInt(f.Size, 10), "indexerFlags": "0",
				},
			})
		}
		if len(files) == 0 {
			return nil, nil
		}
		return []happening{a.family.renamed(t, files)}, nil
	})
}

// Delete removes a title, and its files when asked: the application tells of no file
// then. Its history goes too.
func (a *Arr) Delete(ctx context.Context, titleID int, files bool) error {
	return a.do(ctx, func() ([]happening, error) {
		t, err := a.title(titleID)
		if err != nil {
			return nil, err
		}
		var size int64
		for _, f := range a.filesOf(t.ID) {
			if files {
				size += f.Size
			}
		}
		h := a.family.removed(t, files, size)
		a.release(t.ID, func(*File) bool { return true })
		a.titles = slices.DeleteFunc(a.titles, func(o *Title) bool { return o == t })
		a.history = slices.DeleteFunc(a.history, func(r record) bool { return r.titleID == t.ID })
		return []happening{h}, nil
	})
}

// FailDownload makes the download client fail.
func (a *Arr) FailDownload(ctx context.Context, downloadID, message string) error {
	return a.do(ctx, func() ([]happening, error) {
		d, err := a.download(downloadID)
		if err != nil {
			return nil, err
		}
		t, err := a.title(d.TitleID)
		if err != nil {
			return nil, err
		}
		a.downloads = slices.DeleteFunc(a.downloads, func(o *Download) bool { return o == d })
		a.remember(t, a.family.parts(t, d.Release), record{
			kind: "downloadFailed", source: d.Name, quality: d.Quality, download: d.ID,
			data: map[string]any{
				"downloadClient": d.ClientType, "downloadClientName": d.Client, "message": message,
				"releaseGroup": d.Group, "size": strconv.FormatInt(d.Size, 10), "indexer": d.Indexer,
			},
		})
		return a.family.downloadFailed(t, d), nil
	})
}

// NeedManualInteraction makes a download that the application cannot import by itself.
// It tells so once until it is restarted.
func (a *Arr) NeedManualInteraction(ctx context.Context, downloadID string, messages ...string) error {
	return a.do(ctx, func() ([]happening, error) {
		d, err := a.download(downloadID)
		if err != nil {
			return nil, err
		}
		t, err := a.title(d.TitleID)
		if err != nil {
			return nil, err
		}
		d.state = blockedImport
		if d.asked {
			return nil, nil
		}
		d.asked = true
		return a.family.manual(t, d, messages), nil
	})
}
