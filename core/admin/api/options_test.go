package api_test

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/admin/client"
	"github.com/hookarr/hookarr/core/pluginhost"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// choices are what plugins tell: that of target news nothing.
type choices struct{ err error }

func (c choices) ListOptions(_ context.Context, kind host.Kind, instance, key string) (pluginhost.OptionList, error) {
	list := pluginhost.OptionList{Keys: []host.OptionKey{{Key: "libraries", Description: "Names."}, {Key: "posts.channel"}}}
	switch {
	case instance == "news":
		return pluginhost.OptionList{}, host.ErrUnsupported
	case key == "posts.channel":
		list.Options = []sdk.Option{{Value: "C1", Label: "#" + string(kind)}, {Value: "C2"}}
	}
	return list, c.err
}

func TestOptions(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	c := client.Socket(r.socket)
	t.Cleanup(c.Close)
	_, err := c.OptionKeys(t.Context(), host.KindTarget, "ops")
	require.Equal(t, http.StatusServiceUnavailable, problemOf(t, err).Status, "no plugin runs")
	r.Service.Choices = choices{}

	for kind, name := range map[host.Kind]string{host.KindTarget: "ops", host.KindSource: "radarr"} {
		keys, err := c.OptionKeys(t.Context(), kind, name)
		require.NoError(t, err)
		require.Equal(t, []host.OptionKey{{Key: "libraries", Description: "Names."}, {Key: "posts.channel"}}, keys)
		found, err := c.Options(t.Context(), kind, name, "posts.channel")
		require.NoError(t, err)
		require.Equal(t, []sdk.Option{{Value: "C1", Label: "#" + string(kind)}, {Value: "C2"}}, found)
		found, err = c.Options(t.Context(), kind, name, "libraries")
		require.NoError(t, err)
		require.Empty(t, found)

		_, err = c.Options(t.Context(), kind, name, "librarie")
		require.Equal(t, http.StatusNotFound, problemOf(t, err).Status)
		require.ErrorContains(t, err, "the plugin of "+string(kind)+" "+name+" knows no values of the setting librarie (hookarr "+string(kind)+"s options "+name+" lists")
		require.ErrorContains(t, err, `did you mean "libraries"?`)
		_, err = c.Options(t.Context(), kind, "op", "libraries")
		require.Equal(t, http.StatusNotFound, problemOf(t, err).Status)
		require.ErrorContains(t, err, "the configuration in use has no "+string(kind)+" of this name")
	}
	status, _, text := r.call(t, http.MethodGet, "/targets/ops/options/libraries", viewToken, "")
	require.Equal(t, http.StatusOK, status, "it is for who may see the configuration")
	require.JSONEq(t, `{"items":[]}`, text)
	status, _, _ = r.call(t, http.MethodGet, "/targets/ops/options/libraries", "", "")
	require.Equal(t, http.StatusUnauthorized, status)

	_, err = c.OptionKeys(t.Context(), host.KindTarget, "news")
	require.Equal(t, http.StatusConflict, problemOf(t, err).Status)
	require.ErrorContains(t, err, "the plugin of target news does not tell which values a setting may have: hookarr plugins inspect target-")
	r.Service.Choices = choices{errors.New("the token is refused")}
	_, err = c.Options(t.Context(), host.KindTarget, "ops", "libraries")
	require.Equal(t, http.StatusBadGateway, problemOf(t, err).Status)
	require.ErrorContains(t, err, "ask target ops for the values of targets.ops.config.libraries: the token is refused")
}
