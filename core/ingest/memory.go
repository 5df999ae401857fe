package ingest

import (
	"context"
	"net/netip"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
)

// memory bounds what all requests hold at once. When none is left, bodies that are
// still being sent make room for newer ones, oldest first: a body that is meant is
// complete within moments, and one that is there to keep others out stays. So no
// number of stalled bodies keeps out a small one, nor a big one from elsewhere.
type memory struct {
	total    int64
	free     *semaphore.Weighted
	patience time.Duration

	mu sync.Mutex
	// unfinished are the loans to bodies that are still being sent, oldest first.
	unfinished []*loan
}

func newMemory(total int64, patience time.Duration) *memory {
	return &memory{total: total, free: semaphore.NewWeighted(total), patience: patience}
}

// share is the part of the total that one client may hold with unfinished bodies
// before they make room ahead of others'.
const share = 4

// sender is whose body is read.
type sender struct {
	client netip.Prefix
	// throttled: the client has failed to authenticate too often. Others may share its
	// address, so that its requests are read all the same, but it is the first to make
	// room.
	throttled bool
	// interrupt ends the reading of the body. It must not block.
	interrupt func()
}

// loan is what one request holds.
type loan struct {
	sender
	memory *memory
	cancel context.CancelCauseFunc
	held   int64 // guarded by memory.mu
}

// lend opens a loan of nothing. The context is for reading the body; its cause is
// errBusy when the body has to make room.
func (m *memory) lend(ctx context.Context, s sender) (context.Context, *loan) {
	ctx, cancel := context.WithCancelCause(ctx)
	l := &loan{sender: s, memory: m, cancel: cancel}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.unfinished = append(m.unfinished, l)
	return ctx, l
}

// grow makes the loan n bytes.
func (l *loan) grow(ctx context.Context, n int64) error {
	m := l.memory
	more := n - l.held
	if !m.free.TryAcquire(more) {
		m.displace(l, more)
		ctx, cancel := context.WithTimeout(ctx, m.patience)
		defer cancel()
		if m.free.Acquire(ctx, more) != nil {
			return errBusy
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	l.held = n
	return nil
}

// size is what the loan is.
func (l *loan) size() int64 {
	l.memory.mu.Lock()
	defer l.memory.mu.Unlock()
	return l.held
}

// finish says that the body has been read, as far as it will be: it makes no room any
// more, and is interrupted no more.
func (l *loan) finish() {
	m := l.memory
	m.mu.Lock()
	defer m.mu.Unlock()
	m.unfinished = slices.DeleteFunc(m.unfinished, func(other *loan) bool { return other == l })
	l.cancel(nil)
}

// repay gives everything back.
func (l *loan) repay() { l.memory.free.Release(l.held) }

// displace interrupts unfinished bodies that hold more bytes together: first those of
// clients that are throttled or hold more than their share. What they hold is free
// when their requests have noticed.
func (m *memory) displace(by *loan, more int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	held := make(map[netip.Prefix]int64)
	for _, l := range m.unfinished {
		held[l.client] += l.held
	}
	for _, anyone := range []bool{false, true} {
		m.unfinished = slices.DeleteFunc(m.unfinished, func(l *loan) bool {
			chosen := anyone || l.throttled || held[l.client] > m.total/share
			if more <= 0 || !chosen || l == by || l.held == 0 {
				return false
			}
			more -= l.held
			held[l.client] -= l.held
			l.cancel(errBusy)
			l.interrupt()
			return true
		})
	}
}
