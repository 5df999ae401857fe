package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"sync"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riversqlite"
)

// insertTopic is where River announces that a queue has new jobs.
const insertTopic = "river_insert"

// bell tells this process's workers at once which queues have new jobs. River's own
// listener reads an outbox every 50 ms.
type bell struct {
	mu     sync.Mutex
	queues map[string]bool
	rung   chan struct{}
}

func newBell() *bell {
	return &bell{queues: make(map[string]bool), rung: make(chan struct{}, 1)}
}

func (b *bell) ring(jobs []river.InsertManyParams) {
	if len(jobs) == 0 {
		return
	}
	b.mu.Lock()
	for _, j := range jobs {
		b.queues[j.InsertOpts.Queue] = true
	}
	b.mu.Unlock()
	b.swing()
}

func (b *bell) swing() {
	select {
	case b.rung <- struct{}{}:
	default:
	}
}

// take returns one of the queues that have been rung for, or "".
func (b *bell) take() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	for queue := range b.queues {
		delete(b.queues, queue)
		if len(b.queues) > 0 {
			b.swing()
		}
		return queue
	}
	return ""
}

// queueDriver is River's, with a listener that hears the bell, too.
type queueDriver struct {
	*riversqlite.Driver
	bell *bell
}

var _ riverdriver.Driver[*sql.Tx] = (*queueDriver)(nil)

func newQueueDriver(db *sql.DB, b *bell) *queueDriver {
	return &queueDriver{Driver: riversqlite.New(db), bell: b}
}

// GetListener returns a listener for the outbox and the bell.
func (d *queueDriver) GetListener(params *riverdriver.GetListenenerParams) riverdriver.Listener {
	return &listener{Listener: d.Driver.GetListener(params), bell: d.bell, heard: make(chan heard)}
}

// listener is River's outbox listener with the bell. The outbox tells what other
// processes do, and of River's control messages.
type listener struct {
	riverdriver.Listener
	bell  *bell
	heard chan heard

	mu     sync.Mutex
	stop   context.CancelFunc
	outbox sync.WaitGroup
}

type heard struct {
	notification *riverdriver.Notification
	err          error
}

// Connect begins to read the outbox, apart from WaitForNotification: each wait of
// River's listener begins with a query, and the bell interrupts waits often.
func (l *listener) Connect(ctx context.Context) error {
	if err := l.Listener.Connect(ctx); err != nil {
		return err
	}
	reading, stop := context.WithCancel(context.WithoutCancel(ctx))
	l.mu.Lock()
	l.stop = stop
	l.mu.Unlock()
	l.outbox.Go(func() { l.read(reading) })
	return nil
}

func (l *listener) read(ctx context.Context) {
	for {
		n, err := l.Listener.WaitForNotification(ctx)
		select {
		case l.heard <- heard{n, err}:
		case <-ctx.Done():
			return
		}
		if err != nil {
			return // River closes and connects anew
		}
	}
}

// Close ends reading.
func (l *listener) Close(ctx context.Context) error {
	l.mu.Lock()
	stop := l.stop
	l.mu.Unlock()
	if stop != nil {
		stop()
	}
	l.outbox.Wait()
	return l.Listener.Close(ctx)
}

// WaitForNotification waits for the bell or the outbox.
func (l *listener) WaitForNotification(ctx context.Context) (*riverdriver.Notification, error) {
	for {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case h := <-l.heard:
			return h.notification, h.err
		case <-l.bell.rung:
			if queue := l.bell.take(); queue != "" {
				payload, err := json.Marshal(map[string]string{"queue": queue})
				return &riverdriver.Notification{Topic: insertTopic, Payload: string(payload)}, err
			}
		}
	}
}
