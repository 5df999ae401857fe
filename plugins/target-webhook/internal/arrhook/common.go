package arrhook

import (
	"cmp"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/hookarr/hookarr/plugins/internal/arr"
	"github.com/hookarr/hookarr/sdk"
)

// oneVersion is the version of a quality that is no repack, which events do not tell.
const oneVersion = 1

// number is an id as the applications write their own, or 0 for none.
func number(id string) int64 {
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// list is what becomes [] where there is nothing.
func list(all []string) []string {
	if all == nil {
		return []string{}
	}
	return all
}

func names(all []string) []named {
	out := make([]named, 0, len(all))
	for _, name := range all {
		out = append(out, named{name})
	}
	return out
}

func language(name string) *named {
	if name == "" {
		return nil
	}
	return &named{name}
}

// images are the pictures that anyone can fetch.
func images(byType ...image) []image {
	return slices.DeleteFunc(byType, func(i image) bool { return i.RemoteURL == "" })
}

func mediaOf(e *sdk.Event) sdk.Media {
	if e.Media == nil {
		return sdk.Media{}
	}
	return *e.Media
}

// applicationURL is the application's own URL: the page of the event without what the
// application appends to it.
func applicationURL(e *sdk.Event) string {
	u := arr.AbsoluteURL(e.URL)
	if u == nil || arr.Named(e.App) == "" {
		return e.URL
	}
	u.Path = strings.TrimSuffix(u.Path, "/")
	page, within := path.Base(u.Path), path.Base(path.Dir(u.Path))
	up := 0
	switch within {
	case "movie", "series", "site", "artist", "album", "author", "book":
		up = 2
	case "system":
		if page == "status" || page == "updates" {
			up = 2
		}
	case "activity":
		if page == "queue" || page == "history" {
			up = 2
		}
	}
	if up == 0 && page == "history" {
		up = 1 // Prowlarr's
	}
	if up == 0 {
		return e.URL
	}
	for range up {
		u = u.JoinPath("..")
	}
	return strings.TrimSuffix(u.String(), "/")
}

// slug is how the application's pages name the title of the event: the end of the URL of
// a page of that kind.
func slug(e *sdk.Event, kinds ...string) string {
	u := arr.AbsoluteURL(e.URL)
	if u == nil || !slices.Contains(kinds, path.Base(path.Dir(u.Path))) {
		return ""
	}
	return path.Base(u.Path)
}

// release has the fields of a release that was grabbed where they are known: events of
// imports mostly know fewer.
func (h *hook) release(e *sdk.Event) {
	h.Release = &release{}
	r := e.Release
	if r == nil {
		return
	}
	*h.Release = release{
		Quality: r.Quality, ReleaseGroup: r.Group, ReleaseTitle: r.Title, Indexer: r.Indexer, Size: r.SizeBytes,
		Languages: names(r.Languages), IndexerFlags: r.Flags,
	}
	if e.Type == sdk.TypeReleaseGrabbed {
		h.Release.QualityVersion = oneVersion
		h.Release.CustomFormatScore, h.Release.CustomFormats = &r.Score, r.CustomFormats
		h.Release.IndexerFlags = list(r.Flags)
	}
}

// customFormats are those of what was grabbed or imported.
func (h *hook) customFormats(e *sdk.Event) {
	h.CustomFormatInfo = &customFormatInfo{CustomFormats: []named{}}
	if r := e.Release; r != nil {
		*h.CustomFormatInfo = customFormatInfo{CustomFormats: names(r.CustomFormats), CustomFormatScore: r.Score}
	}
}

// download has what is known of the download. Only one that waits for a person has
// more than the client.
func (h *hook) download(e *sdk.Event) {
	d := e.Download
	if d == nil {
		return
	}
	h.DownloadClient, h.DownloadClientType, h.DownloadID = d.Client, d.ClientType, d.ID
	h.DownloadStatus = arr.Capital(d.Status)
	if d.Title != "" || d.SizeBytes != 0 {
		h.DownloadInfo = &downloadInfo{QualityVersion: oneVersion, Title: d.Title, Size: d.SizeBytes}
	}
	if len(d.Messages) > 0 {
		h.DownloadStatusMessages = []statusMessage{{Title: d.Title, Messages: d.Messages}}
	}
}

// grabbed is what a grab has besides the title.
func (h *hook) grabbed(e *sdk.Event) {
	h.release(e)
	h.download(e)
	h.customFormats(e)
}

// imported is what an import of one file has besides the title and the file.
func (h *hook) imported(e *sdk.Event, folder string) {
	h.IsUpgrade = new(e.Upgrade || e.Type == sdk.TypeMediaUpgraded)
	if len(e.DeletedFiles) > 0 {
		h.DeletedFiles = files(folder, e.DeletedFiles)
	}
	h.grabbed(e)
}

// ofWork takes out what Lidarr and Readarr do not have in an import or a deletion.
func (h *hook) ofWork(e *sdk.Event) {
	h.CustomFormatInfo = nil
	if e.Release == nil {
		h.Release = nil
	}
	if replaced, ok := h.DeletedFiles.([]file); ok {
		wholePaths(replaced...)
	}
}

// waiting is what a download that waits for a person has besides the title.
func (h *hook) waiting(e *sdk.Event) {
	h.grabbed(e)
	if h.DownloadInfo == nil {
		h.DownloadInfo = &downloadInfo{QualityVersion: oneVersion}
	}
	if e.Release != nil {
		h.DownloadInfo.Quality = e.Release.Quality
	}
	h.Release.Quality = ""
}

// deleted is what a title that left the library has besides itself.
func (h *hook) deleted(e *sdk.Event, folder string) {
	// Old versions do not say what became of the files.
	if e.FilesDeleted || e.FilesKept {
		h.DeletedFiles = e.FilesDeleted
	}
	if len(e.DeletedFiles) > 0 {
		h.DeletedFiles = files(folder, e.DeletedFiles)
	}
}

func (h *hook) health(e *sdk.Event) {
	if e.Health == nil {
		return
	}
	h.Level, h.Message, h.Type, h.WikiURL = e.Health.Level, &e.Health.Message, e.Health.Check, e.Health.WikiURL
}

func (h *hook) updated(e *sdk.Event) {
	u := e.Update
	if u == nil {
		u = &sdk.Update{Message: e.Summary}
	}
	h.Message, h.PreviousVersion, h.NewVersion = &u.Message, u.From, u.To
}

// newFile is a file of a title with a folder. Its relative path is written whether it is
// known or not, for programs that need it.
func newFile(folder string, f sdk.File) file {
	return file{
		ID: number(f.ID), RelativePath: new(cmp.Or(f.RelativePath, inside(folder, f.Path))),
		Path:    cmp.Or(f.Path, arr.Path(folder, f.RelativePath, "")),
		Quality: f.Quality, QualityVersion: oneVersion, ReleaseGroup: f.ReleaseGroup, SceneName: f.SceneName,
		Size: f.SizeBytes, Languages: names(f.Languages), MediaInfo: newMediaInfo(f.MediaInfo),
		SourcePath: f.SourcePath, RecycleBinPath: f.RecycleBinPath,
	}
}

func files(folder string, all []sdk.File) []file {
	out := make([]file, 0, len(all))
	for i := range all {
		out = append(out, newFile(folder, all[i]))
	}
	return out
}

// first is the only file of an event of one, or nil.
func first(folder string, all []sdk.File) *file {
	if len(all) == 0 {
		return nil
	}
	return new(newFile(folder, all[0]))
}

// renamed are files with their paths before. An event has a file for each rename, or
// none.
func renamed(folder string, e *sdk.Event) []file {
	out := make([]file, 0, len(e.RenamedFiles))
	for i, r := range e.RenamedFiles {
		f := sdk.File{Path: r.To}
		if i < len(e.Files) {
			f = e.Files[i]
			f.Path = cmp.Or(r.To, f.Path)
		}
		written := newFile(folder, f)
		written.PreviousPath, written.PreviousRelativePath = &r.From, new(inside(folder, r.From))
		out = append(out, written)
	}
	return out
}

// wholePaths is files as Lidarr and Readarr have them, which know no relative paths.
func wholePaths(all ...file) []file {
	for i := range all {
		all[i].RelativePath, all[i].PreviousRelativePath = nil, nil
	}
	return all
}

// wholePath is the same for one file, or nil.
func wholePath(f *file) *file {
	if f != nil {
		f.RelativePath = nil
	}
	return f
}

// inside is a path relative to a folder that it is in, or empty.
func inside(folder, full string) string {
	separators := `/\`
	if strings.HasPrefix(folder, "/") {
		separators = "/" // On Unix a backslash is a letter like any other.
	}
	folder = strings.TrimRight(folder, separators)
	rest, ok := strings.CutPrefix(full, folder)
	if folder == "" || !ok || rest == "" || !strings.ContainsRune(separators, rune(rest[0])) {
		return ""
	}
	return strings.TrimLeft(rest, separators)
}

func newMediaInfo(m *sdk.MediaInfo) *mediaInfo {
	if m == nil {
		return nil
	}
	out := &mediaInfo{
		AudioChannels: m.AudioChannels, AudioCodec: m.AudioCodec, AudioLanguages: list(m.AudioLanguages),
		Height: m.Height, Width: m.Width, Subtitles: list(m.Subtitles), VideoCodec: m.VideoCodec, VideoDynamicRangeType: m.DynamicRange,
	}
	if m.DynamicRange != "" {
		out.VideoDynamicRange = "HDR"
	}
	if math.IsNaN(out.AudioChannels) || math.IsInf(out.AudioChannels, 0) {
		out.AudioChannels = 0 // JSON has no such number.
	}
	return out
}
