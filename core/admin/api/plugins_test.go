package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/pluginhost"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// reloads answers as a process does that finds something wrong.
type reloads struct{ problem config.Problem }

func (r reloads) Reload(_ context.Context, dryRun bool) (admin.Reload, error) {
	if dryRun {
		return admin.Reload{Changes: []config.Change{{Key: "targets.ops.timeout", What: config.Changed, Was: "30s", Is: "10s"}}}, nil
	}
	return admin.Reload{}, &config.Error{Problems: []config.Problem{r.problem}}
}

func TestPlugins(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	dir := t.TempDir()
	binary := filepath.Join(dir, "hookarr-source-radarr")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "../../../plugins/source-radarr")
	build.Stderr = os.Stderr
	require.NoError(t, build.Run())
	require.NoError(t, os.Chmod(binary, 0o755))
	require.NoError(t, os.Chmod(dir, 0o755))
	h := pluginhost.New(pluginhost.Options{Dirs: []string{dir}, Log: slog.New(slog.NewTextHandler(r.log, nil))})
	t.Cleanup(func() { require.NoError(t, h.Stop(context.Background())) })
	require.NoError(t, h.Start(t.Context(), []pluginhost.Instance{
		{Kind: host.KindSource, Plugin: "radarr", Name: "radarr", Config: json.RawMessage("{}")},
		{Kind: host.KindTarget, Plugin: "webhook", Name: "ops", Config: json.RawMessage("{}")},
	}))
	r.service.Plugins, r.service.Decoder, r.service.Reloader = h, h, reloads{r.config.Problem("targets.ops.timeout", "want more than 0s")}
	c := r.client(t)

	list, err := c.ListPlugins(t.Context())
	require.NoError(t, err)
	require.Len(t, list, 2)
	require.Equal(t, "radarr", list[0].Name)
	require.Equal(t, pluginhost.Ready, list[0].State)
	require.NotZero(t, list[0].PID)
	require.NotEmpty(t, list[0].Version)
	require.Contains(t, list[0].Features, sdk.FeatureHistory)
	require.Equal(t, []string{"radarr"}, list[0].Instances)
	require.Equal(t, pluginhost.Refused, list[1].State)
	require.Contains(t, list[1].Problem, "hookarr-target-webhook")
	one, err := c.Plugin(t.Context(), "hookarr-source-radarr")
	require.NoError(t, err)
	require.NotNil(t, one.Schema)
	_, err = c.Plugin(t.Context(), "source-radar")
	require.Contains(t, refused(t, http.StatusNotFound, err).Detail, `did you mean "source-radarr"?`)
	require.Len(t, one.SHA256, 64)
	require.Equal(t, binary, one.Path)
	renewed, err := c.ReloadPlugin(t.Context(), "source-radarr")
	require.NoError(t, err)
	require.Equal(t, pluginhost.Ready, renewed.State)
	_, err = c.ReloadPlugin(t.Context(), "target-webhook")
	require.Contains(t, refused(t, http.StatusConflict, err).Detail, "plugin target-webhook is not replaced: ")

	body, err := os.ReadFile("../../../examples/payloads/radarr/import.json")
	require.NoError(t, err)
	routing, err := c.TestRoutes(t.Context(), admin.Subject{Source: "radarr", Body: string(body)})
	require.NoError(t, err)
	require.True(t, routing.Decode.OK)
	require.Equal(t, []string{"ops"}, routing.Targets)
	require.NotEmpty(t, routing.Event)
	routing, err = c.TestRoutes(t.Context(), admin.Subject{Source: "radarr", Body: "not JSON"})
	require.NoError(t, err)
	require.False(t, routing.Decode.OK)
	require.Empty(t, routing.Targets)

	dry, err := c.Reload(t.Context(), true)
	require.NoError(t, err)
	require.Equal(t, admin.Reload{
		Changes: []config.Change{{Key: "targets.ops.timeout", What: config.Changed, Was: "30s", Is: "10s"}}, Problems: []config.Problem{}, NeedsRestart: []string{},
	}, dry)
	wet, err := c.Reload(t.Context(), false)
	require.NoError(t, err)
	require.False(t, wet.Applied)
	require.Equal(t, "targets.ops.timeout", wet.Problems[0].Key)
}

// tries answers as the plugins of targets do.
type tries struct{ err error }

func (tr tries) TestTarget(context.Context, string) (admin.Tested, error) {
	return admin.Tested{Class: sdk.ClassOK, Status: http.StatusNoContent}, tr.err
}

func (tr tries) Preview(_ context.Context, _ string, event json.RawMessage) (admin.Preview, error) {
	return admin.Preview{ContentType: "application/json", Body: string(event)}, tr.err
}

func TestTargetsAreTried(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	c := r.client(t)
	r.service.Trier = tries{}
	tested, err := c.TestTarget(t.Context(), "ops", "key")
	require.NoError(t, err)
	require.Equal(t, admin.Tested{Target: "ops", Class: sdk.ClassOK, Status: http.StatusNoContent}, tested)
	preview, err := c.Preview(t.Context(), "ops", admin.Subject{Sample: sdk.TypeMediaUpgraded})
	require.NoError(t, err)
	require.Equal(t, "ops", preview.Target)
	require.Contains(t, preview.Body, `"type":"media.upgraded"`)
	_, err = c.Preview(t.Context(), "none", admin.Subject{Sample: sdk.TypeMediaUpgraded})
	_ = refused(t, http.StatusNotFound, err)
	raw := imported("Raw")
	raw.Event.State, raw.Event.Reason, raw.Event.Normalized = "undecodable", "not JSON", nil
	r.accept(t, raw)
	_, err = c.Preview(t.Context(), "ops", admin.Subject{Event: raw.Event.ID.String()})
	require.Contains(t, refused(t, http.StatusConflict, err).Detail, "there is no event to show")
}

func TestPluginsThatCannot(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err    error
		status int
		want   string
	}{
		{host.ErrUnsupported, http.StatusConflict, "the plugin of target ops"},
		{fmt.Errorf("%w: target-webhook is not ready", pluginhost.ErrUnavailable), http.StatusServiceUnavailable, "is not ready"},
		{fmt.Errorf("%w: target-webhook: panic", pluginhost.ErrPluginBug), http.StatusBadGateway, "panic"},
		{errors.New("dial db.internal"), http.StatusInternalServerError, "the server's log says why"},
	} {
		r := newRig(t)
		r.service.Trier = tries{tt.err}
		_, err := r.client(t).TestTarget(t.Context(), "ops", "")
		require.Contains(t, refused(t, tt.status, err).Detail, tt.want)
		_, err = r.client(t).Preview(t.Context(), "ops", admin.Subject{Sample: sdk.TypeTest})
		require.Contains(t, refused(t, tt.status, err).Detail, tt.want)
	}
}
