package lidarr

import (
	"cmp"
	"context"
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
	return d.decode(&p, r)
}

// decode returns the event of a request whose body is p.
func (d decoder) decode(p *payload, r sdk.Request) (sdk.Event, error) {
	e, err := p.Event(arr.Lidarr, r, d.applicationURL)
	if err != nil {
		return sdk.Event{}, err
	}
	if p.System(&e, arr.Lidarr) {
		return e, nil
	}
	if p.Album != nil {
		p.Albums = []album{*p.Album}
	}
	base, works := e.URL, p.works()
	artist, album := works.ByMaker(), works.ByWork()
	name := cmp.Or(works.Title(), arr.OneLine(p.Release.ReleaseTitle), arr.OneLine(p.ReleaseTitle), arr.OneLine(p.DownloadInfo.Title),
		arr.FolderOf(p.TrackFiles, p.RenamedTrackFiles))
	e.Title = cmp.Or(name, "Unknown artist")
	e.Media = p.media()
	e.Albums = p.eventAlbums()
	e.Tracks = p.eventTracks()
	e.URL = works.Page(base)
	switch strings.ToLower(p.EventType) {
	case "grab":
		p.Grabbed(&e, works.Keys()...)
	case "download":
		p.ImportedWork(&e, album, p.TrackFiles, arr.Count(cmp.Or(len(e.Tracks), len(p.TrackFiles)), "track"))
	case "rename":
		p.Renamed(&e, artist, p.RenamedTrackFiles)
	case "retag":
		p.Retagged(&e, artist, p.TrackFile)
	case "artistadd":
		p.Added(&e, artist)
	case "artistdelete":
		p.Deleted(&e, artist)
	case "albumdelete":
		p.DeletedWork(&e, works)
		e.URL = works.MakerPage(base)
	case "downloadfailure":
		p.downloadFailed(&e, base, name)
	case "importfailure":
		p.importFailed(&e, base, name, works)
	case "manualinteractionrequired":
		p.Waiting(&e, base, works.Keys()...)
	default:
		e.URL = cmp.Or(e.URL, base)
		p.Unknown(&e, arr.Lidarr, works.Title())
	}
	return e, nil
}

// downloadFailed knows no artist: Lidarr sends the name of the release at most, and no
// reason.
func (p *payload) downloadFailed(e *sdk.Event, base, name string) {
	e.Type = sdk.TypeDownloadFailed
	e.URL = arr.Page(base, "activity", "history")
	p.Release.ReleaseTitle = cmp.Or(p.Release.ReleaseTitle, p.ReleaseTitle)
	p.Release.Quality = cmp.Or(p.Release.Quality, p.Quality)
	e.Release = p.EventRelease()
	e.Download = p.EventDownload()
	e.Title = cmp.Or(name, "A download")
	what := "A download"
	if name != "" {
		what = "The download of " + name
	}
	e.Summary = what + " failed" + arr.Parenthesis(arr.OneLine(p.DownloadClient))
	e.CorrelationKey = arr.Key("download", p.DownloadID)
	e.Fingerprint = arr.Fingerprint("download failed", p.DownloadID, p.Release.ReleaseTitle)
}

// importFailed mostly knows nothing but that some tracks of a download were refused:
// Lidarr writes what it has to say into a text that its webhook leaves out.
func (p *payload) importFailed(e *sdk.Event, base, name string, works arr.Works) {
	e.Type = sdk.TypeImportFailed
	e.URL = arr.Page(base, "activity", "queue")
	e.Files = arr.Files(works.Maker.Path, p.TrackFiles...)
	e.Release = p.EventRelease()
	e.Download = p.EventDownload()
	e.Title = cmp.Or(name, "A download")
	e.Summary = "Lidarr could not import all tracks of " + cmp.Or(name, "a download")
	e.CorrelationKey = arr.Key("download", p.DownloadID)
	if p.DownloadID != "" {
		e.Fingerprint = arr.Fingerprint("import failed", append(works.Keys(), p.DownloadID)...)
	}
}
