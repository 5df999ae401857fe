package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/app"
	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
)

// id makes ids that sort by n.
func id(n int) uuid.UUID {
	return uuid.MustParse(fmt.Sprintf("0197a2c4-0000-7000-8000-%012d", n))
}

// atLength makes a reason longer than a list shows.
var atLength = strings.Repeat(" and went on", 10)

const received = "2026-11-23T10:00:00Z"

// newDatabase returns the configuration of a migrated database and its store.
func newDatabase(t *testing.T) (string, *store.Store) {
	t.Helper()
	url := "sqlite://" + filepath.Join(t.TempDir(), "hookarr.db")
	file := write(t, fmt.Sprintf(`
database: {url: %q}
sources: {radarr: {plugin: radarr, auth: [{none: {}}]}}
targets: {ops: {plugin: webhook}, chat: {plugin: discord}}
routes: [{name: everything, to: [ops, chat]}]
`, url))
	s, err := app.OpenStore(t.Context(), sdk.Secret(url), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	require.NoError(t, s.Migrate(t.Context()))
	return file, s
}

func TestTargetsListThrottled(t *testing.T) {
	t.Parallel()
	file, s := newDatabase(t)
	_, _, err := s.ChangeTarget(t.Context(), "ops", func(target *store.Target, now time.Time) []*store.Settlement {
		target.NextAt, target.Pace = now.Add(time.Minute), "429, Retry-After 1m0s"
		return nil
	})
	require.NoError(t, err)
	r := run(t, "targets", "list", "--config", file)
	require.Zero(t, r.code, r.err)
	require.Regexp(t, `(?m)^ops +webhook +throttled until .+ +- +0 +0 +0 +429, Retry-After 1m0s`, r.out)
}

// fill stores an event in every state, and deliveries in most.
func fill(t *testing.T, s *store.Store) {
	t.Helper()
	at, err := time.Parse(time.RFC3339, received)
	require.NoError(t, err)
	ctx := context.WithoutCancel(t.Context())
	accept := func(e event.Event, deliveries ...event.Delivery) {
		e.Source, e.Origin, e.ReceivedAt = "radarr", sdk.OriginWebhook, at
		e.Request.Method, e.Request.Header = http.MethodPost, http.Header{"User-Agent": {"Radarr/6"}}
		a := &store.Acceptance{Event: e, Deliveries: deliveries}
		if e.Fingerprint != "" {
			a.Keys = []store.DedupKey{{Key: "fp:" + e.Fingerprint, Window: time.Hour}}
		}
		_, err := s.Accept(ctx, a)
		require.NoError(t, err)
	}
	accept(event.Event{
		ID: id(1), State: event.Routed, Type: sdk.TypeMediaImported, Title: "Sintel (2010)", Summary: "Imported Sintel (2010) in Bluray-2160p",
		CorrelationKey: "radarr/ABCD", Fingerprint: "f1", Normalized: []byte(`{"id":"1","type":"media.imported"}`),
		Request: event.Request{Body: []byte("{\"eventType\": \"Download\"}\n"), Query: "a=b"},
	},
		event.Delivery{ID: id(11), EventID: id(1), Target: "ops", Route: "everything"},
		event.Delivery{ID: id(12), EventID: id(1), Target: "chat", Route: "everything"})
	accept(event.Event{ID: id(2), State: event.Undecodable, Reason: "not JSON\x1b[2J" + atLength, Request: event.Request{Body: []byte("{")}})
	accept(event.Event{
		ID: id(3), State: event.Routed, Type: sdk.TypeReleaseGrabbed, Title: "A title\nof two lines",
		Normalized: []byte(`{}`), Request: event.Request{Body: []byte("{}")},
	},
		event.Delivery{ID: id(13), EventID: id(3), Target: "ops", Route: "everything"},
		event.Delivery{ID: id(14), EventID: id(3), Target: "gone", Route: "everything"})
	settle := func(n store.Settlement) {
		_, err := s.Settle(ctx, &n)
		require.NoError(t, err)
	}
	attempt := func(delivery, number int, a event.Attempt) *event.Attempt {
		a.DeliveryID, a.Number, a.StartedAt, a.Elapsed = id(delivery), number, at, 1234*time.Microsecond
		return &a
	}
	settle(store.Settlement{
		DeliveryID: id(11), State: event.Pending, Delay: time.Hour, Reason: "answered 503",
		Attempt: attempt(11, 1, event.Attempt{Class: sdk.ClassRetryable, Status: 503, Message: "answered 503", Counted: true}),
	})
	settle(store.Settlement{
		DeliveryID: id(11), State: event.Delivered, MessageID: "m-1",
		Attempt: attempt(11, 2, event.Attempt{Class: sdk.ClassOK, Status: 204, Counted: true}),
	})
	settle(store.Settlement{
		DeliveryID: id(12), Target: "chat", State: event.Pending, Reason: "answered 404" + atLength,
		Attempt: attempt(12, 1, event.Attempt{Class: sdk.ClassMisconfigured, Status: 404, Message: "answered 404" + atLength, Excerpt: "no", Counted: true}),
		Change: func(t *store.Target, now time.Time) []*store.Settlement {
			t.Begin(store.HoldMisconfigured, "answered 404", now)
			t.ProbeAt = now.Add(time.Hour)
			return nil
		},
	})
	settle(store.Settlement{
		DeliveryID: id(13), State: event.Pending, Delay: time.Hour, Reason: "plugin restarts",
		Attempt: attempt(13, 1, event.Attempt{Class: sdk.ClassUnavailable, Message: "plugin restarts"}),
	})
	again := event.Event{ID: id(4), Source: "radarr", Origin: sdk.OriginWebhook, ReceivedAt: at, State: event.Routed}
	_, err = s.Accept(ctx, &store.Acceptance{Event: again, Keys: []store.DedupKey{{Key: "fp:f1", Window: time.Hour}}})
	require.NoError(t, err)
}

// instant is a time as it is shown in UTC: in a table or as JSON.
var instant = regexp.MustCompile(`\d{4}-\d\d-\d\d([ T])\d\d:\d\d:\d\d(\.\d+)?( UTC|Z)`)

// timeless replaces times, which the database's clock gives.
func timeless(s string) string { return instant.ReplaceAllString(s, "YYYY-MM-DD${1}hh:mm:ss${3}") }

func TestShowAPastEvent(t *testing.T) {
	t.Parallel()
	file, s := newDatabase(t)
	_, err := s.Accept(t.Context(), &store.Acceptance{Event: event.Event{
		ID: id(1), Source: "radarr", Origin: sdk.OriginCatchup, State: event.Routed, Type: sdk.TypeMediaImported,
		ReceivedAt: time.Now(), Request: event.Request{Body: []byte(`{"id": 1}`)},
	}})
	require.NoError(t, err)
	r := run(t, "events", "show", id(1).String(), "--config", file)
	require.Zero(t, r.code, r.err)
	require.Regexp(t, `(?m)^request +record of the application's history, 9 bytes$`, r.out)
	require.Equal(t, "none: a target told it of its own", requested(&admin.Request{}, sdk.OriginTarget))
}

// A filter by a wrong name finds nothing and says why.
func TestFiltersByNamesThatAreNotThere(t *testing.T) {
	t.Parallel()
	file, _ := newDatabase(t)
	for want, args := range map[string][]string{
		`--source: no source is called "radar"; did you mean "radarr"?`:                                                                {"events", "list", "--source", "radar"},
		`--type: "media.importd" is no event type of Hookarr's own; did you mean "media.imported"?`:                                    {"events", "list", "--type", "media.importd"},
		`--type: "Download" is no event type of Hookarr's own, but is an application's own word: write media.imported, media.upgraded`: {"events", "list", "--type", "Download", "--json"},
		`--target: no target is called "opps"; did you mean "ops"?`:                                                                    {"deliveries", "list", "--target", "opps"},
		`--target: no target is called "nowhere"; there are chat, ops`:                                                                 {"deliveries", "list", "--target", "nowhere", "--json"},
	} {
		r := run(t, append(args, "--config", file)...)
		require.Zero(t, r.code, r.err)
		require.Equal(t, "warning: "+want+"\n", r.err)
	}
	r := run(t, "targets", "resume", "nowhere", "--config", file)
	require.Equal(t, result{code: exitError, err: "hookarr: there is no target of this name; there are: chat, ops\n"}, r)
}

func TestReadingCommands(t *testing.T) {
	t.Parallel()
	file, s := newDatabase(t)
	fill(t, s)
	for name, args := range map[string][]string{
		"events-list":             {"events", "list"},
		"events-list-state":       {"events", "list", "--state", "undecodable"},
		"events-list-type":        {"events", "list", "--type", "media.imported", "--source", "radarr"},
		"events-list-page":        {"events", "list", "--limit", "1"},
		"events-list-none":        {"events", "list", "--source", "hookarr"},
		"events-list-json":        {"events", "list", "--json"},
		"events-list-none-json":   {"events", "list", "--source", "hookarr", "--json"},
		"events-show":             {"events", "show", id(1).String()},
		"events-show-undecodable": {"events", "show", id(2).String()},
		"events-show-uncounted":   {"events", "show", id(3).String()},
		"events-show-json":        {"events", "show", id(1).String(), "--json"},
		"events-body":             {"events", "body", id(1).String()},
		"events-body-normalized":  {"events", "body", id(1).String(), "--normalized"},
		"deliveries-list":         {"deliveries", "list"},
		"deliveries-list-state":   {"deliveries", "list", "--state", "pending", "--target", "chat"},
		"deliveries-list-event":   {"deliveries", "list", "--event", id(1).String(), "--limit", "1"},
		"deliveries-list-page":    {"deliveries", "list", "--limit", "2"},
		"deliveries-list-json":    {"deliveries", "list", "--json"},
		"deliveries-show":         {"deliveries", "show", id(12).String()},
		"deliveries-show-json":    {"deliveries", "show", id(12).String(), "--json"},
		"targets-list":            {"targets", "list"},
		"targets-list-json":       {"targets", "list", "--json"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := run(t, append(args, "--config", file)...)
			require.Zero(t, r.code, r.err)
			require.Empty(t, r.err)
			if name != "events-body" && name != "events-body-normalized" {
				require.NotContains(t, r.out, "\x1b")
			}
			golden(t, name+".txt", timeless(r.out))
		})
	}
}

