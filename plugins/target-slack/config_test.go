package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/plugintest"
)

func TestWebhookURL(t *testing.T) {
	t.Parallel()
	const slack = "https://hooks.slack.com/services/T0/B0/s3cret"
	target := plugintest.StartTarget(t, info(), newTarget, map[string]any{"webhook_url": slack})
	warnings, err := target.Warnings(t.Context(), plugintest.Config(t, map[string]any{"webhook_url": slack}))
	require.NoError(t, err)
	require.Empty(t, warnings)

	// Compatible servers may be anywhere.
	warnings, err = target.Warnings(t.Context(), plugintest.Config(t, map[string]any{"webhook_url": "https://mattermost.example/hooks/s3cret"}))
	require.NoError(t, err)
	require.Len(t, warnings, 1)
	require.Equal(t, "webhook_url", warnings[0].Key)
	require.Contains(t, warnings[0].Message, "does not look like")
	require.NotContains(t, warnings[0].Message, "s3cret")

	_, err = newTarget(t.Context(), sdk.Env{}, config{WebhookURL: "hooks.slack.com/services/T0/B0/s3cret"})
	require.ErrorContains(t, err, "webhook_url: ")
	require.NotContains(t, err.Error(), "s3cret")
}
