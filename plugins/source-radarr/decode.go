package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hookarr/hookarr/plugins/internal/arr"
	"github.com/hookarr/hookarr/sdk"
)

// decoder is the source: pure, and safe for concurrent use.
type decoder struct{ applicationURL string }

// Decode implements sdk.Source.
func (d decoder) Decode(_ context.Context, r sdk.Request) (sdk.Event, error) {
	var p payload
	if err := arr.Unmarshal(r.Body, &p); err != nil {
		return sdk.Event{}, err
	}
	e, err := p.Event(arr.Radarr, r, d.applicationURL)
	if err != nil {
		return sdk.Event{}, err
	}
	if m := p.Movie; m != nil && m.ItemType+m.StashID != "" {
		return sdk.Event{}, p.Foreign(arr.Whisparr, arr.Radarr)
	}
	if p.System(&e, arr.Radarr) {
		return e, nil
	}
	p.complete()
	base := e.URL
	e.Title = cmp.Or(p.name(), arr.OneLine(p.Release.ReleaseTitle), arr.OneLine(p.DownloadInfo.Title), "Unknown movie")
	e.Media = p.media()
	e.URL = p.page(base)
	switch strings.ToLower(p.EventType) {
	case "grab":
		p.grab(&e)
	case "download":
		p.imported(&e)
	case "rename":
		p.renamed(&e)
	case "movieadded":
		p.added(&e)
	case "moviedelete":
		p.deleted(&e)
	case "moviefiledelete":
		p.fileDeleted(&e)
	case "manualinteractionrequired":
		p.waiting(&e)
		e.URL = arr.Page(base, "activity", "queue")
	default:
		e.URL = cmp.Or(e.URL, base)
		p.Unknown(&e, arr.Radarr, p.name())
	}
	return e, nil
}

// page is the movie's in Radarr, which knows its movies by their ids at TMDb.
func (p *payload) page(base string) string {
	if p.Movie == nil || p.Movie.TmdbID == "" {
		return ""
	}
	return arr.Page(base, "movie", string(p.Movie.TmdbID))
}

func (p *payload) grab(e *sdk.Event) {
	e.Type = sdk.TypeReleaseGrabbed
	e.Release = p.EventRelease()
	e.Download = p.EventDownload()
	e.Summary = "Grabbed " + e.Title
	if r := e.Release; r != nil {
		// Prowlarr adds its name to the indexers that it manages.
		e.Summary += phrase("from", arr.OneLine(strings.TrimSuffix(r.Indexer, " (Prowlarr)")))
		e.Summary += parenthesis(arr.Bytes(r.SizeBytes), arr.OneLine(r.Quality))
	}
	e.CorrelationKey = arr.Key("download", p.DownloadID)
	if what := cmp.Or(p.DownloadID, p.Release.ReleaseTitle); what != "" {
		e.Fingerprint = arr.Fingerprint("grab", what, p.movieKey())
	}
}

func (p *payload) imported(e *sdk.Event) {
	e.Files = p.file()
	e.DeletedFiles = arr.Files(p.folder(), p.DeletedFiles.Files...)
	e.Release = p.EventRelease()
	e.Download = p.EventDownload()
	e.Upgrade = bool(p.IsUpgrade)
	before, after := arr.OneLine(arr.Qualities(e.DeletedFiles)), arr.OneLine(arr.Qualities(e.Files))
	switch {
	case !e.Upgrade:
		e.Type = sdk.TypeMediaImported
		e.Summary = "Imported " + e.Title + phrase("in", after)
	case before == after:
		e.Type = sdk.TypeMediaUpgraded
		e.Summary = "Upgraded " + e.Title + phrase("in", after)
	default:
		e.Type = sdk.TypeMediaUpgraded
		e.Summary = "Upgraded " + e.Title + phrase("from", before) + phrase("to", after)
	}
	e.CorrelationKey = cmp.Or(arr.Key("download", p.DownloadID), p.fileKey())
	// Radarr's history has the file's id too, but does not say whether the import was
	// an upgrade.
	e.Fingerprint = p.fileFingerprint("import")
}

