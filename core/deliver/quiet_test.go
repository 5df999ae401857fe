package deliver

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/calendar"
	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// hoursAround are hours that begin and end so long from now, to the minute.
func hoursAround(begin, end time.Duration) calendar.Quiet {
	clock := func(at time.Time) calendar.Clock { return calendar.Clock(at.Hour()*60 + at.Minute()) }
	now := time.Now().UTC()
	var every calendar.Days
	for day := range time.Weekday(7) {
		every |= calendar.On(day)
	}
	return calendar.Quiet{Zone: time.UTC, Hours: []calendar.Hours{{Days: every, From: clock(now.Add(begin)), Until: clock(now.Add(end))}}}
}

// quiet has ops be quiet, and returns the target as it is without these hours.
func (r *rig) quiet() (loud Target) {
	r.targets[0].Groups, r.targets[0].Concurrency = true, 1
	loud = r.targets[0]
	r.targets[0].Quiet = hoursAround(-time.Hour, 2*time.Hour)
	r.digests()
	return loud
}

// digests has the store ask the plan for digests, as the application does.
func (r *rig) digests() {
	r.store.Digest = func(held store.Target) bool { return r.plan.Load().Digests(held, time.Now()) }
}

// TestQuietHoursHold begins and ends them, as a reload does.
func TestQuietHoursHold(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		lines := &locked{}
		r.log = slog.New(slog.NewTextHandler(lines, nil))
		loud := r.quiet()
		ids := []uuid.UUID{r.accept("ops")[0], r.accept("ops")[0]}
		r.start()
		h := r.awaitHold("ops", store.HoldQuiet)
		until, ok := r.targets[0].Quiet.In(time.Now())
		require.True(t, ok)
		require.True(t, until.Equal(h.Until), h.Until)

		longer := r.targets[0]
		longer.Quiet = hoursAround(-time.Hour, 3*time.Hour)
		r.follow(longer)
		require.Eventually(t, func() bool { return r.holdOf("ops").Until.After(until.Add(30 * time.Minute)) }, await, 10*time.Millisecond)
		ids = append(ids, r.accept("ops")[0])
		require.Empty(t, r.plugins.of(uuid.Nil))

		r.follow(loud)
		for _, id := range ids {
			r.await(id, event.Delivered)
		}
		require.Equal(t, ids, r.order(0), "each by itself, and in order")
		require.Zero(t, r.holdOf("ops"))
		require.NotContains(t, lines.String(), "level=WARN")
		require.NotContains(t, lines.String(), "on hold")
	})
}

// locked is a log that several write.
type locked struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *locked) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// TestQuietHoursHoldWithoutAKeeper: the gate knows them, too.
func TestQuietHoursHoldWithoutAKeeper(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		r.wrapKept = func(k KeeperStore) KeeperStore { return deaf{k} }
		loud := r.quiet()
		id := r.accept("ops")[0]
		r.start()
		r.awaitWaiting(1)
		require.Empty(t, r.plugins.of(id))
		r.follow(loud)
		r.await(id, event.Delivered)
	})
}

// deaf is a database that tells no keeper of the targets.
type deaf struct{ KeeperStore }

func (deaf) ListTargets(context.Context) ([]store.Target, time.Time, error) {
	return nil, time.Time{}, errors.New("no targets here")
}

// TestQuietHoursEndInADigest of what came in them.
func TestQuietHoursEndInADigest(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		loud := r.quiet()
		loud.DigestQuiet, r.targets[0].DigestQuiet = true, true
		r.start()
		r.awaitHold("ops", store.HoldQuiet)
		_, one := r.happens(sdk.TypeMediaImported, 0, "one", event.Grouping{})
		_, two := r.happens(sdk.TypeMediaImported, 10, "two", event.Grouping{})
		weekly := event.Grouping{Key: event.DigestKey, At: time.Now().Add(time.Hour), Max: 1000}
		_, later := r.happens(sdk.TypeMediaImported, 20, "weekly", weekly)
		r.awaitWaiting(0) // what a worker has goes out alone
		r.follow(loud)
		d, _ := r.await(one, event.Superseded)
		r.await(two, event.Superseded)
		digest, _ := r.await(d.SupersededBy, event.Delivered)
		require.Equal(t, 2, digest.Members)
		r.await(later, event.Pending)
		require.Equal(t, []string{"post one two"}, r.told())
		require.Equal(t, 1, r.liveJobs(), "that of the weekly digest")
	})
}

