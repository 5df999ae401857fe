package sdk

import (
	"context"
	"encoding/json"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/hookarr/hookarr/sdk/internal/pluginv1"
)

// power runs f with an instance as the optional interface P.
func power[P, T any](ctx context.Context, s *server[T], name, method string, f func(in *instance[T], p P) error) error {
	return s.instances.call(ctx, name, method, func(in *instance[T]) error {
		p, ok := any(in.value).(P)
		if !ok {
			return status.Errorf(codes.Unimplemented, "the instance has no %s", method)
		}
		return f(in, p)
	})
}

type historyServer struct {
	pluginv1.UnimplementedHistoryServiceServer
	source *sourceServer
}

// ListHistory implements HistoryService.
func (s *historyServer) ListHistory(ctx context.Context, req *pluginv1.ListHistoryRequest) (*pluginv1.ListHistoryResponse, error) {
	resp := &pluginv1.ListHistoryResponse{}
	err := power(ctx, &s.source.server, req.GetInstance(), "History", func(in *instance[Source], h Historian) error {
		page, err := h.History(ctx, HistoryQuery{
			Cursor: req.GetCursor(),
			Since:  moment(req.GetSince()),
			Until:  moment(req.GetUntil()),
			Limit:  int(req.GetLimit()),

			Renamed: toRenames(req.GetRenamed()),
		})
		if err != nil {
			return in.said(ctx, err)
		}
		resp.Cursor, resp.More = page.Cursor, page.More
		for _, past := range page.Events {
			data, err := in.event(past.Event, "", OriginCatchup, past.Event.Time)
			if err != nil {
				return err
			}
			resp.Events = append(resp.Events, &pluginv1.PastEvent{Event: data, Record: past.Record, Key: past.Key})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return resp, nil
}

// moment is the zero time for a timestamp that is left out.
func moment(t *timestamppb.Timestamp) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.AsTime()
}

func toRenames(renames []*pluginv1.Rename) []Rename {
	all := make([]Rename, len(renames))
	for i, r := range renames {
		all[i] = Rename{From: r.GetFrom(), To: r.GetTo()}
	}
	return all
}

type fetchServer struct {
	pluginv1.UnimplementedFetchServiceServer
	source *sourceServer
}

// Fetch implements FetchService.
func (s *fetchServer) Fetch(ctx context.Context, req *pluginv1.FetchRequest) (*pluginv1.FetchResponse, error) {
	var e Event
	if err := json.Unmarshal(req.GetEvent(), &e); err != nil {
		return nil, status.Errorf(codes.InvalidArgument, "the event is not one: %v", err)
	}
	resp := &pluginv1.FetchResponse{}
	err := power(ctx, &s.source.server, req.GetInstance(), "Fetch", func(in *instance[Source], f Fetcher) error {
		fetched, err := f.Fetch(ctx, e)
		if err != nil {
			return in.said(ctx, err)
		}
		resp.Event, err = in.event(fetched, e.ID, e.Origin, e.Time)
		return err
	})
	if err != nil {
		return nil, err
	}
	return resp, nil
}

type connectServer struct {
	pluginv1.UnimplementedConnectServiceServer
	source *sourceServer
}

// Connect implements ConnectService.
func (s *connectServer) Connect(ctx context.Context, req *pluginv1.ConnectRequest) (*pluginv1.ConnectResponse, error) {
	var resp *pluginv1.ConnectResponse
	r := ConnectRequest{Action: ConnectAction(req.GetAction()), URL: req.GetUrl()}
	for _, c := range req.GetCredentials() {
		r.Credentials = append(r.Credentials, Credential{
			Username:    c.GetBasic().GetUsername(),
			Password:    Secret(c.GetBasic().GetPassword()),
			HeaderName:  c.GetHeader().GetName(),
			HeaderValue: Secret(c.GetHeader().GetValue()),
		})
	}
	err := power(ctx, &s.source.server, req.GetInstance(), "Connect", func(in *instance[Source], c Connector) error {
		// The request's credentials are secrets too, and no part of the configuration.
		credentials := newRedactor(r)
		result, err := c.Connect(ctx, r)
		if err != nil {
			return in.said(ctx, err, credentials)
		}
		resp = toConnectResponse(result, in.redactor, credentials)
		return nil
	})
	return resp, err
}

func toConnectResponse(r ConnectResult, redactors ...redactor) *pluginv1.ConnectResponse {
	line := func(s string) string {
		for _, r := range redactors {
			s = r.line(s)
		}
		return s
	}
	resp := &pluginv1.ConnectResponse{
		Connected:    r.Connected,
		ConnectionId: cut(r.ConnectionID, maxMessage),
		AppName:      line(r.AppName),
		AppVersion:   line(r.AppVersion),
		Credential:   int32(r.Credential),
	}
	for _, c := range r.Changes {
		resp.Changes = append(resp.Changes, &pluginv1.Change{Field: line(c.Field), From: line(c.From), To: line(c.To)})
	}
	for _, p := range r.Problems {
		resp.Problems = append(resp.Problems, line(p))
	}
	return resp
}
