package admin

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
)

// EventFilter selects events; zero fields select everything.
type EventFilter struct {
	Source      string      `json:"source,omitempty" query:"source" doc:"Only of this source."`
	Type        sdk.Type    `json:"type,omitempty" query:"type" doc:"Only of this type, such as media.imported."`
	State       event.State `json:"state,omitempty" query:"state" enum:"deferred,routed,undecodable,duplicate" doc:"Only in this state."`
	Correlation string      `json:"correlation_key,omitempty" query:"correlation_key" doc:"Only of this story."`
	Text        string      `json:"q,omitempty" query:"q" maxLength:"200" doc:"Only those with this text in their title, summary, normalised form or, for the role operate, body."`
	// Fields are PATH=VALUE.
	Fields []string  `json:"field,omitempty" query:"field,explode" maxItems:"10" doc:"Only those with this in their normalised form, such as media.title=Dune."`
	Since  time.Time `json:"since,omitzero" query:"since" doc:"Only those received at this time or later, RFC 3339."`
	Until  time.Time `json:"until,omitzero" query:"until" doc:"Only those received before this time, RFC 3339."`
}

// queryOf is the filter for a principal. A search through bodies tells what is in them, word
// by word, to who may not see them.
func (f EventFilter) queryOf(p Principal) (store.EventFilter, error) {
	query, err := f.query()
	query.WithoutBodies = !p.May(config.RoleOperate)
	return query, err
}

// query is the filter as the store knows it.
func (f EventFilter) query() (store.EventFilter, error) {
	query := store.EventFilter{
		Source: f.Source, Type: f.Type, State: f.State, CorrelationKey: f.Correlation, Text: f.Text, Since: f.Since, Until: f.Until,
	}
	for _, field := range f.Fields {
		path, value, ok := strings.Cut(field, "=")
		if !ok || path == "" {
			return query, invalid("want field as PATH=VALUE, such as media.title=Dune")
		}
		query.Fields = append(query.Fields, store.Field{Path: path, Value: value})
	}
	return query, nil
}

func viewEventFilter(f *store.EventFilter) *EventFilter {
	if f == nil {
		return nil
	}
	v := &EventFilter{
		Source: f.Source, Type: f.Type, State: f.State, Correlation: f.CorrelationKey, Text: f.Text, Since: f.Since, Until: f.Until,
	}
	for _, field := range f.Fields {
		v.Fields = append(v.Fields, field.Path+"="+field.Value)
	}
	return v
}

// DeliveryFilter selects deliveries; zero fields select everything.
type DeliveryFilter struct {
	Target string              `json:"target,omitempty" query:"target" doc:"Only to this target."`
	State  event.DeliveryState `json:"state,omitempty" query:"state" enum:"pending,verifying,delivered,superseded,dead,cancelled" doc:"Only in this state."`
	Event  string              `json:"event,omitempty" query:"event" doc:"Only of the event with this id, or whose id begins so."`
	Source string              `json:"source,omitempty" query:"source" doc:"Only of events of this source."`
	Type   sdk.Type            `json:"type,omitempty" query:"type" doc:"Only of events of this type."`
	Route  string              `json:"route,omitempty" query:"route" doc:"Only by this route."`
	Text   string              `json:"q,omitempty" query:"q" maxLength:"200" doc:"Only those with this text in their reason or their event's title."`
	Since  time.Time           `json:"since,omitzero" query:"since" doc:"Only those made at this time or later, RFC 3339."`
	Until  time.Time           `json:"until,omitzero" query:"until" doc:"Only those made before this time, RFC 3339."`
}

// deliveryQuery is the filter as the store knows it.
func (s *Service) deliveryQuery(ctx context.Context, f DeliveryFilter) (query store.DeliveryFilter, err error) {
	query = store.DeliveryFilter{
		Target: f.Target, State: f.State, Source: f.Source, Type: f.Type, Route: f.Route, Text: f.Text, Since: f.Since, Until: f.Until,
	}
	if f.Event != "" {
		query.EventID, err = s.FindEventID(ctx, f.Event)
	}
	return query, err
}

