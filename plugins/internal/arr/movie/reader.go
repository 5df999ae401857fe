package movie

import (
	"cmp"
	"context"
	"net/url"
	"strings"

	"github.com/hookarr/hookarr/plugins/internal/arr"
	"github.com/hookarr/hookarr/plugins/internal/arr/api"
	"github.com/hookarr/hookarr/sdk"
)

type reader struct{ api.Videos }

// NewReader returns what reads the history and the movies of an application.
func NewReader(l api.Library) api.Reader {
	return reader{api.Videos{Library: l, File: "MovieFile"}}
}

// Tell implements api.Reader: it makes the webhook that the application sent, or
// would have, and decodes that.
func (r reader) Tell(ctx context.Context, t api.Told) (sdk.Event, error) {
	m, err := r.movie(ctx, t.First().MovieID)
	if err != nil {
		return sdk.Event{}, err
	}
	w, err := r.Webhook(ctx, t)
	if err != nil {
		return sdk.Event{}, err
	}
	p := &Payload{Payload: w.Payload, Movie: m, MovieFile: w.File, RenamedMovieFiles: w.Renamed}
	return p.Decode(r.App, r.Request(), r.ApplicationURL)
}

// Details implements api.Reader.
func (r reader) Details(ctx context.Context, e sdk.Event) (sdk.Event, error) {
	m, err := r.movie(ctx, arr.ID(e.Media.ID))
	if err != nil {
		return sdk.Event{}, err
	}
	p := Payload{Movie: m}
	out := sdk.Event{Media: p.media()}
	if len(e.Files) > 0 {
		out.Files, err = r.Held(ctx, m.FolderPath, api.Record{MovieID: m.ID})
	}
	return out, err
}

// resource is a movie in the API, where some fields have other names.
type resource struct {
	Movie

	Path            string
	Tags            arr.List[arr.ID]
	PhysicalRelease string
	DigitalRelease  string
	InCinemas       string
	MovieFile       *api.File
	MovieFileID     arr.ID
	api.Holdings
}

// movie is what the application knows of a movie, or its id alone.
func (r reader) movie(ctx context.Context, id arr.ID) (*Movie, error) {
	known, err := api.Lookup[resource](ctx, r.Library, "movie/"+url.PathEscape(string(id)), nil)
	if err != nil {
		return nil, err
	}
	known.ID = id
	return r.webhook(ctx, &known)
}

// webhook is a movie as webhooks have it.
func (r reader) webhook(ctx context.Context, known *resource) (_ *Movie, err error) {
	m := known.Movie
	m.FolderPath = known.Path
	m.ReleaseDate = cmp.Or(m.ReleaseDate, known.PhysicalRelease, known.DigitalRelease, known.InCinemas)
	m.ItemType = strings.ToLower(m.ItemType)
	if m.Tags, err = r.Labels(ctx, known.Tags); err != nil {
		return nil, err
	}
	m.QualityProfile, err = r.Profile(ctx, m.QualityProfileID)
	return &m, err
}
