package store

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Bounds of a batch.
const (
	batchItems = 256
	batchBytes = 8 << 20
)

// ErrClosed is returned for work that arrives after Close.
var ErrClosed = errors.New("store is closed")

// Batcher lets concurrent callers share transactions: while one batch is worked, the
// next gathers; an item that meets an idle Batcher is worked at once. The zero value
// with Work set is ready.
type Batcher[In, Out any] struct {
	// Work does a batch as a whole or not at all, and answers every item in order.
	Work func(ctx context.Context, items []In) ([]Out, error)
	// Size is the weight of an item in bytes; nil weighs nothing.
	Size func(In) int
	// Shared reports that an error would meet every item alike. A batch that failed
	// for another reason is worked item by item, so that one bad item hurts nobody
	// else. Nil is never.
	Shared func(error) bool
	// Timeout bounds the work of one batch; 0 is no bound.
	Timeout time.Duration
	// Gather is how long a batch gathers after the one before it: at full load, batches
	// of a few items cost more than they gain. An item that meets an idle Batcher does
	// not wait.
	Gather time.Duration

	mu      sync.Mutex
	waiting []*batchItem[In, Out]
	working bool
	closed  bool
	idle    sync.WaitGroup
}

type batchItem[In, Out any] struct {
	in       In
	deadline time.Time
	done     chan struct{}
	out      Out
	err      error
}

// Do has an item worked in the next batch. When ctx ends first Do returns its error,
// but the item goes on; only one whose deadline passes before its batch begins is
// left out.
func (b *Batcher[In, Out]) Do(ctx context.Context, in In) (Out, error) {
	item := &batchItem[In, Out]{in: in, done: make(chan struct{})}
	item.deadline, _ = ctx.Deadline()
	if err := b.enqueue(item); err != nil {
		return item.out, err
	}
	select {
	case <-item.done:
		return item.out, item.err
	case <-ctx.Done():
		var none Out
		return none, ctx.Err()
	}
}

// Close waits for what was begun and refuses what comes later.
func (b *Batcher[In, Out]) Close() {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.idle.Wait()
}

func (b *Batcher[In, Out]) enqueue(item *batchItem[In, Out]) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return ErrClosed
	}
	b.waiting = append(b.waiting, item)
	if !b.working {
		b.working = true
		b.idle.Go(b.run)
	}
	return nil
}

func (b *Batcher[In, Out]) run() {
	for {
		batch := b.next()
		if batch == nil {
			return
		}
		b.work(batch)
		if len(batch) > 1 && b.Gather > 0 && b.gathers() {
			time.Sleep(b.Gather)
		}
	}
}

// gathers reports whether some wait and more would fit.
func (b *Batcher[In, Out]) gathers() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.closed && len(b.waiting) > 0 && len(b.waiting) < batchItems
}

// next takes the next batch from what waits, or nil when nothing does: the runner
// then ends.
func (b *Batcher[In, Out]) next() []*batchItem[In, Out] {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.waiting) == 0 {
		b.working = false
		b.waiting = nil
		return nil
	}
	n, bytes := 0, 0
	for n < len(b.waiting) && n < batchItems {
		if b.Size != nil {
			bytes += b.Size(b.waiting[n].in)
		}
		if n > 0 && bytes > batchBytes {
			break
		}
		n++
	}
	batch := b.waiting[:n:n]
	b.waiting = b.waiting[n:]
	return batch
}

func (b *Batcher[In, Out]) work(batch []*batchItem[In, Out]) {
	live := batch[:0:len(batch)]
	now := time.Now()
	for _, item := range batch {
		if !item.deadline.IsZero() && now.After(item.deadline) {
			item.finish(context.DeadlineExceeded)
			continue
		}
		live = append(live, item)
	}
	err := b.try(live)
	if err == nil {
		return
	}
	for _, item := range live {
		if len(live) > 1 && (b.Shared == nil || !b.Shared(err)) {
			if alone := b.try([]*batchItem[In, Out]{item}); alone != nil {
				if b.Shared != nil && b.Shared(alone) {
					err = alone
				}
				item.finish(alone)
			}
			continue
		}
		item.finish(err)
	}
}

// try works items together and finishes them if that succeeds.
func (b *Batcher[In, Out]) try(items []*batchItem[In, Out]) error {
	if len(items) == 0 {
		return nil
	}
	ctx := context.Background()
	if b.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, b.Timeout)
		defer cancel()
	}
	in := make([]In, len(items))
	for i, item := range items {
		in[i] = item.in
	}
	out, err := b.Work(ctx, in)
	if err != nil {
		return err
	}
	for i, item := range items {
		item.out = out[i]
		item.finish(nil)
	}
	return nil
}

func (i *batchItem[In, Out]) finish(err error) {
	i.err = err
	close(i.done)
}
