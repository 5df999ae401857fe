package live_test

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/admin/live"
	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/pluginhost"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/internal/testpg"
)

func TestChangesAreTold(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *store.Store) {
		letter := accept(t, s, acceptance("before", "ops"))
		settle(t, s, letter.Deliveries[0].ID, event.Dead)
		h, p := newHub(t, s)
		changes := watch(t, h)

		a := accept(t, s, acceptance("Arrival", "ops"))
		told(t, changes, live.Events, a.Event.ID.String())
		told(t, changes, live.Deliveries, a.Deliveries[0].ID.String())
		settle(t, s, a.Deliveries[0].ID, event.Pending) // a failed attempt
		told(t, changes, live.Events, a.Event.ID.String())
		told(t, changes, live.Deliveries, a.Deliveries[0].ID.String())
		settle(t, s, a.Deliveries[0].ID, event.Delivered)
		told(t, changes, live.Deliveries, a.Deliveries[0].ID.String())

		require.NoError(t, s.Hold(t.Context(), "ops", store.HoldPaused, "we move"))
		told(t, changes, live.Targets, "ops")
		require.NoError(t, s.Release(t.Context(), "ops"))
		told(t, changes, live.Targets, "ops")
		_, _, err := s.ChangeTarget(t.Context(), "chat", func(t *store.Target, now time.Time) []*store.Settlement {
			t.NextAt, t.Pace = now.Add(time.Hour), "429 Too Many Requests"
			return nil
		})
		require.NoError(t, err)
		told(t, changes, live.Targets, "chat")

		retry := &store.Action{ID: event.NewID(), What: store.ActionRetry, Who: "root", Via: "socket", State: store.ActionDone}
		_, err = s.Operate(t.Context(), &store.Step{Action: retry, New: true, Retry: letterIDs(letter)})
		require.NoError(t, err)
		told(t, changes, live.Deliveries, "")

		n := &store.Silence{ID: event.NewID(), Expression: "true", Who: "root", Via: "socket"}
		require.NoError(t, s.AddSilence(t.Context(), &store.Action{ID: event.NewID(), What: store.ActionSilence, State: store.ActionDone}, n, time.Hour))
		told(t, changes, live.Silences, n.ID.String())
		_, err = s.ExpireSilence(t.Context(), &store.Action{ID: event.NewID(), What: store.ActionExpire, State: store.ActionDone}, n.ID)
		require.NoError(t, err)
		told(t, changes, live.Silences, n.ID.String())

		require.NoError(t, s.SaveCursor(t.Context(), "radarr", store.Cursor{From: time.Now(), ReadTo: time.Now()}))
		told(t, changes, live.Sources, "radarr")

		p.change(func() { p.plugins[0].State = pluginhost.Backoff })
		told(t, changes, live.Plugins, "target-discord")
		p.change(func() { p.plugins = nil })
		told(t, changes, live.Plugins, "target-discord")
		p.change(func() { p.config = &config.Config{} })
		told(t, changes, live.Config, "")
	})
}

func TestEachChangeIsToldOnce(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *store.Store) {
		counted := &unsteady{Store: s}
		h, _ := newHub(t, counted)
		changes := watch(t, h)
		a := accept(t, s, acceptance("Arrival", "ops"))
		told(t, changes, live.Deliveries, a.Deliveries[0].ID.String())
		looks := func() {
			before := counted.count()
			require.Eventually(t, func() bool { return counted.count() > before+3 }, waitTimeout, time.Millisecond)
		}
		looks() // the event is told with its delivery, and by itself if the same look did not see it
		for len(changes) > 0 {
			<-changes
		}
		looks()
		require.Empty(t, changes, "nothing has changed since, and each look saw the same rows")
	})
}

// TestLateCommits has rows appear whose times have passed: a transaction took long, or
// another node's clock is behind.
func TestLateCommits(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *store.Store) {
		h, _ := newHub(t, s)
		changes := watch(t, h)
		a := acceptance("Arrival", "ops")
		ago(&a.Event.ID, 2*time.Second)
		a.Deliveries[0].EventID = a.Event.ID
		ago(&a.Deliveries[0].ID, 2*time.Second)
		accept(t, s, a)
		told(t, changes, live.Events, a.Event.ID.String())
		told(t, changes, live.Deliveries, a.Deliveries[0].ID.String())
	})
}

// TestDecodedEvents has an event that waited for its decoder, and goes nowhere.
func TestDecodedEvents(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *store.Store) {
		a := acceptance("")
		ago(&a.Event.ID, time.Hour)
		a.Event.State, a.Event.Normalized, a.Event.Type = event.Deferred, nil, ""
		accept(t, s, a)
		h, _ := newHub(t, s)
		changes := watch(t, h)
		decoded := acceptance("Arrival")
		decoded.Event.ID = a.Event.ID
		_, err := s.Resolve(t.Context(), decoded)
		require.NoError(t, err)
		told(t, changes, live.Events, a.Event.ID.String())
	})
}

func TestManyChangesAreNotNamed(t *testing.T) {
	t.Parallel()
	h, _ := newHub(t, &batched{Store: openSQLite(t), t: t})
	changes := watch(t, h)
	told(t, changes, live.Events, "")
}

