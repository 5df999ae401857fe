package deliver

import (
	"context"
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// accepted is what an endpoint answers that has to prove what it accepted.
func accepted(after time.Duration) host.Outcome {
	return host.Outcome{Class: sdk.ClassOK, Receipt: sdk.Receipt{
		MessageID: "item-1", State: []byte("state"), Status: 202, VerifyAfter: after, Waits: "the server has 1 of 2 files",
	}}
}

func proven() host.Outcome {
	return host.Outcome{Class: sdk.ClassOK, Receipt: sdk.Receipt{MessageID: "item-2", State: []byte("end"), Status: 200}}
}

func notYet(waits string) host.Outcome {
	return host.Outcome{Class: sdk.ClassOK, Receipt: sdk.Receipt{State: []byte("next"), VerifyAfter: time.Millisecond, Waits: waits}}
}

// script answers attempts and questions in turn, each with the last of its list in the end.
func script(attempts, answers []host.Outcome) func(context.Context, call) host.Outcome {
	turn := make(chan [2]int, 1)
	turn <- [2]int{}
	return func(_ context.Context, c call) host.Outcome {
		at := <-turn
		defer func() { turn <- at }()
		list, i := attempts, &at[0]
		if c.asked != nil {
			list, i = answers, &at[1]
		}
		*i++
		return list[min(*i, len(list))-1]
	}
}

// asks are the questions among the calls for a delivery.
func (p *plugins) asks(id uuid.UUID) []call {
	var asks []call
	for _, c := range p.of(id) {
		if c.asked != nil {
			asks = append(asks, c)
		}
	}
	return asks
}

// TestProof brings a delivery to an endpoint that has to prove what it accepted.
func TestProof(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		r.plugins.answers(script([]host.Outcome{accepted(20 * time.Millisecond)}, []host.Outcome{notYet("1 of 2"), notYet("still 1 of 2"), proven()}))
		r.start()
		id := r.accept("ops")[0]
		d, attempts := r.await(id, event.Delivered)
		r.awaitNoJobs()

		require.Equal(t, 1, d.Attempts, "questions are no attempts")
		require.Equal(t, "item-2", d.MessageID)
		require.Equal(t, []byte("end"), d.Receipt)
		require.Empty(t, d.Reason)
		require.Equal(t, 3, d.Proof.Asks)
		require.Equal(t, proveWithin, d.Proof.Within)
		require.False(t, d.Proof.AcceptedAt.IsZero())

		require.Len(t, attempts, 3, "the acceptance, the last that was not proven, and the proof")
		require.True(t, attempts[0].Counted)
		require.Equal(t, 1, attempts[0].Number)
		require.Equal(t, "the server has 1 of 2 files", attempts[0].Message)
		require.Equal(t, 2, attempts[1].Ask)
		require.Equal(t, "still 1 of 2", attempts[1].Message)
		require.False(t, attempts[1].Counted)
		require.Equal(t, 3, attempts[2].Ask)
		require.Equal(t, 200, attempts[2].Status)

		asks := r.plugins.asks(id)
		require.Len(t, asks, 3)
		require.Equal(t, &sdk.Receipt{MessageID: "item-1", State: []byte("state")}, asks[0].asked)
		require.Equal(t, &sdk.Receipt{MessageID: "item-1", State: []byte("next")}, asks[1].asked)
		require.Equal(t, 1, asks[0].delivery.Attempt)
		require.NotEmpty(t, asks[0].delivery.Events)
		require.False(t, asks[2].final)
	})
}

// composer makes events of what targets hand back, owed to one target.
type composer struct{ to string }

func (c composer) Compose(_, source string, back host.HandedBack) (*store.Acceptance, error) {
	a := &store.Acceptance{Event: event.Event{
		ID: event.NewID(), Source: source, State: event.Routed, Origin: sdk.OriginTarget, ReceivedAt: time.Now(), Type: back.Event.Type,
		Title: back.Event.Title, CorrelationKey: back.Event.CorrelationKey, Normalized: back.JSON,
	}}
	a.Owe(c.to, "back", event.Grouping{})
	return a, nil
}

func handing(o host.Outcome, titles ...string) host.Outcome {
	for _, title := range titles {
		e := sdk.Event{Type: sdk.TypeLibraryAvailable, Title: title, CorrelationKey: "story", Source: "radarr"}
		raw, _ := json.Marshal(e)
		o.Events = append(o.Events, host.HandedBack{Event: e, JSON: raw})
	}
	return o
}