func (p *payload) renamed(e *sdk.Event) {
	e.Type = sdk.TypeFileRenamed
	e.Files = arr.Files(p.folder(), p.RenamedMovieFiles...)
	paths := make([]string, 0, len(p.RenamedMovieFiles))
	for i := range p.RenamedMovieFiles {
		rename := p.RenamedMovieFiles[i].Rename(p.folder())
		e.RenamedFiles = append(e.RenamedFiles, rename)
		paths = append(paths, rename.From+"\n"+rename.To)
	}
	switch n := len(e.RenamedFiles); n {
	case 0:
		e.Summary = "Renamed files of " + e.Title
	case 1:
		e.Summary = "Renamed the file of " + e.Title + phrase("to", arr.OneLine(arr.Base(e.RenamedFiles[0].To)))
		p.MovieFile = &p.RenamedMovieFiles[0]
	default:
		e.Summary = fmt.Sprintf("Renamed %d files of %s", n, e.Title)
	}
	e.CorrelationKey = p.fileKey()
	slices.Sort(paths)
	e.Fingerprint = arr.Fingerprint("rename", paths...)
}

func (p *payload) added(e *sdk.Event) {
	e.Type = sdk.TypeMediaAdded
	e.AddMethod = p.AddMethod
	e.Summary = "Added " + e.Title
	if method := arr.Words(p.AddMethod); method != "" && method != "manual" {
		e.Summary += " from a " + method
	}
	e.CorrelationKey = arr.Key("movie", p.movieKey())
	e.Fingerprint = arr.Fingerprint("added", p.movieKey())
}

func (p *payload) deleted(e *sdk.Event) {
	e.Type = sdk.TypeMediaDeleted
	e.URL = ""
	e.FilesDeleted = p.DeletedFiles.All
	e.DeletedFiles = arr.Files(p.folder(), p.DeletedFiles.Files...)
	e.Summary = "Deleted " + e.Title
	switch {
	case e.FilesDeleted:
		e.Summary += " and its files" + parenthesis(arr.Bytes(p.MovieFolderSize.Size()))
	case p.DeletedFiles.Known:
		e.Summary += " and kept its files"
	}
	e.CorrelationKey = arr.Key("movie", p.movieKey())
	e.Fingerprint = arr.Fingerprint("deleted", p.movieKey())
}

func (p *payload) fileDeleted(e *sdk.Event) {
	e.DeletedFiles = p.file()
	e.DeleteReason = p.DeleteReason
	if strings.EqualFold(p.DeleteReason, "upgrade") {
		e.Type = sdk.TypeFileDeletedForUpgrade
		e.Summary = "Deleted the old file of " + e.Title + " for an upgrade" + parenthesis(arr.OneLine(arr.Qualities(e.DeletedFiles)))
	} else {
		e.Type = sdk.TypeFileDeleted
		e.Summary = "Deleted the file of " + e.Title + parenthesis(arr.Words(p.DeleteReason))
	}
	e.CorrelationKey = p.fileKey()
	e.Fingerprint = p.fileFingerprint("file deleted", strings.ToLower(p.DeleteReason))
}

func (p *payload) waiting(e *sdk.Event) {
	e.Type = sdk.TypeManualInteractionRequired
	e.Release = p.EventRelease()
	e.Download = p.EventDownload()
	e.Summary = "The import of " + e.Title + " needs a person"
	var messages []string
	if e.Download != nil && len(e.Download.Messages) > 0 {
		messages = e.Download.Messages
		e.Summary += ": " + arr.OneLine(messages[0])
	}
	e.CorrelationKey = arr.Key("download", p.DownloadID)
	e.Fingerprint = arr.Fingerprint("waiting", append([]string{p.DownloadID, p.movieKey()}, messages...)...)
}

// fileKey is the correlation key of what happens to a movie's file, or to the movie
// when it is not about one file.
func (p *payload) fileKey() string {
	if p.MovieFile != nil && p.MovieFile.ID != "" {
		return arr.Key("movie", p.movieKey(), "file", string(p.MovieFile.ID))
	}
	return arr.Key("movie", p.movieKey())
}

// fileFingerprint tells files apart by their ids, which Radarr gives once, and
// without one by path and size. It is empty for a payload without a file.
func (p *payload) fileFingerprint(kind string, more ...string) string {
	f := p.MovieFile
	if f == nil {
		return ""
	}
	if f.ID != "" {
		return arr.Fingerprint(kind, append([]string{"id", string(f.ID)}, more...)...)
	}
	path := arr.Path(p.folder(), f.RelativePath, f.Path)
	if path == "" {
		return ""
	}
	return arr.Fingerprint(kind, append([]string{"path", path, strconv.FormatInt(f.Size.Size(), 10)}, more...)...)
}

func phrase(preposition, s string) string {
	if s == "" {
		return ""
	}
	return " " + preposition + " " + s
}

func parenthesis(parts ...string) string {
	s := arr.Join(", ", parts...)
	if s == "" {
		return ""
	}
	return " (" + s + ")"
}
