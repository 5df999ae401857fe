package mediabrowser

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/hookarr/hookarr/plugins/internal/mediaserver"
	"github.com/hookarr/hookarr/sdk"
)

func (s *Server) get(ctx context.Context, path string, query url.Values, into any) error {
	return s.send(ctx, http.MethodGet, path, query, nil, into)
}

// send makes a request with the key. The class of an error is that of package mediaserver.
func (s *Server) send(ctx context.Context, method, path string, query url.Values, in, into any) error {
	req, err := s.request(ctx, method, path, query)
	if err != nil {
		return err
	}
	s.brand.authorize(req.Header, s.key)
	err = mediaserver.JSON(s.http, req, in, into, "check api_key")
	switch mediaserver.StatusOf(err) {
	case http.StatusUnauthorized:
		return fmt.Errorf("%w; %s", err, s.brand.refused(s.about(ctx)))
	case http.StatusForbidden:
		return fmt.Errorf("%w; it is no administrator's: make an API key in the dashboard, or use an administrator's token", err)
	}
	return err
}

func (s *Server) request(ctx context.Context, method, path string, query url.Values) (*http.Request, error) {
	address := s.base + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, address, nil)
	if err != nil {
		return nil, sdk.Misconfigured(errors.New("url is not a valid URL"))
	}
	return req, nil
}

// about is what the server tells anybody of itself, or nothing.
func (s *Server) about(ctx context.Context) about {
	var a about
	req, err := s.request(ctx, http.MethodGet, "/System/Info/Public", nil)
	if err != nil || mediaserver.JSON(s.http, req, nil, &a, "") != nil {
		return about{}
	}
	return a
}

// refresh has the server refresh an item: look for files below it, and read the metadata of
// what is new. The error matches ErrStale when there is no such item.
func (s *Server) refresh(ctx context.Context, id string) error {
	return s.send(ctx, http.MethodPost, "/Items/"+url.PathEscape(id)+"/Refresh", s.brand.refresh, nil, nil)
}

// notTheAPI takes an answer of 404 for one of another server, where it cannot be for an id: a
// query for items below a parent that is gone is answered with no items.
func notTheAPI(err error) error {
	refused, ok := errors.AsType[*mediaserver.Refusal](err)
	if !ok || !errors.Is(err, mediaserver.ErrStale) {
		return err
	}
	return refused.Because(sdk.Misconfigured(errors.New("what answers at the URL is no such server (404 Not Found): check url")))
}

func decode(raw []byte, into any) error {
	if err := json.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("read a list: %w", err)
	}
	return nil
}
