package deliver

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// TestInterruptedAttemptIsNotCounted stops a process during an attempt: the next
// process makes it again.
func TestInterruptedAttemptIsNotCounted(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		first := newRig(t, url)
		arrived := make(chan struct{})
		first.plugins.answers(func(ctx context.Context, _ call) host.Outcome {
			close(arrived)
			<-ctx.Done()
			return host.Outcome{Class: sdk.ClassInterrupted}
		})
		first.start()
		id := first.accept("ops")[0]
		<-arrived
		first.stop()

		second := newRig(t, url)
		d, attempts, err := second.store.FindDelivery(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, event.Pending, d.State)
		require.Zero(t, d.Attempts)
		require.Empty(t, attempts)
		require.Equal(t, 1, second.count("SELECT count(*) FROM river_job WHERE state = 'available' AND attempt = 0"))

		second.start()
		d, attempts = second.await(id, event.Delivered)
		require.Equal(t, 1, d.Attempts)
		require.Len(t, attempts, 1)
		require.Equal(t, 1, second.plugins.of(id)[0].delivery.Attempt)
	})
}

// TestDeadlineEndsAttempt gives a plugin that does not answer the target's timeout.
func TestDeadlineEndsAttempt(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		r.targets[0].Timeout = 50 * time.Millisecond
		r.targets[0].Retry.MaxAttempts = 2
		r.plugins.answers(func(ctx context.Context, _ call) host.Outcome {
			<-ctx.Done()
			return host.Outcome{Class: sdk.ClassRetryable, Message: ctx.Err().Error()}
		})
		r.start()
		d, attempts := r.await(r.accept("ops")[0], event.Dead)
		require.Equal(t, "gave up after 2 attempts: "+context.DeadlineExceeded.Error(), d.Reason)
		require.Len(t, attempts, 2)
	})
}

// unsettled is a database that does not take the first outcomes.
type unsettled struct {
	Store
	failures atomic.Int32
}

func (u *unsettled) Settle(ctx context.Context, s *store.Settlement) (store.Settled, error) {
	if u.failures.Add(-1) >= 0 {
		return store.Settled{}, errors.New("the database has gone away")
	}
	return u.Store.Settle(ctx, s)
}

// TestOutcomeOutlivesTheDatabase carries an outcome until the database takes it, even
// while the process stops.
func TestOutcomeOutlivesTheDatabase(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		r.wrap = func(s Store) Store {
			u := &unsettled{Store: s}
			u.failures.Store(2)
			return u
		}
		answered := make(chan struct{})
		r.plugins.answers(func(context.Context, call) host.Outcome {
			defer close(answered) // a second attempt would panic
			return host.Outcome{Class: sdk.ClassOK}
		})
		r.start()
		id := r.accept("ops")[0]
		<-answered
		r.stop()

		again := newRig(t, url)
		_, attempts := again.await(id, event.Delivered)
		require.Len(t, attempts, 1)
		again.start()
		again.awaitNoJobs()
		require.Empty(t, again.plugins.of(id))
	})
}

// unreadable is a database that does not answer at first.
type unreadable struct {
	Store
	failures atomic.Int32
}

func (u *unreadable) LoadWork(ctx context.Context, id uuid.UUID) (store.Work, error) {
	if u.failures.Add(-1) >= 0 {
		return store.Work{}, errors.New("the database has gone away")
	}
	return u.Store.LoadWork(ctx, id)
}

// TestUnreadableDeliveryIsReadLater waits for the database.
func TestUnreadableDeliveryIsReadLater(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		r.wrap = func(s Store) Store {
			u := &unreadable{Store: s}
			u.failures.Store(1)
			return u
		}
		r.start()
		_, attempts := r.await(r.accept("ops")[0], event.Delivered)
		require.Len(t, attempts, 1)
	})
}

// requestless is a database that does not give a request at first.
type requestless struct {
	Store
	failures atomic.Int32
}

func (u *requestless) LoadRequest(ctx context.Context, id uuid.UUID) (event.Request, error) {
	if u.failures.Add(-1) >= 0 {
		return event.Request{}, errors.New("the database has gone away")
	}
	return u.Store.LoadRequest(ctx, id)
}

// TestUnreadableRequestIsReadLater waits for the database, in its place.
func TestUnreadableRequestIsReadLater(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		r.targets[0].Concurrency = 1
		r.wrap = func(s Store) Store {
			u := &requestless{Store: s}
			u.failures.Store(1)
			return u
		}
		ids := []uuid.UUID{r.accept("ops")[0], r.accept("ops")[0]}
		r.start()
		for _, id := range ids {
			_, attempts := r.await(id, event.Delivered)
			require.Len(t, attempts, 1)
		}
		require.Equal(t, ids, r.order(0))
	})
}

// TestPurgedDeliveryEndsItsJob meets a job without its row.
func TestPurgedDeliveryEndsItsJob(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		id := r.accept("ops")[0]
		require.EqualValues(t, 1, r.exec("DELETE FROM deliveries"))
		r.start()
		r.awaitNoJobs()
		require.Empty(t, r.plugins.of(id))
	})
}

// TestTwoJobsOfADeliveryMakeOneAttempt lets a second job arrive during the attempt of
// the first.
func TestTwoJobsOfADeliveryMakeOneAttempt(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		id := r.accept("ops")[0]
		require.EqualValues(t, 1, r.exec(`
			INSERT INTO river_job (args, kind, queue, max_attempts, metadata, priority, scheduled_at, state)
			SELECT args, kind, queue, max_attempts, metadata, priority, scheduled_at, state FROM river_job`))
		release := make(chan struct{})
		r.plugins.answers(func(context.Context, call) host.Outcome {
			<-release
			return host.Outcome{Class: sdk.ClassOK}
		})
		r.start()
		r.awaitWaiting(2)
		close(release)
		r.await(id, event.Delivered)
		r.awaitNoJobs()
		require.Len(t, r.plugins.of(id), 1)
	})
}
