package deliver

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// storyAt is when the stories of these tests happened, on the sender's clock.
var storyAt = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

// happens stores an event of the story, which happened that many minutes after its
// beginning, and returns it with its delivery to ops.
func (r *rig) happens(typ sdk.Type, minute int, title string, g event.Grouping) (event.Event, uuid.UUID) {
	r.t.Helper()
	return r.happensIn("story", typ, minute, title, g)
}

func (r *rig) happensIn(story string, typ sdk.Type, minute int, title string, g event.Grouping) (event.Event, uuid.UUID) {
	r.t.Helper()
	id := event.NewID()
	at := storyAt.Add(time.Duration(minute) * time.Minute)
	e := event.Event{
		ID: id, Source: "radarr", State: event.Routed, Origin: sdk.OriginWebhook, ReceivedAt: time.Now(), Type: typ, Title: title,
		CorrelationKey: story, Request: event.Request{Method: "POST"},
	}
	var err error
	e.Normalized, err = json.Marshal(sdk.Event{ID: id.String(), Type: typ, Time: at, Title: title})
	require.NoError(r.t, err)
	a := &store.Acceptance{Event: e}
	a.Owe("ops", "everything", g)
	_, err = r.store.Accept(r.t.Context(), a)
	require.NoError(r.t, err)
	return e, a.Deliveries[0].ID
}

// tell is happens for an event that is delivered alone, and waits until it is.
func (r *rig) tell(typ sdk.Type, minute int, title string) (event.Event, uuid.UUID) {
	r.t.Helper()
	e, id := r.happens(typ, minute, title, event.Grouping{})
	r.await(id, event.Delivered)
	return e, id
}

// replay makes a delivery to ops of an event that is stored.
func (r *rig) replay(e event.Event, g event.Grouping) uuid.UUID {
	r.t.Helper()
	a := store.Acceptance{Event: e}
	a.Owe("ops", "everything", g)
	_, err := r.store.Operate(r.t.Context(), &store.Step{
		Action: operatorAction(store.ActionReplay), New: true, End: true, Replay: []store.Replay{{Acceptance: a, Was: event.Routed}},
	})
	require.NoError(r.t, err)
	return a.Deliveries[0].ID
}

// messages has the target post a message a call, m1 and so on, unless it is to edit one.
func (r *rig) messages() {
	var posted atomic.Int32
	r.plugins.answers(func(_ context.Context, c call) host.Outcome {
		if c.delivery.Previous != nil {
			return posts(c.delivery.Previous.MessageID)
		}
		return posts(fmt.Sprintf("m%d", posted.Add(1)))
	})
}

func posts(message string) host.Outcome {
	return host.Outcome{Class: sdk.ClassOK, Receipt: sdk.Receipt{MessageID: message}}
}

// told are the calls in short: the message that is edited, and the titles that it tells.
func (r *rig) told() []string {
	r.t.Helper()
	var all []string
	for _, c := range r.plugins.of(uuid.Nil) {
		words := []string{"post"}
		if c.delivery.Previous != nil {
			words[0] = c.delivery.Previous.MessageID
		}
		for _, raw := range c.delivery.Events {
			var e sdk.Event
			require.NoError(r.t, json.Unmarshal(raw, &e))
			words = append(words, e.Title)
		}
		all = append(all, strings.Join(words, " "))
	}
	return all
}

// stories has the target ops edit what it has told, with one worker.
func (r *rig) stories() {
	r.targets[0].Edits, r.targets[0].Groups, r.targets[0].Concurrency = true, true, 1
	r.messages()
}

// openFor is the grouping of a group that stays open for longer than a test.
func openFor(d time.Duration) event.Grouping {
	return event.Grouping{Key: "radarr/download/1", Wait: d, MaxWait: d, Max: 100}
}

func TestStoryIsEditedInPlace(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		r.stories()
		r.start()
		r.tell(sdk.TypeReleaseGrabbed, 0, "grab")
		r.tell(sdk.TypeMediaImported, 20, "two")
		r.tell(sdk.TypeMediaImported, 10, "one") // late, and a fact
		_, overtaken := r.happens(sdk.TypeManualInteractionRequired, 5, "help", event.Grouping{})
		d, attempts := r.await(overtaken, event.Superseded)
		require.Empty(t, attempts)
		require.Equal(t, "the message shows what happened later: media.imported", d.Reason)
		require.NotEqual(t, uuid.Nil, d.SupersededBy)
		_, last := r.tell(sdk.TypeMediaUpgraded, 30, "upgrade")
		require.Equal(t, []string{"post grab", "m1 grab two", "m1 grab one two", "m1 grab one two upgrade"}, r.told())
		d, _ = r.await(last, event.Delivered)
		require.Equal(t, "m1", d.MessageID)
		r.awaitNoJobs()
	})
}

