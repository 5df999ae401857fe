package series

import (
	"cmp"
	"context"
	"iter"
	"net/url"
	"slices"

	"github.com/hookarr/hookarr/plugins/internal/arr"
	"github.com/hookarr/hookarr/plugins/internal/arr/api"
	"github.com/hookarr/hookarr/sdk"
)

type stock struct{ reader }

// NewStock returns what knows all series of an application with their episodes and files.
func NewStock(l api.Library) api.Stock {
	return stock{reader{api.Videos{Library: l, File: "EpisodeFile"}}}
}

// Path implements api.Stock.
func (stock) Path() string { return "series" }

// New implements api.Stock.
func (stock) New() api.Listed { return &resource{} }

// Title implements api.Stock.
func (s stock) Title(t api.Listed) sdk.FolderTitle {
	known, _ := t.(*resource)
	return api.TitleIn(known.Path, (&Payload{Series: &known.Series}).media(s.App))
}

// Row implements api.Listed.
func (r *resource) Row() int64 { return api.Row(r.ID) }

// Items implements api.Stock.
func (s stock) Items(ctx context.Context, t api.Listed) iter.Seq2[api.Item, error] {
	known, _ := t.(*resource)
	series, err := s.webhook(ctx, known)
	if err != nil {
		return api.Failed(err)
	}
	about := url.Values{"seriesId": {string(series.ID)}}
	episodes, err := api.Fresh[[]apiEpisode](ctx, s.Client, "episode", about)
	if err != nil {
		return api.Failed(err)
	}
	slices.SortFunc(episodes, func(a, b apiEpisode) int {
		return cmp.Or(cmp.Compare(a.season(), b.season()), cmp.Compare(a.number(), b.number()), cmp.Compare(api.Row(a.ID), api.Row(b.ID)))
	})
	files, err := api.Fresh[[]api.File](ctx, s.Client, "episodefile", about)
	if err != nil {
		return api.Failed(err)
	}
	title, err := s.title(ctx, series, episodes)
	if err != nil {
		return api.Failed(err)
	}
	held := map[arr.ID][]Episode{}
	for i := range episodes {
		e := &episodes[i]
		held[e.EpisodeFileID] = append(held[e.EpisodeFileID], e.webhook())
	}
	return api.Items(title, api.Ordered(files, func(f *api.File) arr.ID { return f.ID }), func(f *api.File) (api.Item, error) {
		p := &Payload{Series: s.told(series), Episodes: held[f.ID], EpisodeFile: new(f.Webhook())}
		e, err := s.event(ctx, p, series, "Download")
		return api.FileItem(f.ID, title.Key, e, p.subject().FileGone(p.EpisodeFile)), err
	})
}

// title is a series as an item.
func (s stock) title(ctx context.Context, series *Series, episodes []apiEpisode) (api.Item, error) {
	p := &Payload{Series: s.told(series)}
	e, err := s.event(ctx, p, series, "SeriesAdd")
	if err != nil {
		return api.Item{}, err
	}
	// The webhook has no episodes, and its title is that of the series.
	for i := range episodes {
		p.Episodes = append(p.Episodes, episodes[i].webhook())
	}
	e.Episodes = p.episodes()
	return api.Item{Item: sdk.Item{Key: "series/" + string(series.ID), Event: e, GoneFingerprints: p.Gone(p.subject())}}, nil
}

// event is the event of a webhook, with all that is known of the series.
func (s stock) event(ctx context.Context, p *Payload, series *Series, eventType string) (e sdk.Event, err error) {
	if p.Payload, err = s.Envelope(ctx, eventType); err != nil {
		return e, err
	}
	if e, err = p.Decode(s.App, sdk.Request{}, s.ApplicationURL); err != nil {
		return e, err
	}
	whole := Payload{Series: series}
	e.Media = whole.media(s.App)
	return e, nil
}

// told is a series as far as webhooks tell it, which makes titles the same here and
// there.
func (s stock) told(series *Series) *Series {
	out := *series
	if s.App == arr.Whisparr {
		out.Year = 0
	}
	return &out
}
