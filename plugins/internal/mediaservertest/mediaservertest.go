// Package mediaservertest runs deliveries of media servers' targets in tests as a host
// does: until they are proven, or end. It also has the events that a library needs.
package mediaservertest

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/plugins/internal/mediaserver"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/pathmap"
	"github.com/hookarr/hookarr/sdk/plugintest"
)

// waitTimeout bounds what a test waits for, never what it measures.
const waitTimeout = time.Minute

// Quick are options whose times are a thousandth of the usual.
func Quick(o mediaserver.Options) mediaserver.Options {
	o.Settle, o.IdleTimeout, o.Pause, o.Refetch = 2*time.Millisecond, 200*time.Millisecond, 4*time.Millisecond, time.Millisecond
	return o
}

// Delivery makes one delivery of a group of events.
func Delivery(t *testing.T, events ...sdk.Event) *Run {
	t.Helper()
	return &Run{t: t, events: events, id: "01980000-0000-7000-8000-000000000001"}
}

// Run is a delivery under way.
type Run struct {
	t      *testing.T
	events []sdk.Event
	id     string
	// Accepted is the last receipt; Waits are what the receipts waited for, without
	// repetitions.
	Accepted sdk.Receipt
	Waits    []string
}

// Deliver makes the first attempt.
func (r *Run) Deliver(target *plugintest.Target) plugintest.Outcome {
	r.t.Helper()
	o, err := target.Deliver(r.t.Context(), plugintest.Delivery(r.t, r.id, r.events...))
	require.NoError(r.t, err)
	return r.keep(o)
}

// Verify asks once.
func (r *Run) Verify(target *plugintest.Target, final bool) plugintest.Outcome {
	r.t.Helper()
	o, err := target.Verify(r.t.Context(), plugintest.Delivery(r.t, r.id, r.events...), r.Accepted, final)
	require.NoError(r.t, err)
	return r.keep(o)
}

func (r *Run) keep(o plugintest.Outcome) plugintest.Outcome {
	if o.Class == sdk.ClassOK && o.Receipt.VerifyAfter > 0 {
		r.Accepted = o.Receipt
		if n := len(r.Waits); o.Receipt.Waits != "" && (n == 0 || r.Waits[n-1] != o.Receipt.Waits) {
			r.Waits = append(r.Waits, o.Receipt.Waits)
		}
	}
	return o
}

// Prove delivers, unless that was done, and asks until the delivery is proven or ends. What is only for now, it
// tries again.
func (r *Run) Prove(target *plugintest.Target) plugintest.Outcome {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), waitTimeout)
	defer cancel()
	o := r.next(target)
	for {
		switch {
		case o.Class == sdk.ClassOK && o.Receipt.VerifyAfter == 0, o.Class == sdk.ClassPermanent, o.Class == sdk.ClassMisconfigured:
			return o
		}
		select {
		case <-time.After(max(o.Receipt.VerifyAfter, time.Millisecond)):
		case <-ctx.Done():
			require.FailNow(r.t, "the delivery does not end", "%s %s %q", o.Class, o.Message, r.Waits)
		}
		o = r.next(target)
	}
}

// next is what a host does: it asks what was accepted for its effect.
func (r *Run) next(target *plugintest.Target) plugintest.Outcome {
	r.t.Helper()
	if r.Accepted.VerifyAfter == 0 {
		return r.Deliver(target)
	}
	return r.Verify(target, false)
}

// Told are the events that an outcome hands back, as TYPE TITLE.
func Told(t *testing.T, o plugintest.Outcome) []string {
	t.Helper()
	var all []string
	for _, e := range Events(t, o) {
		all = append(all, string(e.Type)+" "+e.Title)
	}
	return all
}

// Events are those that an outcome hands back, in full.
func Events(t *testing.T, o plugintest.Outcome) []sdk.Event {
	t.Helper()
	var all []sdk.Event
	for _, back := range o.Events {
		var e sdk.Event
		require.NoError(t, json.Unmarshal(back.JSON, &e))
		require.NotNil(t, e.Library)
		all = append(all, e)
	}
	return all
}

// Shown is all that an outcome shows to operators, the request included.
func Shown(o plugintest.Outcome) string {
	all := fmt.Sprintln(o.Message, o.Receipt.Excerpt, o.Receipt.Waits, o.Receipt.Fallback, string(o.Receipt.State))
	if o.Sent != nil {
		all += fmt.Sprintln(o.Sent.Method, o.Sent.URL, o.Sent.Header, o.Sent.Body)
	}
	return all
}

// Event is one of a type, about a title with its files. Files that an event of an import
// names are new; those that a deletion names are gone.
func Event(typ sdk.Type, media sdk.Media, files ...string) sdk.Event {
	e := sdk.Event{
		ID: "01980000-0000-7000-8000-" + media.Kind, Source: "arr", Origin: sdk.OriginWebhook, Time: time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC),
		App: "arr", Type: typ, Title: media.Title, Summary: media.Title, CorrelationKey: "story:" + media.Title, Media: &media,
	}
	for _, f := range files {
		file := sdk.File{Path: f, SizeBytes: int64(len(f)), RelativePath: pathmap.Base(f)}
		if typ == sdk.TypeFileDeleted || typ == sdk.TypeMediaDeleted {
			e.DeletedFiles = append(e.DeletedFiles, file)
		} else {
			e.Files = append(e.Files, file)
		}
	}
	e.FilesDeleted = typ == sdk.TypeMediaDeleted
	return e
}

// Renamed is the event of a file that moved.
func Renamed(media sdk.Media, from, to string) sdk.Event {
	e := Event(sdk.TypeFileRenamed, media)
	e.RenamedFiles = []sdk.Rename{{From: from, To: to}}
	return e
}
