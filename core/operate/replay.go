package operate

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/route"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
)

const (
	// redecodeTries is how often an event is decoded before it is skipped: a decoder that is
	// being restarted refuses for a moment.
	redecodeTries = 3
	redecodePause = time.Second
)

func (s *Service) checkReplay(r Replay) error {
	if r.Redecode && s.o.Redecoder == nil {
		return invalid("nothing can be decoded anew without a running server: start hookarr serve")
	}
	if len(r.To) == 0 && s.o.Router == nil {
		return invalid("routes are not known here: name the targets")
	}
	return s.known(r.To...)
}

// replays reads events, decodes them anew if that is asked for, and routes them. It calls
// plugins, so that no transaction may be open. It returns why events are skipped.
func (s *Service) replays(ctx context.Context, ids []uuid.UUID, r Replay) ([]store.Replay, map[uuid.UUID]string, error) {
	var all []store.Replay
	skipped := make(map[uuid.UUID]string)
	for _, id := range ids {
		e, _, err := s.o.Store.FindEvent(ctx, id)
		if errors.Is(err, store.ErrNotFound) {
			skipped[id] = "not found"
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		replay, why, err := s.replay(ctx, e, r)
		if err != nil {
			return nil, nil, err
		}
		if why != "" {
			skipped[id] = why
			continue
		}
		all = append(all, replay)
	}
	return all, skipped, nil
}

// replay is what a replay makes of one event, or why it makes nothing.
func (s *Service) replay(ctx context.Context, e event.Event, r Replay) (store.Replay, string, error) {
	replay := store.Replay{Was: e.State, Acceptance: store.Acceptance{Event: e}, Redecoded: r.Redecode}
	switch {
	case e.State == event.Deferred:
		return replay, "it is not decoded yet, and goes out once it is", nil
	case e.State == event.Duplicate:
		return replay, "it " + e.Reason + ": replay that one", nil
	case r.Redecode:
		decoded, why, err := s.redecode(ctx, e)
		if err != nil || why != "" {
			return replay, why, err
		}
		replay.Acceptance = *decoded
	case e.State == event.Undecodable:
		return replay, "no decoder understood it: have it decoded anew", nil
	case len(e.Normalized) == 0:
		return replay, "its decoder skipped it: " + e.Reason, nil
	}
	matches, why := s.matches(&replay.Event, r.To)
	if why != "" {
		return replay, why, nil
	}
	replay.Deliveries, replay.Groupings, replay.Flushes = nil, nil, nil
	for _, m := range matches {
		replay.Owe(m.Target, m.Route, m.Grouping)
	}
	return replay, "", nil
}

// redecode decodes an event anew, or says why it makes nothing of it.
func (s *Service) redecode(ctx context.Context, e event.Event) (*store.Acceptance, string, error) {
	if len(e.Request.Body) == 0 {
		return nil, "it was stored without a request that could be decoded", nil
	}
	for try := 1; ; try++ {
		a, err := s.o.Redecoder.Redecode(ctx, e)
		switch {
		case err == nil && a.Event.State != event.Routed:
			return nil, "it is not understood: " + a.Event.Reason, nil
		case err == nil && len(a.Event.Normalized) == 0:
			return nil, "its decoder skipped it: " + a.Event.Reason, nil
		case err == nil:
			return a, "", nil
		case ctx.Err() != nil:
			return nil, "", ctx.Err()
		case try == redecodeTries:
			return nil, err.Error(), nil
		}
		select {
		case <-ctx.Done():
			return nil, "", ctx.Err()
		case <-time.After(redecodePause):
		}
	}
}

// matches are the targets of an event: those that are named, by the routes that would
// bring it there if there are any, or those of its routes. It may say why there can be none.
func (s *Service) matches(e *event.Event, to []string) (matches []route.Match, why string) {
	var routed []route.Match
	decoded := sdk.Event{Type: e.Type}
	if s.o.Router != nil {
		if err := json.Unmarshal(e.Normalized, &decoded); err != nil {
			return nil, "its decoded form is not readable: " + err.Error()
		}
		routed = s.o.Router().Match(e.Source, &decoded, e.Normalized)
	}
	if len(to) == 0 {
		// An alert goes to no target that it is about.
		if e.Source == sdk.SourceHookarr {
			return without(routed, strings.TrimPrefix(e.CorrelationKey, "target:")), ""
		}
		// Nor does what a target told go back there.
		if e.Origin == sdk.OriginTarget && decoded.Library != nil {
			return without(routed, decoded.Library.Target), ""
		}
		return routed, ""
	}
	named := make([]route.Match, len(to))
	for i, target := range to {
		named[i].Target = target
		for _, m := range routed {
			if m.Target == target {
				named[i] = m
			}
		}
	}
	return named, ""
}

// without leaves out a target.
func without(matches []route.Match, target string) (others []route.Match) {
	for _, m := range matches {
		if m.Target != target {
			others = append(others, m)
		}
	}
	return others
}
