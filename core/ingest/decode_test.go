package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/ingest"
	"github.com/hookarr/hookarr/core/pluginhost"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// blocked is a decoder that reports when it was reached and waits.
func blocked(reached chan<- struct{}, proceed <-chan struct{}) func(context.Context) (host.Decoded, error) {
	return func(context.Context) (host.Decoded, error) {
		close(reached)
		<-proceed
		return host.Decoded{Skip: "late"}, nil
	}
}

// redecode does what the decode job does.
func (b *bundle) redecode(e event.Event) (event.Event, error) {
	b.t.Helper()
	a, err := b.intake.Redecode(b.t.Context(), e)
	if err != nil {
		return event.Event{}, err
	}
	_, err = b.store.Resolve(b.t.Context(), a)
	require.NoError(b.t, err)
	return b.find(e.ID.String()), nil
}

func TestDecoderTroubleDefersTheEvent(t *testing.T) {
	t.Parallel()
	for name, trouble := range map[string]func(*decoder){
		"unavailable": func(d *decoder) { d.fails(fmt.Errorf("%w: restarting", pluginhost.ErrUnavailable)) },
		"crashed":     func(d *decoder) { d.fails(fmt.Errorf("%w: signal: killed", pluginhost.ErrCrashed)) },
		"bug":         func(d *decoder) { d.fails(fmt.Errorf("%w: panic: oh", pluginhost.ErrPluginBug)) },
		"nothing": func(d *decoder) {
			d.answers(func(context.Context) (host.Decoded, error) { return host.Decoded{}, nil })
		},
		"hangs": func(d *decoder) { d.hangs() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			trouble(b.decoder)
			e := b.accepted(imported)
			require.Equal(t, event.Deferred, e.State)
			require.NotEmpty(t, e.Reason)
			require.Empty(t, e.Type)
			require.InDelta(t, 1, b.metric("hookarr_events_deferred_total", "radarr"), 0)
			require.InDelta(t, 1, b.metric("hookarr_events_accepted_total", "radarr", "none"), 0)
			require.Equal(t, http.StatusOK, b.post(imported).status, "an equal body is a duplicate all the same")

			_, err := b.intake.Redecode(shortly(t), e)
			require.Error(t, err)

			b.decoder.recovers()
			e, err = b.redecode(e)
			require.NoError(t, err)
			require.Equal(t, event.Routed, e.State)
			require.Empty(t, e.Reason)
			require.Equal(t, sdk.TypeMediaImported, e.Type)
			_, deliveries, err := b.store.FindEvent(t.Context(), e.ID)
			require.NoError(t, err)
			require.Len(t, deliveries, 2)
		})
	}
}

func shortly(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	t.Cleanup(cancel)
	return ctx
}

func TestRedecode(t *testing.T) {
	t.Parallel()
	deferred := func(t *testing.T, b *bundle, body string) event.Event {
		t.Helper()
		b.decoder.fails(pluginhost.ErrUnavailable)
		e := b.accepted(body)
		b.decoder.recovers()
		return e
	}
	t.Run("undecodable", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		e, err := b.redecode(deferred(t, b, "not json"))
		require.NoError(t, err)
		require.Equal(t, event.Undecodable, e.State)
		require.Equal(t, "not JSON", e.Reason)
		require.InDelta(t, 1, b.metric("hookarr_events_undecodable_total", "radarr"), 0)
		require.Contains(t, b.log.String(), "event not understood")
	})
	t.Run("a test that nobody waits for", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		e, err := b.redecode(deferred(t, b, `{"Invalid":"of another app","Test":true}`))
		require.NoError(t, err)
		require.Equal(t, event.Undecodable, e.State)
		require.Equal(t, "of another app", e.Reason)
	})
	t.Run("skipped", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		e, err := b.redecode(deferred(t, b, `{"Skip":"unwanted"}`))
		require.NoError(t, err)
		require.Equal(t, event.Routed, e.State)
		require.Equal(t, "unwanted", e.Reason)
	})
	t.Run("duplicate", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		e := deferred(t, b, `{"type":"media.imported","title":"in other words","fingerprint":"import:7"}`)
		b.accepted(imported)
		e, err := b.redecode(e)
		require.NoError(t, err)
		require.Equal(t, event.Duplicate, e.State)
		_, deliveries, err := b.store.FindEvent(t.Context(), e.ID)
		require.NoError(t, err)
		require.Empty(t, deliveries)
	})
	t.Run("is the request as it came", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.decoder.fails(pluginhost.ErrUnavailable)
		r := b.request(imported)
		r.URL.RawQuery = "a=1&a=2&b=%26"
		got := b.do(r)
		b.decoder.recovers()
		_, err := b.redecode(b.find(got.ID))
		require.NoError(t, err)
		require.Equal(t, map[string][]string{"a": {"1", "2"}, "b": {"&"}}, map[string][]string(b.decoder.last.Query))
		require.Equal(t, "application/json", b.decoder.last.Header.Get("Content-Type"))
		require.Equal(t, now, b.decoder.last.ReceivedAt.UTC())
	})
	t.Run("of a source that is gone", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		e := deferred(t, b, imported)
		e.Source = "sonarr"
		_, err := b.redecode(e)
		require.ErrorContains(t, err, "sonarr is not configured")
	})
}