// batched accepts more events than are named between two looks.
type batched struct {
	*store.Store
	t     *testing.T
	looks int
}

func (b *batched) ListTargets(ctx context.Context) ([]store.Target, time.Time, error) {
	if b.looks++; b.looks == 2 {
		var all sync.WaitGroup
		for i := range 501 {
			all.Go(func() {
				if _, err := b.Accept(ctx, acceptance(strconv.Itoa(i))); err != nil {
					b.t.Error(err)
				}
			})
		}
		all.Wait()
	}
	return b.Store.ListTargets(ctx)
}

// TestOtherNodes has two processes on one database.
func TestOtherNodes(t *testing.T) {
	t.Parallel()
	url := testpg.New(t)
	one, other := openPostgres(t, url), openPostgres(t, url)
	require.NoError(t, one.Migrate(t.Context()))
	first, _ := newHub(t, one)
	second, _ := newHub(t, other)
	here, there := watch(t, first), watch(t, second)
	a := accept(t, one, acceptance("Arrival", "ops"))
	for _, changes := range []<-chan live.Change{here, there} {
		told(t, changes, live.Deliveries, a.Deliveries[0].ID.String())
	}
	settle(t, other, a.Deliveries[0].ID, event.Delivered)
	for _, changes := range []<-chan live.Change{here, there} {
		told(t, changes, live.Deliveries, a.Deliveries[0].ID.String())
	}
	require.NoError(t, other.Hold(t.Context(), "chat", store.HoldBreaker, "503"))
	for _, changes := range []<-chan live.Change{here, there} {
		told(t, changes, live.Targets, "chat")
	}
}

func TestNobodyWatches(t *testing.T) {
	t.Parallel()
	counted := &unsteady{Store: openSQLite(t)}
	h, _ := newHub(t, counted)
	require.Zero(t, counted.count())
	ctx, leave := context.WithCancel(t.Context())
	changes, err := h.Watch(ctx)
	require.NoError(t, err)
	next(t, changes)
	leave()
	_, open := <-changes
	require.False(t, open)
	require.Eventually(t, func() bool {
		looks := counted.count()
		time.Sleep(50 * time.Millisecond) // some looks long
		return counted.count() == looks
	}, waitTimeout, time.Millisecond, "it does not end to look")
	watch(t, h) // it begins again
}

func TestWatchersAreBounded(t *testing.T) {
	t.Parallel()
	h, _ := newHub(t, openSQLite(t))
	ctx, leave := context.WithCancel(t.Context())
	first, err := h.Watch(ctx)
	require.NoError(t, err)
	for i := range live.MaxWatchers - 1 {
		_, err := h.Watch(as(t, i))
		require.NoError(t, err)
	}
	_, err = h.Watch(t.Context())
	require.ErrorIs(t, err, live.ErrFull)
	leave()
	for range first {
	}
	last, err := h.Watch(t.Context())
	require.NoError(t, err)

	h.Close()
	for range last {
	}
	_, err = h.Watch(t.Context())
	require.ErrorIs(t, err, live.ErrClosed)
	h.Close()
}

// TestOneLeavesPlacesToOthers has somebody who opens as many streams as there may be.
func TestOneLeavesPlacesToOthers(t *testing.T) {
	t.Parallel()
	h, _ := newHub(t, openSQLite(t))
	for range live.MaxOfOne {
		_, err := h.Watch(as(t, 1))
		require.NoError(t, err)
	}
	_, err := h.Watch(as(t, 1))
	require.ErrorIs(t, err, live.ErrFull)
	_, err = h.Watch(as(t, 2))
	require.NoError(t, err)
}

// as is a request of one of several principals.
func as(t *testing.T, i int) context.Context {
	t.Helper()
	return admin.WithPrincipal(t.Context(), admin.Principal{Name: strconv.Itoa(i), Via: admin.ViaToken, Role: config.RoleView})
}

// TestOutage has a database that is away for a while.
func TestOutage(t *testing.T) {
	t.Parallel()
	s := openSQLite(t)
	away := &unsteady{Store: s, err: errors.New("database is away")}
	h, p := newHub(t, away)
	changes, err := h.Watch(t.Context())
	require.NoError(t, err)
	require.Eventually(t, func() bool { return away.count() > 3 }, waitTimeout, time.Millisecond)
	require.Empty(t, changes)
	away.fail(nil)
	require.Equal(t, live.Change{Topic: live.Resync}, next(t, changes))

	away.fail(errors.New("database is away"))
	looks := away.count()
	require.Eventually(t, func() bool { return away.count() > looks+3 }, waitTimeout, time.Millisecond)
	accept(t, s, acceptance("Arrival", "ops"))
	away.fail(nil)
	require.Equal(t, live.Change{Topic: live.Resync}, next(t, changes), "something was missed, maybe")
	p.change(func() {
		require.Regexp(t, `(?s)^[^\n]+database is away"?\n[^\n]+database is away"?\n$`, p.log.String(), "one line for each outage")
	})
}

func letterIDs(a *store.Acceptance) (ids []uuid.UUID) {
	for _, d := range a.Deliveries {
		ids = append(ids, d.ID)
	}
	return ids
}
