package movie

import (
	"context"
	"iter"
	"net/url"

	"github.com/hookarr/hookarr/plugins/internal/arr"
	"github.com/hookarr/hookarr/plugins/internal/arr/api"
	"github.com/hookarr/hookarr/sdk"
)

type stock struct{ reader }

// NewStock returns what knows all movies of an application and their files.
func NewStock(l api.Library) api.Stock {
	return stock{reader{api.Videos{Library: l, File: "MovieFile"}}}
}

// Path implements api.Stock.
func (stock) Path() string { return "movie" }

// New implements api.Stock.
func (stock) New() api.Listed { return &resource{} }

// Title implements api.Stock.
func (stock) Title(t api.Listed) sdk.FolderTitle {
	m, _ := t.(*resource)
	return api.TitleIn(m.Path, (&Payload{Movie: &m.Movie}).media())
}

// Row implements api.Listed.
func (r *resource) Row() int64 { return api.Row(r.ID) }

// Files implements api.Listed.
func (r *resource) Files() int {
	if r.MovieFile != nil || r.MovieFileID != "" || r.HasFile != nil && *r.HasFile {
		return 1
	}
	return 0
}

// Items implements api.Stock. The list of movies mostly has their files.
func (s stock) Items(ctx context.Context, t api.Listed) iter.Seq2[api.Item, error] {
	known, _ := t.(*resource)
	m, err := s.webhook(ctx, known)
	if err != nil {
		return api.Failed(err)
	}
	files, err := s.files(ctx, known)
	if err != nil {
		return api.Failed(err)
	}
	p := &Payload{Movie: m}
	e, err := s.event(ctx, p, "MovieAdded")
	if err != nil {
		return api.Failed(err)
	}
	title := api.Item{Item: sdk.Item{Key: "movie/" + string(m.ID), Event: e, GoneFingerprints: p.Gone(p.subject())}}
	return api.Items(title, api.Ordered(files, func(f *api.File) arr.ID { return f.ID }), func(f *api.File) (api.Item, error) {
		p := &Payload{Movie: m, MovieFile: new(f.Webhook())}
		e, err := s.event(ctx, p, "Download")
		return api.FileItem(f.ID, title.Key, e, p.subject().FileGone(p.MovieFile)), err
	})
}

// event is the event of a webhook.
func (s stock) event(ctx context.Context, p *Payload, eventType string) (e sdk.Event, err error) {
	if p.Payload, err = s.Envelope(ctx, eventType); err != nil {
		return e, err
	}
	return p.Decode(s.App, sdk.Request{}, s.ApplicationURL)
}

// files are those of a movie. What says that it has one and does not tell which is asked.
func (s stock) files(ctx context.Context, known *resource) ([]api.File, error) {
	switch {
	case known.MovieFile != nil:
		return []api.File{*known.MovieFile}, nil
	case known.MovieFileID == "" && (known.HasFile == nil || !*known.HasFile):
		return nil, nil
	}
	return api.Fresh[[]api.File](ctx, s.Client, "moviefile", url.Values{"movieId": {string(known.ID)}})
}
