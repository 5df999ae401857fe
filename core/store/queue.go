package store

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/rivertype"
)

// movedKey is the key of the metadata of a job that its worker has put where it belongs.
const movedKey = "moved"

// returnTimeout bounds the return of a job whose worker is told to stop.
const returnTimeout = 5 * time.Second

// KeepPlace puts a job back where it was in its queue, at once, and returns what its
// worker then returns. River's own ways to end a job without an error put it behind all
// that wait, and only after a while.
func (s *Store) KeepPlace(ctx context.Context, job *rivertype.JobRow) error {
	returning, cancel := context.WithTimeout(context.WithoutCancel(ctx), returnTimeout)
	defer cancel()
	if err := s.engine.ReturnJob(returning, job.ID); err != nil {
		return river.JobSnooze(0) // River tries for longer
	}
	return moved(ctx)
}

// moved tells our driver that the row of the job being worked needs no change.
func moved(ctx context.Context) error {
	if err := river.MetadataSet(ctx, movedKey, true); err != nil {
		return fmt.Errorf("mark job as moved: %w", err)
	}
	return nil
}

// JobSettled returns what a worker returns whose job the settlement has deleted or delayed.
func (s *Store) JobSettled(ctx context.Context) error { return moved(ctx) }

// QueueDriver is River's driver with four differences. A job that is done is deleted and
// not kept as completed: our rows tell what became of it, and a deleted row costs half of
// a changed one. A job that its worker has moved stays as it is. Workers are woken by this
// process itself, at once, besides what River's listener hears. And an engine may have
// jobs handed out through another executor.
type QueueDriver[TTx any] struct {
	riverdriver.Driver[TTx]
	Bell *Bell
	// Delete deletes running jobs by their ids.
	Delete func(ctx context.Context, exec riverdriver.Executor, ids []int64) error
	// Fetch is asked for each fetch which executor hands jobs out; nil is always River's.
	Fetch func(rivers riverdriver.Executor) riverdriver.Executor
	// Deaf has workers hear the bell alone: no other process inserts jobs.
	Deaf bool
}

// GetExecutor returns River's executor, which ends jobs in our way.
func (d *QueueDriver[TTx]) GetExecutor() riverdriver.Executor {
	return &executor{Executor: d.Driver.GetExecutor(), delete: d.Delete, fetch: d.Fetch, ring: d.ringer()}
}

// UnwrapExecutor returns River's executor of a transaction.
func (d *QueueDriver[TTx]) UnwrapExecutor(tx TTx) riverdriver.ExecutorTx {
	inner := d.Driver.UnwrapExecutor(tx)
	if ring := d.ringer(); ring != nil {
		return &executorTx{ExecutorTx: inner, ring: ring}
	}
	return inner
}

// UnwrapTx returns the transaction of an executor that began here or is River's.
func (d *QueueDriver[TTx]) UnwrapTx(exec riverdriver.ExecutorTx) TTx {
	if own, ok := exec.(*executorTx); ok {
		exec = own.ExecutorTx
	}
	return d.Driver.UnwrapTx(exec)
}

func (d *QueueDriver[TTx]) ringer() func(riverdriver.Notification) {
	if !d.Deaf {
		return nil
	}
	return d.Bell.Ring
}

// GetListener returns a listener that hears the bell, and what other processes say.
func (d *QueueDriver[TTx]) GetListener(params *riverdriver.GetListenenerParams) riverdriver.Listener {
	inner := d.Driver.GetListener(params)
	if d.Deaf {
		inner = deaf{inner}
	}
	return &listener{Listener: inner, bell: d.Bell}
}

type executor struct {
	riverdriver.Executor
	delete func(ctx context.Context, exec riverdriver.Executor, ids []int64) error
	fetch  func(rivers riverdriver.Executor) riverdriver.Executor
	// ring replaces River's outbox of notifications where it is not nil.
	ring func(riverdriver.Notification)
}

