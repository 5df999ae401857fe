package main

import (
	"context"
	"errors"
	"strings"

	"github.com/hookarr/hookarr/sdk"
)

func (p *plugin) decode(ctx context.Context, r sdk.Request) (sdk.Event, error) {
	running.Add(1)
	defer running.Add(-1)
	what, arg, _ := strings.Cut(string(r.Body), " ")
	switch what {
	case "skip":
		return sdk.Event{}, sdk.Skip("not interesting")
	case "invalid":
		return sdk.Event{}, sdk.InvalidTest(errors.New("not JSON"))
	case "attempt":
		return sdk.Event{Type: sdk.TypeTest, App: "chaos", Title: attempt(arg), Summary: "Tries to break out"}, nil
	case "untitled":
		return sdk.Event{Type: sdk.TypeTest, App: "chaos"}, nil
	case "foreign":
		return sdk.Event{ID: "forged", Source: "forged", Type: sdk.TypeTest, App: "chaos", Title: "A test", Summary: "A test"}, nil
	case "wait":
		p.sign("arrived-wait")
		if err := p.wait(ctx); err != nil {
			return sdk.Event{}, err
		}
	default:
		p.misbehave(what, arg)
	}
	return sdk.Event{Type: sdk.TypeTest, App: "chaos", Title: "A test", Summary: "A test"}, nil
}

// source has every power of a source.
type source struct{ *plugin }

func (s source) Decode(ctx context.Context, r sdk.Request) (sdk.Event, error) {
	return s.decode(ctx, r)
}

func (s source) History(_ context.Context, q sdk.HistoryQuery) (sdk.HistoryPage, error) {
	if q.Cursor == "down" {
		return sdk.HistoryPage{}, errors.New("the application does not answer")
	}
	s.misbehave(q.Cursor, "")
	e := sdk.Event{Type: sdk.TypeMediaAdded, App: "chaos", Title: "Past", Summary: "Past", Time: q.Since}
	return sdk.HistoryPage{Events: []sdk.PastEvent{{Event: e, Record: []byte("record")}}, Cursor: "end"}, nil
}

func (s source) Fetch(_ context.Context, e sdk.Event) (sdk.Event, error) {
	if e.Title == "gone" {
		return e, errors.New("the application knows nothing of it")
	}
	e.Summary += ", fetched"
	return e, nil
}

func (s source) Connect(_ context.Context, r sdk.ConnectRequest) (sdk.ConnectResult, error) {
	if r.Action == sdk.ConnectRemove {
		return sdk.ConnectResult{}, errors.New("the application keeps it")
	}
	return sdk.ConnectResult{Connected: true, AppName: "Chaos", Changes: []sdk.Change{{Field: "url", To: r.URL}}}, nil
}
