package movie

import (
	"cmp"
	"strings"

	"github.com/hookarr/hookarr/plugins/internal/arr"
	"github.com/hookarr/hookarr/sdk"
)

// Decode returns the event of a request whose body was unmarshalled into p. The
// fallback is the application's URL for webhooks that have none.
func (p *Payload) Decode(app arr.App, r sdk.Request, fallbackURL string) (sdk.Event, error) {
	e, err := p.Event(app, r, fallbackURL)
	if err != nil {
		return sdk.Event{}, err
	}
	if m := p.Movie; app == arr.Radarr && m != nil && (m.ItemType != "" || m.StashID != "") {
		return sdk.Event{}, p.Foreign(arr.Whisparr)
	}
	if p.System(&e, app) {
		return e, nil
	}
	p.complete()
	base, subject := e.URL, p.subject()
	e.Title = cmp.Or(p.name(), arr.OneLine(p.Release.ReleaseTitle), arr.OneLine(p.DownloadInfo.Title), unknown(app))
	e.Media = p.media()
	e.URL = p.page(base)
	switch strings.ToLower(p.EventType) {
	case "grab":
		p.Grabbed(&e, subject.Key)
	case "download":
		p.Imported(&e, subject, p.MovieFile)
	case "rename":
		p.Renamed(&e, subject, p.RenamedMovieFiles)
	case "movieadded":
		p.Added(&e, subject)
	case "moviedelete":
		p.Deleted(&e, subject)
	case "moviefiledelete":
		p.FileDeleted(&e, subject, p.MovieFile)
	case "manualinteractionrequired":
		p.Waiting(&e, base, subject.Key)
	default:
		e.URL = cmp.Or(e.URL, base)
		p.Unknown(&e, app, p.name())
	}
	return e, nil
}

// unknown is the title of an event that names none.
func unknown(app arr.App) string {
	if app == arr.Whisparr {
		return "Unknown title"
	}
	return "Unknown movie"
}

func (p *Payload) page(base string) string {
	if p.Movie == nil || p.Movie.slug() == "" {
		return ""
	}
	return arr.Page(base, "movie", p.Movie.slug())
}
