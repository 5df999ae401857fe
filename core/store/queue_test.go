package store

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/riverqueue/river/riverdriver"
	"github.com/stretchr/testify/require"
)

// TestNotifierTellsEachTime asks for a queue to be woken twice, each time after as long.
func TestNotifierTellsEachTime(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		var n Notifier
		heard := func() bool {
			n, err := n.take()
			require.NoError(t, err)
			return n != nil
		}
		n.NotifyInsertAfter("ops", time.Second)
		time.Sleep(500 * time.Millisecond)
		n.NotifyInsertAfter("ops", time.Second)
		time.Sleep(520 * time.Millisecond)
		require.True(t, heard(), "the first")
		time.Sleep(500 * time.Millisecond)
		require.True(t, heard(), "the second")
		require.Empty(t, n.timers)
	})
}

// other hears something of another process at its first wait, and lets the notifier tell
// during its second.
type other struct {
	riverdriver.Listener
	notifier *Notifier
	waits    int
}

func (o *other) WaitForNotification(ctx context.Context) (*riverdriver.Notification, error) {
	if o.waits++; o.waits == 1 {
		return &riverdriver.Notification{Topic: insertTopic}, nil
	}
	if o.waits == 2 {
		o.notifier.NotifyInsert("ops")
	}
	<-ctx.Done()
	return nil, ctx.Err()
}

// TestListenerMissesNoNotification: what waited for the notifier until another process was heard
// must not take what the notifier says afterwards.
func TestListenerMissesNoNotification(t *testing.T) {
	t.Parallel()

	for range 2000 {
		synctest.Test(t, func(t *testing.T) {
			var n Notifier
			l := &listener{Listener: &other{notifier: &n}, notifier: &n}
			waiting, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			for range 2 {
				_, err := l.WaitForNotification(waiting)
				require.NoError(t, err)
			}
		})
	}
}
