package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/admin/admintest"
	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/pluginhost"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/internal/testbuild"
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
	require.NoError(t, testbuild.Plugins(t.Context(), dir, "source-radarr"))
	require.NoError(t, os.Chmod(dir, 0o755))
	h := pluginhost.New(pluginhost.Options{Dirs: []string{dir}, Log: r.Log, Timing: pluginhost.Timing{Start: time.Minute, Ready: time.Minute}})
	t.Cleanup(func() { require.NoError(t, h.Stop(context.Background())) })
	require.NoError(t, h.Start(t.Context(), []pluginhost.Instance{
		{Kind: host.KindSource, Plugin: "radarr", Name: "radarr", Config: json.RawMessage("{}")},
		{Kind: host.KindTarget, Plugin: "webhook", Name: "ops", Config: json.RawMessage("{}")},
	}))
	r.Service.Plugins, r.Service.Decoder, r.Service.Reloader = h, h, reloads{r.Config.Problem("targets.ops.timeout", "want more than 0s")}
	c := r.client(t)

	list, err := c.ListPlugins(t.Context())
	require.NoError(t, err)
	require.Len(t, list, 2)
	require.Equal(t, "radarr", list[0].Name)
	require.Equal(t, pluginhost.Ready, list[0].State)
	require.NotZero(t, list[0].PID)
	require.NotEqual(t, pluginhost.SandboxedOff, list[0].Sandbox, "it decodes and no more")
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

func (tr tries) Preview(_ context.Context, _ string, work store.Work, previous *sdk.Receipt) (admin.Preview, error) {
	p := admin.Preview{ContentType: "application/json"}
	for _, e := range work.Events {
		p.Body += string(e.Normalized)
	}
	if previous != nil {
		p.URL = previous.MessageID + string(previous.State)
	}
	return p, tr.err
}

func TestTargetsAreTried(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	c := r.client(t)
	r.Service.Trier = tries{}
	tested, err := c.TestTarget(t.Context(), "ops", "key")
	require.NoError(t, err)
	require.Equal(t, admin.Tested{Target: "ops", Class: sdk.ClassOK, Status: http.StatusNoContent}, tested)
	preview, err := c.Preview(t.Context(), "ops", admin.PreviewOf{Subject: admin.Subject{Sample: sdk.TypeMediaUpgraded}})
	require.NoError(t, err)
	require.Equal(t, "ops", preview.Target)
	require.Contains(t, preview.Body, `"type":"media.upgraded"`)
	_, err = c.Preview(t.Context(), "none", admin.PreviewOf{Subject: admin.Subject{Sample: sdk.TypeMediaUpgraded}})
	_ = refused(t, http.StatusNotFound, err)
	raw := admintest.Imported("Raw")
	raw.Event.State, raw.Event.Reason, raw.Event.Normalized = "undecodable", "not JSON", nil
	r.Accept(t, raw)
	_, err = c.Preview(t.Context(), "ops", admin.PreviewOf{Subject: admin.Subject{Event: raw.Event.ID.String()}})
	require.Contains(t, refused(t, http.StatusConflict, err).Detail, "there is no event to show")
}