// TestHandedBack has a target tell something with each kind of answer.
func TestHandedBack(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		r.targets = append(r.targets, testTarget("chat"))
		r.composer = composer{to: "chat"}
		server := script(
			[]host.Outcome{handing(host.Outcome{Class: sdk.ClassRetryable, Message: "503"}, "failed"), handing(accepted(time.Millisecond), "taken")},
			[]host.Outcome{handing(notYet("wait"), "half"), handing(proven(), "there", "there too")},
		)
		r.plugins.answers(func(ctx context.Context, c call) host.Outcome {
			if c.target == "chat" {
				return handing(host.Outcome{Class: sdk.ClassOK}, "for ever")
			}
			return server(ctx, c)
		})
		r.start()
		r.await(r.accept("ops")[0], event.Delivered)
		r.awaitNoJobs()
		var told []string
		for _, c := range r.plugins.of(uuid.Nil) {
			if c.target == "chat" {
				var e sdk.Event
				require.NoError(t, json.Unmarshal(c.delivery.Events[0], &e))
				told = append(told, e.Title)
			}
		}
		require.ElementsMatch(t, []string{"failed", "taken", "half", "there", "there too"}, told, "each once, and nothing of what the chat hands back")
		require.Equal(t, 5, r.count("SELECT count(*) FROM events WHERE origin = 'target'"))
	})
}

// TestProofIsGivenUp in time, with what is missing, and asks once more for it.
func TestProofIsGivenUp(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		taken := accepted(time.Millisecond)
		taken.Receipt.ProveWithin = time.Second
		r.plugins.answers(script([]host.Outcome{taken}, []host.Outcome{notYet("1 of 2 files")}))
		r.start()
		id := r.accept("ops")[0]
		d, _ := r.await(id, event.Dead)
		require.Equal(t, "not proven within 1s: 1 of 2 files", d.Reason)
		r.awaitNoJobs()
		asks := r.plugins.asks(id)
		require.Greater(t, len(asks), 1)
		for i, c := range asks {
			require.Equal(t, i == len(asks)-1, c.final, "question %d", i)
		}
		require.Equal(t, len(asks), d.Proof.Asks)
	})
}

// TestLastQuestionComesBeforeMaxAge where a proof may take as long as a delivery may wait.
func TestLastQuestionComesBeforeMaxAge(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		r.targets[0].Retry.MaxAge = 1500 * time.Millisecond
		r.plugins.answers(script([]host.Outcome{accepted(time.Millisecond)}, []host.Outcome{notYet("1 of 2 files")}))
		r.start()
		id := r.accept("ops")[0]
		d, _ := r.await(id, event.Dead)
		require.Equal(t, "not proven within 1.5s: 1 of 2 files", d.Reason)
		asks := r.plugins.asks(id)
		require.True(t, asks[len(asks)-1].final)
		r.awaitNoJobs()
	})
}

// TestRedeliver has what was lost attempted again, and proven then.
func TestRedeliver(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		lost := host.Outcome{Class: sdk.ClassRetryable, Redeliver: true, Message: "the scan was lost"}
		r.plugins.answers(script([]host.Outcome{accepted(time.Millisecond)}, []host.Outcome{notYet("wait"), lost, proven()}))
		r.start()
		id := r.accept("ops")[0]
		d, attempts := r.await(id, event.Delivered)
		require.Equal(t, 2, d.Attempts)
		require.Equal(t, 1, d.Proof.Asks, "of the second attempt")
		type row struct {
			number, ask int
			counted     bool
		}
		var rows []row
		for _, a := range attempts {
			rows = append(rows, row{a.Number, a.Ask, a.Counted})
		}
		require.Equal(t, []row{{1, 0, true}, {1, 1, false}, {1, 2, false}, {2, 0, true}, {2, 1, false}}, rows)
		r.awaitNoJobs()
	})
}

