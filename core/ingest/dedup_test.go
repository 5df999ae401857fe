package ingest_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/ingest"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

func TestEqualBodyIsADuplicate(t *testing.T) {
	t.Parallel()
	for _, body := range []string{imported, "not json", "", `{"type":"unknown","title":"x"}`, `{"Skip":"no"}`} {
		b := setup(t)
		first := b.accepted(body)
		again := b.post(body)
		require.Equal(t, http.StatusOK, again.status)
		require.Equal(t, first.ID.String(), again.ID)
		require.Equal(t, 1, b.stored())
		require.InDelta(t, 1, b.metric("hookarr_events_duplicate_total", "radarr"), 0)
		require.Len(t, b.logged("duplicate dropped"), 1)
		b.accepted("another " + body)
	}
}

// Who mends what was not understood, in the sender or in the configuration, and sends it
// again, is understood.
func TestAnUnderstoodBodyRepeatsNoneThatWasNot(t *testing.T) {
	t.Parallel()
	for _, before := range []host.Decoded{
		{Invalid: "it is a form"},
		{Event: &sdk.Event{Type: sdk.TypeUnknown, Title: "generic"}},
	} {
		b := setup(t)
		b.decoder.answers(func(context.Context) (host.Decoded, error) { return before, nil })
		b.accepted(imported)
		require.Equal(t, http.StatusOK, b.post(imported).status)
		b.decoder.answers(nil)
		b.accepted(imported)
		require.Equal(t, http.StatusOK, b.post(imported).status)
		require.Equal(t, 2, b.stored())
	}
}

// What is dropped can be found in the log, by its own id and by that of what it repeats.
func TestADroppedDuplicateIsLogged(t *testing.T) {
	t.Parallel()
	var asked []*store.Acceptance
	b := setup(t, with(func(o *ingest.Options) { o.Store = &witness{Accepter: o.Store, asked: &asked} }))
	first := b.accepted(imported)
	require.Empty(t, b.logged("duplicate dropped"))
	b.post(imported)
	lines := b.logged("duplicate dropped")
	require.Len(t, lines, 1)
	repeated := asked[1].Event
	require.NotEqual(t, first.ID, repeated.ID)
	for key, want := range map[string]string{
		"level": "INFO", "source": "radarr", "type": "media.imported", "event": repeated.ID.String(), "repeats": first.ID.String(),
	} {
		require.Equal(t, want, lines[0][key], key)
	}
	require.Equal(t, event.Routed, repeated.State)
	require.JSONEq(t, imported, string(repeated.Request.Body))
}

// witness sees what is to be stored.
type witness struct {
	ingest.Accepter
	asked *[]*store.Acceptance
}

func (w *witness) Accept(ctx context.Context, a *store.Acceptance) (store.Accepted, error) {
	*w.asked = append(*w.asked, a)
	return w.Accepter.Accept(ctx, a)
}

// A sender that tells the same of the same thing again, and means it, is let to.
func TestADedupWindowOfASource(t *testing.T) {
	t.Parallel()
	failed := func(message string) string {
		return fmt.Sprintf(`{"type":"download.failed","title":"Dune","summary":%q,"fingerprint":"request 39"}`, message)
	}
	signed := func(b *bundle, body string) int {
		r := b.unsigned(body)
		require.NoError(t, b.gate.Sign(r, []byte(body), "msg_1", b.clock.Now()))
		return b.do(r).status
	}
	for window, want := range map[time.Duration]int{time.Hour: http.StatusOK, 0: http.StatusAccepted} {
		remembered := func(source config.Source) config.Source {
			source.Dedup.Window = &window
			return source
		}
		b := setup(t, withSource("radarr", remembered(hmacSource("github", secret))))
		b.accepted(failed("first"))
		require.Equal(t, want, b.post(failed("second")).status, window)
		require.Equal(t, want, b.post(failed("second")).status, "an equal body: %s", window)
		b.accepted("not json")
		require.Equal(t, want, b.post("not json").status, window)

		ids := setup(t, withSource("radarr", remembered(hmacSource("standard-webhooks", secret))))
		require.Equal(t, http.StatusAccepted, signed(ids, failed("first")))
		require.Equal(t, http.StatusOK, signed(ids, failed("second")), "a signed id is never new again")
	}
}