// JobGetAvailable hands jobs out.
func (e *executor) JobGetAvailable(ctx context.Context, params *riverdriver.JobGetAvailableParams) (*riverdriver.JobGetAvailableResult, error) {
	if e.fetch == nil {
		return e.Executor.JobGetAvailable(ctx, params)
	}
	return e.fetch(e.Executor).JobGetAvailable(ctx, params)
}

// Begin begins a transaction whose notifications go the same way.
func (e *executor) Begin(ctx context.Context) (riverdriver.ExecutorTx, error) {
	tx, err := e.Executor.Begin(ctx)
	if err != nil || e.ring == nil {
		return tx, err
	}
	return &executorTx{ExecutorTx: tx, ring: e.ring}, nil
}

// NotifyMany tells this process's workers.
func (e *executor) NotifyMany(ctx context.Context, params *riverdriver.NotifyManyParams) error {
	return notify(ctx, e.Executor, e.ring, params)
}

// executorTx is a transaction whose notifications reach this process's workers when they
// are made, and not when it commits. That is no earlier than they can act on: on one
// writing connection they wait for the commit.
type executorTx struct {
	riverdriver.ExecutorTx
	ring func(riverdriver.Notification)
}

// NotifyMany tells this process's workers.
func (e *executorTx) NotifyMany(ctx context.Context, params *riverdriver.NotifyManyParams) error {
	return notify(ctx, e.ExecutorTx, e.ring, params)
}

func notify(ctx context.Context, exec riverdriver.Executor, ring func(riverdriver.Notification), params *riverdriver.NotifyManyParams) error {
	if ring == nil {
		return exec.NotifyMany(ctx, params)
	}
	for _, payload := range params.Payload {
		ring(riverdriver.Notification{Topic: params.Topic, Payload: payload})
	}
	return nil
}

// JobSetStateIfRunningMany ends jobs: those that are done are deleted, and those that
// their workers have moved are left alone.
func (e *executor) JobSetStateIfRunningMany(ctx context.Context, params *riverdriver.JobSetStateIfRunningManyParams) ([]*rivertype.JobRow, error) {
	var finished []int64
	rest := &riverdriver.JobSetStateIfRunningManyParams{Now: params.Now, Schema: params.Schema}
	for i, id := range params.ID {
		if params.State[i] == rivertype.JobStateCompleted {
			if !bytes.Contains(params.MetadataUpdates[i], []byte(`"`+movedKey+`":true`)) {
				finished = append(finished, id)
			}
			continue
		}
		rest.ID, rest.Attempt, rest.ErrData = append(rest.ID, id), append(rest.Attempt, params.Attempt[i]), append(rest.ErrData, params.ErrData[i])
		rest.FinalizedAt, rest.ScheduledAt = append(rest.FinalizedAt, params.FinalizedAt[i]), append(rest.ScheduledAt, params.ScheduledAt[i])
		rest.MetadataDoMerge = append(rest.MetadataDoMerge, params.MetadataDoMerge[i])
		rest.MetadataUpdates, rest.State = append(rest.MetadataUpdates, params.MetadataUpdates[i]), append(rest.State, params.State[i])
	}
	if len(finished) > 0 {
		if err := e.delete(ctx, e.Executor, finished); err != nil {
			return nil, err
		}
	}
	if len(rest.ID) == 0 {
		return nil, nil
	}
	return e.Executor.JobSetStateIfRunningMany(ctx, rest)
}

// Where River announces that a queue has new jobs, and that it is paused or resumed.
const (
	insertTopic  = "river_insert"
	controlTopic = "river_control"
)

// Bell tells this process's workers what River's listener would tell them later. The zero
// value is ready.
type Bell struct {
	mu sync.Mutex
	// queues have new jobs; said are other notifications, in their order.
	queues map[string]bool
	said   []riverdriver.Notification
	timers map[string]*time.Timer
	rung   chan struct{}
	once   sync.Once
}