// TestStoryBeginsAnew posts where an edit would reach nobody.
// TestStoryKnowsWhatADigestTold: an edit does not say that less has happened.
func TestStoryKnowsWhatADigestTold(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		r.stories()
		r.start()
		_, grab := r.tell(sdk.TypeReleaseGrabbed, 0, "grab")
		digest := event.Grouping{Key: "digest", At: time.Now(), Max: 2}
		_, told := r.happensIn("another", sdk.TypeMediaImported, 1, "elsewhere", digest)
		r.happens(sdk.TypeMediaImported, 2, "one", digest)
		r.await(told, event.Delivered)
		_, last := r.tell(sdk.TypeMediaImported, 3, "two")
		require.Equal(t, []string{"post grab", "post elsewhere one", "m1 grab one two"}, r.told())
		d, _ := r.await(last, event.Delivered)
		require.Equal(t, "edited the message of delivery "+grab.String(), d.Note)
		// The digest began no story that others would edit.
		r.happensIn("another", sdk.TypeMediaImported, 4, "new", event.Grouping{})
		require.Eventually(t, func() bool { return len(r.told()) == 4 }, await, 20*time.Millisecond)
		require.Equal(t, "post new", r.told()[3])
		r.awaitNoJobs()
	})
}

func TestStoryBeginsAnew(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		r.stories()
		r.start()
		r.tell(sdk.TypeHealthIssue, 0, "issue")
		r.tell(sdk.TypeHealthRestored, 1, "restored")
		issue, _ := r.tell(sdk.TypeHealthIssue, 2, "again")
		r.tell(sdk.TypeHealthIssue, 3, "worse")
		r.await(r.replay(issue, event.Grouping{}), event.Delivered)
		r.tell(sdk.TypeHealthRestored, 4, "well")
		r.exec("UPDATE correlations SET " + r.earlier("posted_at", editFor))
		r.tell(sdk.TypeMediaImported, 5, "hours later")
		require.Equal(t, []string{
			"post issue", "m1 issue restored", "post again", "m2 again worse", "post again", "m3 again well", "post hours later",
		}, r.told())
	})
}

// TestTargetWithoutGroupsEdits tells one event at a time, and none that is older.
func TestTargetWithoutGroupsEdits(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		r.stories()
		r.targets[0].Groups = false
		r.start()
		r.tell(sdk.TypeReleaseGrabbed, 0, "grab")
		_, two := r.tell(sdk.TypeMediaImported, 20, "two")
		_, one := r.happens(sdk.TypeMediaImported, 10, "one", event.Grouping{})
		d, _ := r.await(one, event.Superseded)
		require.Equal(t, two, d.SupersededBy)
		require.Equal(t, []string{"post grab", "m1 two"}, r.told())
	})
}

// TestMessageWithoutAnIDIsNotEdited posts each time.
func TestMessageWithoutAnIDIsNotEdited(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		r.stories()
		r.plugins.answers(nil)
		r.start()
		r.tell(sdk.TypeReleaseGrabbed, 10, "grab")
		r.tell(sdk.TypeReleaseGrabbed, 0, "late")
		r.tell(sdk.TypeMediaImported, 20, "import")
		require.Equal(t, []string{"post grab", "post late", "post import"}, r.told())
	})
}

// TestOneDeliveryHasTheMessage lets a second delivery of a story arrive during the attempt
// of the first, which fails once.
func TestOneDeliveryHasTheMessage(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		r.stories()
		r.targets[0].Concurrency = 2
		arrived, release := make(chan struct{}), make(chan struct{})
		var calls, under, most atomic.Int32
		r.plugins.answers(func(context.Context, call) host.Outcome {
			if n := under.Add(1); n > most.Load() {
				most.Store(n)
			}
			defer under.Add(-1)
			if calls.Add(1) == 1 {
				close(arrived)
				<-release
				return host.Outcome{Class: sdk.ClassRetryable, Message: "503"}
			}
			return posts("m1")
		})
		r.start()
		_, first := r.happens(sdk.TypeReleaseGrabbed, 0, "grab", event.Grouping{})
		<-arrived
		_, second := r.happens(sdk.TypeMediaImported, 10, "import", event.Grouping{})
		r.awaitWaiting(2)
		require.Empty(t, r.plugins.of(second))
		close(release)
		r.await(second, event.Delivered)
		require.Eventually(t, func() bool {
			d, _, err := r.store.FindDelivery(t.Context(), first)
			return err == nil && (d.State == event.Delivered || d.State == event.Superseded)
		}, await, 10*time.Millisecond)
		r.awaitNoJobs()
		require.EqualValues(t, 1, most.Load())
	})
}

