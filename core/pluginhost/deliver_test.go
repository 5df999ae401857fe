package pluginhost

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

func TestOutcomes(t *testing.T) {
	t.Parallel()
	b := setup(t, Timing{}, "hookarr-target-chaos")
	b.start(t, b.target("chaos", "ops", nil))

	o := b.do(t.Context(), "ops", "permanent")
	require.Equal(t, sdk.ClassPermanent, o.Class)
	require.Equal(t, "never again", o.Message)
	require.Equal(t, 400, o.Receipt.Status)

	o = b.do(t.Context(), "ops", "throttled")
	require.Equal(t, sdk.ClassThrottled, o.Class)
	require.Equal(t, 90*time.Second, o.RetryAfter)

	o = b.do(t.Context(), "ops", "panic")
	require.Equal(t, sdk.ClassPluginBug, o.Class)
	require.Contains(t, o.Message, "plugin bug: target-chaos: ")

	o = b.doLate("ops", "hang")
	require.Equal(t, sdk.ClassRetryable, o.Class)
	require.Contains(t, o.Message, "plugin target-chaos timed out after ")

	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	outcome := make(chan host.Outcome, 1)
	go func() { outcome <- b.do(ctx, "ops", "wait") }()
	b.awaitSign(t, "arrived-wait")
	cancel()
	require.Equal(t, sdk.ClassInterrupted, (<-outcome).Class, "a context with a deadline that was cancelled before it")

	require.Equal(t, sdk.ClassOK, b.do(t.Context(), "ops", "fine").Class, "one process served all of it")
	require.Zero(t, b.Status()[0].Restarts)
}

func TestTimeBeforeThePluginIsNotTheEndpoints(t *testing.T) {
	t.Parallel()
	timing := quick
	timing.BackoffMin, timing.BackoffMax, timing.Ready = time.Hour, time.Hour, 2*time.Hour
	b := setup(t, timing, "hookarr-target-chaos")
	b.start(t, b.target("chaos", "ops", nil))
	require.True(t, b.do(t.Context(), "ops", "exit").Crashed)
	b.awaitState(t, "chaos", Backoff)
	s, err := b.lookup(host.KindTarget, "ops")
	require.NoError(t, err)
	passedGate := func() bool {
		if s.gate.TryAcquire(everything) {
			s.gate.Release(everything)
			return false
		}
		return true
	}
	var o host.Outcome
	late(passedGate, func(ctx context.Context) { o = b.do(ctx, "ops", "fine") })
	require.Equal(t, sdk.ClassUnavailable, o.Class)
	require.Contains(t, o.Message, "plugin target-chaos is not ready")

	_, err = b.Decode(t.Context(), "none", sdk.Request{})
	require.ErrorIs(t, err, ErrUnavailable)
}

func TestLargeDelivery(t *testing.T) {
	t.Parallel()
	b := setup(t, Timing{}, "hookarr-target-chaos")
	b.start(t, b.target("chaos", "ops", nil))
	d := delivery("size")
	large := func(n int) host.Delivery {
		d.Events = []json.RawMessage{json.RawMessage(`{"type":"test","title":"size","summary":"` + strings.Repeat("x", n) + `"}`)}
		return d
	}
	o := b.Deliver(t.Context(), "ops", large(5<<20), false)
	require.Equal(t, sdk.ClassOK, o.Class, o.Message)
	got, err := strconv.Atoi(o.Receipt.Excerpt)
	require.NoError(t, err)
	require.Greater(t, got, 5<<20)

	o = b.Deliver(t.Context(), "ops", large(65<<20), false)
	require.Equal(t, sdk.ClassPermanent, o.Class)
	require.Contains(t, o.Message, "too large for the plugin")
}

func TestAloneIsAlone(t *testing.T) {
	t.Parallel()
	b := setup(t, Timing{}, "hookarr-target-chaos")
	b.start(t, b.target("chaos", "ops", nil))
	require.Equal(t, "1", b.do(t.Context(), "ops", "peak").Receipt.Excerpt)

	// One call is under way, one wants to be alone, and more follow.
	var wg sync.WaitGroup
	wg.Go(func() { b.do(context.Background(), "ops", "wait") })
	b.awaitSign(t, "arrived-wait")
	alone := make(chan host.Outcome, 1)
	go func() { alone <- b.Deliver(context.Background(), "ops", delivery("peak"), true) }()
	s, err := b.lookup(host.KindTarget, "ops")
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		if !s.gate.TryAcquire(1) {
			return true // somebody waits at the gate
		}
		s.gate.Release(1)
		return false
	}, waitTimeout, pollInterval)
	for range 8 {
		wg.Go(func() { b.do(context.Background(), "ops", "peak") })
	}

	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	o := b.do(ctx, "ops", "fine")
	require.Equal(t, sdk.ClassUnavailable, o.Class, "who cannot pass the gate in time has not reached the endpoint")
	require.Contains(t, o.Message, "plugin target-chaos was busy")

	b.release(t)
	o = <-alone
	require.Equal(t, sdk.ClassOK, o.Class, o.Message)
	require.Equal(t, "1", o.Receipt.Excerpt, "calls that ran beside the one alone")
	wg.Wait()
}