func TestSourcesDoNotShareKeys(t *testing.T) {
	t.Parallel()
	b := setup(t, withSource("radarr-4k", hmacSource("github", secret)))
	b.accepted(imported)
	r := b.request(imported)
	r.URL.Path = "/hooks/radarr-4k"
	require.Equal(t, http.StatusAccepted, b.do(r).status)
}

func TestConcurrentEqualBodies(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const n = 20
	replies := make([]reply, n)
	requests := make([]*http.Request, n)
	for i := range n {
		requests[i] = b.request(imported)
	}
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { replies[i] = b.do(requests[i]) })
	}
	wg.Wait()
	fresh := 0
	for _, got := range replies {
		require.Equal(t, replies[0].ID, got.ID)
		if got.status == http.StatusAccepted {
			fresh++
		} else {
			require.Equal(t, http.StatusOK, got.status)
		}
	}
	require.Equal(t, 1, fresh)
	require.Equal(t, 1, b.stored())
}

func TestRepeatedSignedID(t *testing.T) {
	t.Parallel()
	b := setup(t, withSource("radarr", hmacSource("standard-webhooks", secret)))
	signed := func(id, body string) *http.Request {
		r := b.unsigned(body)
		require.NoError(t, b.gate.Sign(r, []byte(body), id, b.clock.Now()))
		return r
	}
	const test = `{"type":"test","title":"Test"}`
	first := b.do(signed("msg_1", test))
	require.Equal(t, http.StatusAccepted, first.status)
	b.clock.advance(time.Minute)
	for _, body := range []string{test, imported} {
		again := b.do(signed("msg_1", body))
		require.Equal(t, http.StatusOK, again.status)
		require.Equal(t, first.ID, again.ID)
	}
	require.Equal(t, http.StatusAccepted, b.do(signed("msg_2", test)).status)
	require.Equal(t, 2, b.stored())

	const grabbed = `{"type":"release.grabbed","title":"Dune"}`
	request := signed("msg_3", grabbed)
	replay := request.Clone(t.Context())
	replay.Body = b.unsigned(grabbed).Body
	require.Equal(t, http.StatusAccepted, b.do(request).status)
	require.Equal(t, http.StatusOK, b.do(replay).status, "a replay inside the tolerance is a duplicate, not unauthorized")
}

// A copy of what was signed is a duplicate for as long as its time is let in, whatever
// else the copy says and whatever the source takes for a repetition.
func TestReplaysWithinTheTolerance(t *testing.T) {
	t.Parallel()
	source := config.Source{Auth: []config.Auth{{HMAC: &config.HMAC{
		Header: "X-Sig", TimestampHeader: "X-Time", IDHeader: "X-Delivery", Secrets: []sdk.Secret{secret}, Tolerance: time.Hour,
	}}}}
	source.Dedup.Window = new(time.Duration)
	b := setup(t, withSource("radarr", source))
	first := b.request(imported)
	require.NoError(t, b.gate.Sign(first, []byte(imported), "1", b.clock.Now().Add(time.Hour)))
	replay := first.Clone(t.Context())
	replay.Body = b.unsigned(imported).Body
	replay.Header.Set("X-Delivery", "2")
	require.Equal(t, http.StatusAccepted, b.do(first).status)
	b.clock.advance(2 * time.Hour)
	require.Equal(t, http.StatusOK, b.do(replay).status)
	require.Equal(t, 1, b.stored())
}

// Who signs ids and gives two messages different ones means both.
func TestSignedIDsAloneDecide(t *testing.T) {
	t.Parallel()
	b := setup(t, withSource("radarr", hmacSource("standard-webhooks", secret)))
	const twice = `{"type":"media.added","title":"Dune"}`
	require.Equal(t, http.StatusAccepted, b.post(twice).status)
	require.Equal(t, http.StatusAccepted, b.post(twice).status)
	require.Equal(t, 2, b.stored())
}

