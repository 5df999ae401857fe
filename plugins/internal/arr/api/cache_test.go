package api

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAnswersAreKeptForAWhile(t *testing.T) {
	t.Parallel()
	now := time.Unix(0, 0)
	c := cache{now: func() time.Time { return now }}
	calls := 0
	load := func() (any, int, error) { calls++; return calls, 1, nil }
	for _, want := range []int{1, 1} {
		v, err := c.get(t.Context(), "k", load)
		require.NoError(t, err)
		require.Equal(t, want, v)
	}
	now = now.Add(keep)
	v, err := c.get(t.Context(), "k", load)
	require.NoError(t, err)
	require.Equal(t, 2, v)
}

func TestErrorsAreNotKept(t *testing.T) {
	t.Parallel()
	var c cache
	_, err := c.get(t.Context(), "k", func() (any, int, error) { return nil, 0, errors.New("down") })
	require.EqualError(t, err, "down")
	v, err := c.get(t.Context(), "k", func() (any, int, error) { return "up", 1, nil })
	require.NoError(t, err)
	require.Equal(t, "up", v)
}

func TestOneCallServesAllWhoWait(t *testing.T) {
	t.Parallel()
	var c cache
	calls := 0
	started, release := make(chan struct{}), make(chan struct{})
	load := func() (any, int, error) {
		calls++
		close(started)
		<-release
		return "v", 1, nil
	}
	var all sync.WaitGroup
	ask := func() {
		v, err := c.get(context.Background(), "k", load)
		if err != nil || v != "v" {
			t.Errorf("%v %v", v, err)
		}
	}
	all.Go(ask)
	<-started
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := c.get(ctx, "k", load)
	require.ErrorIs(t, err, context.Canceled, "nobody waits longer than he wants")
	for range 20 {
		all.Go(ask)
	}
	close(release)
	all.Wait()
	require.Equal(t, 1, calls)
}

func TestAnswersAreBoundedInNumberAndSize(t *testing.T) {
	t.Parallel()
	now := time.Unix(0, 0)
	c := cache{now: func() time.Time { now = now.Add(time.Millisecond); return now }}
	put := func(key string, size int) {
		_, err := c.get(t.Context(), key, func() (any, int, error) { return key, size, nil })
		require.NoError(t, err)
	}
	for i := range 2 * maxKept {
		put(strconv.Itoa(i), 1)
		put("often", 1)
	}
	require.Len(t, c.entries, maxKept)
	require.Contains(t, c.entries, "often")
	require.NotContains(t, c.entries, "0")
	require.Equal(t, maxKept, c.bytes)
	put("large", maxKeptBytes)
	require.Len(t, c.entries, 1)
	put("larger", maxKeptBytes+1)
	require.Empty(t, c.entries)
	require.Zero(t, c.bytes)
}
