package main

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/sdk"
)

func TestWebhookURL(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	env := sdk.Env{Log: slog.New(slog.NewTextHandler(&log, nil)), HTTP: &sdk.HTTP{}}
	_, err := newTarget(t.Context(), env, config{WebhookURL: "https://hooks.slack.com/services/T0/B0/s3cret"})
	require.NoError(t, err)
	require.Empty(t, log.String())

	_, err = newTarget(t.Context(), env, config{WebhookURL: "https://mattermost.example/hooks/s3cret"})
	require.NoError(t, err, "compatible servers may be anywhere")
	require.Contains(t, log.String(), "webhook_url does not look like")
	require.NotContains(t, log.String(), "s3cret")

	_, err = newTarget(t.Context(), env, config{WebhookURL: "hooks.slack.com/services/T0/B0/s3cret"})
	require.ErrorContains(t, err, "webhook_url: ")
	require.NotContains(t, err.Error(), "s3cret")
}
