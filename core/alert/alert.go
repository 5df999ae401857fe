// Package alert tells of Hookarr's own trouble by events of the built-in source hookarr:
// routes that name their types bring them to targets as any others.
package alert

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/route"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
)

const (
	// quiet is how long the same is not told again.
	quiet = time.Hour
	// weekly is how long the same paths are not told again, however often Hookarr starts.
	weekly = 7 * 24 * time.Hour
	// always is longer than a database lives.
	always = 100 * 365 * 24 * time.Hour
	// acceptTimeout bounds what an alert waits for the database.
	acceptTimeout = 5 * time.Second
)

// Router decides where events go. route.Table is one.
type Router interface {
	Match(source string, e *sdk.Event, normalized []byte) []route.Match
}

// Accepter stores events. store.Store is one.
type Accepter interface {
	Accept(ctx context.Context, a *store.Acceptance) (store.Accepted, error)
}

// Alerts stores events of the source hookarr, of those about a target at most one an hour
// of each type. None goes to the target that it is about. It may be used concurrently.
type Alerts struct {
	Router Router
	Store  Accepter
	Log    *slog.Logger
}

// TargetHeld tells that a target takes nothing. It reports whether that was stored, and
// not too soon after the last such alert.
func (a *Alerts) TargetHeld(ctx context.Context, t store.Target) bool {
	until := ""
	if !t.Until.IsZero() {
		until = " until " + t.Until.UTC().Format(time.DateTime+" UTC") // which may be days away
	}
	return a.tell(ctx, t.Name, quiet, sdk.Event{
		Type: sdk.TypeTargetHeld, Title: fmt.Sprintf("Target %s is on hold", t.Name),
		Summary: fmt.Sprintf("Target %s is on hold%s (%s): %s", t.Name, until, t.Hold, t.Reason),
		Health:  &sdk.Health{Level: "warning", Check: "target " + t.Name, Message: t.Reason},
	})
}

// TargetResumed tells that a target takes deliveries again, and reports the same.
func (a *Alerts) TargetResumed(ctx context.Context, target string, kind store.HoldKind) bool {
	return a.tell(ctx, target, quiet, sdk.Event{
		Type: sdk.TypeTargetResumed, Title: fmt.Sprintf("Target %s takes deliveries again", target),
		Summary: fmt.Sprintf("Target %s was on hold (%s) and takes deliveries again", target, kind),
		Health:  &sdk.Health{Level: "notice", Check: "target " + target, Message: "It takes deliveries again."},
	})
}

// DeliveryDead tells that a delivery was given up.
func (a *Alerts) DeliveryDead(ctx context.Context, target, title, reason string) {
	a.dead(ctx, target, cmp.Or(title, "a delivery")+" was", reason)
}

// DeliveriesDead tells that several deliveries to a target were given up.
func (a *Alerts) DeliveriesDead(ctx context.Context, target string, n int, reason string) {
	if n == 1 {
		a.DeliveryDead(ctx, target, "", reason)
		return
	}
	a.dead(ctx, target, strconv.Itoa(n)+" deliveries were", reason)
}

// dead tells what was not delivered; subject has the verb too.
func (a *Alerts) dead(ctx context.Context, target, subject, reason string) {
	a.tell(ctx, target, quiet, sdk.Event{
		Type: sdk.TypeDeliveryDead, Title: fmt.Sprintf("%s not delivered to %s", subject, target),
		Summary: fmt.Sprintf("%s not delivered to %s: %s", subject, target, reason),
		Health:  &sdk.Health{Level: "error", Check: "target " + target, Message: reason},
	})
}

// PathsApart tells that root folders of applications reach no library of a target, or what
// else is wrong with its paths, each in a sentence: the same ones once a week.
func (a *Alerts) PathsApart(ctx context.Context, target string, problems []string) {
	sum := sha256.Sum256([]byte(strings.Join(problems, "\n")))
	a.tell(ctx, target, weekly, sdk.Event{
		Fingerprint: fmt.Sprintf("%s:%s:%x", sdk.TypePathsApart, target, sum[:8]),
		Type:        sdk.TypePathsApart, Title: fmt.Sprintf("Paths of target %s do not meet", target),
		Summary: fmt.Sprintf("Paths of target %s do not meet: %s", target, strings.Join(problems, "; ")),
		Health: &sdk.Health{
			Level: "warning", Check: "paths of target " + target,
			Message: strings.Join(problems, "; ") + ". hookarr paths " + target + " proposes the map.",
		},
	})
}

