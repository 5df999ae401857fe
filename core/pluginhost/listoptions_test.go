package pluginhost

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

const secretURL = "http://t0ken-of-the-test@127.0.0.1/"

// ways are a running plugin that has the instance, and one that is launched for the question.
func ways(b *testBundle) map[string]func(ctx context.Context, in Instance, key string) (OptionList, error) {
	return map[string]func(ctx context.Context, in Instance, key string) (OptionList, error){
		"running": func(ctx context.Context, in Instance, key string) (OptionList, error) {
			return b.ListOptions(ctx, in.Kind, in.Name, key)
		},
		"launched": b.ListOptionsOf,
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	b := setup(t, quick, "hookarr-target-choosy", "hookarr-source-choosy", "hookarr-target-chaos")
	instances := map[string]Instance{
		"complete target":        b.target("choosy", "ops", map[string]any{"room": "a"}),
		"target without the key": b.target("choosy", "bare", nil),
		"source without the key": b.instance(host.KindSource, "choosy", "arr", nil),
	}
	all := []Instance{b.target("chaos", "chaos", nil)}
	for _, in := range instances {
		all = append(all, in)
	}
	b.start(t, all...)
	for way, list := range ways(b) {
		for name, in := range instances {
			found, err := list(t.Context(), in, "room")
			require.NoError(t, err, "%s %s", way, name)
			require.Equal(t, OptionList{
				Keys:    []host.OptionKey{{Key: "room", Description: "A room."}},
				Options: []sdk.Option{{Value: "room-1", Label: "One"}, {Value: "room-2"}},
			}, found)
			for _, key := range []string{"", "dir", "rooms"} {
				found, err = list(t.Context(), in, key)
				require.NoError(t, err)
				require.Len(t, found.Keys, 1)
				require.Empty(t, found.Options)
			}
		}
		_, err := list(t.Context(), all[0], "room")
		require.ErrorIs(t, err, host.ErrUnsupported, way)
	}
	require.Equal(t, []string{"ops"}, b.Status()[2].Instances, "what is asked is not configured")

	_, err := b.ListOptions(t.Context(), host.KindTarget, "nobody", "room")
	require.ErrorIs(t, err, ErrUnavailable)
	_, err = b.ListOptionsOf(t.Context(), b.target("none", "x", nil), "room")
	require.ErrorContains(t, err, "hookarr-target-none does not exist")
}

// TestOptionsWhileConfiguring: the question does not wait for a plugin that takes its time to
// be configured, longer than who asks may.
func TestOptionsWhileConfiguring(t *testing.T) {
	t.Parallel()
	b := setup(t, quick, "hookarr-target-choosy")
	b.start(t, b.target("choosy", "ops", map[string]any{"room": "a"}))
	s := b.supervisor(pluginKey{host.KindTarget, "choosy"})
	s.configuring.Lock()
	defer s.configuring.Unlock()
	asked := make(chan error, 1)
	go func() {
		_, err := b.ListOptions(t.Context(), host.KindTarget, "ops", "room")
		asked <- err
	}()
	select {
	case err := <-asked:
		require.NoError(t, err)
	case <-time.After(waitTimeout):
		require.Fail(t, "it waits")
	}
}

func TestTroubleOfOptions(t *testing.T) {
	t.Parallel()
	b := setup(t, quick, "hookarr-target-choosy", "hookarr-target-chaos")
	asking := func(what string) Instance {
		return b.target("choosy", "ask "+what, map[string]any{"room": "a", "ask": what, "url": secretURL})
	}
	refused := b.target("choosy", "refused", map[string]any{"refuse": "it is Monday"})
	b.start(t, asking("refuse Chaos"), asking("panic"), asking("wait"), asking("exit"), refused, b.target("chaos", "good", nil))
	for way, list := range ways(b) {
		_, err := list(t.Context(), asking("refuse Chaos"), "room")
		require.EqualError(t, err, "Chaos: the token [redacted] is not accepted", way)
		_, err = list(t.Context(), refused, "room")
		require.EqualError(t, err, "mend its other settings first: it is Monday", way)
		_, err = list(t.Context(), asking("panic"), "room")
		require.ErrorIs(t, err, ErrPluginBug, way)
		require.ErrorContains(t, err, "the plugin panicked in Options: a bug in the handler", way)

		b.lateAt("arrived-options", func(ctx context.Context) { _, err = list(ctx, asking("wait"), "room") })
		require.ErrorIs(t, err, context.DeadlineExceeded, way)
		require.ErrorContains(t, err, "plugin target-choosy timed out after ", way)

		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = list(ctx, asking("wait"), "room")
		require.ErrorIs(t, err, context.Canceled, way)
	}
	_, err := b.ListOptionsOf(t.Context(), asking("exit"), "room")
	require.ErrorContains(t, err, "it ended: exit status 3")
	_, err = b.ListOptions(t.Context(), host.KindTarget, "ask exit", "room")
	require.ErrorIs(t, err, ErrCrashed)
	require.Equal(t, sdk.ClassOK, b.do(t.Context(), "good", "fine").Class, "no other plugin is concerned")
}
