package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/plugintest"
)

func TestMain(m *testing.M) { plugintest.Main(m) }

func TestDeliver(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "events.jsonl")
	target := plugintest.StartTarget(t, info(), newTarget, config{Path: path})
	for _, event := range plugintest.Events() {
		o, err := target.Deliver(t.Context(), plugintest.Delivery(t, "delivery-"+string(event.Type), event))
		require.NoError(t, err)
		require.Equal(t, sdk.ClassOK, o.Class, o.Message)
	}
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	require.Len(t, lines, len(plugintest.Events()))
	for i, event := range plugintest.Events() {
		var got struct {
			Delivery string
			Events   []sdk.Event
		}
		require.NoError(t, json.Unmarshal([]byte(lines[i]), &got))
		require.Equal(t, "delivery-"+string(event.Type), got.Delivery)
		require.Equal(t, []sdk.Event{event}, got.Events)
	}
}

func TestDeliverWhereNothingCanBeWritten(t *testing.T) {
	t.Parallel()
	target := plugintest.StartTarget(t, info(), newTarget, config{Path: filepath.Join(t.TempDir(), "missing", "events.jsonl")})
	o, err := target.Deliver(t.Context(), plugintest.Delivery(t, "delivery", plugintest.EventOf(sdk.TypeTest)))
	require.NoError(t, err)
	require.Equal(t, sdk.ClassMisconfigured, o.Class)
	require.Contains(t, o.Message, "no such file or directory")
}

func TestConfiguration(t *testing.T) {
	t.Parallel()
	target := plugintest.StartTarget(t, info(), newTarget, config{Path: filepath.Join(t.TempDir(), "events.jsonl")})
	for given, want := range map[string]string{`{}`: "path is required", `{"path":"events.jsonl"}`: "path needs to be absolute"} {
		problems, err := target.Configure(t.Context(), json.RawMessage(given))
		require.NoError(t, err)
		require.Len(t, problems, 1)
		require.Equal(t, want, problems[0].Key+" "+problems[0].Message)
	}
}
