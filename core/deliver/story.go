package deliver

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/outage"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

const (
	// editFor is how long a message is edited: later, people do not see it any more.
	editFor = 6 * time.Hour
	// mostTold is the most events that one message tells.
	mostTold = 500
	// leaseSpare is how much longer than an attempt a message is leased.
	leaseSpare = 15 * time.Second
	// leasePause is the wait for a message that another delivery has under way.
	leasePause = 250 * time.Millisecond
)

// telling is what an attempt is to tell, and what it does to the message of its story.
type telling struct {
	// events are all that the attempt tells, by their times; own are those of the delivery.
	events   []timed
	previous *sdk.Receipt
	// edited is the delivery that previous is the receipt of.
	edited uuid.UUID
	// shown is nil for a target that does not edit, or an event without a story.
	shown *store.Shown
	// beside are the events that a digest tells of the stories of others, by their keys.
	beside map[string][]uuid.UUID
}

// timed is an event with what puts it in order.
type timed struct {
	event.Event
	at time.Time
}

// inTime returns events in the order in which they happened.
func inTime(events []event.Event) []timed {
	all := make([]timed, len(events))
	for i, e := range events {
		all[i] = timed{Event: e, at: e.ReceivedAt}
		var told struct {
			Time time.Time `json:"time"`
		}
		if json.Unmarshal(e.Normalized, &told) == nil && !told.Time.IsZero() {
			all[i].at = told.Time
		}
	}
	slices.SortStableFunc(all, func(a, b timed) int {
		if c := a.at.Compare(b.at); c != 0 {
			return c
		}
		return slices.Compare(a.ID[:], b.ID[:])
	})
	return slices.CompactFunc(all, func(a, b timed) bool { return a.ID == b.ID })
}

// passing are the types that say what is about to be, and nothing once it is.
func passing(t sdk.Type) bool {
	switch t {
	case sdk.TypeReleaseGrabbed, sdk.TypeHealthIssue, sdk.TypeManualInteractionRequired, sdk.TypeTargetHeld, sdk.TypeSpaceLow:
		return true
	default:
		return false
	}
}

// isNews reports whether each event of a type is told for itself.
func isNews(t sdk.Type) bool {
	return slices.Contains([]sdk.Type{sdk.TypeTest, sdk.TypeDeliveryDead, sdk.TypeInstalled}, t)
}

// storyKey ties the deliveries of one story at a target together, and is empty for none: by
// what their events have in common, or else by what they were gathered by. The ids of two
// applications may be equal.
func storyKey(w store.Work) string {
	first := w.Events[0]
	if isNews(first.Type) {
		return ""
	}
	same := func(e event.Event) bool { return e.Source == first.Source && e.CorrelationKey == first.CorrelationKey }
	switch {
	case first.CorrelationKey != "" && !slices.ContainsFunc(w.Events, func(e event.Event) bool { return !same(e) }):
		return first.Source + "/" + first.CorrelationKey
	case w.Delivery.GroupKey != "" && w.Delivery.GroupKey != event.DigestKey && w.Delivery.GroupKey != event.FoldKey:
		return "group/" + w.Delivery.GroupKey
	default:
		return ""
	}
}

// telling decides what an attempt tells. It may find that the delivery has nothing to tell any
// more, which it settles, or that another has the message under way.
func (w *Workers) telling(ctx context.Context, t Target, work store.Work) (tell telling, overtaken *store.Settlement, leased bool, err error) {
	own := inTime(work.Events)
	tell = telling{events: own}
	if work.Delivery.State == event.Verifying {
		return tell, nil, false, nil // it was told
	}
	key := storyKey(work)
	if t.Edits && key == "" && work.Delivery.GroupKey == event.DigestKey {
		tell.beside = storiesOf(own)
	}
	if !t.Edits || key == "" {
		return tell, nil, false, nil
	}
	d := work.Delivery
	lease, err := w.store.LeaseMessage(ctx, t.Name, key, d.ID, t.Timeout+leaseSpare)
	if err != nil || lease.Busy > 0 {
		return tell, nil, err == nil, err
	}
	last := own[len(own)-1]
	tell.shown = &store.Shown{Key: key, Type: last.Type, Time: last.at, Anew: true, Events: idsOf(own)}
	known := func(e timed) bool {
		return slices.ContainsFunc(lease.Told, func(x event.Event) bool { return x.ID == e.ID })
	}
	late := !lease.Time.IsZero() && last.at.Before(lease.Time)
	switch {
	case lease.Delivery == uuid.Nil:
	case late && lease.MessageID != "" && (!t.Groups || !slices.ContainsFunc(own, func(e timed) bool { return !passing(e.Type) })) && !known(last):
		return tell, &store.Settlement{
			DeliveryID: d.ID, Target: t.Name, State: event.Superseded, SupersededBy: lease.Delivery, Crashes: d.Crashes,
			Reason: fmt.Sprintf("the message shows what happened later: %s", lease.Type), Shown: &store.Shown{Key: key},
		}, false, nil
	case lease.MessageID == "", lease.Now.Sub(lease.PostedAt) >= editFor, len(lease.Told)+len(own) > mostTold:
	case passing(last.Type) && !late && last.Type != lease.Type:
		// It begins anew, and an edited message reaches nobody.
	case !slices.ContainsFunc(own, func(e timed) bool { return !known(e) }):
		// It was told, and somebody wants it told again.
	default:
		tell.edited = lease.Delivery
		tell.previous = &sdk.Receipt{MessageID: lease.MessageID, State: lease.Receipt}
		tell.shown.Anew = false
		if t.Groups {
			tell.events = inTime(slices.Concat(lease.Told, work.Events))
		}
		latest := tell.events[len(tell.events)-1]
		tell.shown.Events, tell.shown.Type, tell.shown.Time = idsOf(tell.events), latest.Type, latest.at
	}
	return tell, nil, false, nil
}

