package slack

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/endpoint"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/plugintest"
)

// asks starts the plugin with a bot that has no channel yet, unless change gives it one.
func asks(t *testing.T, slack *endpoint.SlackAPI, change map[string]any) *plugintest.Target {
	t.Helper()
	server := httptest.NewServer(slack)
	t.Cleanup(server.Close)
	config := map[string]any{"bot_token": slack.Token(), "channel": "not known yet", "api_url": slack.URL(server.URL)}
	maps.Copy(config, change)
	return plugintest.StartTarget(t, info(), newTarget, config)
}

func TestOptionsAreTheChannels(t *testing.T) {
	t.Parallel()
	slack := &endpoint.SlackAPI{Conversations: []endpoint.SlackConversation{
		{ID: "C3", Name: "random"},
		{ID: "C9", Name: "old", Archived: true, Member: true},
		{ID: "C2", Name: "movies", Member: true},
		{ID: "G7", Name: "staff", Private: true},
		{ID: "G1", Name: "media", Private: true, Member: true},
		{ID: "C1", Name: "general"},
	}}
	target := asks(t, slack, nil)
	found, err := target.Options(t.Context(), "channel")
	require.NoError(t, err)
	require.Equal(t, []sdk.Option{
		{Value: "G1", Label: "#media, private"},
		{Value: "C2", Label: "#movies"},
		{Value: "C1", Label: "#general, without the bot"},
		{Value: "C3", Label: "#random, without the bot"},
	}, found)
	require.Empty(t, slack.Messages())

	slack.Scopes = []string{"channels:read"}
	found, err = target.Options(t.Context(), "channel")
	require.NoError(t, err)
	require.Len(t, found, 3, "private channels take a scope of their own")
	require.Contains(t, target.Logs(), "private channels are not listed, as the app lacks the scope groups:read")
	slack.Scopes = []string{"chat:write"}
	_, err = target.Options(t.Context(), "channel")
	require.ErrorContains(t, err, "list Slack's channels: ")
	require.ErrorContains(t, err, "the app lacks the scope channels:read; add it under OAuth & Permissions")
}

func TestOptionsComeInPages(t *testing.T) {
	t.Parallel()
	var all []endpoint.SlackConversation
	for i := range 450 {
		all = append(all, endpoint.SlackConversation{ID: fmt.Sprintf("C%04d", i), Name: fmt.Sprintf("c%04d", i), Archived: i >= 100 && i < 400})
	}
	slack := &endpoint.SlackAPI{Conversations: all}
	target := asks(t, slack, nil)
	found, err := target.Options(t.Context(), "channel")
	require.NoError(t, err)
	require.Len(t, found, 150, "a page without any is not the last")
	require.Equal(t, "C0449", found[149].Value)

	for i := range 3000 {
		all = append(all, endpoint.SlackConversation{ID: fmt.Sprintf("D%04d", i), Name: fmt.Sprintf("d%04d", i)})
	}
	slack = &endpoint.SlackAPI{Conversations: all}
	found, err = asks(t, slack, nil).Options(t.Context(), "channel")
	require.NoError(t, err)
	require.Len(t, found, 1000)
}

func TestOptionsWaitAsSlackAsks(t *testing.T) {
	t.Parallel()
	slack := &endpoint.SlackAPI{}
	target := asks(t, slack, nil)
	slack.Throttle(time.Second)
	found, err := target.Options(t.Context(), "channel")
	require.NoError(t, err)
	require.Equal(t, []sdk.Option{{Value: endpoint.SlackChannel, Label: "#media"}, {Value: endpoint.SlackForeignChannel, Label: "#others, without the bot"}}, found)

	slack.Throttle(10 * time.Minute)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, err = target.Options(ctx, "channel")
	require.ErrorContains(t, err, "Slack asks for a pause of 10m0s, which is too long to wait for: try again then")
}

func TestOptionsThatSlackRefuses(t *testing.T) {
	t.Parallel()
	slack := &endpoint.SlackAPI{}
	_, err := asks(t, slack, map[string]any{"bot_token": "xoxb-1-another-token"}).Options(t.Context(), "channel")
	require.ErrorContains(t, err, "invalid_auth: set bot_token to the Bot User OAuth Token of your Slack app")
	require.NotContains(t, err.Error(), "another-token")
	_, err = asks(t, slack, map[string]any{"api_url": "http://127.0.0.1:1"}).Options(t.Context(), "channel")
	require.ErrorContains(t, err, "connection refused")

	target := asks(t, slack, nil)
	for _, body := range []string{"", "<html>", `{"ok":true,"channels":"none"}`, `[]`, `{"channels":[]}`} {
		slack.Next(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) })
		_, err = target.Options(t.Context(), "channel")
		require.ErrorContains(t, err, "the endpoint answered 200, but not as Slack does; check api_url", body)
	}

	webhook := plugintest.StartTarget(t, info(), newTarget, map[string]any{"webhook_url": "https://hooks.slack.com/services/T/B/x"})
	_, err = webhook.Options(t.Context(), "channel")
	require.ErrorContains(t, err, "a webhook posts to the channel that it was made for: set bot_token in the place of webhook_url")
}
