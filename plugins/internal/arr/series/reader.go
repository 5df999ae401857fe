package series

import (
	"cmp"
	"context"
	"net/url"

	"github.com/hookarr/hookarr/plugins/internal/arr"
	"github.com/hookarr/hookarr/plugins/internal/arr/api"
	"github.com/hookarr/hookarr/sdk"
)

type reader struct{ api.Videos }

// NewReader returns what reads the series of an application, and its history, which
// has a record for each episode.
func NewReader(l api.Library) api.Reader {
	return reader{api.Videos{Library: l, File: "EpisodeFile"}}
}

// Tell implements api.Reader: it makes the webhook that the application sent, or
// would have, and decodes that.
func (r reader) Tell(ctx context.Context, t api.Told) (sdk.Event, error) {
	s, err := r.series(ctx, t.First().SeriesID)
	if err != nil {
		return sdk.Event{}, err
	}
	if r.App == arr.Whisparr {
		s.Year = 0 // Its webhooks have none, and titles are the same here and there.
	}
	w, err := r.Webhook(ctx, t)
	if err != nil {
		return sdk.Event{}, err
	}
	p := &Payload{Payload: w.Payload, Series: s, EpisodeFile: w.File, RenamedEpisodeFiles: w.Renamed}
	if w.Renamed == nil {
		if p.Episodes, err = r.episodes(ctx, t.Records); err != nil {
			return sdk.Event{}, err
		}
	}
	return p.Decode(r.App, r.Request(), r.ApplicationURL)
}

// episodes are those of records. One that the application does not know any more is
// left with its id.
func (r reader) episodes(ctx context.Context, records []api.Record) ([]Episode, error) {
	var ids []arr.ID
	seen := map[arr.ID]bool{"": true}
	for i := range records {
		if id := records[i].EpisodeID; !seen[id] {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	return r.byID(ctx, records[0].SeriesID, ids)
}

// apiEpisode is an episode in the API. Whisparr has another name for the date.
type apiEpisode struct {
	Episode

	ReleaseDate   string
	EpisodeFileID arr.ID
}

func (e *apiEpisode) webhook() Episode {
	out := e.Episode
	out.AirDate = cmp.Or(e.AirDate, e.ReleaseDate)
	return out
}

func (r reader) byID(ctx context.Context, seriesID arr.ID, ids []arr.ID) ([]Episode, error) {
	known, err := api.Lookup[[]apiEpisode](ctx, r.Library, "episode", url.Values{"seriesId": {string(seriesID)}})
	if err != nil {
		return nil, err
	}
	byID := make(map[arr.ID]*apiEpisode, len(known))
	for i := range known {
		byID[known[i].ID] = &known[i]
	}
	all := make([]Episode, len(ids))
	for i, id := range ids {
		all[i].ID = id
		if e := byID[id]; e != nil {
			all[i] = e.webhook()
		}
	}
	return all, nil
}

// Details implements api.Reader.
func (r reader) Details(ctx context.Context, e sdk.Event) (sdk.Event, error) {
	s, err := r.series(ctx, arr.ID(e.Media.ID))
	if err != nil {
		return sdk.Event{}, err
	}
	p := Payload{Series: s}
	out := sdk.Event{Media: p.media(r.App)}
	if len(e.Episodes) > 0 {
		ids := make([]arr.ID, len(e.Episodes))
		for i := range e.Episodes {
			ids[i] = arr.ID(e.Episodes[i].ID)
		}
		if p.Episodes, err = r.byID(ctx, s.ID, ids); err != nil {
			return sdk.Event{}, err
		}
		out.Episodes = p.episodes()
	}
	if len(e.Files) > 0 {
		out.Files, err = r.Held(ctx, s.Path, api.Record{SeriesID: s.ID})
	}
	return out, err
}

// resource is a series in the API, where some fields have other names.
type resource struct {
	Series

	SeriesType string
	Tags       arr.List[arr.ID]
	api.Holdings
}

// series is what the application knows of a series, or its id alone.
func (r reader) series(ctx context.Context, id arr.ID) (*Series, error) {
	known, err := api.Lookup[resource](ctx, r.Library, "series/"+url.PathEscape(string(id)), nil)
	if err != nil {
		return nil, err
	}
	known.ID = id
	return r.webhook(ctx, &known)
}

// webhook is a series as webhooks have it.
func (r reader) webhook(ctx context.Context, known *resource) (_ *Series, err error) {
	s := known.Series
	s.Type = cmp.Or(s.Type, known.SeriesType)
	if s.Tags, err = r.Labels(ctx, known.Tags); err != nil {
		return nil, err
	}
	s.QualityProfile, err = r.Profile(ctx, s.QualityProfileID)
	return &s, err
}
