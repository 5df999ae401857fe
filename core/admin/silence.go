package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/operate"
	"github.com/hookarr/hookarr/core/route"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
)

// recentlyEnded is how long silences are listed after their end.
const recentlyEnded = 7 * 24 * time.Hour

// The states of a silence.
const (
	SilenceActive = "active"
	SilenceEnded  = "ended"
)

// Silence is a silence as JSON.
type Silence struct {
	ID         string `json:"id"`
	Expression string `json:"expression" doc:"Over the event, in the language of a route's when."`
	Target     string `json:"target,omitempty" doc:"Absent for every target."`
	// State is active or ended.
	State    string    `json:"state" enum:"active,ended"`
	Who      string    `json:"who"`
	Via      string    `json:"via" doc:"By which way it was made: socket, token, proxy, link, oidc or database."`
	Comment  string    `json:"comment,omitempty"`
	StartsAt time.Time `json:"starts_at"`
	EndsAt   time.Time `json:"ends_at"`
	Silenced int       `json:"silenced" doc:"How many deliveries it has cancelled."`
}

// NewSilence is what an operator wants to hear nothing of.
type NewSilence struct {
	Expression string     `json:"expression" minLength:"1" maxLength:"4000" doc:"Over the event, in the language of a route's when; true is every event."`
	Target     string     `json:"target,omitempty" maxLength:"40" doc:"Only for this target; absent is every target."`
	For        string     `json:"for,omitempty" maxLength:"40" doc:"How long it lasts, such as 2h or 7d; or until." example:"2h"`
	Until      *time.Time `json:"until,omitempty" doc:"When it ends, RFC 3339; or for."`
	Comment    string     `json:"comment,omitempty" maxLength:"500" doc:"What people see as the reason."`
}

func viewSilence(n store.Silence, now time.Time) Silence {
	v := Silence{
		ID: n.ID.String(), Expression: n.Expression, Target: n.Target, State: SilenceActive, Who: n.Who, Via: n.Via, Comment: n.Comment,
		StartsAt: n.StartsAt, EndsAt: n.EndsAt, Silenced: n.Silenced,
	}
	if !n.EndsAt.After(now) {
		v.State = SilenceEnded
	}
	return v
}

// ListSilences returns the silences that are active, and those that ended within a week; the
// one that ends last first.
func (s *Service) ListSilences(ctx context.Context) ([]Silence, error) {
	rows, now, err := s.Store.ListSilences(ctx, recentlyEnded)
	if err != nil {
		return nil, err
	}
	views := make([]Silence, len(rows))
	for i, row := range rows {
		views[i] = viewSilence(row, now)
	}
	return views, nil
}

// AddSilence begins a silence.
func (s *Service) AddSilence(ctx context.Context, p Principal, n NewSilence) (Silence, error) {
	wanted := operate.Silence{Expression: n.Expression, Target: n.Target, Comment: n.Comment}
	if n.Until != nil {
		wanted.Until = *n.Until
	}
	if n.For != "" {
		length, err := sdk.ParseDuration(n.For)
		if err != nil || length <= 0 {
			return Silence{}, invalid("for: want how long it lasts, such as 2h or 7d")
		}
		wanted.For = length
	}
	added, err := s.Operate.AddSilence(ctx, p.actor(), wanted)
	if err != nil {
		return Silence{}, explain("add silence", err)
	}
	return viewSilence(added, added.StartsAt), nil
}

// ExpireSilence ends a silence now. The id may be short.
func (s *Service) ExpireSilence(ctx context.Context, p Principal, text string) (Silence, error) {
	id, err := s.findSilenceID(ctx, text)
	if err != nil {
		return Silence{}, err
	}
	ended, err := s.Operate.ExpireSilence(ctx, p.actor(), id)
	if errors.Is(err, store.ErrNotFound) {
		return Silence{}, missing(err, "silence", id)
	}
	if err != nil {
		return Silence{}, forbids("expire silence", err)
	}
	return viewSilence(ended, ended.EndsAt), nil
}

// findSilenceID returns the id of the silence whose id begins as text does: silences are few.
func (s *Service) findSilenceID(ctx context.Context, text string) (uuid.UUID, error) {
	return findID(ctx, "silence", text, func(ctx context.Context, prefix string, limit int) (ids []uuid.UUID, err error) {
		first, last, _ := event.PrefixRange(prefix)
		rows, _, err := s.Store.ListSilences(ctx, recentlyEnded)
		if err != nil {
			return nil, fmt.Errorf("list silences: %w", err)
		}
		for _, row := range rows {
			if len(ids) < limit && bytes.Compare(row.ID[:], first[:]) >= 0 && bytes.Compare(row.ID[:], last[:]) <= 0 {
				ids = append(ids, row.ID)
			}
		}
		return ids, nil
	})
}

const (
	// triedEvents is how many of the last events a silence is tried with, and shownEvents how
	// many of those that it is of are shown.
	triedEvents = 200
	shownEvents = 5
)

// SilenceTrial is which of the last events a silence would be of.
type SilenceTrial struct {
	Tried   int `json:"tried" doc:"How many of the last events were looked at."`
	Matched int `json:"matched" doc:"How many of them the expression holds for."`
	// Examples are the newest of them.
	Examples []Event `json:"examples" nullable:"false" doc:"The newest of them; at most 5."`
}

// TrySilence says which of the last events the expression of a silence holds for.
func (s *Service) TrySilence(ctx context.Context, expression string) (SilenceTrial, error) {
	trial := SilenceTrial{Examples: []Event{}}
	x, err := route.Compile(expression)
	if err != nil {
		return trial, invalid("expression: %s", err)
	}
	events, err := s.Store.ReadNormalized(ctx, store.EventFilter{Limit: triedEvents})
	if err != nil {
		return trial, fmt.Errorf("read the last events: %w", err)
	}
	for _, normalized := range events {
		holds, err := x.Holds(normalized)
		if err != nil {
			return trial, invalid("expression: %s", err)
		}
		trial.Tried++
		if !holds {
			continue
		}
		trial.Matched++
		var e sdk.Event
		if len(trial.Examples) == shownEvents || json.Unmarshal(normalized, &e) != nil {
			continue
		}
		trial.Examples = append(trial.Examples, Event{ID: e.ID, Source: e.Source, Type: e.Type, Title: e.Title, ReceivedAt: e.Time})
	}
	return trial, nil
}