func TestPreviewsOfSeveralEvents(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	c := r.client(t)
	r.Service.Trier = tries{}
	a, b := r.Accept(t, admintest.Imported("Arrival")), r.Accept(t, admintest.Imported("Dune", "ops"))
	first, second, delivery := a.Event.ID.String(), b.Event.ID.String(), b.Deliveries[0].ID

	p, err := c.Preview(t.Context(), "ops", admin.PreviewOf{Events: []string{first, second, first}})
	require.NoError(t, err)
	require.Equal(t, 2, p.Events, "each once")
	require.Equal(t, string(a.Event.Normalized)+string(b.Event.Normalized), p.Body)
	p, err = c.Preview(t.Context(), "ops", admin.PreviewOf{Delivery: delivery.String()})
	require.NoError(t, err)
	require.JSONEq(t, string(b.Event.Normalized), p.Body)
	p, err = c.Preview(t.Context(), "ops", admin.PreviewOf{Story: admin.StorySeason})
	require.NoError(t, err)
	require.Equal(t, 14, p.Events)
	require.Contains(t, p.Body, `"source":"radarr"`)
	require.Empty(t, p.URL)

	_, err = c.Preview(t.Context(), "ops", admin.PreviewOf{})
	require.Contains(t, refused(t, http.StatusUnprocessableEntity, err).Detail, "give exactly one of event, sample, body, events, delivery and story")
	_, err = c.Preview(t.Context(), "ops", admin.PreviewOf{Subject: admin.Subject{Sample: sdk.TypeTest}, Story: admin.StoryDigest})
	_ = refused(t, http.StatusUnprocessableEntity, err)
	_, err = c.Preview(t.Context(), "ops", admin.PreviewOf{Delivery: event.NewID().String()})
	_ = refused(t, http.StatusNotFound, err)
	_, err = c.Preview(t.Context(), "ops", admin.PreviewOf{Events: []string{first, event.NewID().String()}})
	_ = refused(t, http.StatusNotFound, err)
}

func TestPreviewsOfEdits(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	c := r.client(t)
	r.Service.Trier = tries{}
	story := admin.PreviewOf{Story: admin.StoryUpgrade, Edit: true}
	p, err := c.Preview(t.Context(), "ops", story)
	require.NoError(t, err)
	require.Equal(t, "1", p.URL, "one that was never sent")

	sent, waits := r.Accept(t, admintest.Imported("Arrival", "ops")), r.Accept(t, admintest.Imported("Dune", "ops"))
	_, err = r.Store.Settle(t.Context(), &store.Settlement{
		DeliveryID: sent.Deliveries[0].ID, Target: "ops", State: event.Delivered, MessageID: "m7", Receipt: []byte("#channel"),
	})
	require.NoError(t, err)
	p, err = c.Preview(t.Context(), "ops", story)
	require.NoError(t, err)
	require.Equal(t, "m7#channel", p.URL, "the last that was sent")
	p, err = c.Preview(t.Context(), "ops", admin.PreviewOf{Delivery: sent.Deliveries[0].ID.String(), Edit: true})
	require.NoError(t, err)
	require.Equal(t, "m7#channel", p.URL)
	_, err = c.Preview(t.Context(), "ops", admin.PreviewOf{Delivery: waits.Deliveries[0].ID.String(), Edit: true})
	require.Contains(t, refused(t, http.StatusConflict, err).Detail, "has no message to edit: it is pending")
}

func TestPluginsThatCannot(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err    error
		status int
		want   string
	}{
		{host.ErrUnsupported, http.StatusConflict, "the plugin of target ops"},
		{fmt.Errorf("preview: %w: filtered", host.ErrNothingToSend), http.StatusConflict, "nothing would be sent: filtered"},
		{fmt.Errorf("%w: target-webhook is not ready", pluginhost.ErrUnavailable), http.StatusServiceUnavailable, "is not ready"},
		{fmt.Errorf("%w: target-webhook: panic", pluginhost.ErrPluginBug), http.StatusBadGateway, "panic"},
		{errors.New("dial db.internal"), http.StatusInternalServerError, "the server's log says why"},
	} {
		r := newRig(t)
		r.Service.Trier = tries{tt.err}
		var err error
		if !errors.Is(tt.err, host.ErrNothingToSend) { // which a test cannot answer
			_, err = r.client(t).TestTarget(t.Context(), "ops", "")
			require.Contains(t, refused(t, tt.status, err).Detail, tt.want)
		}
		_, err = r.client(t).Preview(t.Context(), "ops", admin.PreviewOf{Subject: admin.Subject{Sample: sdk.TypeTest}})
		require.Contains(t, refused(t, tt.status, err).Detail, tt.want)
	}
}
