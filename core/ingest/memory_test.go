package ingest

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// Loans make room by whose they are and how long their bodies have been on their way.
func TestWhoMakesRoom(t *testing.T) {
	t.Parallel()
	const total = 100
	a, b, c := netip.MustParsePrefix("192.0.2.1/32"), netip.MustParsePrefix("192.0.2.2/32"), netip.MustParsePrefix("192.0.2.3/32")
	type held struct {
		client    netip.Prefix
		bytes     int64
		throttled bool
	}
	for name, tc := range map[string]struct {
		reservations []held // oldest first
		more         int64
		want         []int
	}{
		"the oldest":                      {[]held{{a, 24, false}, {b, 24, false}, {c, 24, false}}, 10, []int{0}},
		"as many as it takes":             {[]held{{a, 24, false}, {b, 24, false}, {c, 24, false}}, 25, []int{0, 1}},
		"who holds more than a quarter":   {[]held{{a, 20, false}, {b, 20, false}, {b, 20, false}}, 10, []int{1}},
		"only down to a quarter":          {[]held{{a, 20, false}, {b, 20, false}, {b, 20, false}}, 30, []int{0, 1}},
		"who fails to authenticate":       {[]held{{a, 20, false}, {b, 20, true}, {c, 20, false}}, 10, []int{1}},
		"not who holds nothing":           {[]held{{a, 0, false}, {b, 20, false}}, 10, []int{1}},
		"everybody, though it is too few": {[]held{{a, 20, false}, {b, 20, true}}, 90, []int{0, 1}},
		"nobody is there":                 {nil, 10, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMemory(total, time.Minute)
			var interrupted []int
			var contexts []context.Context
			for i, h := range tc.reservations {
				ctx, l := m.reserve(t.Context(), sender{client: h.client, throttled: h.throttled, interrupt: func() { interrupted = append(interrupted, i) }})
				require.NoError(t, l.grow(ctx, h.bytes))
				contexts = append(contexts, ctx)
			}
			ctx, worked := m.reserve(t.Context(), sender{})
			require.NoError(t, worked.grow(ctx, total-m.reserved))
			worked.finish()
			_, by := m.reserve(t.Context(), sender{client: b, throttled: true})
			by.held = 1
			m.want(tc.more)
			m.evict(by)
			m.evict(by) // for the same bytes, nobody else makes room
			require.ElementsMatch(t, tc.want, interrupted)
			for _, i := range interrupted {
				require.ErrorIs(t, context.Cause(contexts[i]), errBusy)
			}
			require.Len(t, m.unfinished, 1+len(tc.reservations)-len(tc.want))
		})
	}
}

// A body that waits for memory makes room like one that waits for bytes.
func TestBodyThatWaitsMakesRoom(t *testing.T) {
	t.Parallel()
	m := newMemory(100, time.Minute)
	ctx, working := m.reserve(t.Context(), sender{})
	require.NoError(t, working.grow(ctx, 60))
	working.finish()
	ctx, waiting := m.reserve(t.Context(), sender{interrupt: func() {}})
	require.NoError(t, waiting.grow(ctx, 40))
	waited := make(chan error)
	go func() { waited <- waiting.grow(ctx, 90) }()
	newer, small := m.reserve(t.Context(), sender{})
	grown := make(chan error)
	go func() { grown <- small.grow(newer, 10) }()
	require.ErrorIs(t, <-waited, errBusy)
	waiting.release()
	require.NoError(t, <-grown)
}

// What has been read is being worked on: newcomers wait for it.
func TestFinishedBodiesMakeNoRoom(t *testing.T) {
	t.Parallel()
	b := newBodies(64<<10, 100<<10, 2*time.Second)
	request := func() *http.Request {
		return httptest.NewRequest(http.MethodPost, "/", strings.NewReader(strings.Repeat("x", 50<<10)))
	}
	body, held, err := b.read(t.Context(), request(), sender{})
	require.NoError(t, err)
	require.Len(t, body, 50<<10)
	_, second, err := b.read(t.Context(), request(), sender{})
	require.ErrorIs(t, err, errBusy)
	second.release()
	held.release()
	_, third, err := b.read(t.Context(), request(), sender{})
	require.NoError(t, err)
	third.release()
}

// A body that grows is held twice while it is copied.
func TestGrowthIsCounted(t *testing.T) {
	t.Parallel()
	request := func() *http.Request {
		return httptest.NewRequest(http.MethodPost, "/", strings.NewReader(strings.Repeat("x", 60<<10)))
	}
	tight := newBodies(64<<10, 80<<10, 2*time.Second)
	_, held, err := tight.read(t.Context(), request(), sender{})
	require.ErrorIs(t, err, errBusy)
	held.release()
	require.True(t, tight.memory.free.TryAcquire(80<<10))

	roomy := newBodies(64<<10, 100<<10, 2*time.Second)
	_, held, err = roomy.read(t.Context(), request(), sender{})
	require.NoError(t, err)
	require.Less(t, held.size(), int64(61<<10), "what was copied is given back")
	held.release()
	require.True(t, roomy.memory.free.TryAcquire(100<<10))
}

// Who announces much and sends nothing is given little.
func TestMemoryIsReservedAsItFills(t *testing.T) {
	t.Parallel()
	b := newBodies(1<<20, 1<<20, time.Minute)
	from, to := io.Pipe()
	r := httptest.NewRequest(http.MethodPost, "/", from)
	r.ContentLength = 1 << 20
	done := make(chan func())
	go func() {
		_, held, _ := b.read(t.Context(), r, sender{})
		done <- held.release
	}()
	_, err := to.Write([]byte("{"))
	require.NoError(t, err)
	free := int64(1<<20 - 10<<10)
	require.True(t, b.memory.free.TryAcquire(free))
	b.memory.free.Release(free)
	require.NoError(t, to.Close())
	(<-done)()
}

// A head of many fields costs what the server keeps of it, however short they are.
func TestHeadsAreReserved(t *testing.T) {
	t.Parallel()
	b := newBodies(1<<20, 1<<20, time.Minute)
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("{}"))
	for i := range 1000 {
		r.Header[strings.Repeat("x", i)] = []string{""}
	}
	_, held, err := b.read(t.Context(), r, sender{})
	require.NoError(t, err)
	require.False(t, b.memory.free.TryAcquire(1<<20-500_000))
	held.release()
	require.True(t, b.memory.free.TryAcquire(1<<20))
}

// A body makes room also for a request that waited before the body got its memory.
func TestMemoryThatAnotherTookIsAskedForAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(100, time.Minute)
		ctx, worked := m.reserve(t.Context(), sender{})
		require.NoError(t, worked.grow(ctx, 100))
		worked.finish()
		stalled, first := m.reserve(t.Context(), sender{interrupt: func() {}})
		go func() {
			_ = first.grow(stalled, 60)
			<-stalled.Done()
			first.release()
		}()
		synctest.Wait()
		ctx, second := m.reserve(t.Context(), sender{})
		got := make(chan error)
		go func() { got <- second.grow(ctx, 60) }()
		synctest.Wait()
		worked.release()
		start := time.Now()
		require.NoError(t, <-got)
		require.LessOrEqual(t, time.Since(start), evictAgain)
		second.release()
		require.True(t, m.free.TryAcquire(m.total))
		require.Zero(t, m.reserved+m.leaving+m.wanted)
	})
}
