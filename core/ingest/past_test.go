package ingest_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/ingest"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

func pastEvent(at time.Time) host.PastEvent {
	return host.PastEvent{
		Event:  sdk.Event{Type: sdk.TypeMediaImported, Title: "Sintel", Summary: "Imported Sintel", Time: at, Fingerprint: "file 7"},
		JSON:   []byte(`{"id":"","type":"media.imported","title":"Sintel","later":"field"}`),
		Record: []byte(`{"id":7}`),
	}
}

func TestRemember(t *testing.T) {
	t.Parallel()
	b := setup(t)
	at := time.Now().Add(-time.Hour)
	first, err := b.intake.Remember(t.Context(), "radarr", pastEvent(at), time.Minute)
	require.NoError(t, err)
	require.False(t, first.Duplicate)
	again, err := b.intake.Remember(t.Context(), "radarr", pastEvent(at), time.Minute)
	require.NoError(t, err)
	require.Equal(t, store.Accepted{EventID: first.EventID, Duplicate: true}, again)

	e, deliveries, err := b.store.FindEvent(t.Context(), first.EventID)
	require.NoError(t, err)
	require.Equal(t, sdk.OriginCatchup, e.Origin)
	require.Equal(t, []byte(`{"id":7}`), e.Request.Body)
	require.JSONEq(t, `{"id":"`+e.ID.String()+`","source":"radarr","origin":"catchup","type":"media.imported","title":"Sintel","later":"field"}`,
		string(e.Normalized))
	require.NotEmpty(t, deliveries)

	_, err = b.intake.Remember(t.Context(), "nobody", pastEvent(at), time.Minute)
	require.ErrorContains(t, err, "source nobody is not configured")
	nameless := pastEvent(at)
	nameless.Event.Fingerprint = ""
	_, err = b.intake.Remember(t.Context(), "radarr", nameless, time.Minute)
	require.ErrorContains(t, err, "event without fingerprint or title")
}

// asker counts what the intake asks of an outage.
type asker struct {
	*outage
	asked atomic.Int32
}

func (a *asker) AskCatchup(ctx context.Context, source string) error {
	a.asked.Add(1)
	return a.outage.AskCatchup(ctx, source)
}

// What was refused is not sent again, so that history is read when refusals end.
func TestRefusalsAskForCatchup(t *testing.T) {
	t.Parallel()
	db := &asker{outage: &outage{}}
	b := setup(t, with(func(o *ingest.Options) {
		db.Accepter = o.Store
		o.Store = db
	}))
	asked := func() int { return int(db.asked.Load()) }
	b.accepted(`{"title":"before"}`)
	require.Zero(t, asked())
	db.set(true)
	require.Equal(t, http.StatusServiceUnavailable, b.post(`{"title":"lost"}`).status)
	db.set(false)
	require.Zero(t, asked())
	b.accepted(`{"title":"after"}`)
	require.Eventually(t, func() bool { return asked() == 1 }, time.Minute, 10*time.Millisecond)
	b.accepted(`{"title":"later"}`)
	require.Equal(t, 1, asked(), "once a run")
}

// Strangers who are refused cause nothing. A genuine sender who was has its history read
// once it is let in.
func TestWhoseRefusalsAskForCatchup(t *testing.T) {
	t.Parallel()
	db := &asker{outage: &outage{}}
	b := setup(t, with(func(o *ingest.Options) {
		db.Accepter = o.Store
		o.Store = db
	}))
	n := 0
	from := func(addr, secret string) int {
		n++
		body := fmt.Sprintf(`{"title":"%d"}`, n)
		r := b.request(body)
		r.Header.Set("X-Forwarded-For", addr)
		if secret != "" {
			r.Header.Set("X-Hub-Signature-256", secret)
		}
		return b.do(r).status
	}
	asked := func() int { return int(db.asked.Load()) }
	wrong := "sha256=" + strings.Repeat("0", 64)
	const radarr, stranger, other = "192.0.2.1", "198.51.100.1", "203.0.113.1"
	for range 30 {
		from(stranger, wrong)
		require.Equal(t, http.StatusAccepted, from(radarr, ""))
	}
	b.do(b.unsigned(strings.Repeat("x", 17*mebi)))
	require.Equal(t, http.StatusAccepted, from(radarr, ""))
	require.Zero(t, asked(), "a stranger's refusals")

	require.Equal(t, http.StatusUnauthorized, from(radarr, wrong))
	require.Equal(t, http.StatusAccepted, from(other, ""))
	require.Zero(t, asked())
	require.Equal(t, http.StatusAccepted, from(radarr, ""))
	require.Eventually(t, func() bool { return asked() == 1 }, time.Minute, time.Millisecond)

	for range 10 {
		require.Equal(t, http.StatusUnauthorized, from(radarr, wrong))
		require.Equal(t, http.StatusAccepted, from(radarr, ""))
	}
	require.Equal(t, 1, asked(), "who shares its address causes few")
	b.clock.advance(time.Minute)
	require.Equal(t, http.StatusAccepted, from(radarr, ""))
	require.Eventually(t, func() bool { return asked() == 2 }, time.Minute, time.Millisecond, "what was noted is not forgotten")
}

// hesitant is a store that does not answer when it is asked for catch-up.
type hesitant struct {
	*outage
	answer chan struct{}
}

func (h *hesitant) AskCatchup(context.Context, string) error {
	<-h.answer
	return nil
}

// Who sends is answered before history is asked for.
func TestSenderDoesNotWaitForCatchup(t *testing.T) {
	t.Parallel()
	db := &hesitant{outage: &outage{}, answer: make(chan struct{})}
	b := setup(t, with(func(o *ingest.Options) {
		db.Accepter = o.Store
		o.Store = db
	}))
	db.set(true)
	require.Equal(t, http.StatusServiceUnavailable, b.post(`{"title":"lost"}`).status)
	db.set(false)
	end := time.AfterFunc(2*time.Minute, func() { close(db.answer) })
	b.accepted(`{"title":"after"}`)
	require.True(t, end.Stop(), "it waited")
	close(db.answer)
}