// TestLeaseOfALostDeliveryEnds waits for it.
func TestLeaseOfALostDeliveryEnds(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		r.stories()
		lost := event.NewID()
		l, err := r.store.LeaseMessage(t.Context(), "ops", "radarr/story", lost, 2*time.Second)
		require.NoError(t, err)
		_, id := r.happens(sdk.TypeReleaseGrabbed, 0, "grab", event.Grouping{})
		r.start()
		d, _ := r.await(id, event.Delivered)
		require.False(t, d.UpdatedAt.Before(l.LeasedUntil))
	})
}

// TestInterruptedAttemptKeepsItsMessage stops a process during an attempt: the delivery has
// the message still, and the next process tells it at once.
func TestInterruptedAttemptKeepsItsMessage(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, url string) {
		first := newRig(t, url)
		first.stories()
		first.targets[0].Timeout = time.Hour
		arrived := make(chan struct{})
		first.plugins.answers(func(ctx context.Context, _ call) host.Outcome {
			close(arrived)
			<-ctx.Done()
			return host.Outcome{Class: sdk.ClassInterrupted}
		})
		first.start()
		_, id := first.happens(sdk.TypeReleaseGrabbed, 0, "grab", event.Grouping{})
		<-arrived
		first.stop()

		second := newRig(t, url)
		second.stories()
		second.start()
		second.await(id, event.Delivered)
		second.tell(sdk.TypeMediaImported, 10, "import")
		require.Equal(t, []string{"post grab", "m1 grab import"}, second.told())
	})
}

// TestGroupIsClosedAndDelivered gathers events until the group is due.
func TestGroupIsClosedAndDelivered(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		r.stories()
		r.start()
		_, group := r.happens(sdk.TypeMediaImported, 10, "two", openFor(time.Hour))
		r.happens(sdk.TypeMediaImported, 0, "one", openFor(time.Hour))
		last := openFor(time.Hour)
		last.Flush = true
		r.happens(sdk.TypeImportCompleted, 20, "end", last)
		d, _ := r.await(group, event.Delivered)
		require.Equal(t, 3, d.Members)
		require.Empty(t, d.Note)
		require.Equal(t, []string{"post one two end"}, r.told())
		r.awaitNoJobs()
	})
}

// TestHoldEndLeavesOpenGroups: the job of one comes early when a hold ends, and waits again.
func TestHoldEndLeavesOpenGroups(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		r.stories()
		require.NoError(t, r.store.Hold(t.Context(), "ops", store.HoldPaused, "a test"))
		_, group := r.happens(sdk.TypeMediaImported, 0, "one", openFor(time.Hour))
		r.start()
		require.NoError(t, r.store.Release(t.Context(), "ops"))
		require.Equal(t, 1, r.liveJobs())
		r.tell(sdk.TypeReleaseGrabbed, 10, "grab") // behind it
		require.Eventually(t, func() bool {
			return r.count("SELECT count(*) FROM river_job WHERE state = 'scheduled'") == 1
		}, await, 10*time.Millisecond)
		d, _, err := r.store.FindDelivery(t.Context(), group)
		require.NoError(t, err)
		require.True(t, d.Open())
		_, same := r.happens(sdk.TypeMediaImported, 20, "two", openFor(time.Millisecond))
		require.NotEqual(t, group, same)
		r.hasten()
		r.await(group, event.Delivered)
		require.Equal(t, []string{"post grab", "m1 one grab two"}, r.told())
	})
}

// TestGroupIsSplitForATargetOfSingleEvents delivers each event by itself.
func TestGroupIsSplitForATargetOfSingleEvents(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		r.targets[0].Concurrency = 1
		_, group := r.happens(sdk.TypeMediaImported, 0, "one", openFor(time.Millisecond))
		r.happens(sdk.TypeMediaImported, 10, "two", openFor(time.Millisecond))
		r.start()
		d, attempts := r.await(group, event.Superseded)
		require.Empty(t, attempts)
		r.await(d.SupersededBy, event.Delivered)
		r.awaitNoJobs()
		require.Equal(t, []string{"post one", "post two"}, r.told())
	})
}

// TestGroupWaitsForItsPluginsWord is of a plugin that has not come up yet when the workers
// begin: nobody knows whether it takes groups.
func TestGroupWaitsForItsPluginsWord(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		known := r.targets[0]
		known.Groups = true
		r.targets[0].Described = false
		_, group := r.happens(sdk.TypeMediaImported, 0, "one", openFor(time.Millisecond))
		r.happens(sdk.TypeMediaImported, 10, "two", openFor(time.Millisecond))
		r.start()
		require.Eventually(t, func() bool {
			d, _, err := r.store.FindDelivery(t.Context(), group)
			return err == nil && !d.ClosedAt.IsZero()
		}, await, 10*time.Millisecond)
		r.follow(known)
		r.await(group, event.Delivered)
		require.Equal(t, []string{"post one two"}, r.told())
	})
}

