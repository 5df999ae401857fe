package arr

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/hookarr/hookarr/sdk"
)

// Grabbed fills in the event of a release that was handed to a download client. The
// event has its title; ids tell what was grabbed from the rest of the library.
func (p *Payload) Grabbed(e *sdk.Event, ids ...string) {
	e.Type = sdk.TypeReleaseGrabbed
	e.Release = p.EventRelease()
	e.Download = p.EventDownload()
	e.Summary = "Grabbed " + e.Title
	if r := e.Release; r != nil {
		// Prowlarr adds its name to the indexers that it manages.
		e.Summary += Phrase("from", OneLine(strings.TrimSuffix(r.Indexer, " (Prowlarr)")))
		e.Summary += Parenthesis(Bytes(r.SizeBytes), OneLine(r.Quality))
	}
	e.CorrelationKey = Key("download", p.DownloadID)
	if what := cmp.Or(p.DownloadID, p.Release.ReleaseTitle); what != "" {
		e.Fingerprint = Fingerprint("grab", append([]string{what}, ids...)...)
	}
}

// Imported fills in the event of one file that was imported. The event has its title.
func (p *Payload) Imported(e *sdk.Event, s Subject, f *File) {
	e.Files = s.file(f)
	if f != nil && len(p.Release.IndexerFlags) == 0 {
		p.Release.IndexerFlags = f.IndexerFlags // Radarr before 5.22 has them there alone.
	}
	p.imported(e, s, e.Title)
	e.CorrelationKey = cmp.Or(Key("download", p.DownloadID), s.fileKey(f))
	// The history of the applications has the file's size and id too, but does not say
	// whether the import was an upgrade.
	e.Fingerprint = s.fileFingerprint("import", f)
}

// imported fills in what all imports have. The event has its files; what is how its
// summary calls them.
func (p *Payload) imported(e *sdk.Event, s Subject, what string) {
	e.DeletedFiles = Files(s.Folder, p.DeletedFiles.Files...)
	e.Release = p.EventRelease()
	e.Download = p.EventDownload()
	e.Upgrade = bool(p.IsUpgrade)
	before, after := OneLine(Qualities(e.DeletedFiles)), OneLine(Qualities(e.Files))
	switch {
	case !e.Upgrade:
		e.Type = sdk.TypeMediaImported
		e.Summary = "Imported " + what + Phrase("in", after)
	case before == after:
		e.Type = sdk.TypeMediaUpgraded
		e.Summary = "Upgraded " + what + Phrase("in", after)
	default:
		e.Type = sdk.TypeMediaUpgraded
		e.Summary = "Upgraded " + what + Phrase("from", before) + Phrase("to", after)
	}
}

// Completed fills in the event of a download of which all files were imported. The
// event has its title.
func (p *Payload) Completed(e *sdk.Event, s Subject, files []File) {
	e.Type = sdk.TypeImportCompleted
	e.Files = Files(s.Folder, files...)
	e.Release = p.EventRelease()
	e.Download = p.EventDownload()
	e.Summary = "Finished importing " + e.Title + Phrase("in", OneLine(Qualities(e.Files)))
	e.CorrelationKey = Key("download", p.DownloadID)
	if e.CorrelationKey == "" && len(files) == 1 {
		e.CorrelationKey = s.fileKey(&files[0])
	}
	keys := make([]string, 0, len(files))
	for i := range files {
		keys = append(keys, s.fileFingerprint("file", &files[i]))
	}
	slices.Sort(keys)
	keys = slices.Compact(keys) // A file of two episodes may be listed twice.
	e.Fingerprint = Fingerprint("import completed", append([]string{p.DownloadID}, keys...)...)
}

