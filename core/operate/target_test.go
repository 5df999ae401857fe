package operate_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/operate"
	"github.com/hookarr/hookarr/core/store"
)

func (b *bench) held(t *testing.T) map[string]store.Target {
	t.Helper()
	list, _, err := b.store.ListTargets(t.Context())
	require.NoError(t, err)
	held := make(map[string]store.Target)
	for _, target := range list {
		held[target.Name] = target
	}
	return held
}

func TestPauseResumeAndProbe(t *testing.T) {
	t.Parallel()

	onEach(t, func(t *testing.T, b *bench) {
		ctx := t.Context()
		_, err := b.PauseTarget(ctx, root, "opss", "")
		require.ErrorIs(t, err, operate.ErrUnknownTarget)
		row, err := b.PauseTarget(ctx, root, "ops", "the disk is full")
		require.NoError(t, err)
		require.Equal(t, store.HoldPaused, row.Hold)
		require.Equal(t, "the disk is full", b.held(t)["ops"].Reason)
		_, err = b.ProbeTarget(ctx, root, "ops")
		require.ErrorContains(t, err, "it is paused: resume it")
		row, err = b.ResumeTarget(ctx, root, "ops")
		require.NoError(t, err)
		require.Equal(t, store.HoldPaused, row.Hold)
		require.Empty(t, b.held(t))
		for _, refused := range []func() error{
			func() error { _, err := b.ResumeTarget(ctx, root, "ops"); return err },
			func() error { _, err := b.ProbeTarget(ctx, root, "ops"); return err },
		} {
			require.ErrorIs(t, refused(), operate.ErrInvalid)
		}

		_, _, err = b.store.ChangeTarget(ctx, "ops", func(t *store.Target, now time.Time) []*store.Settlement {
			t.Begin(store.HoldBreaker, "503", now)
			t.ProbeAt, t.Probes, t.Witnessed = now.Add(time.Hour), 7, true
			return nil
		})
		require.NoError(t, err)
		_, deliveries := b.accept(t, nil, "ops")
		never := func(int) time.Duration { return time.Hour }
		id, err := b.store.Probe(ctx, "ops", never)
		require.NoError(t, err)
		require.Equal(t, uuid.Nil, id)
		_, err = b.ProbeTarget(ctx, root, "ops")
		require.NoError(t, err)
		id, err = b.store.Probe(ctx, "ops", never)
		require.NoError(t, err)
		require.Equal(t, deliveries[0].ID, id)

		require.NoError(t, b.store.Hold(ctx, "chat", store.HoldQuarantined, "it crashes"))
		_, err = b.ResumeTarget(ctx, root, "chat")
		require.ErrorContains(t, err, "it waits for its plugin")
		require.NoError(t, b.store.Hold(ctx, "chat", store.HoldQuiet, "quiet hours until Mon 07:00 CET"))
		_, err = b.ResumeTarget(ctx, root, "chat")
		require.ErrorContains(t, err, "change targets.chat.quiet")
		_, err = b.ProbeTarget(ctx, root, "chat")
		require.ErrorContains(t, err, "change targets.chat.quiet")
		list, err := b.Actions(ctx, store.ActionFilter{})
		require.NoError(t, err)
		require.Len(t, list, 3, "what was refused is no action")
		require.Equal(t, store.ActionProbe, list[0].What)
		require.Equal(t, "ops", list[0].Args.Target)
		require.Equal(t, "the disk is full", list[2].Args.Reason)
	})
}

func TestRenameMovesWhatWaits(t *testing.T) {
	t.Parallel()

	onEach(t, func(t *testing.T, b *bench) {
		ctx := t.Context()
		waiting := b.many(t, 120, event.Pending, "former")
		failed := b.many(t, 20, event.Dead, "former")
		done := b.many(t, 20, event.Delivered, "former")
		require.NoError(t, b.store.Hold(ctx, "former", store.HoldPaused, "a holiday"))
		_, err := b.RenameTarget(ctx, root, "former", "nowhere")
		require.ErrorIs(t, err, operate.ErrUnknownTarget)
		_, err = b.RenameTarget(ctx, root, "chat", "ops")
		require.ErrorContains(t, err, "still configured")
		_, err = b.RenameTarget(ctx, root, "forme", "ops")
		require.ErrorIs(t, err, operate.ErrNothing)
		a, err := b.RenameTarget(ctx, root, "former", "ops")
		require.NoError(t, err)
		require.Equal(t, 140, a.Matched)
		a, err = b.Run(ctx, a.ID)
		require.NoError(t, err)
		require.Equal(t, store.ActionDone, a.State)
		require.Equal(t, 140, a.Done)
		for _, e := range append(waiting, failed...) {
			require.Len(t, b.deliveries(t, e.ID)["ops"], 1)
		}
		require.Equal(t, event.Dead, b.deliveries(t, failed[0].ID)["ops"][0].State)
		require.Len(t, b.deliveries(t, done[0].ID)["former"], 1, "what is over keeps the name that it had")
		held := b.held(t)
		require.NotContains(t, held, "former")
		require.Equal(t, store.HoldPaused, held["ops"].Hold, "a pause moves too")
		require.Equal(t, "a holiday", held["ops"].Reason)
		astray, err := b.store.QueuesAstray(ctx)
		require.NoError(t, err)
		require.Empty(t, astray)
	})
}