func (b *Bell) chime() chan struct{} {
	b.once.Do(func() { b.rung = make(chan struct{}, 1) })
	return b.rung
}

// RingFor tells the workers of queues that there are new jobs.
func (b *Bell) RingFor(queues ...string) {
	if len(queues) == 0 {
		return
	}
	b.mu.Lock()
	if b.queues == nil {
		b.queues = make(map[string]bool)
	}
	for _, queue := range queues {
		b.queues[queue] = true
	}
	b.mu.Unlock()
	b.swing()
}

// ringStep is how far apart the times of a queue are that the bell tells apart.
const ringStep = 10 * time.Millisecond

// RingAfter is RingFor after a while. Times of a queue within a ringStep share a timer.
func (b *Bell) RingAfter(queue string, after time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.timers == nil {
		b.timers = make(map[string]*time.Timer)
	}
	at := time.Now().Add(after).Truncate(ringStep).Add(ringStep)
	key := fmt.Sprint(queue, " ", at.UnixMilli())
	if b.timers[key] != nil {
		return
	}
	b.timers[key] = time.AfterFunc(time.Until(at), func() {
		b.mu.Lock()
		delete(b.timers, key)
		b.mu.Unlock()
		b.RingFor(queue)
	})
}

// Ring passes on what River says.
func (b *Bell) Ring(n riverdriver.Notification) {
	b.mu.Lock()
	b.said = append(b.said, n)
	b.mu.Unlock()
	b.swing()
}

// RingPaused tells the workers of a queue that it is paused or resumed.
func (b *Bell) RingPaused(queue string, paused bool) {
	action := "resume"
	if paused {
		action = "pause"
	}
	b.Ring(riverdriver.Notification{Topic: controlTopic, Payload: fmt.Sprintf(`{"action":%q,"queue":%q}`, action, queue)})
}

// Stop ends what RingAfter began.
func (b *Bell) Stop() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, t := range b.timers {
		t.Stop()
	}
	b.timers = nil
}

func (b *Bell) swing() {
	select {
	case b.chime() <- struct{}{}:
	default:
	}
}

// take returns the next thing to tell, or nil.
func (b *Bell) take() (*riverdriver.Notification, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.said) > 0 {
		n := b.said[0]
		b.said = b.said[1:]
		b.swing()
		return &n, nil
	}
	for queue := range b.queues {
		delete(b.queues, queue)
		if len(b.queues) > 0 {
			b.swing()
		}
		payload, err := json.Marshal(map[string]string{"queue": queue})
		return &riverdriver.Notification{Topic: insertTopic, Payload: string(payload)}, err
	}
	return nil, nil
}

// listener is River's listener with the bell.
type listener struct {
	riverdriver.Listener
	bell *Bell
}

// WaitForNotification waits for the bell and for other processes.
func (l *listener) WaitForNotification(ctx context.Context) (*riverdriver.Notification, error) {
	for {
		if n, err := l.bell.take(); n != nil || err != nil {
			return n, err
		}
		waiting, cancel := context.WithCancel(ctx)
		go func() {
			defer cancel()
			select {
			case <-l.bell.chime():
				if waiting.Err() != nil {
					l.bell.swing() // it was for who waits now
				}
			case <-waiting.Done():
			}
		}()
		n, err := l.Listener.WaitForNotification(waiting)
		rung := waiting.Err() != nil && ctx.Err() == nil
		cancel()
		if err == nil || !rung {
			return n, err
		}
	}
}

// deaf is a listener to nobody.
type deaf struct{ riverdriver.Listener }

func (deaf) Connect(context.Context) error          { return nil }
func (deaf) Close(context.Context) error            { return nil }
func (deaf) Listen(context.Context, string) error   { return nil }
func (deaf) Unlisten(context.Context, string) error { return nil }
func (deaf) Ping(context.Context) error             { return nil }

func (deaf) WaitForNotification(ctx context.Context) (*riverdriver.Notification, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}