// TestTroubleWhileProving holds the target as attempts do, and proves what waits in the end,
// however long that takes.
func TestTroubleWhileProving(t *testing.T) {
	t.Parallel()

	for _, tt := range []struct {
		name    string
		trouble host.Outcome
		hold    store.HoldKind
	}{
		{"misconfigured", host.Outcome{Class: sdk.ClassMisconfigured, Message: "401"}, store.HoldMisconfigured},
		{"breaker", host.Outcome{Class: sdk.ClassRetryable, Message: "503"}, store.HoldBreaker},
		{"throttled", host.Outcome{Class: sdk.ClassThrottled, RetryAfter: time.Hour}, store.HoldThrottled},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			databases(t, func(t *testing.T, url string) {
				r := newRig(t, url)
				taken := accepted(time.Millisecond)
				taken.Receipt.ProveWithin = 10 * time.Minute
				r.plugins.answers(script([]host.Outcome{taken}, []host.Outcome{notYet("wait"), tt.trouble}))
				r.start()
				id := r.accept("ops")[0]
				h := r.awaitHold("ops", tt.hold)
				require.Equal(t, id, r.plugins.of(uuid.Nil)[0].id(t))
				d, _ := r.await(id, event.Verifying)
				require.Equal(t, 1, d.Attempts)
				require.NotEmpty(t, h.Reason)

				r.plugins.answers(script(nil, []host.Outcome{notYet("still"), proven()}))
				// Longer than the proof may take, in which nobody can ask. What is held longer than
				// the greatest age is given up, and a throttle lasts for an hour.
				past := time.Hour / 2
				if tt.hold == store.HoldThrottled {
					past = time.Hour
				}
				r.exec("UPDATE deliveries SET " + r.earlier("due_at", past) + ", " + r.earlier("prove_by", past))
				if tt.hold == store.HoldThrottled {
					require.NoError(t, r.store.Release(t.Context(), "ops"))
				} else {
					// A probe with the trouble may be under way, and then puts off the next.
					require.Eventually(t, func() bool {
						r.probeNow()
						d, _, err := r.store.FindDelivery(t.Context(), id)
						return err == nil && d.State == event.Delivered
					}, await, 100*time.Millisecond)
				}
				d, _ = r.await(id, event.Delivered)
				require.Equal(t, 1, d.Attempts)
				require.Empty(t, r.holdOf("ops").Hold)
				r.awaitNoJobs()
			})
		})
	}
}

// id is the delivery of a call.
func (c call) id(t *testing.T) uuid.UUID {
	t.Helper()
	return uuid.MustParse(c.delivery.ID)
}

// TestPausedTargetProvesLater does not ask while an operator holds the target.
func TestPausedTargetProvesLater(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		taken := accepted(100 * time.Millisecond)
		taken.Receipt.ProveWithin = 400 * time.Millisecond
		server := script([]host.Outcome{taken}, []host.Outcome{notYet("wait"), proven()})
		r.plugins.answers(func(ctx context.Context, c call) host.Outcome {
			if c.asked == nil {
				if err := r.store.Hold(ctx, "ops", store.HoldPaused, "by an operator"); err != nil {
					t.Error(err)
				}
			}
			return server(ctx, c)
		})
		r.start()
		id := r.accept("ops")[0]
		r.await(id, event.Verifying)
		time.Sleep(time.Second) // longer than the proof may take
		require.Empty(t, r.plugins.asks(id))
		require.NoError(t, r.store.Release(t.Context(), "ops"))
		d, _ := r.await(id, event.Delivered)
		require.Equal(t, 2, d.Proof.Asks)
		require.False(t, r.plugins.asks(id)[0].final, "the pause does not count")
		require.Greater(t, d.Proof.By.Sub(d.Proof.AcceptedAt), d.Proof.Within)
	})
}

// TestCrashWhileProving suspects the delivery, as an attempt does, and is not counted.
func TestCrashWhileProving(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		crash := host.Outcome{Class: sdk.ClassUnavailable, Crashed: true, Message: "exit status 2"}
		down := host.Outcome{Class: sdk.ClassUnavailable, Message: "restarting"}
		r.plugins.answers(script([]host.Outcome{accepted(time.Millisecond)}, []host.Outcome{crash, down, proven()}))
		r.start()
		id := r.accept("ops")[0]
		d, _ := r.await(id, event.Delivered)
		require.Equal(t, 1, d.Attempts)
		require.Equal(t, 2, d.Proof.Asks, "what is down was not asked")
		asks := r.plugins.asks(id)
		require.Len(t, asks, 3)
		require.Equal(t, []bool{false, true, true}, []bool{asks[0].alone, asks[1].alone, asks[2].alone})
		r.awaitNoJobs()
	})
}