// TestQuietHoursDrop gives up what came in them, also of a group, but for what an operator
// retries.
func TestQuietHoursDrop(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		r.targets[0].Groups, r.targets[0].Drop, r.targets[0].Quiet = true, true, hoursAround(-time.Hour, -30*time.Minute)
		id := r.accept("ops")[0]
		r.exec("UPDATE deliveries SET " + r.earlier("created_at", 45*time.Minute))
		_, group := r.happens(sdk.TypeMediaImported, 0, "before", openFor(time.Millisecond))
		r.happens(sdk.TypeMediaImported, 10, "in them", openFor(time.Millisecond))
		r.happens(sdk.TypeMediaImported, 20, "after", openFor(time.Millisecond))
		r.exec("UPDATE events SET " + r.earlier("received_at", 2*time.Hour) + " WHERE title = 'before'")
		r.exec("UPDATE events SET " + r.earlier("received_at", 45*time.Minute) + " WHERE title = 'in them'")
		r.start()
		d, attempts := r.await(id, event.Cancelled)
		require.Equal(t, "it came in quiet hours", d.Reason)
		require.Empty(t, attempts)
		d, _ = r.await(group, event.Delivered)
		require.Equal(t, "without 1 of its events, which are silenced or came in quiet hours", d.Note)
		require.Equal(t, []string{"post before after"}, r.told())

		retry := &store.Step{Action: operatorAction(store.ActionRetry), New: true, End: true, Retry: []uuid.UUID{id}}
		_, err := r.store.Operate(t.Context(), retry)
		require.NoError(t, err)
		r.await(id, event.Delivered)
	})
}

// TestQuietHoursDropAtOnce: what comes in them need not wait for their end.
func TestQuietHoursDropAtOnce(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		r.wrapKept = func(k KeeperStore) KeeperStore { return deaf{k} }
		r.quiet()
		r.targets[0].Drop = true
		r.start()
		r.await(r.accept("ops")[0], event.Cancelled)
		require.Empty(t, r.plugins.of(uuid.Nil))
	})
}

// TestQuietHoursLeaveOtherHolds: a target that is held already is not probed in them, and a
// pause outlasts them.
func TestQuietHoursLeaveOtherHolds(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		loud := r.quiet()
		id := r.accept("ops")[0]
		require.NoError(t, r.store.Hold(t.Context(), "ops", store.HoldBreaker, "503"))
		r.exec("UPDATE targets SET probe_at = since")
		r.targets = append(r.targets, r.targets[0])
		r.targets[1].Name = "chat"
		r.start()
		r.awaitHold("chat", store.HoldQuiet)
		require.NoError(t, r.store.Hold(t.Context(), "chat", store.HoldPaused, "by an operator"))
		h := r.holdOf("ops")
		require.Equal(t, store.HoldBreaker, h.Hold)
		require.Zero(t, h.Probes)
		require.Empty(t, r.plugins.of(uuid.Nil))

		other := loud
		other.Name = "chat"
		r.follow(loud, other)
		r.await(id, event.Delivered)
		require.Equal(t, store.HoldPaused, r.holdOf("chat").Hold)
	})
}

// TestQuarantineAfterQuietHours holds a target whose plugin was given up in them.
func TestQuarantineAfterQuietHours(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		loud := r.quiet()
		r.quarantine = r.plugins.givenUp("ops")
		r.start()
		r.awaitHold("ops", store.HoldQuiet)
		r.plugins.set(false)
		r.accept("ops")
		r.follow(loud)
		r.awaitHold("ops", store.HoldQuarantined)
	})
}

