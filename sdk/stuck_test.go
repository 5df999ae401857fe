package sdk

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/sdk/internal/handshake"
	"github.com/hookarr/hookarr/sdk/internal/process"
)

// TestStuckCallsAreNamed: only those that go on for long after their context has ended.
func TestStuckCallsAreNamed(t *testing.T) {
	t.Parallel()
	const deadline = time.Minute
	for name, test := range map[string]struct {
		takes time.Duration
		stuck bool
	}{
		"in time":        {takes: deadline / 2},
		"a little late":  {takes: deadline + stuckAfter/2},
		"stuck":          {takes: deadline + 2*stuckAfter, stuck: true},
		"long, and once": {takes: 100 * deadline, stuck: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var b bytes.Buffer
				in := &instance[Target]{name: "ops", log: process.Log{Output: &b, Level: slog.LevelInfo}.Logger().With("instance", "ops")}
				s := &instances[Target]{live: map[string]*instance[Target]{"ops": in}}
				ctx, cancel := context.WithTimeout(t.Context(), deadline)
				defer cancel()
				require.NoError(t, s.call(ctx, "ops", "Deliver", func(*instance[Target]) error {
					time.Sleep(test.takes)
					return nil
				}))
				cancel()
				time.Sleep(time.Hour)
				synctest.Wait()
				require.Equal(t, test.stuck, strings.Contains(b.String(), `"@level":"error","@message":"`+handshake.StuckCall+`","instance":"ops","method":"Deliver"`), b.String())
				require.LessOrEqual(t, strings.Count(b.String(), "\n"), 1)
			})
		})
	}
}