// TestProofOutlivesTheProcess is asked for by the next one.
func TestProofOutlivesTheProcess(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		r.plugins.answers(script([]host.Outcome{accepted(time.Millisecond)}, []host.Outcome{notYet("wait")}))
		r.start()
		id := r.accept("ops")[0]
		r.await(id, event.Verifying)
		require.Eventually(t, func() bool { return len(r.plugins.asks(id)) > 0 }, await, 10*time.Millisecond)
		r.stop()

		next := newRig(t, url)
		next.plugins.answers(script(nil, []host.Outcome{proven()}))
		next.exec("DELETE FROM river_job")
		next.start() // the reconciler finds what has no job
		d, _ := next.await(id, event.Delivered)
		require.Equal(t, 1, d.Attempts)
		require.Equal(t, &sdk.Receipt{MessageID: "item-1", State: []byte("next")}, next.plugins.asks(id)[0].asked)
		next.awaitNoJobs()
	})
}

// TestTargetsOfTargetsAreNotHeard: what they hand back for a group is left out only where all
// of its events came from targets.
func TestTargetsOfTargetsAreNotHeard(t *testing.T) {
	t.Parallel()

	lines := &locked{}
	w := New(Options{Composer: composer{to: "chat"}, Log: slog.New(slog.NewTextHandler(lines, nil))})
	back := handing(host.Outcome{}, "there").Events
	told, hook := event.Event{Source: "radarr", Origin: sdk.OriginTarget}, event.Event{Source: "sonarr", Origin: sdk.OriginWebhook}
	heard := func(back []host.HandedBack, events ...event.Event) []*store.Acceptance {
		s := &store.Settlement{Target: "ops"}
		w.handedBack(t.Context(), store.Work{Events: events, Event: events[0]}, s, back)
		return s.Events
	}
	require.Empty(t, heard(back, told, told))
	require.Contains(t, lines.String(), "it has only events that targets told")
	require.Equal(t, "radarr", heard(back, hook, told)[0].Event.Source, "as it says")
	require.Equal(t, "sonarr", heard(back, hook)[0].Event.Source, "it names none of the delivery's")

	many := make([]string, maxBack+1)
	for i := range many {
		many[i] = "there"
	}
	require.Len(t, heard(handing(host.Outcome{}, many...).Events, hook), maxBack)
	require.Contains(t, lines.String(), "a target tells at most 1000 at once")
	large := back[0]
	large.JSON = make([]byte, maxBackBytes+1)
	require.Empty(t, heard([]host.HandedBack{large, {JSON: []byte("{}")}}, hook))
	for _, forged := range []sdk.Type{sdk.TypeTest, sdk.TypeTargetHeld, sdk.TypeDeliveryDead} {
		require.Empty(t, heard([]host.HandedBack{{Event: sdk.Event{Type: forged, Title: "T"}, JSON: []byte("{}")}}, hook), forged)
	}
	alert := event.Event{Source: sdk.SourceHookarr, Origin: sdk.OriginHookarr}
	require.Empty(t, heard(back, alert), "under the name of Hookarr")
	require.Contains(t, lines.String(), "it is larger than 1 MiB")
	require.Contains(t, lines.String(), "it has no type or no title")
}

// TestOneWithoutProofStopsNobody: a target that takes others is not held for the one that it
// does not prove, which is given up in time.
func TestOneWithoutProofStopsNobody(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		taken := accepted(time.Millisecond)
		taken.Receipt.ProveWithin = 10 * time.Minute
		r.targets[0].Retry.MaxInterval = 300 * time.Millisecond
		r.plugins.answers(script([]host.Outcome{taken}, []host.Outcome{{Class: sdk.ClassMisconfigured, Message: "404"}}))
		r.start()
		id := r.accept("ops")[0]
		r.awaitHold("ops", store.HoldMisconfigured)
		r.plugins.answers(script([]host.Outcome{{Class: sdk.ClassOK}}, []host.Outcome{{Class: sdk.ClassMisconfigured, Message: "404"}}))
		r.await(r.accept("ops")[0], event.Delivered)
		require.Empty(t, r.holdOf("ops").Hold)
		asked := len(r.plugins.asks(id))
		require.Eventually(t, func() bool { return len(r.plugins.asks(id)) > asked+1 }, await, 10*time.Millisecond)
		require.Empty(t, r.holdOf("ops").Hold, "it is not held again")
		require.Eventually(t, func() bool { // a question that is under way writes its own time
			r.exec("UPDATE deliveries SET " + r.earlier("prove_by", time.Hour/2) + " WHERE state = 'verifying'")
			d, _, err := r.store.FindDelivery(t.Context(), id)
			return err == nil && d.State == event.Dead
		}, await, 100*time.Millisecond)
		d, _ := r.await(id, event.Dead)
		require.Equal(t, "not proven within 10m0s: 404", d.Reason)
		r.awaitNoJobs()
	})
}