// TestHoldEndsInADigest whichever way it ends. What probed the target, and what it was held
// for, stay by themselves.
func TestHoldEndsInADigest(t *testing.T) {
	t.Parallel()
	type ids struct{ accused, probe, one, two uuid.UUID }
	for name, end := range map[string]func(r *rig, all ids){
		"release": func(r *rig, _ ids) { require.NoError(r.t, r.store.Release(r.t.Context(), "ops")) },
		"operator": func(r *rig, _ ids) {
			a := operatorAction(store.ActionResume)
			a.Args.Target = "ops"
			_, _, err := r.store.OperateTarget(r.t.Context(), a, func(t *store.Target, _ time.Time) error { t.Free(); return nil })
			require.NoError(r.t, err)
		},
		"time": func(r *rig, _ ids) { r.exec("UPDATE targets SET until = since") },
		"probe": func(r *rig, all ids) {
			r.exec("UPDATE targets SET probes = 5, probe_at = since, witnessed = (1 = 1)")
			r.await(all.probe, event.Delivered)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			databases(t, func(t *testing.T, url string) {
				r := newRig(t, url)
				r.targets[0].Groups, r.targets[0].DigestAfter, r.targets[0].Concurrency = true, time.Minute, 1
				r.digests()
				var all ids
				_, all.probe = r.happens(sdk.TypeMediaImported, 0, "probe", event.Grouping{})
				_, all.accused = r.happens(sdk.TypeMediaImported, 0, "accused", event.Grouping{})
				_, all.one = r.happens(sdk.TypeMediaImported, 10, "one", event.Grouping{})
				_, all.two = r.happens(sdk.TypeMediaImported, 20, "two", openFor(time.Hour))
				r.happens(sdk.TypeMediaImported, 30, "three", openFor(time.Hour))
				_, _, err := r.store.ChangeTarget(t.Context(), "ops", func(row *store.Target, now time.Time) []*store.Settlement {
					row.Begin(store.HoldMisconfigured, "404", now.Add(-time.Hour))
					row.Accused, row.Witnessed = all.accused, true
					return nil
				})
				require.NoError(t, err)
				r.start()
				end(r, all)
				r.awaitHold("ops", "")
				d, _ := r.await(all.one, event.Superseded)
				r.await(all.two, event.Superseded)
				r.await(all.accused, event.Delivered)
				digest, _ := r.await(d.SupersededBy, event.Delivered)
				r.awaitNoJobs()
				probe, _, err := r.store.FindDelivery(t.Context(), all.probe)
				require.NoError(t, err)
				want, members := "post probe one two three", 4
				if name == "probe" {
					want, members = "post one two three", 3
					require.Equal(t, event.Delivered, probe.State)
				}
				require.Contains(t, r.told(), want)
				require.Contains(t, r.told(), "post accused")
				require.Equal(t, members, digest.Members)
			})
		})
	}
}

// TestProbeIsNoPartOfADigest: an operator resumes the target while it is probed.
func TestProbeIsNoPartOfADigest(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		r.targets[0].Groups, r.targets[0].DigestAfter = true, time.Nanosecond
		r.digests()
		arrived, release := make(chan struct{}), make(chan struct{})
		var once sync.Once
		r.plugins.answers(func(_ context.Context, _ call) host.Outcome {
			once.Do(func() { close(arrived); <-release })
			return host.Outcome{Class: sdk.ClassOK}
		})
		_, probe := r.happens(sdk.TypeMediaImported, 0, "probe", event.Grouping{})
		_, one := r.happens(sdk.TypeMediaImported, 10, "one", event.Grouping{})
		_, two := r.happens(sdk.TypeMediaImported, 20, "two", event.Grouping{})
		require.NoError(t, r.store.Hold(t.Context(), "ops", store.HoldBreaker, "503"))
		r.exec("UPDATE targets SET probe_at = since")
		r.start()
		<-arrived
		require.NoError(t, r.store.Release(t.Context(), "ops"))
		d, _ := r.await(one, event.Superseded)
		r.await(two, event.Superseded)
		close(release)
		r.await(probe, event.Delivered)
		r.await(d.SupersededBy, event.Delivered)
		r.awaitNoJobs()
		require.Equal(t, []string{"post probe", "post one two"}, r.told())
	})
}

// TestCrashSuspectsAreNoPartOfADigest: what may crash the plugin goes alone.
func TestCrashSuspectsAreNoPartOfADigest(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		r.targets[0].Groups, r.targets[0].DigestAfter, r.targets[0].Concurrency = true, time.Nanosecond, 1
		r.digests()
		require.NoError(t, r.store.Hold(t.Context(), "ops", store.HoldPaused, "a test"))
		_, suspect := r.happens(sdk.TypeMediaImported, 0, "suspect", event.Grouping{})
		r.exec("UPDATE deliveries SET suspect = (1 = 1)")
		_, one := r.happens(sdk.TypeMediaImported, 10, "one", event.Grouping{})
		r.happens(sdk.TypeMediaImported, 20, "two", event.Grouping{})
		r.start()
		require.NoError(t, r.store.Release(t.Context(), "ops"))
		r.await(suspect, event.Delivered)
		d, _ := r.await(one, event.Superseded)
		r.await(d.SupersededBy, event.Delivered)
		require.Equal(t, []string{"post suspect", "post one two"}, r.told())
	})
}