func TestUnsignedIDOnlyWhenConfigured(t *testing.T) {
	t.Parallel()
	const test = `{"type":"test","title":"Test"}`
	for header, want := range map[string]int{"": http.StatusAccepted, "X-Delivery": http.StatusOK} {
		b := setup(t, withSource("radarr", config.Source{Auth: []config.Auth{{HMAC: &config.HMAC{
			Header: "X-Sig", IDHeader: header, Secrets: []sdk.Secret{secret},
		}}}}))
		post := func() int {
			r := b.unsigned(test)
			require.NoError(t, b.gate.Sign(r, []byte(test), "", b.clock.Now()))
			r.Header.Set("X-Delivery", "42")
			return b.do(r).status
		}
		require.Equal(t, http.StatusAccepted, post())
		require.Equal(t, want, post())
	}
}

func TestTestsAreNeverDuplicates(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for range 3 {
		b.accepted(`{"type":"test","title":"Test","fingerprint":"test"}`)
	}
	require.Equal(t, 3, b.stored())
}

// What does not name what failed is not taken for a repetition.
func TestNamelessFailuresAreNoDuplicates(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for range 3 {
		b.accepted(`{"type":"import.failed","title":"A download"}`)
	}
	require.Equal(t, 3, b.stored())
}

func TestEqualFingerprintIsADuplicate(t *testing.T) {
	t.Parallel()
	b := setup(t)
	first := b.accepted(imported)
	again := b.post(`{"type":"media.imported","title":"the same in other words","fingerprint":"import:7"}`)
	require.Equal(t, http.StatusOK, again.status)
	require.Equal(t, first.ID.String(), again.ID)
}

// A health check that breaks, recovers and breaks again says so each time, with equal
// bodies and within seconds; said twice in a row, it is a repetition.
func TestHealthBreaksAgain(t *testing.T) {
	t.Parallel()
	issue := func(check string) string {
		return fmt.Sprintf(`{"type":"health.issue","title":"%[1]s","fingerprint":"%[1]s:error","correlation_key":"health:%[1]s"}`, check)
	}
	restored := func(check string) string {
		return fmt.Sprintf(`{"type":"health.restored","title":"%[1]s","fingerprint":"%[1]s:ok","correlation_key":"health:%[1]s"}`, check)
	}
	b := setup(t)
	for i, step := range []struct {
		body string
		want int
	}{
		{issue("disk"), 202},
		{issue("indexer"), 202},
		{issue("disk"), 200},
		{restored("disk"), 202},
		{restored("disk"), 200},
		{issue("disk"), 202},
		{issue("indexer"), 200},
		{restored("disk"), 202},
		{issue("disk"), 202},
	} {
		require.Equal(t, step.want, b.post(step.body).status, "step %d: %s", i, step.body)
	}
}

func TestClientGoneBeforeTheAnswer(t *testing.T) {
	t.Parallel()
	b := setup(t)
	decoding, proceed := make(chan struct{}), make(chan struct{})
	b.decoder.answers(blocked(decoding, proceed))
	sent := make(chan error, 1)
	r := b.request(imported)
	ctx, hangUp := context.WithCancel(t.Context())
	go func() {
		res, err := http.DefaultTransport.RoundTrip(r.WithContext(ctx))
		if err == nil {
			err = res.Body.Close()
		}
		sent <- err
	}()
	<-decoding
	hangUp()
	require.Error(t, <-sent)
	close(proceed)
	require.Eventually(t, func() bool { return b.stored() == 1 }, time.Minute, 5*time.Millisecond)
	b.decoder.answers(func(context.Context) (host.Decoded, error) { return host.Decoded{Skip: "late"}, nil })
	got := b.post(imported)
	require.Equal(t, http.StatusOK, got.status)
	require.NotEqual(t, uuid.Nil.String(), got.ID)
}