// SpaceLow tells that the file system of the database is nearly full. It reports whether that
// was stored, and not too soon after the last such alert.
func (a *Alerts) SpaceLow(ctx context.Context, free string) bool {
	message := free + " are free on the file system of the database. Without space no webhook is taken: make room there, or lower retention.events."
	return a.tell(ctx, "", quiet, sdk.Event{
		Type: sdk.TypeSpaceLow, Title: "Little space is left for the database", Summary: "Little space is left for the database: " + message,
		CorrelationKey: databaseSpace, Health: &sdk.Health{Level: "warning", Check: "space of the database", Message: message},
	})
}

// SpaceRestored tells that there is space again, and reports the same.
func (a *Alerts) SpaceRestored(ctx context.Context, free string) bool {
	return a.tell(ctx, "", quiet, sdk.Event{
		Type: sdk.TypeSpaceRestored, Title: "There is space for the database again", Summary: free + " are free on the file system of the database again",
		CorrelationKey: databaseSpace, Health: &sdk.Health{Level: "notice", Check: "space of the database", Message: free + " are free again."},
	})
}

// databaseSpace is the correlation key of what is told of it.
const databaseSpace = "database:space"

// Installed tells the targets that routes bring it to that Hookarr is connected to them,
// once in the life of a database. It reports whether it did.
func (a *Alerts) Installed(ctx context.Context, sources []string) bool {
	summary := "There is no source yet: nothing else can arrive."
	if len(sources) > 0 {
		summary = "Events of " + strings.Join(sources, ", ") + " arrive here from now on."
	}
	return a.tell(ctx, "", always, sdk.Event{
		Type: sdk.TypeInstalled, Title: "Hookarr is connected", Summary: summary,
	})
}

// tell stores an event about a target, or about none, unless it was told within window.
func (a *Alerts) tell(ctx context.Context, target string, window time.Duration, e sdk.Event) bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), acceptTimeout)
	defer cancel()
	id, now := event.NewID(), time.Now()
	e.ID, e.Source, e.App, e.Origin, e.Time = id.String(), sdk.SourceHookarr, "hookarr", sdk.OriginHookarr, now.UTC()
	if target != "" {
		e.CorrelationKey = "target:" + target
	}
	e.Fingerprint = cmp.Or(e.Fingerprint, string(e.Type)+":"+target)
	normalized, err := json.Marshal(e)
	if err != nil {
		a.Log.WarnContext(ctx, "alert not stored", slog.String("type", string(e.Type)), slog.Any("error", err))
		return false
	}
	acceptance := &store.Acceptance{
		Event: event.Event{
			ID: id, Source: e.Source, State: event.Routed, Origin: e.Origin, ReceivedAt: now, Type: e.Type, Title: e.Title,
			Summary: e.Summary, Fingerprint: e.Fingerprint, CorrelationKey: e.CorrelationKey, Normalized: normalized,
		},
		Keys: []store.DedupKey{{Key: "fp:" + e.Fingerprint, Window: window}},
	}
	for _, m := range a.Router.Match(e.Source, &e, normalized) {
		if m.Target != target {
			acceptance.Owe(m.Target, m.Route, m.Grouping)
		}
	}
	if target == "" && len(acceptance.Deliveries) == 0 {
		return false // there is nobody to tell, and nothing to remember
	}
	accepted, err := a.Store.Accept(ctx, acceptance)
	if err != nil {
		a.Log.WarnContext(ctx, "alert not stored", slog.String("type", string(e.Type)), slog.String("target", target), slog.Any("error", err))
	}
	return err == nil && !accepted.Duplicate
}