func TestReadingCommandsMiss(t *testing.T) {
	t.Parallel()
	file, s := newDatabase(t)
	fill(t, s)
	for want, args := range map[string][]string{
		"there is no event " + id(99).String():                                              {"events", "show", id(99).String()},
		"there is no delivery " + id(99).String():                                           {"deliveries", "show", id(99).String()},
		"event " + id(2).String() + " is undecodable: it has no normalized form":            {"events", "body", id(2).String(), "--normalized"},
		`there is no target of this name; did you mean "ops"?`:                              {"targets", "resume", "opps"},
		"target ops: it is not on hold":                                                     {"targets", "resume", "ops"},
		"target gone is not in the configuration: put it back, or rename it to one that is": {"targets", "resume", "gone"},
	} {
		r := run(t, append(args, "--config", file)...)
		require.Equal(t, result{code: exitError, err: "hookarr: " + want + "\n"}, r)
	}

	absent := filepath.Join(t.TempDir(), "none.db")
	r := run(t, "events", "list", "--config", write(t, "database: {url: sqlite://"+absent+"}"))
	require.Equal(t, result{code: exitError, err: "hookarr: there is no database at " + absent + ": hookarr serve makes it\n"}, r)
	require.NoFileExists(t, absent)
}

func TestTargetsResume(t *testing.T) {
	t.Parallel()
	file, s := newDatabase(t)
	fill(t, s)
	r := run(t, "targets", "resume", "chat", "--config", file)
	require.Equal(t, result{out: "target chat is resumed: 1 delivery goes out, oldest first\n"}, r)

	r = run(t, "targets", "list", "--json", "--config", file)
	require.Zero(t, r.code, r.err)
	var views []admin.Target
	require.NoError(t, json.Unmarshal([]byte(r.out), &views))
	require.Equal(t, "chat", views[0].Name)
	require.Equal(t, "open", views[0].State)
}

