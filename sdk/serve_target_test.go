package sdk

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/sdk/internal/pluginv1"
	"github.com/hookarr/hookarr/sdk/internal/process"
)

// deadlines notes until when its calls may take.
type deadlines struct{ of []time.Time }

func (d *deadlines) Deliver(ctx context.Context, _ Delivery) (Receipt, error) {
	return d.Test(ctx, Delivery{})
}

func (d *deadlines) Test(ctx context.Context, _ Delivery) (Receipt, error) {
	at, _ := ctx.Deadline()
	d.of = append(d.of, at)
	return Receipt{}, nil
}

// What became of an attempt that takes too long, the plugin knows better than a host
// whose own deadline has passed.
func TestTheOutcomeIsMadeBeforeTheHostsDeadline(t *testing.T) {
	t.Parallel()
	target := &deadlines{}
	p, err := NewTargetPlugin(Info{Name: "clock", Version: "1.0.0", Features: []Feature{FeatureTest}},
		func(context.Context, Env, struct{}) (Target, error) { return target, nil })
	require.NoError(t, err)
	s, ok := p.services(process.Log{Output: t.Output(), Level: slog.LevelInfo}).(*targetServer)
	require.True(t, ok)
	_, err = s.Configure(t.Context(), &pluginv1.ConfigureRequest{Instances: []*pluginv1.Instance{{Name: "a", Config: []byte("{}")}}})
	require.NoError(t, err)

	for _, left := range []time.Duration{4 * time.Second, time.Minute, time.Hour} {
		target.of = nil
		ctx, cancel := context.WithTimeout(t.Context(), left)
		deadline, _ := ctx.Deadline()
		_, err = s.Deliver(ctx, &pluginv1.DeliverRequest{Instance: "a", Events: [][]byte{[]byte(`{"id":"1"}`)}})
		require.NoError(t, err)
		_, err = s.Test(ctx, &pluginv1.TestRequest{Instance: "a"})
		require.NoError(t, err)
		cancel()
		require.Len(t, target.of, 2)
		for _, given := range target.of {
			require.True(t, given.Before(deadline), "%s: %s before", left, deadline.Sub(given))
			require.LessOrEqual(t, deadline.Sub(given), 250*time.Millisecond)
		}
	}

	_, err = s.Deliver(t.Context(), &pluginv1.DeliverRequest{Instance: "a", Events: [][]byte{[]byte(`{"id":"1"}`)}})
	require.NoError(t, err)
	require.Zero(t, target.of[2], "a call without a deadline gets none")
}

// TestTheStatusDecides: a delivery that the endpoint refused is not lost because its
// target made no error of that.
func TestTheStatusDecides(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]pluginv1.Class{
		0: pluginv1.Class_CLASS_OK, 200: pluginv1.Class_CLASS_OK, 299: pluginv1.Class_CLASS_OK,
		100: pluginv1.Class_CLASS_RETRYABLE, 302: pluginv1.Class_CLASS_MISCONFIGURED, 404: pluginv1.Class_CLASS_MISCONFIGURED,
		409: pluginv1.Class_CLASS_PERMANENT, 429: pluginv1.Class_CLASS_THROTTLED, 500: pluginv1.Class_CLASS_RETRYABLE,
		600: pluginv1.Class_CLASS_RETRYABLE,
	} {
		o := toOutcome(Receipt{Status: status, MessageID: "m"}, nil, redactor{})
		require.Equal(t, want, o.GetClass(), status)
		require.Equal(t, want == pluginv1.Class_CLASS_OK, o.GetMessage() == "", status)
		require.Equal(t, pluginv1.Class_CLASS_OK, toOutcome(Receipt{Status: status, Accepted: true}, nil, redactor{}).GetClass(), status)
		require.Equal(t, pluginv1.Class_CLASS_PERMANENT, toOutcome(Receipt{Status: status, Accepted: true}, Permanent(errors.New("no")), redactor{}).GetClass())
	}
	require.Equal(t, "the endpoint answered 500 Internal Server Error", toOutcome(Receipt{Status: 500}, nil, redactor{}).GetMessage())
}

// What does not fit into the contract's numbers must not come out as another.
func TestOutcomesNumbersAreCutNotWrapped(t *testing.T) {
	t.Parallel()
	receipt := Receipt{Status: 1<<32 + 200, Limit: &Limit{Remaining: 1 << 32, ResetAfter: -time.Second}}
	o := toOutcome(receipt, RetryAfter(math.MaxInt64, errors.New("later")), redactor{})
	require.EqualValues(t, math.MaxInt32, o.GetStatus())
	require.EqualValues(t, math.MaxInt32, o.GetLearntRate().GetRemaining())
	require.Zero(t, o.GetLearntRate().GetResetAfter().AsDuration())
	require.Equal(t, time.Duration(math.MaxInt64), o.GetRetryAfter().AsDuration())
}