// TestNoiseIsHarmless: what a plugin prints or logs stops neither it nor its host.
func TestNoiseIsHarmless(t *testing.T) {
	t.Parallel()
	b := setup(t, Timing{}, "hookarr-target-chaos")
	b.start(t, b.target("chaos", "ops", nil))
	for _, title := range []string{"log", "print", "hostile-log"} {
		require.Equal(t, sdk.ClassOK, b.do(t.Context(), "ops", title).Class, title)
	}
	require.Eventually(t, func() bool { return b.log.find(t, "survived") != nil }, waitTimeout, pollInterval)
	l := b.log.find(t, "careful")
	require.Equal(t, "WARN", l["level"])
	require.Equal(t, "target-chaos", l["plugin"])
	require.Equal(t, "ops", l["instance"])
	require.InDelta(t, 42, l["answer"], 0)

	require.Equal(t, sdk.ClassOK, b.do(t.Context(), "ops", "flood 20000").Class)
	require.NoError(t, b.Stop(t.Context()))
	dropped := b.log.find(t, "plugin logs too much, lines dropped")
	require.NotNil(t, dropped)
	floods := 0
	for _, l := range b.log.lines(t) {
		require.NotContains(t, l["msg"], "printed")
		if l["msg"] == "flood" {
			floods++
		}
	}
	require.Less(t, floods, 20_000)
	require.Zero(t, b.Status()[0].Restarts)
}

func TestDecode(t *testing.T) {
	t.Parallel()
	b := setup(t, quick, "hookarr-source-chaos")
	b.start(t, b.instance(host.KindSource, "chaos", "radarr", nil))
	decode := func(body string) (host.Decoded, error) {
		return b.Decode(t.Context(), "radarr", sdk.Request{ID: "e1", Method: "POST", Body: []byte(body), ReceivedAt: time.Now()})
	}
	d, err := decode("fine")
	require.NoError(t, err)
	require.Equal(t, "e1", d.Event.ID)
	require.Equal(t, "radarr", d.Event.Source)
	var published sdk.Event
	require.NoError(t, json.Unmarshal(d.JSON, &published))
	require.Equal(t, "chaos", published.App)
	published = sdk.Event{ID: published.ID, Source: published.Source, Type: published.Type, Title: published.Title, Summary: published.Summary}
	require.Equal(t, *d.Event, published)

	d, err = decode("skip")
	require.NoError(t, err)
	require.Equal(t, host.Decoded{Skip: "not interesting"}, d)
	d, err = decode("invalid")
	require.NoError(t, err)
	require.Equal(t, host.Decoded{Invalid: "not JSON", Test: true}, d)

	_, err = decode("panic")
	require.ErrorIs(t, err, ErrPluginBug)
	_, err = decode("untitled")
	require.ErrorIs(t, err, ErrPluginBug)

	b.lateAt("arrived-hang", func(ctx context.Context) {
		_, err = b.Decode(ctx, "radarr", sdk.Request{ID: "e1", Body: []byte("hang")})
	})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NotErrorIs(t, err, ErrUnavailable)

	d, err = b.DecodeAlone(t.Context(), "radarr", sdk.Request{ID: "e1", Body: []byte("fine")})
	require.NoError(t, err)
	require.Equal(t, "A test", d.Event.Title)
	_, err = decode("exit")
	require.ErrorIs(t, err, ErrCrashed)
	_, err = decode("fine")
	require.NoError(t, err)
}

func TestEventBelongsToItsRequest(t *testing.T) {
	t.Parallel()
	d := host.Decoded{
		Event: &sdk.Event{ID: "forged", Source: "forged", Type: sdk.TypeTest, Title: "A test"},
		JSON:  json.RawMessage(`{"id":"forged","source":"forged","type":"test","title":"A test","of_tomorrow":{"a":1}}`),
	}
	require.NoError(t, complete(&d, "radarr", sdk.Request{ID: "e1"}))
	require.Equal(t, "e1", d.Event.ID)
	require.Equal(t, "radarr", d.Event.Source)
	require.JSONEq(t, `{"id":"e1","source":"radarr","type":"test","title":"A test","of_tomorrow":{"a":1}}`, string(d.JSON))

	same := host.Decoded{Event: &sdk.Event{ID: "e1", Source: "radarr", Type: sdk.TypeTest, Title: "A test"}, JSON: json.RawMessage("as it came")}
	require.NoError(t, complete(&same, "radarr", sdk.Request{ID: "e1"}))
	require.Equal(t, "as it came", string(same.JSON))

	for _, e := range []sdk.Event{{Type: sdk.TypeTest}, {Title: "x"}} {
		require.Error(t, complete(&host.Decoded{Event: &e, JSON: json.RawMessage(`{}`)}, "radarr", sdk.Request{ID: "e1"}))
	}
}
