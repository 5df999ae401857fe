package store_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/hookarr/hookarr/core/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// gate is work that waits to be let through, one batch at a time, and keeps what it
// was given.
type gate struct {
	open    chan error
	mu      sync.Mutex
	batches [][]int
}

func (g *gate) work(_ context.Context, items []int) ([]int, error) {
	g.mu.Lock()
	g.batches = append(g.batches, slices.Clone(items))
	g.mu.Unlock()
	if err := <-g.open; err != nil {
		return nil, err
	}
	out := make([]int, len(items))
	for i, item := range items {
		out[i] = -item
	}
	return out, nil
}

func (g *gate) sizes() []int {
	g.mu.Lock()
	defer g.mu.Unlock()
	var sizes []int
	for _, b := range g.batches {
		sizes = append(sizes, len(b))
	}
	return sizes
}

// result is what Do returned.
type result struct {
	out int
	err error
}

func do(ctx context.Context, b *store.Batcher[int, int], item int) <-chan result {
	done := make(chan result, 1)
	go func() {
		out, err := b.Do(ctx, item)
		done <- result{out, err}
	}()
	synctest.Wait() // it is in line
	return done
}

func TestBatcherGathersWhileItWorks(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		g := &gate{open: make(chan error)}
		b := &store.Batcher[int, int]{Work: g.work}
		first := do(t.Context(), b, 1)
		require.Equal(t, []int{1}, g.sizes(), "an idle batcher works at once")
		var rest []<-chan result
		for i := 2; i <= 301; i++ {
			rest = append(rest, do(t.Context(), b, i))
		}
		for range 3 {
			g.open <- nil
			synctest.Wait()
		}
		require.Equal(t, result{out: -1}, <-first)
		for i, done := range rest {
			require.Equal(t, result{out: -(i + 2)}, <-done, "each gets its own answer")
		}
		require.Equal(t, []int{1, 256, 44}, g.sizes())
		b.Close()
	})
}

func TestBatcherWeighsItems(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		g := &gate{open: make(chan error)}
		b := &store.Batcher[int, int]{Work: g.work, Size: func(item int) int { return item << 20 }}
		for _, mebibytes := range []int{1, 5, 3, 1, 16, 1} {
			do(t.Context(), b, mebibytes)
		}
		for range 5 {
			g.open <- nil
		}
		synctest.Wait()
		require.Equal(t, [][]int{{1}, {5, 3}, {1}, {16}, {1}}, g.batches, "at most 8 MiB, but always one")
		b.Close()
	})
}

func TestBatcherWorksTheItemsOfAFailedBatchAlone(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		g := &gate{open: make(chan error)}
		b := &store.Batcher[int, int]{Work: g.work}
		do(t.Context(), b, 1)
		good, bad := do(t.Context(), b, 2), do(t.Context(), b, 3)
		errBad := errors.New("bad item")
		for _, err := range []error{nil, errBad, nil, errBad} {
			g.open <- err
		}
		require.Equal(t, result{out: -2}, <-good)
		require.Equal(t, result{err: errBad}, <-bad)
		require.Equal(t, [][]int{{1}, {2, 3}, {2}, {3}}, g.batches)
		b.Close()
	})
}

func TestBatcherGivesUpABatchWhoseErrorIsShared(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		errDown, errBad := errors.New("server down"), errors.New("bad item")
		g := &gate{open: make(chan error)}
		b := &store.Batcher[int, int]{Work: g.work, Shared: func(err error) bool { return errors.Is(err, errDown) }}
		do(t.Context(), b, 1)
		second, third := do(t.Context(), b, 2), do(t.Context(), b, 3)
		g.open <- nil
		g.open <- errDown
		require.Equal(t, result{err: errDown}, <-second)
		require.Equal(t, result{err: errDown}, <-third)

		do(t.Context(), b, 4)
		fifth, sixth := do(t.Context(), b, 5), do(t.Context(), b, 6)
		for _, err := range []error{nil, errBad, errDown} {
			g.open <- err
		}
		require.Equal(t, result{err: errDown}, <-fifth)
		require.Equal(t, result{err: errDown}, <-sixth, "the server is asked no more")
		require.Equal(t, []int{1, 2, 1, 2, 1}, g.sizes())
		b.Close()
	})
}

func TestBatcherGoesOnForCallersWhoLeft(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		g := &gate{open: make(chan error)}
		b := &store.Batcher[int, int]{Work: g.work}
		ctx, hangUp := context.WithCancel(t.Context())
		first, second := do(ctx, b, 1), do(ctx, b, 2)
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		late := do(short, b, 3)
		hangUp()
		require.ErrorIs(t, (<-first).err, context.Canceled)
		require.ErrorIs(t, (<-second).err, context.Canceled)
		require.ErrorIs(t, (<-late).err, context.DeadlineExceeded)
		time.Sleep(time.Second)
		g.open <- nil
		g.open <- nil
		b.Close()
		require.Equal(t, [][]int{{1}, {2}}, g.batches, "but not for those who were told that time is up")
	})
}

func TestBatcherCloses(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		g := &gate{open: make(chan error)}
		b := &store.Batcher[int, int]{Work: g.work}
		first := do(t.Context(), b, 1)
		closed := make(chan struct{})
		go func() { b.Close(); close(closed) }()
		synctest.Wait()
		_, err := b.Do(t.Context(), 2)
		require.ErrorIs(t, err, store.ErrClosed)
		g.open <- nil
		<-closed
		require.Equal(t, result{out: -1}, <-first)
	})
}