// Renamed fills in the event of files that got other paths. The event has its title.
func (*Payload) Renamed(e *sdk.Event, s Subject, files []File) {
	e.Type = sdk.TypeFileRenamed
	e.Files = Files(s.Folder, files...)
	paths := make([]string, 0, len(files))
	for i := range files {
		rename := files[i].Rename(s.Folder)
		e.RenamedFiles = append(e.RenamedFiles, rename)
		if rename.From+rename.To != "" {
			paths = append(paths, rename.From+"\n"+rename.To)
		}
	}
	e.CorrelationKey = s.correlationKey()
	switch n := len(files); n {
	case 0:
		e.Summary = "Renamed files of " + e.Title
	case 1:
		article := "a"
		if s.OneFile {
			article = "the"
		}
		e.Summary = "Renamed " + article + " file of " + e.Title + Phrase("to", OneLine(Base(e.RenamedFiles[0].To)))
		if r := e.RenamedFiles[0]; Base(r.From) == Base(r.To) && r.To != "" {
			e.Summary = "Moved " + article + " file of " + e.Title + Phrase("to", OneLine(cmp.Or(files[0].RelativePath, r.To)))
		}
		e.CorrelationKey = s.fileKey(&files[0])
	default:
		e.Summary = fmt.Sprintf("Renamed %d files of %s", n, e.Title)
	}
	slices.Sort(paths)
	e.Fingerprint = Fingerprint("rename", paths...)
}

// Added fills in the event of a title that came into the library. The event has its
// title.
func (p *Payload) Added(e *sdk.Event, s Subject) {
	e.Type = sdk.TypeMediaAdded
	e.AddMethod = p.AddMethod
	e.Summary = "Added " + e.Title
	if method := Words(p.AddMethod); method != "" && method != "manual" {
		e.Summary += " from a " + method
	}
	e.CorrelationKey = s.correlationKey()
	e.Fingerprint = s.fingerprint("added", p)
}

// Deleted fills in the event of a title that left the library. The event has its
// title and its media. It gets no page, because that is gone.
func (p *Payload) Deleted(e *sdk.Event, s Subject) {
	e.Type = sdk.TypeMediaDeleted
	e.URL = ""
	e.FilesDeleted = p.DeletedFiles.All
	e.FilesKept = p.DeletedFiles.Known && !p.DeletedFiles.All
	e.DeletedFiles = Files(s.Folder, p.DeletedFiles.Files...)
	e.Summary = "Deleted " + e.Title
	switch {
	case e.FilesDeleted:
		e.Summary += " and its files"
		if e.Media != nil {
			e.Summary += Parenthesis(Bytes(e.Media.SizeBytes))
		}
	case e.FilesKept:
		e.Summary += " and kept its files"
	}
	e.CorrelationKey = s.correlationKey()
	e.Fingerprint = s.fingerprint("deleted", p)
}

// FileDeleted fills in the event of a file that left the library. The event has its
// title.
func (p *Payload) FileDeleted(e *sdk.Event, s Subject, f *File) {
	e.DeletedFiles = s.file(f)
	e.DeleteReason = p.DeleteReason
	if strings.EqualFold(p.DeleteReason, "upgrade") {
		e.Type = sdk.TypeFileDeletedForUpgrade
		e.Summary = "Deleted the old file of " + e.Title + " for an upgrade" + Parenthesis(OneLine(Qualities(e.DeletedFiles)))
	} else {
		e.Type = sdk.TypeFileDeleted
		e.Summary = "Deleted the file of " + e.Title + Parenthesis(Words(p.DeleteReason))
	}
	e.CorrelationKey = s.fileKey(f)
	// The history of the applications has no id of a file that is gone, and in old
	// versions no size.
	if len(e.DeletedFiles) > 0 && e.DeletedFiles[0].Path != "" {
		e.Fingerprint = fileGone(e.DeletedFiles[0].Path, p.DeleteReason)
	}
}

// Waiting fills in the event of a download that cannot be imported without a person.
// The event has its title; ids tell what it was to become and are row numbers, which
// alone say nothing. The page is the queue of the application at base.
func (p *Payload) Waiting(e *sdk.Event, base string, ids ...string) {
	e.Type = sdk.TypeManualInteractionRequired
	e.URL = Page(base, "activity", "queue")
	e.Release = p.EventRelease()
	e.Download = p.EventDownload()
	e.Summary = "The import of " + e.Title + " needs a person"
	var messages []string
	if e.Download != nil && len(e.Download.Messages) > 0 {
		messages = e.Download.Messages
		e.Summary += ": " + OneLine(messages[0])
	}
	e.CorrelationKey = Key("download", p.DownloadID)
	if what := cmp.Or(p.DownloadID, p.DownloadInfo.Title, p.Release.ReleaseTitle); what != "" {
		e.Fingerprint = Fingerprint("waiting", slices.Concat([]string{what}, ids, messages)...)
	}
}