// A plugin that does not run, or refuses its configuration, does not run because an
// operator says that its target goes on.
func TestTargetsResumeQuarantined(t *testing.T) {
	t.Parallel()
	file, s := newDatabase(t)
	require.NoError(t, s.Hold(t.Context(), "ops", store.HoldQuarantined, "config.url: is required"))
	r := run(t, "targets", "resume", "ops", "--config", file)
	require.Equal(t, result{
		code: exitError,
		err:  "hookarr: target ops: it waits for its plugin, and goes on by itself: see hookarr plugins list\n",
	}, r)
	r = run(t, "targets", "list", "--config", file)
	require.Regexp(t, `(?m)^ops +webhook +quarantined +.+ +0 +0 +config.url: is required`, r.out)
}

// What held a target before it left the configuration says nothing of it now.
func TestTargetsListHeldAndUnconfigured(t *testing.T) {
	t.Parallel()
	file, s := newDatabase(t)
	fill(t, s)
	for _, name := range []string{"gone", "forgotten"} {
		require.NoError(t, s.Hold(t.Context(), name, store.HoldBreaker, "answered 500"))
	}
	r := run(t, "targets", "list", "--config", file)
	require.Zero(t, r.code, r.err)
	require.Regexp(t, `(?m)^gone +- +unconfigured +- +1 +0 +0 +target is not in the configuration$`, r.out)
	require.NotContains(t, r.out, "forgotten") // nothing waits for it
}