func viewDeliveryFilter(f *store.DeliveryFilter) *DeliveryFilter {
	if f == nil {
		return nil
	}
	v := &DeliveryFilter{
		Target: f.Target, State: f.State, Source: f.Source, Type: f.Type, Route: f.Route, Text: f.Text, Since: f.Since, Until: f.Until,
	}
	if f.EventID != uuid.Nil {
		v.Event = f.EventID.String()
	}
	return v
}

// Page is a part of a list.
type Page struct {
	Limit  int    `query:"limit" default:"50" minimum:"1" maximum:"1000" doc:"At most this many."`
	Cursor string `query:"cursor" maxLength:"200" doc:"What next was in the answer before."`
	Oldest bool   `query:"oldest" doc:"The oldest first."`
}

// List is a part of a list.
type List[T any] struct {
	Items []T `json:"items" nullable:"false"`
	// Next continues the list; nil is its end.
	Next *string `json:"next" doc:"Give it as cursor for what follows; null at the end. A search may find nothing in a part and go on."`
}

// listOf tells lists, and the orders of each, from others.
type listOf struct {
	Filter any
	Oldest bool
}

// newList views rows, of which there is one more than the page where the list goes on.
// Further is where a search stopped that has not found as many, or uuid.Nil.
func newList[R, V any](rows []R, further uuid.UUID, p Page, filter any, id func(R) uuid.UUID, view func(R) V) (List[V], error) {
	list := List[V]{Items: []V{}}
	if len(rows) > p.Limit {
		rows = rows[:p.Limit]
		further = id(rows[p.Limit-1])
	}
	if further != uuid.Nil {
		next, err := newCursor(further, listOf{filter, p.Oldest})
		if err != nil {
			return list, err
		}
		list.Next = &next
	}
	for _, r := range rows {
		list.Items = append(list.Items, view(r))
	}
	return list, nil
}

// from returns after which id a list goes on, as its order has it.
func (p Page) from(filter any) (before, after uuid.UUID, err error) {
	id, err := readCursor(p.Cursor, listOf{filter, p.Oldest})
	if p.Oldest {
		return uuid.Nil, id, err
	}
	return id, uuid.Nil, err
}

// ListEvents returns events, newest first unless the page says otherwise.
func (s *Service) ListEvents(ctx context.Context, by Principal, f EventFilter, p Page) (List[Event], error) {
	query, err := f.queryOf(by)
	if err != nil {
		return List[Event]{}, err
	}
	if query.Before, query.After, err = p.from(f); err != nil {
		return List[Event]{}, err
	}
	query.Oldest, query.Limit = p.Oldest, p.Limit+1
	found, err := s.Store.SearchEvents(ctx, query)
	if err != nil {
		return List[Event]{}, fmt.Errorf("list events: %w", err)
	}
	return newList(found.Events, found.Next, p, f, func(e store.EventSummary) uuid.UUID { return e.ID }, viewEventSummary)
}

// ListDeliveries returns deliveries, newest first unless the page says otherwise.
func (s *Service) ListDeliveries(ctx context.Context, f DeliveryFilter, p Page) (List[Delivery], error) {
	query, err := s.deliveryQuery(ctx, f)
	if err != nil {
		return List[Delivery]{}, err
	}
	if query.Before, query.After, err = p.from(f); err != nil {
		return List[Delivery]{}, err
	}
	query.Oldest, query.Limit = p.Oldest, p.Limit+1
	found, err := s.Store.SearchDeliveries(ctx, query)
	if err != nil {
		return List[Delivery]{}, fmt.Errorf("list deliveries: %w", err)
	}
	return newList(found.Deliveries, found.Next, p, f, func(d store.DeliverySummary) uuid.UUID { return d.ID }, viewDeliverySummary)
}