// TestGroupProbesItsTarget closes an open group for the probe of a hold, and probes with a
// delivery of one of its events where the target takes no groups any more.
func TestGroupProbesItsTarget(t *testing.T) {
	t.Parallel()
	for name, groups := range map[string]bool{"whole": true, "split": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			databases(t, func(t *testing.T, url string) {
				r := newRig(t, url)
				r.targets[0].Groups = groups
				r.targets[0].Concurrency = 1
				_, group := r.happens(sdk.TypeMediaImported, 0, "one", openFor(time.Hour))
				r.happens(sdk.TypeMediaImported, 10, "two", openFor(time.Hour))
				require.NoError(t, r.store.Hold(t.Context(), "ops", store.HoldBreaker, "503"))
				r.exec("UPDATE targets SET probe_at = since")
				r.start()
				if groups {
					r.await(group, event.Delivered)
					require.Equal(t, []string{"post one two"}, r.told())
				} else {
					r.await(group, event.Superseded)
					r.awaitNoJobs()
					require.Equal(t, []string{"post one", "post two"}, r.told())
				}
				r.awaitHold("ops", "")
			})
		})
	}
}

// TestSilencedGroupProbesNothing leaves what is silenced out of a probe, too.
func TestSilencedGroupProbesNothing(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		r.targets[0].Groups = true
		r.silence(`event.title == "one"`)
		_, group := r.happens(sdk.TypeMediaImported, 0, "one", openFor(time.Hour))
		r.happens(sdk.TypeMediaImported, 10, "two", openFor(time.Hour))
		require.NoError(t, r.store.Hold(t.Context(), "ops", store.HoldBreaker, "503"))
		r.exec("UPDATE targets SET probe_at = since")
		r.start()
		d, _ := r.await(group, event.Delivered)
		require.Equal(t, []string{"post two"}, r.told())
		require.Contains(t, d.Note, "without 1 of its events")
	})
}

// TestSilencedGroupIsClosedFirst: what joins it meanwhile would be given up unheard.
func TestSilencedGroupIsClosedFirst(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		r.targets[0].Groups = true
		n := r.silence("true")
		_, group := r.happens(sdk.TypeMediaImported, 0, "one", openFor(time.Millisecond))
		r.start()
		d, _ := r.await(group, event.Cancelled)
		require.False(t, d.ClosedAt.IsZero())
		require.Equal(t, 1, r.counted(n))
	})
}

// TestOvertakenProbeTellsNothing: the target is probed with another delivery at once.
func TestOvertakenProbeTellsNothing(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		r.stories()
		r.start()
		r.tell(sdk.TypeMediaImported, 10, "import")
		require.NoError(t, r.store.Hold(t.Context(), "ops", store.HoldPaused, "a test"))
		_, overtaken := r.happens(sdk.TypeReleaseGrabbed, 0, "grab", event.Grouping{})
		_, well := r.happens(sdk.TypeMediaImported, 20, "more", event.Grouping{})
		_, _, err := r.store.ChangeTarget(t.Context(), "ops", func(row *store.Target, now time.Time) []*store.Settlement {
			row.Begin(store.HoldBreaker, "503", now)
			row.ProbeAt = now
			return nil
		})
		require.NoError(t, err)
		r.await(overtaken, event.Superseded)
		r.await(well, event.Delivered)
		r.awaitHold("ops", "")
		require.Equal(t, []string{"post import", "m1 import more"}, r.told())
	})
}

// TestReplayJoinsOnce: an event that is in an open group already is told once.
func TestReplayJoinsOnce(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		r.stories()
		e, group := r.happens(sdk.TypeMediaImported, 0, "one", openFor(time.Hour))
		r.replay(e, openFor(time.Hour))
		actions, err := r.store.ActionsOf(t.Context(), e.ID, 10)
		require.NoError(t, err)
		require.Len(t, actions, 1)
		require.Equal(t, group, actions[0].DeliveryID)
		last := openFor(time.Hour)
		last.Flush = true
		r.happens(sdk.TypeImportCompleted, 20, "end", last)
		r.start()
		d, _ := r.await(group, event.Delivered)
		require.Equal(t, 2, d.Members)
		require.Empty(t, d.Note)
		require.Equal(t, []string{"post one end"}, r.told())
	})
}

// TestWeeklyDigestOutlivesItsMaxAge counts the age of a group from its closing.
func TestWeeklyDigestOutlivesItsMaxAge(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		r.targets[0].Groups = true
		weekly := event.Grouping{Key: "digest", At: time.Now().Add(-time.Second), Max: 1000}
		_, group := r.happens(sdk.TypeMediaImported, 0, "one", weekly)
		r.exec("UPDATE deliveries SET " + r.earlier("created_at", 7*24*time.Hour))
		r.start()
		r.await(group, event.Delivered)
	})
}
