package plugintest

import (
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// declares reports whether a plugin declares a feature.
func declares(t *testing.T, p *Plugin, f sdk.Feature) bool {
	t.Helper()
	d, err := p.Describe(t.Context())
	require.NoError(t, err)
	return slices.Contains(d.Features, f)
}

func checkTest(t *testing.T, target *Target, e *endpoint) {
	t.Helper()
	if !declares(t, target.Plugin, sdk.FeatureTest) {
		_, err := target.Test(t.Context(), nil)
		require.ErrorIs(t, err, host.ErrUnsupported)
		return
	}
	for _, event := range append(Delivery(t, "", EventOf(sdk.TypeMediaImported)).Events, nil) {
		before := e.count()
		o, err := target.Test(t.Context(), event)
		require.NoError(t, err)
		require.Equal(t, sdk.ClassOK, o.Class, "a test: %s %v", o.Message, e.refusals())
		require.Greater(t, e.count(), before, "a test must reach the endpoint")
	}
	e.answers(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) })
	o, err := target.Test(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, e.suite.class(http.StatusUnauthorized), o.Class, "a test that the endpoint refuses")
}

func checkPreview(t *testing.T, target *Target, e *endpoint) {
	t.Helper()
	d := Delivery(t, deliveryID(0), EventOf(sdk.TypeMediaImported))
	if !declares(t, target.Plugin, sdk.FeaturePreview) {
		_, err := target.Preview(t.Context(), d)
		require.ErrorIs(t, err, host.ErrUnsupported)
		require.Zero(t, e.count(), "a preview was sent")
		return
	}
	for i, event := range Events() {
		r, err := target.Preview(t.Context(), Delivery(t, deliveryID(i), event))
		require.Zero(t, e.count(), "a preview was sent: use env.HTTP, and the context of Deliver, for every request")
		require.NoError(t, err, event.Type)
		require.NotEmpty(t, r.Method)
		require.NotContains(t, fmt.Sprint(r), token, "a preview shows a secret")
	}
	o := deliver(t, target, d)
	require.Equal(t, sdk.ClassOK, o.Class, "after a preview: %s %v", o.Message, e.refusals())
}