// storiesOf are the events that have a story, by its key.
func storiesOf(events []timed) map[string][]uuid.UUID {
	stories := map[string][]uuid.UUID{}
	for _, e := range events {
		if e.CorrelationKey != "" && !isNews(e.Type) {
			key := e.Source + "/" + e.CorrelationKey
			stories[key] = append(stories[key], e.ID)
		}
	}
	return stories
}

func idsOf(events []timed) []uuid.UUID {
	ids := make([]uuid.UUID, len(events))
	for i, e := range events {
		ids[i] = e.ID
	}
	return ids
}

// Compose returns what the plugin is given of a delivery that posts anew.
func Compose(work store.Work) (host.Delivery, error) {
	return telling{events: inTime(work.Events)}.delivery(work)
}

// delivery is what the plugin is given of an attempt.
func (tell telling) delivery(work store.Work) (host.Delivery, error) {
	d := work.Delivery
	hd := host.Delivery{
		ID:      d.ID.String(),
		Attempt: number(d),
		Route:   d.Route,
		// After a failure, people compare.
		Record:         d.Attempts > 0,
		CorrelationKey: work.Event.CorrelationKey,
		Previous:       tell.previous,
	}
	for _, e := range tell.events {
		normalized, err := e.form()
		if err != nil {
			return hd, fmt.Errorf("write event %s: %w", e.ID, err)
		}
		hd.Events = append(hd.Events, normalized)
	}
	return hd, nil
}

// number is that of the attempt that is made, or whose proof is asked for.
func number(d event.Delivery) int {
	if d.State == event.Verifying {
		return d.Attempts
	}
	return d.Attempts + 1
}

// form is the event by the published schema: in full, or, of an event that is too large for
// one delivery with others, what people are told of it at least.
func (e timed) form() (json.RawMessage, error) {
	if e.Normalized != nil {
		return e.Normalized, nil
	}
	return json.Marshal(sdk.Event{
		ID: e.ID.String(), Source: e.Source, Origin: e.Origin, Time: e.at, Type: e.Type, Title: e.Title, Summary: e.Summary,
		CorrelationKey: e.CorrelationKey,
	})
}

// split makes a delivery of each event of a group whose target does not take groups any
// more.
func (w *Workers) split(ctx context.Context, work store.Work, job int64) next {
	if err := w.store.SplitGroup(ctx, work, job); err != nil {
		w.log.WarnContext(outage.Symptom(ctx), "group not split", slog.String("target", work.Delivery.Target),
			slog.String("delivery", work.Delivery.ID.String()), slog.Any("error", err))
		w.sleep(ctx, brokenPause)
		return again
	}
	return settledJob
}

// closes ends the joining of a group that is to be attempted, early for a probe.
func (w *Workers) closes(ctx context.Context, work store.Work, early bool) {
	closed, err := w.store.CloseGroup(ctx, work.Delivery.ID, early)
	if err != nil {
		w.log.WarnContext(outage.Symptom(ctx), "group not closed", slog.String("target", work.Delivery.Target),
			slog.String("delivery", work.Delivery.ID.String()), slog.Any("error", err))
		w.sleep(ctx, brokenPause)
	}
	if closed {
		failpoint(afterClose)
	}
}
