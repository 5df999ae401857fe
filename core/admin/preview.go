package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

const (
	// madeUpMessage is the id of a message that an edit is shown of, where none was sent.
	madeUpMessage = "1"
	// lookedThrough is how many deliveries are looked through for the last message.
	lookedThrough = 50
)

// PreviewOf says what is to be shown: exactly one of the event of Subject, several events,
// those of a delivery, and a made-up story.
type PreviewOf struct {
	Subject
	Events   []string    `json:"events,omitempty" maxItems:"100" doc:"The ids of stored events, or their first digits: they are one delivery."`
	Delivery string      `json:"delivery,omitempty" doc:"The id of a stored delivery, or its first digits: its events."`
	Story    SampleStory `json:"story,omitempty" enum:"season,upgrade,health,digest" doc:"Made-up events that one delivery tells: a season in parts, an upgrade, a health issue and its end, or many titles."`
	// Edit shows how the message is replaced.
	Edit bool `json:"edit,omitempty" doc:"Show the edit of the message of that delivery, or else of the last one that the target has sent."`
}

// Preview returns what a target would send, and sends nothing.
func (s *Service) Preview(ctx context.Context, target string, of PreviewOf) (Preview, error) {
	if _, ok := s.Settings.Config().Targets[target]; !ok {
		return Preview{}, unknownTarget(target, targetNames(s.Settings.Config()))
	}
	if s.Trier == nil {
		return Preview{}, errNoServer
	}
	work, err := s.workOf(ctx, of)
	if err != nil {
		return Preview{}, err
	}
	var previous *sdk.Receipt
	if of.Edit {
		if previous, err = s.messageOf(ctx, target, work.Delivery); err != nil {
			return Preview{}, err
		}
	}
	preview, err := s.Trier.Preview(ctx, target, work, previous)
	switch {
	case errors.Is(err, host.ErrUnsupported):
		return Preview{}, conflict("the plugin of target %s cannot show what it would send", target)
	case errors.Is(err, host.ErrNothingToSend):
		return Preview{}, conflict("target %s: %v", target, err)
	}
	preview.Target, preview.Events = target, len(work.Events)
	return preview, err
}

// workOf is the delivery that is to be shown.
func (s *Service) workOf(ctx context.Context, of PreviewOf) (store.Work, error) {
	given := 0
	for _, g := range []bool{of.Event != "" || of.Sample != "" || of.Body != "", len(of.Events) > 0, of.Delivery != "", of.Story != ""} {
		if g {
			given++
		}
	}
	if given != 1 {
		return store.Work{}, invalid("give exactly one of event, sample, body, events, delivery and story")
	}
	if of.Delivery != "" {
		return s.loadWork(ctx, of.Delivery)
	}
	events, err := s.eventsOf(ctx, of)
	if err != nil {
		return store.Work{}, err
	}
	return store.Work{Delivery: event.Delivery{ID: event.NewID(), EventID: events[0].ID}, Event: events[0], Events: events}, nil
}

// loadWork finds a stored delivery.
func (s *Service) loadWork(ctx context.Context, text string) (store.Work, error) {
	id, err := s.FindDeliveryID(ctx, text)
	if err != nil {
		return store.Work{}, err
	}
	work, err := s.Store.LoadWork(ctx, id)
	if err != nil {
		return store.Work{}, missing(err, "delivery", id)
	}
	return work, nil
}

// eventsOf are the events that are to be shown, of which there is at least one.
func (s *Service) eventsOf(ctx context.Context, of PreviewOf) ([]event.Event, error) {
	switch {
	case of.Story != "":
		source := of.Source
		if source == "" {
			source = firstSource(s.Settings.Config(), sdk.TypeMediaImported)
		}
		story, err := sampleStory(of.Story, source)
		if err != nil {
			return nil, err
		}
		for i := range story {
			s.ofApplication(&story[i])
		}
		return readEvents(story...)
	case len(of.Events) > 0:
		var events []event.Event
		for _, text := range of.Events {
			e, err := s.findDecoded(ctx, text)
			if err != nil {
				return nil, err
			}
			if !slices.ContainsFunc(events, func(other event.Event) bool { return other.ID == e.ID }) {
				events = append(events, e)
			}
		}
		return events, nil
	case of.Event != "" && of.Sample == "" && of.Body == "":
		e, err := s.findDecoded(ctx, of.Event)
		return []event.Event{e}, err
	}
	_, normalized, step, err := s.resolve(ctx, of.Subject)
	if err != nil {
		return nil, err
	}
	if len(normalized) == 0 {
		return nil, nothingToShow(step.Detail)
	}
	var e sdk.Event
	if err := json.Unmarshal(normalized, &e); err != nil {
		return nil, fmt.Errorf("read event: %w", err)
	}
	read := readEvent(e)
	read.Normalized = normalized // with what this version does not know
	return []event.Event{read}, nil
}

// findDecoded returns a stored event that can be shown.
func (s *Service) findDecoded(ctx context.Context, text string) (event.Event, error) {
	id, err := s.FindEventID(ctx, text)
	if err != nil {
		return event.Event{}, err
	}
	e, _, err := s.Store.FindEvent(ctx, id)
	if err != nil {
		return event.Event{}, missing(err, "event", id)
	}
	if len(e.Normalized) == 0 {
		return event.Event{}, nothingToShow(decoded(e).Detail)
	}
	return e, nil
}

func nothingToShow(why string) *Problem { return conflict("there is no event to show: it is %s", why) }

// readEvents returns events as they would be stored.
func readEvents(events ...sdk.Event) ([]event.Event, error) {
	all := make([]event.Event, len(events))
	for i, e := range events {
		normalized, err := json.Marshal(e)
		if err != nil {
			return nil, fmt.Errorf("write sample: %w", err)
		}
		all[i] = readEvent(e)
		all[i].Normalized = normalized
	}
	return all, nil
}

func readEvent(e sdk.Event) event.Event {
	id, _ := uuid.Parse(e.ID) // of a decoder that gave another, there is no request
	return event.Event{
		ID: id, Source: e.Source, State: event.Routed, Origin: e.Origin, ReceivedAt: e.Time,
		Type: e.Type, Title: e.Title, Summary: e.Summary, Fingerprint: e.Fingerprint, CorrelationKey: e.CorrelationKey,
	}
}

// messageOf is the message that an edit replaces: that of a stored delivery, else the last
// that the target has sent, whose place the plugin knows, or else one that there is not.
func (s *Service) messageOf(ctx context.Context, target string, d event.Delivery) (*sdk.Receipt, error) {
	if d.Target != "" {
		if d.MessageID == "" {
			return nil, conflict("delivery %s has no message to edit: it is %s", d.ID, d.State)
		}
		return &sdk.Receipt{MessageID: d.MessageID, State: d.Receipt}, nil
	}
	page, err := s.Store.SearchDeliveries(ctx, store.DeliveryFilter{Target: target, State: event.Delivered, Limit: lookedThrough})
	if err != nil {
		return nil, fmt.Errorf("look for the last message: %w", err)
	}
	for _, last := range page.Deliveries {
		if last.MessageID == "" {
			continue
		}
		whole, _, err := s.Store.FindDelivery(ctx, last.ID)
		if err != nil {
			return nil, missing(err, "delivery", last.ID)
		}
		return &sdk.Receipt{MessageID: whole.MessageID, State: whole.Receipt}, nil
	}
	return &sdk.Receipt{MessageID: madeUpMessage}, nil
}
