package sdk_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/metadata"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
	"github.com/hookarr/hookarr/sdk/plugintest"
)

const parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

// tracer is a target and a source that say which span they are called in.
type tracer struct{ http *sdk.HTTP }

func (t tracer) Deliver(ctx context.Context, d sdk.Delivery) (sdk.Receipt, error) {
	if url := d.Event.Summary; strings.HasPrefix(url, "http") {
		return t.http.PostJSON(ctx, sdk.Secret(url), d.Event)
	}
	return sdk.Receipt{Excerpt: sdk.Traceparent(ctx)}, nil
}

func (tracer) Verify(ctx context.Context, _ sdk.Delivery) (sdk.Receipt, error) {
	return sdk.Receipt{Excerpt: sdk.Traceparent(ctx)}, nil
}

func (tracer) Decode(ctx context.Context, _ sdk.Request) (sdk.Event, error) {
	return sdk.Event{}, sdk.Skip("in " + sdk.Traceparent(ctx))
}

type tracerConfig struct {
	Traced bool `json:"traced"`
}

// traced attaches a target, whose requests may have the header.
func traced(t *testing.T, send bool) *host.Client {
	t.Helper()
	p, err := sdk.NewTargetPlugin(sdk.Info{Name: "t", Version: "1.0.0", Features: []sdk.Feature{sdk.FeatureVerify}},
		func(_ context.Context, env sdk.Env, c tracerConfig) (sdk.Target, error) {
			if c.Traced {
				env.HTTP.SendTraceparent()
			}
			return tracer{env.HTTP}, nil
		})
	client := host.NewClient(attach(t, p, err))
	configured, err := client.Configure(t.Context(), []host.Instance{{Name: "ops", Config: plugintest.Config(t, tracerConfig{send})}}, false)
	require.NoError(t, err)
	require.Empty(t, configured.Problems)
	return client
}

// TestTraceparentReachesCalls: hosts that record no trace, or know of none, send none.
func TestTraceparentReachesCalls(t *testing.T) {
	t.Parallel()
	client := traced(t, false)
	source, err := sdk.NewSourcePlugin(sdk.Info{Name: "s", Version: "1.0.0"},
		func(context.Context, sdk.Env, struct{}) (sdk.Source, error) { return tracer{}, nil })
	decoder := host.NewClient(attach(t, source, err))
	_, err = decoder.Configure(t.Context(), []host.Instance{{Name: "radarr"}}, false)
	require.NoError(t, err)
	for name, ctx := range map[string]context.Context{"": t.Context(), parent: host.WithTraceparent(t.Context(), parent)} {
		o, err := client.Deliver(ctx, "ops", plugintest.Delivery(t, "d", plugintest.EventOf(sdk.TypeTest)))
		require.NoError(t, err)
		require.Equal(t, name, o.Receipt.Excerpt)
		o, err = client.Verify(ctx, "ops", plugintest.Delivery(t, "d", plugintest.EventOf(sdk.TypeTest)), sdk.Receipt{}, false)
		require.NoError(t, err)
		require.Equal(t, name, o.Receipt.Excerpt)
		d, err := decoder.Decode(ctx, "radarr", sdk.Request{ID: "e"})
		require.NoError(t, err)
		require.Equal(t, strings.TrimSpace("in "+name), strings.TrimSpace(d.Skip))
	}
}

// TestTraceparentIsSentWhereAsked: endpoints are told of no trace unless somebody wants it.
func TestTraceparentIsSentWhereAsked(t *testing.T) {
	t.Parallel()
	got := make(chan http.Header, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got <- r.Header }))
	t.Cleanup(server.Close)
	e := plugintest.EventOf(sdk.TypeTest)
	e.Summary = server.URL
	for _, test := range []struct {
		send bool
		ctx  context.Context
		want string
	}{
		{true, host.WithTraceparent(t.Context(), parent), parent},
		{true, t.Context(), ""},
		{true, host.WithTraceparent(t.Context(), "nonsense"), ""},
		{false, host.WithTraceparent(t.Context(), parent), ""},
	} {
		o, err := traced(t, test.send).Deliver(test.ctx, "ops", plugintest.Delivery(t, "d", e))
		require.NoError(t, err)
		require.Equal(t, sdk.ClassOK, o.Class, o.Message)
		require.Equal(t, test.want, (<-got).Get("traceparent"))
	}
}

func TestTraceparentIsOneOrNone(t *testing.T) {
	t.Parallel()
	for _, given := range [][]string{
		nil,
		{""},
		{parent, parent},
		{strings.ToUpper(parent)},
		{"01" + parent[2:]},
		{parent + "-more"},
		{strings.Repeat("0", 10_000)},
		{"00-00000000000000000000000000000000-00f067aa0ba902b7-01"},
		{"00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01"},
		{"00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01"},
		{"00-4bf92f3577b34da6a3ce929d0e0e4736\r\n00f067aa0ba902b7-1"},
	} {
		ctx := metadata.NewIncomingContext(t.Context(), metadata.MD{"traceparent": given})
		require.Empty(t, sdk.Traceparent(ctx), given)
	}
	require.Empty(t, sdk.Traceparent(t.Context()))
	ctx := metadata.NewIncomingContext(t.Context(), metadata.MD{"traceparent": {parent}})
	require.Equal(t, parent, sdk.Traceparent(ctx))
}
