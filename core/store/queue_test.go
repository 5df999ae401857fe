package store

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/riverqueue/river/riverdriver"
	"github.com/stretchr/testify/require"
)

// TestBellRingsForEachTime asks for a queue to be woken twice, each time after as long.
func TestBellRingsForEachTime(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		var b Bell
		heard := func() bool {
			n, err := b.take()
			require.NoError(t, err)
			return n != nil
		}
		b.RingAfter("ops", time.Second)
		time.Sleep(500 * time.Millisecond)
		b.RingAfter("ops", time.Second)
		time.Sleep(520 * time.Millisecond)
		require.True(t, heard(), "the first")
		time.Sleep(500 * time.Millisecond)
		require.True(t, heard(), "the second")
		require.Empty(t, b.timers)
	})
}

// other hears something of another process at its first wait, and lets the bell be rung
// during its second.
type other struct {
	riverdriver.Listener
	bell  *Bell
	waits int
}

func (o *other) WaitForNotification(ctx context.Context) (*riverdriver.Notification, error) {
	if o.waits++; o.waits == 1 {
		return &riverdriver.Notification{Topic: insertTopic}, nil
	}
	if o.waits == 2 {
		o.bell.RingFor("ops")
	}
	<-ctx.Done()
	return nil, ctx.Err()
}

// TestListenerMissesNoBell: what waited for the bell until another process was heard
// must not take what the bell says afterwards.
func TestListenerMissesNoBell(t *testing.T) {
	t.Parallel()

	for range 2000 {
		synctest.Test(t, func(t *testing.T) {
			var b Bell
			l := &listener{Listener: &other{bell: &b}, bell: &b}
			waiting, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			for range 2 {
				_, err := l.WaitForNotification(waiting)
				require.NoError(t, err)
			}
		})
	}
}
