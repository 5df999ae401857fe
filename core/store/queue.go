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
	Notifier *Notifier
	// Delete deletes running jobs by their ids.
	Delete func(ctx context.Context, exec riverdriver.Executor, ids []int64) error
	// Fetch is asked for each fetch which executor hands jobs out; nil is always River's.
	Fetch func(rivers riverdriver.Executor) riverdriver.Executor
	// LocalOnly has workers hear the notifier alone: no other process inserts jobs.
	LocalOnly bool
}

// GetExecutor returns River's executor, which ends jobs in our way.
func (d *QueueDriver[TTx]) GetExecutor() riverdriver.Executor {
	return &executor{Executor: d.Driver.GetExecutor(), delete: d.Delete, fetch: d.Fetch, local: d.localNotify()}
}

// UnwrapExecutor returns River's executor of a transaction.
func (d *QueueDriver[TTx]) UnwrapExecutor(tx TTx) riverdriver.ExecutorTx {
	inner := d.Driver.UnwrapExecutor(tx)
	if local := d.localNotify(); local != nil {
		return &executorTx{ExecutorTx: inner, local: local}
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

func (d *QueueDriver[TTx]) localNotify() func(riverdriver.Notification) {
	if !d.LocalOnly {
		return nil
	}
	return d.Notifier.Notify
}

// GetListener returns a listener that hears the notifier, and what other processes say.
func (d *QueueDriver[TTx]) GetListener(params *riverdriver.GetListenenerParams) riverdriver.Listener {
	inner := d.Driver.GetListener(params)
	if d.LocalOnly {
		inner = noListener{inner}
	}
	return &listener{Listener: inner, notifier: d.Notifier}
}

type executor struct {
	riverdriver.Executor
	delete func(ctx context.Context, exec riverdriver.Executor, ids []int64) error
	fetch  func(rivers riverdriver.Executor) riverdriver.Executor
	// local replaces River's outbox of notifications where it is not nil.
	local func(riverdriver.Notification)
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
	if err != nil || e.local == nil {
		return tx, err
	}
	return &executorTx{ExecutorTx: tx, local: e.local}, nil
}

// NotifyMany tells this process's workers.
func (e *executor) NotifyMany(ctx context.Context, params *riverdriver.NotifyManyParams) error {
	return notify(ctx, e.Executor, e.local, params)
}

// executorTx is a transaction whose notifications reach this process's workers when they
// are made, and not when it commits. That is no earlier than they can act on: on one
// writing connection they wait for the commit.
type executorTx struct {
	riverdriver.ExecutorTx
	local func(riverdriver.Notification)
}

// NotifyMany tells this process's workers.
func (e *executorTx) NotifyMany(ctx context.Context, params *riverdriver.NotifyManyParams) error {
	return notify(ctx, e.ExecutorTx, e.local, params)
}

func notify(ctx context.Context, exec riverdriver.Executor, local func(riverdriver.Notification), params *riverdriver.NotifyManyParams) error {
	if local == nil {
		return exec.NotifyMany(ctx, params)
	}
	for _, payload := range params.Payload {
		local(riverdriver.Notification{Topic: params.Topic, Payload: payload})
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

// Notifier tells this process's workers what River's listener would tell them later. The zero
// value is ready.
type Notifier struct {
	mu sync.Mutex
	// queues have new jobs; pending are other notifications, in their order.
	queues  map[string]bool
	pending []riverdriver.Notification
	timers  map[string]*time.Timer
	woken   chan struct{}
	once    sync.Once
}

func (n *Notifier) signal() chan struct{} {
	n.once.Do(func() { n.woken = make(chan struct{}, 1) })
	return n.woken
}

// NotifyInsert tells the workers of queues that there are new jobs.
func (n *Notifier) NotifyInsert(queues ...string) {
	if len(queues) == 0 {
		return
	}
	n.mu.Lock()
	if n.queues == nil {
		n.queues = make(map[string]bool)
	}
	for _, queue := range queues {
		n.queues[queue] = true
	}
	n.mu.Unlock()
	n.wake()
}

// notifyStep is how far apart the times of a queue are that the notifier tells apart.
const notifyStep = 10 * time.Millisecond

// NotifyInsertAfter is NotifyInsert after a while. Times of a queue within a notifyStep share a timer.
func (n *Notifier) NotifyInsertAfter(queue string, after time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.timers == nil {
		n.timers = make(map[string]*time.Timer)
	}
	at := time.Now().Add(after).Truncate(notifyStep).Add(notifyStep)
	key := fmt.Sprint(queue, " ", at.UnixMilli())
	if n.timers[key] != nil {
		return
	}
	n.timers[key] = time.AfterFunc(time.Until(at), func() {
		n.mu.Lock()
		delete(n.timers, key)
		n.mu.Unlock()
		n.NotifyInsert(queue)
	})
}

// Notify passes on what River says.
func (n *Notifier) Notify(note riverdriver.Notification) {
	n.mu.Lock()
	n.pending = append(n.pending, note)
	n.mu.Unlock()
	n.wake()
}

// NotifyPaused tells the workers of a queue that it is paused or resumed.
func (n *Notifier) NotifyPaused(queue string, paused bool) {
	action := "resume"
	if paused {
		action = "pause"
	}
	n.Notify(riverdriver.Notification{Topic: controlTopic, Payload: fmt.Sprintf(`{"action":%q,"queue":%q}`, action, queue)})
}

// Stop ends what NotifyInsertAfter began.
func (n *Notifier) Stop() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, t := range n.timers {
		t.Stop()
	}
	n.timers = nil
}

func (n *Notifier) wake() {
	select {
	case n.signal() <- struct{}{}:
	default:
	}
}

// take returns the next thing to tell, or nil.
func (n *Notifier) take() (*riverdriver.Notification, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.pending) > 0 {
		note := n.pending[0]
		n.pending = n.pending[1:]
		n.wake()
		return &note, nil
	}
	for queue := range n.queues {
		delete(n.queues, queue)
		if len(n.queues) > 0 {
			n.wake()
		}
		payload, err := json.Marshal(map[string]string{"queue": queue})
		return &riverdriver.Notification{Topic: insertTopic, Payload: string(payload)}, err
	}
	return nil, nil
}

// listener is River's listener with the notifier.
type listener struct {
	riverdriver.Listener
	notifier *Notifier
}

// WaitForNotification waits for the notifier and for other processes.
func (l *listener) WaitForNotification(ctx context.Context) (*riverdriver.Notification, error) {
	for {
		if n, err := l.notifier.take(); n != nil || err != nil {
			return n, err
		}
		waiting, cancel := context.WithCancel(ctx)
		go func() {
			defer cancel()
			select {
			case <-l.notifier.signal():
				if waiting.Err() != nil {
					l.notifier.wake() // it was for who waits now
				}
			case <-waiting.Done():
			}
		}()
		n, err := l.Listener.WaitForNotification(waiting)
		woken := waiting.Err() != nil && ctx.Err() == nil
		cancel()
		if err == nil || !woken {
			return n, err
		}
	}
}

// noListener is a listener to nobody.
type noListener struct{ riverdriver.Listener }

func (noListener) Connect(context.Context) error          { return nil }
func (noListener) Close(context.Context) error            { return nil }
func (noListener) Listen(context.Context, string) error   { return nil }
func (noListener) Unlisten(context.Context, string) error { return nil }
func (noListener) Ping(context.Context) error             { return nil }

func (noListener) WaitForNotification(ctx context.Context) (*riverdriver.Notification, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}