// Only a crash with nothing else under way is held against an event.
func TestCrashesAreBlamedFairly(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.decoder.fails(pluginhost.ErrUnavailable)
	bystander := b.accepted(imported)
	b.decoder.fails(pluginhost.ErrCrashed)
	culprit := b.accepted(`{"type":"media.imported","title":"poison"}`)

	_, err := b.redecode(bystander)
	require.ErrorIs(t, err, pluginhost.ErrCrashed)
	_, alone := b.decoder.counts()
	require.Zero(t, alone, "it ran beside others")

	for n := range 2 {
		for _, e := range []event.Event{bystander, culprit} {
			_, err = b.redecode(e)
			require.ErrorIs(t, err, pluginhost.ErrCrashed)
		}
		_, alone = b.decoder.counts()
		require.Equal(t, 2*(n+1), alone)
	}
	e, err := b.redecode(culprit)
	require.NoError(t, err)
	require.Equal(t, event.Undecodable, e.State, "its third crash alone; the one on arrival does not count")
	require.Equal(t, 3, e.Crashes)
	require.Contains(t, e.Reason, "crashed the decoder 3 times")

	b.decoder.recovers()
	e, err = b.redecode(bystander)
	require.NoError(t, err)
	require.Equal(t, event.Routed, e.State)
}

func TestDecoderThatTimesOutIsBypassed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	n := 0
	post := func() event.Event {
		n++
		return b.accepted(fmt.Sprintf(`{"type":"media.imported","title":"%d"}`, n))
	}
	calls := func() int {
		n, _ := b.decoder.counts()
		return n
	}
	b.decoder.hangs()
	post()
	post()
	b.decoder.recovers()
	require.Equal(t, event.Routed, post().State, "two in a row are not three")

	b.decoder.hangs()
	for range 3 {
		post()
	}
	require.Equal(t, 6, calls())
	for range 5 {
		e := post()
		require.Equal(t, event.Deferred, e.State)
		require.Contains(t, e.Reason, "3 times in a row")
	}
	require.Equal(t, 6, calls(), "nobody waits for it any more")

	b.clock.advance(2 * time.Second)
	post()
	require.Equal(t, 7, calls(), "but one request, to see whether it answers")
	post()
	require.Equal(t, 7, calls())

	b.decoder.recovers()
	require.Equal(t, event.Deferred, post().State)
	b.clock.advance(2 * time.Second)
	require.Equal(t, event.Routed, post().State)
	require.Equal(t, event.Routed, post().State)
	require.Equal(t, 16, n)
	require.Equal(t, 16, b.stored())
}

// Other errors come at once and keep nobody waiting.
func TestDecoderThatFailsAtOnceIsNotBypassed(t *testing.T) {
	t.Parallel()
	b := setup(t, with(func(o *ingest.Options) { o.DecodeTimeout = time.Minute }))
	b.decoder.fails(pluginhost.ErrUnavailable)
	for i := range 5 {
		b.accepted(fmt.Sprintf(`{"title":"%d"}`, i))
	}
	b.decoder.recovers()
	require.Equal(t, event.Routed, b.accepted(imported).State)
}

func TestSlowDatabaseIsWaitedForWithinBounds(t *testing.T) {
	t.Parallel()
	b := setup(t, with(func(o *ingest.Options) {
		o.Store = never{o.Store}
		o.AcceptTimeout = 20 * time.Millisecond
	}))
	got := b.post(imported)
	require.Equal(t, http.StatusServiceUnavailable, got.status)
}

type never struct{ ingest.Accepter }

func (never) Accept(ctx context.Context, _ *store.Acceptance) (store.Accepted, error) {
	<-ctx.Done()
	return store.Accepted{}, errors.Join(errors.New("no answer"), ctx.Err())
}