func TestMigrate(t *testing.T) {
	t.Parallel()
	database := filepath.Join(t.TempDir(), "hookarr.db")
	file := write(t, "database: {url: sqlite://"+database+"}")
	for _, want := range []string{`^database is migrated from version 0\.0 to \d+\.\d+\n$`, `^database is up to date at version \d+\.\d+\n$`} {
		r := run(t, "migrate", "--config", file)
		require.Zero(t, r.code, r.err)
		require.Regexp(t, want, r.out)
	}
	r := run(t, "events", "list", "--config", file)
	require.Zero(t, r.code, r.err)

	r = run(t, "migrate", "--config", write(t, "database: {url: sqlite:///proc/none/hookarr.db}"))
	require.Equal(t, exitError, r.code)
	require.Regexp(t, `^hookarr: open database: .*/proc/none.* \(see database\.url\)\n$`, r.err)
}

func TestDatabaseThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	file := write(t, "database: {url: 'postgres://nobody:hunt%20er2@127.0.0.1:1,127.0.0.2:1/none'}")
	for _, command := range [][]string{{"migrate"}, {"events", "list"}} {
		r := run(t, append(command, "--config", file)...)
		require.Equal(t, exitError, r.code)
		require.Regexp(t, `^hookarr: .*connection refused.* \(see database\.url\)\n$`, r.err)
		require.NotContains(t, r.err, "er2")
	}
}

// A server that does not answer is waited for until the user gives up.
func TestMigrateWaits(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	c := &cli{err: t.Output(), out: t.Output(), environ: func() []string { return nil }}
	file := write(t, "database: {url: postgres://nobody@127.0.0.1:1/none}")
	require.Equal(t, exitError, c.run(ctx, []string{"migrate", "--wait", "--config", file}))
	require.Error(t, ctx.Err(), "it gave up by itself")

	require.Equal(t, exitError, c.run(t.Context(), []string{"migrate", "--config", file}))
}
