package ingest

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/hookarr/hookarr/core/auth"
	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// lateWindow is how long after what it tells a webhook may come, as through a relay
// that could not pass it on.
const lateWindow = 24 * time.Hour

// ErrNameless is matched by the error of a past event that nobody could know again.
var ErrNameless = errors.New("event without fingerprint or title")

// Remember takes in what a source's history tells, unless its webhook came, no earlier
// than span before its time, or it was told before. A webhook that comes later is then
// a duplicate. Its request is the application's record.
func (in *Intake) Remember(ctx context.Context, source string, p host.PastEvent, span time.Duration) (store.Accepted, error) {
	g := in.generation()
	if g.sources[source] == nil {
		return store.Accepted{}, fmt.Errorf("remember: source %s is not configured", source)
	}
	if p.Event.Fingerprint == "" || p.Event.Title == "" {
		return store.Accepted{}, fmt.Errorf("remember: the plugin of source %s tells of an %w", source, ErrNameless)
	}
	e, told, err := in.compose(source, sdk.OriginCatchup, p.Event, p.JSON)
	if err != nil {
		return store.Accepted{}, fmt.Errorf("remember: %w", err)
	}
	e.Request.Body = p.Record
	r, err := g.route(e, told)
	if err != nil {
		return store.Accepted{}, err
	}
	a, at := &r.acceptance, p.Event.Time
	// Whatever the source takes for a repetition, it told the same by webhook.
	a.Keys = eventKeys(&a.Event, windows{})
	for i := range a.Keys {
		a.Keys[i].Window = max(a.Keys[i].Window, lateWindow)
	}
	accepted, err := in.store.AcceptPast(ctx, a, store.PastRecord{
		Key:  cmp.Or(p.Key, strconv.FormatInt(at.UnixMilli(), 10)) + ":" + p.Event.Fingerprint,
		From: at.Add(-span), To: at.Add(lateWindow),
	})
	if err == nil && !accepted.Duplicate {
		in.journal.stored(ctx, &a.Event)
	}
	return accepted, err
}

// compose makes an event that comes with no request to decode, under a new id. Its JSON gets
// that by itself and not from told: the plugin may know fields that this version does not.
func (in *Intake) compose(source string, origin sdk.Origin, told sdk.Event, raw json.RawMessage) (event.Event, host.Decoded, error) {
	e := event.Event{ID: event.NewID(), Source: source, Origin: origin, ReceivedAt: in.now()}
	told.ID, told.Source, told.Origin = e.ID.String(), source, origin
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil {
		return e, host.Decoded{}, fmt.Errorf("read event: %w", err)
	}
	for key, value := range map[string]string{"id": told.ID, "source": source, "origin": string(origin), "type": string(told.Type)} {
		text, err := json.Marshal(value)
		if err != nil {
			return e, host.Decoded{}, fmt.Errorf("write event: %w", err)
		}
		set(fields, key, text)
	}
	raw, err := json.Marshal(fields)
	if err != nil {
		return e, host.Decoded{}, fmt.Errorf("write event: %w", err)
	}
	return e, host.Decoded{Event: &told, JSON: raw}, nil
}

// set sets a field of an object, and drops those that readers without regard to case, such as
// encoding/json, take for the same: one of them could be read in its place.
func set(fields map[string]json.RawMessage, key string, value json.RawMessage) {
	maps.DeleteFunc(fields, func(other string, _ json.RawMessage) bool { return strings.EqualFold(other, key) })
	fields[key] = value
}

// noteMissed has a source's history read when a run of refusals ends: what was refused
// is not sent again. The sender of what was taken has its answer before.
func (in *Intake) noteMissed(ctx context.Context, x *exchange, status int) {
	if x.source == nil {
		return
	}
	missed := &in.memory(x.source.name).missed
	client := auth.Network(x.client())
	switch {
	case isRefusal(status):
		missed.note(client, x.genuine)
	case status == http.StatusAccepted, status == http.StatusOK:
		if !missed.ended(client, in.now()) {
			return
		}
		_ = x.conn.Flush()
		asking, cancel := context.WithTimeout(context.WithoutCancel(ctx), in.acceptTimeout)
		defer cancel()
		if err := in.store.AskCatchup(asking, x.source.name); err != nil {
			missed.failed()
			in.journal.log.WarnContext(ctx, "catch-up not asked for", slog.String("source", x.source.name), slog.Any("error", err))
		}
	}
}
