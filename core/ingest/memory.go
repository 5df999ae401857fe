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
	total int64
	free  *semaphore.Weighted
	wait  time.Duration

	mu sync.Mutex
	// unfinished are the reservations to bodies that are still being sent, oldest first.
	unfinished []*reservation
	// reserved is what all reservations hold, leaving what those of them hold that make room, and
	// wanted what requests wait for.
	reserved, leaving, wanted int64
}

func newMemory(total int64, wait time.Duration) *memory {
	return &memory{total: total, free: semaphore.NewWeighted(total), wait: wait}
}

// evictAgain is how long a request waits for the memory of those that made room,
// before others have to: some other request may have taken it first.
const evictAgain = 100 * time.Millisecond

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

// reservation is what one request holds.
type reservation struct {
	sender
	memory *memory
	cancel context.CancelCauseFunc
	// Guarded by memory.mu.
	held    int64
	evicted bool
}

// reserve opens a reservation of nothing. The context is for reading the body; its cause is
// errBusy when the body has to make room.
func (m *memory) reserve(ctx context.Context, s sender) (context.Context, *reservation) {
	ctx, cancel := context.WithCancelCause(ctx)
	l := &reservation{sender: s, memory: m, cancel: cancel}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.unfinished = append(m.unfinished, l)
	return ctx, l
}

// grow makes the reservation n bytes.
func (l *reservation) grow(ctx context.Context, n int64) error {
	m := l.memory
	more := n - l.held
	if !m.free.TryAcquire(more) {
		if err := m.await(ctx, l, more); err != nil {
			return err
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	l.held = n
	m.reserved += more
	if l.evicted {
		m.leaving += more
	}
	return nil
}

// shrink makes the reservation n bytes, which are fewer.
func (l *reservation) shrink(n int64) {
	m := l.memory
	m.mu.Lock()
	less := l.held - n
	l.held = n
	m.reserved -= less
	if l.evicted {
		m.leaving -= less
	}
	m.mu.Unlock()
	m.free.Release(less)
}

// await acquires more bytes for the reservation, for which others have to make room.
func (m *memory) await(ctx context.Context, l *reservation, more int64) error {
	ctx, cancel := context.WithTimeout(ctx, m.wait)
	defer cancel()
	m.want(more)
	defer m.want(-more)
	for ctx.Err() == nil {
		m.evict(l)
		wait, cancel := context.WithTimeout(ctx, evictAgain)
		err := m.free.Acquire(wait, more)
		cancel()
		if err == nil {
			return nil
		}
	}
	return errBusy
}

func (m *memory) want(n int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.wanted += n
}

// size is what the reservation is.
func (l *reservation) size() int64 {
	l.memory.mu.Lock()
	defer l.memory.mu.Unlock()
	return l.held
}

// finish says that the body has been read, as far as it will be: it makes no room any
// more, and is interrupted no more.
func (l *reservation) finish() {
	m := l.memory
	m.mu.Lock()
	defer m.mu.Unlock()
	m.unfinished = slices.DeleteFunc(m.unfinished, func(other *reservation) bool { return other == l })
	l.cancel(nil)
}

// release gives everything back.
func (l *reservation) release() {
	m := l.memory
	m.mu.Lock()
	m.reserved -= l.held
	if l.evicted {
		m.leaving -= l.held
	}
	m.mu.Unlock()
	m.free.Release(l.held)
}

// evict interrupts unfinished bodies that hold what is wanted and neither free nor
// becoming so: first those of clients that are throttled or hold more than their share.
// What they hold is free when their requests have noticed.
func (m *memory) evict(by *reservation) {
	m.mu.Lock()
	defer m.mu.Unlock()
	more := m.wanted - m.leaving - (m.total - m.reserved)
	held := make(map[netip.Prefix]int64)
	for _, l := range m.unfinished {
		held[l.client] += l.held
	}
	for _, anyone := range []bool{false, true} {
		m.unfinished = slices.DeleteFunc(m.unfinished, func(l *reservation) bool {
			chosen := anyone || l.throttled || held[l.client] > m.total/share
			if more <= 0 || !chosen || l == by || l.held == 0 {
				return false
			}
			more -= l.held
			held[l.client] -= l.held
			m.leaving += l.held
			l.evicted = true
			l.cancel(errBusy)
			l.interrupt()
			return true
		})
	}
}
