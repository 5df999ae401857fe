package series

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
	if p.System(&e, app) {
		return e, nil
	}
	if s := p.Series; s != nil {
		s.Title = arr.OneLine(cmp.Or(s.Title, arr.Base(s.Path)))
	}
	base, subject := e.URL, p.subject()
	e.Title = cmp.Or(p.label(app), arr.OneLine(p.Release.ReleaseTitle), arr.OneLine(p.DownloadInfo.Title), unknown(app))
	e.Media = p.media(app)
	e.Episodes = p.episodes()
	e.URL = p.page(app, base)
	switch strings.ToLower(p.EventType) {
	case "grab":
		p.Grabbed(&e, p.ids()...)
	case "download":
		if p.EpisodeFile == nil && p.EpisodeFiles != nil {
			p.Completed(&e, subject, *p.EpisodeFiles)
		} else {
			p.Imported(&e, subject, p.EpisodeFile)
		}
	case "rename":
		p.Renamed(&e, subject, p.RenamedEpisodeFiles)
	case "seriesadd":
		p.Added(&e, subject)
	case "seriesdelete":
		p.Deleted(&e, subject)
	case "episodefiledelete":
		p.FileDeleted(&e, subject, p.EpisodeFile)
	case "manualinteractionrequired":
		p.Waiting(&e, base, p.ids()...)
	default:
		e.URL = cmp.Or(e.URL, base)
		p.Unknown(&e, app, p.label(app))
	}
	return e, nil
}

// unknown is the title of an event that names none.
func unknown(app arr.App) string {
	if app == arr.Whisparr {
		return "Unknown title"
	}
	return "Unknown series"
}

func (p *Payload) page(app arr.App, base string) string {
	if p.Series == nil || p.Series.TitleSlug == "" {
		return ""
	}
	if app == arr.Whisparr {
		return arr.Page(base, "site", p.Series.TitleSlug)
	}
	return arr.Page(base, "series", p.Series.TitleSlug)
}
