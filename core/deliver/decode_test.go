package deliver

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/ingest"
	"github.com/hookarr/hookarr/core/pluginhost"
	"github.com/hookarr/hookarr/core/route"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// decoder is a source plugin for which "poison" is deadly and the rest is an import.
type decoder struct {
	mu sync.Mutex
	// down: no call reaches the plugin.
	down  bool
	calls map[string][]bool // of each body: whether alone
}

func (d *decoder) Decode(_ context.Context, _ string, r sdk.Request) (host.Decoded, error) {
	return d.decode(r, false)
}

func (d *decoder) DecodeAlone(_ context.Context, _ string, r sdk.Request) (host.Decoded, error) {
	return d.decode(r, true)
}

func (d *decoder) decode(r sdk.Request, alone bool) (host.Decoded, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.down {
		return host.Decoded{}, pluginhost.ErrUnavailable
	}
	body := string(r.Body)
	d.calls[body] = append(d.calls[body], alone)
	// A crash takes with it who is decoded beside.
	if body == "poison" || body == "bystander" && !alone {
		return host.Decoded{}, pluginhost.ErrCrashed
	}
	return host.Decoded{Event: &sdk.Event{
		ID: r.ID, Type: sdk.TypeMediaImported, Title: body, Summary: body, Fingerprint: strings.TrimSuffix(body, " again"),
	}}, nil
}

func (d *decoder) setDown(down bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.down = down
}

func (d *decoder) of(body string) []bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]bool(nil), d.calls[body]...)
}

type toOps struct{}

func (toOps) Flushes(string, *sdk.Event, []byte) []event.GroupRef { return nil }

func (toOps) Match(string, *sdk.Event, []byte) []route.Match {
	return []route.Match{{Route: "everything", Target: "ops"}}
}

// deferEvent stores an event that was not decoded on arrival.
func (r *rig) deferEvent(body string) uuid.UUID { return r.deferFrom("radarr", body) }

func (r *rig) deferFrom(source, body string) uuid.UUID {
	r.t.Helper()
	id := event.NewID()
	_, err := r.store.Accept(r.t.Context(), &store.Acceptance{Event: event.Event{
		ID: id, Source: source, State: event.Deferred, Origin: sdk.OriginWebhook, ReceivedAt: time.Now(),
		Request: event.Request{Method: "POST", Body: []byte(body)},
	}})
	require.NoError(r.t, err)
	return id
}

// awaitEvent waits until an event is in a state, and makes jobs that wait due.
func (r *rig) awaitEvent(id uuid.UUID, state event.State) (event.Event, []event.Delivery) {
	r.t.Helper()
	var e event.Event
	var deliveries []event.Delivery
	require.Eventually(r.t, func() bool {
		r.hasten()
		var err error
		e, deliveries, err = r.store.FindEvent(r.t.Context(), id)
		return err == nil && e.State == state
	}, await, 20*time.Millisecond, "event is not %s", state)
	return e, deliveries
}

// redecoder is a real intake of sources.
func redecoder(r *rig, d ingest.Decoder, sources ...string) *ingest.Intake {
	known := map[string]ingest.Source{}
	for _, name := range sources {
		known[name] = ingest.Source{}
	}
	g := ingest.NewGeneration(known, toOps{})
	return ingest.New(ingest.Options{
		Generation: func() *ingest.Generation { return g }, Decoder: d, Store: r.store, Log: slog.New(slog.DiscardHandler),
	})
}

// newDecodeRig has a real intake before the scripted decoder.
func newDecodeRig(t *testing.T, url string) (*rig, *decoder) {
	t.Helper()
	r := newRig(t, url)
	d := &decoder{calls: map[string][]bool{}}
	r.redecoder = redecoder(r, d, "radarr")
	return r, d
}

// TestDeferredEventsAreDecodedLater waits for the decoder, and finds what repeats.
func TestDeferredEventsAreDecodedLater(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		r, d := newDecodeRig(t, url)
		d.setDown(true)
		first := r.deferEvent("import")
		r.start()
		require.Eventually(t, func() bool {
			return r.count("SELECT count(*) FROM river_job WHERE metadata->>'snoozes' IS NOT NULL") == 1
		}, await, 10*time.Millisecond, "the decoder was not tried")
		d.setDown(false)
		e, deliveries := r.awaitEvent(first, event.Routed)
		require.Equal(t, "import", e.Title)
		require.Len(t, deliveries, 1)
		r.await(deliveries[0].ID, event.Delivered)

		e, deliveries = r.awaitEvent(r.deferEvent("import again"), event.Duplicate)
		require.Contains(t, e.Reason, first.String())
		require.Empty(t, deliveries)
		r.awaitNoJobs()
		require.Len(t, r.plugins.of(uuid.Nil), 1)
	})
}

// TestEventThatCrashesItsDecoderIsUndecodable convicts the culprit alone.
func TestEventThatCrashesItsDecoderIsUndecodable(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		r, d := newDecodeRig(t, url)
		poison, bystander := r.deferEvent("poison"), r.deferEvent("bystander")
		r.start()
		e, deliveries := r.awaitEvent(poison, event.Undecodable)
		require.Contains(t, e.Reason, "crashed the decoder 3 times")
		require.Equal(t, 3, e.Crashes)
		require.Equal(t, "poison", string(e.Request.Body))
		require.Empty(t, deliveries)
		require.Equal(t, []bool{false, true, true, true}, d.of("poison"))

		_, deliveries = r.awaitEvent(bystander, event.Routed)
		require.Equal(t, []bool{false, true}, d.of("bystander"))
		r.await(deliveries[0].ID, event.Delivered)
		r.awaitNoJobs()
	})
}

// TestHungDecoderStarvesNobody has the decoder of one source hang: the events of another
// are decoded, and those of a source that left the configuration wait untouched.
func TestHungDecoderStarvesNobody(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		r, d := newDecodeRig(t, url)
		hung := make(chan struct{})
		defer close(hung)
		r.sources = []string{"radarr", "sonarr"}
		r.redecoder = redecoder(r, hangingFor{decoder: d, source: "sonarr", until: hung}, "radarr", "sonarr")
		for range 3 {
			r.deferFrom("sonarr", "hangs")
		}
		gone := r.deferFrom("lidarr", "gone")
		r.start()
		id := r.deferEvent("import")
		r.awaitEvent(id, event.Routed)
		e, _, err := r.store.FindEvent(t.Context(), gone)
		require.NoError(t, err)
		require.Equal(t, event.Deferred, e.State)
		require.Empty(t, d.of("gone"))
		require.Equal(t, 1, r.count("SELECT count(*) FROM river_job WHERE queue = 'decode_lidarr' AND attempt = 0"))
	})
}

// hangingFor is a decoder that does not answer for one source.
type hangingFor struct {
	*decoder
	source string
	until  <-chan struct{}
}

func (h hangingFor) Decode(ctx context.Context, source string, r sdk.Request) (host.Decoded, error) {
	if source != h.source {
		return h.decoder.Decode(ctx, source, r)
	}
	select {
	case <-ctx.Done():
	case <-h.until:
	}
	return host.Decoded{}, pluginhost.ErrUnavailable
}

// TestDecodeJobsOfLostEventsAreMadeAgain deletes the job.
func TestDecodeJobsOfLostEventsAreMadeAgain(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		r, _ := newDecodeRig(t, url)
		id := r.deferEvent("import")
		require.EqualValues(t, 1, r.exec("DELETE FROM river_job"))
		r.exec("UPDATE events SET " + r.earlier("received_at", time.Minute))
		r.start()
		r.awaitEvent(id, event.Routed)
	})
}
