package ui_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/pluginhost"
	"github.com/hookarr/hookarr/core/route"
	"github.com/hookarr/hookarr/internal/fakearr"
	"github.com/hookarr/hookarr/internal/testbuild"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// secret is a part of every one of the rig's.
const secret = "0123456789abcdef"

// safe fetches or posts as a role and checks that what came shows no secret and runs nothing.
func (r *rig) safe(t *testing.T, role, method, path string, form url.Values) answer {
	t.Helper()
	a := r.do(role, method, path, form)
	require.NotContains(t, a.body, secret, path)
	require.NotContains(t, a.header.Get("Location"), secret, path)
	for _, runs := range []string{"<script>alert", "<img src=x", "\x00", "\x1b", "\u202e"} {
		require.NotContains(t, a.body, runs, path)
	}
	return a
}

func (r *rig) see(t *testing.T, path string) answer {
	t.Helper()
	return r.safe(t, config.RoleOperate, http.MethodGet, path, nil)
}

func (r *rig) send(t *testing.T, path string, form url.Values) answer {
	t.Helper()
	if form == nil {
		form = url.Values{}
	}
	return r.safe(t, config.RoleOperate, http.MethodPost, path, form)
}

// held are settings that a test sets.
type held struct {
	config *config.Config
	routes *route.Table
}

func (h held) Config() *config.Config { return h.config }
func (h held) Routes() *route.Table   { return h.routes }

// configure has the service go by another configuration.
func (r *rig) configure(t *testing.T, text string) *config.Config {
	t.Helper()
	file := filepath.Join(r.Dir, "other.yaml")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	c, err := config.Loader{Environ: func() []string { return []string{"HOOKARR_LOG_LEVEL=warn"} }}.Load(file)
	require.NoError(t, err)
	routes, err := route.New(c.Routes)
	require.NoError(t, err)
	r.Service.Settings = held{c, routes}
	return c
}

// plugins runs the plugin of the source radarr with settings; that of the target is not there.
func (r *rig) plugins(t *testing.T, settings string) (binary string) {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.Chmod(dir, 0o755))
	require.NoError(t, testbuild.Plugins(t.Context(), dir, "source-radarr"))
	binary = filepath.Join(dir, "hookarr-source-radarr")
	h := pluginhost.New(pluginhost.Options{Dirs: []string{dir}, Log: r.Log, Timing: pluginhost.Timing{Start: time.Minute, Ready: time.Minute}})
	t.Cleanup(func() { require.NoError(t, h.Stop(context.Background())) })
	require.NoError(t, h.Start(t.Context(), []pluginhost.Instance{
		{Kind: host.KindSource, Plugin: "radarr", Name: "radarr", Config: json.RawMessage(settings)},
		{Kind: host.KindTarget, Plugin: "webhook", Name: "ops", Config: json.RawMessage("{}")},
	}))
	r.Service.Plugins, r.Service.Decoder, r.Service.Connector = h, h, h
	return binary
}

// application is one that the source radarr of a configuration is connected with.
func (r *rig) application(t *testing.T) *fakearr.Arr {
	t.Helper()
	arr := fakearr.New(fakearr.Radarr, fakearr.Options{})
	api := httptest.NewServer(arr)
	t.Cleanup(api.Close)
	r.configure(t, `
external_url: https://hooks.example
sources:
  radarr:
    plugin: radarr
    auth: [{basic: {username: arr, password: `+secret+`}}, {header: {name: X-Key, value: `+secret+`}}, {token: {value: `+secret+`}}]
    config: {base_url: "`+api.URL+`", api_key: `+arr.APIKey()+`}
  old: {plugin: radarr, auth: [{none: {}}]}
targets: {ops: {plugin: webhook}}
routes: [{name: all, to: [ops]}]
`)
	r.plugins(t, `{"base_url":"`+api.URL+`","api_key":"`+arr.APIKey()+`"}`)
	return arr
}

// troubled is what keeps histories from being read.
func TestPlugins(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	require.Equal(t, http.StatusServiceUnavailable, r.see(t, "/plugins/source-radarr").status)
	binary := r.plugins(t, "{}")
	r.configure(t, "plugins: {dir: "+filepath.Dir(binary)+", lock: "+filepath.Join(filepath.Dir(binary), "plugins.lock")+"}\n")
	require.Contains(t, r.see(t, "/plugins").body, `href="/x/plugins/source-radarr"`)
	a := r.see(t, "/plugins/source-radarr")
	require.Equal(t, http.StatusOK, a.status)
	for _, want := range []string{
		"ready", binary, "SHA-256", "history", `href="/x/sources/radarr"`, "hookarr plugins lock", "JSON Schema", "Reload binary",
		"<h2>Settings</h2>", "<h3>API</h3>", "<code>base_url</code>", "<strong>API key</strong>", "<summary>Advanced settings</summary>", "<dt>Sandbox</dt><dd>",
	} {
		require.Contains(t, a.body, want)
	}
	found, err := pluginhost.Discover(filepath.Dir(binary))
	require.NoError(t, err)
	require.NoError(t, pluginhost.WriteLock(filepath.Join(filepath.Dir(binary), "plugins.lock"), found))
	require.Contains(t, r.see(t, "/plugins/source-radarr").body, "Only these bytes are started.")
	a = r.see(t, "/plugins/target-webhook")
	require.Contains(t, a.body, "refused")
	require.Contains(t, a.body, "hookarr-target-webhook")
	require.Equal(t, http.StatusNotFound, r.see(t, "/plugins/source-"+url.PathEscape(foreign)).status)

	a = r.send(t, "/plugins/source-radarr/reload", nil)
	require.Equal(t, http.StatusSeeOther, a.status)
	require.Equal(t, "/x/plugins/source-radarr", a.header.Get("Location"))
	a = r.send(t, "/plugins/target-webhook/reload", nil)
	require.Equal(t, http.StatusConflict, a.status)
	require.Contains(t, a.body, "Plugin target-webhook is not replaced")
	require.Equal(t, http.StatusForbidden, r.safe(t, config.RoleView, http.MethodPost, "/plugins/source-radarr/reload", url.Values{}).status)
	require.NotContains(t, r.safe(t, config.RoleView, http.MethodGet, "/plugins/source-radarr", nil).body, "Reload binary")
}

// TestSourceThatIsSetUpByHand: its plugin knows nothing of its application.
// plain is a plugin without features.
// said are plugins, and an application, that say what they like.
type said string

func (s said) Status() []pluginhost.Status {
	text := string(s)
	return []pluginhost.Status{{
		Kind: host.KindSource, Plugin: "radarr", State: pluginhost.Refused, Reason: text, Path: text, SHA256: text, Instances: []string{"radarr"},
		Description: host.Description{
			Version: text, Summary: text, SDKVersion: text, Features: []sdk.Feature{sdk.Feature(text), sdk.FeatureConnect},
			ConfigSchema: json.RawMessage(strings.ReplaceAll(`{"title":TEXT,"properties":{
				"a":{"title":TEXT,"description":TEXT,"x-hookarr-group":TEXT,"default":TEXT,"enum":[TEXT],"type":"string"},
				"<b>|":{"deprecated":true,"title":TEXT}}}`, "TEXT", string(quoted(text)))),
		},
		Sandbox:     pluginhost.Sandbox{State: pluginhost.SandboxState(text), Reason: text},
		LastFailure: pluginhost.Failure{At: time.Now(), Reason: text}, Refusal: pluginhost.Failure{At: time.Now(), Reason: text},
		Problems: []host.Problem{{Instance: "radarr", Key: text, Message: text}}, Warnings: map[string]string{"radarr": text},
		ConfigWarnings: []host.Problem{{Instance: "radarr", Message: text}},
	}}
}

func quoted(text string) []byte {
	q, _ := json.Marshal(text)
	return q
}

func (s said) Reload(context.Context, host.Kind, string) error { return errors.New(string(s)) }

func (s said) Connect(context.Context, string, sdk.ConnectRequest) (sdk.ConnectResult, error) {
	text := string(s)
	return sdk.ConnectResult{
		Connected: true, AppName: text, AppVersion: text, ConnectionID: text, Problems: []string{text},
		Changes: []sdk.Change{{Field: text, From: text, To: text}},
	}, nil
}

func TestForeignTextOfPlugins(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.Service.Plugins, r.Service.Connector = said(foreign), said(foreign)
	r.configure(t, "sources: {radarr: {plugin: radarr, auth: [{none: {}}]}}\n")
	require.Equal(t, http.StatusSeeOther, r.send(t, "/sources/radarr/check", nil).status)
	require.Equal(t, http.StatusConflict, r.send(t, "/plugins/source-radarr/reload", nil).status)
	for _, path := range []string{"/plugins", "/plugins/source-radarr", "/sources", "/sources/radarr", "/configuration"} {
		a := r.see(t, path)
		require.Equal(t, http.StatusOK, a.status, path)
		if path == "/sources/radarr" {
			require.Contains(t, a.body, "Webhooks are kept and not decoded")
		}
		if path != "/configuration" && path != "/sources" {
			require.Contains(t, a.body, "&lt;script&gt;alert(1)", path)
		}
	}
}

// described is a target plugin with a schema.
type described json.RawMessage

func (d described) Status() []pluginhost.Status {
	return []pluginhost.Status{{
		Kind: host.KindTarget, Plugin: "webhook", State: pluginhost.Ready, Instances: []string{"ops"},
		Description: host.Description{Name: "webhook", Kind: host.KindTarget, ConfigSchema: json.RawMessage(d)},
	}}
}

func (d described) Reload(context.Context, host.Kind, string) error { return nil }

func TestSettingsOfPluginsAreNamed(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.configure(t, `
sources: {radarr: {plugin: radarr, auth: [{none: {}}]}}
targets:
  ops:
    plugin: webhook
    config: {url: "http://127.0.0.1/`+secret+`", old: 1, rare: {deep: two}, look: small, other: three}
routes: [{name: all, to: [ops]}]
`)
	r.Service.Plugins = described(`{"properties":{
		"look":{"type":"string","title":"How it looks","x-hookarr-group":"Look","enum":["small","large"],"default":"small","description":"What people see."},
		"old":{"type":"integer","deprecated":true,"description":"Use look."},
		"rare":{"type":"object","x-hookarr-advanced":true,"properties":{"deep":{"type":"string","title":"Deep down"}}},
		"url":{"type":"string","writeOnly":true,"title":"Address"}},"required":["url"]}`)
	in := func(page string, wanted ...string) {
		body := regexp.MustCompile(`\s*\n\s*`).ReplaceAllString(r.see(t, page).body, "")
		for _, want := range wanted {
			require.Contains(t, body, want, page)
		}
	}
	in("/plugins/target-webhook",
		`<code>url</code> <span class="badge plain">required</span></td><td>secret</td>`,
		`<h3>Look</h3>`, `<td>small, large</td><td class="wide"><code>small</code></td><td><strong>How it looks</strong>: What people see.</td>`,
		`<summary>Advanced settings</summary>`, `<code>rare.deep</code>`,
		`<summary>Deprecated settings</summary>`, `<code>old</code> <span class="badge bad">deprecated</span>`)
	in("/configuration",
		`<code>targets.ops.config.url</code> <small>Address</small>`, `<code>targets.ops.config.rare.deep</code> <small>Deep down</small>`,
		`<code>targets.ops.config.old</code> <span class="badge bad">deprecated</span>`, `<code>targets.ops.config.other</code>`)
	in("/targets/ops",
		`<dt>Address <small><code>url</code></small></dt><dd><span class="clip">[redacted]</span></dd>`,
		`<dt><code>old</code> <span class="badge bad">deprecated</span></dt><dd><span class="clip">1</span></dd>`,
		`<summary>Advanced</summary><dl class="facts"><dt>Deep down <small><code>rare.deep</code></small></dt><dd><span class="clip">two</span></dd></dl></details>`)

	for schema, want := range map[string]string{
		"<html>": "its schema is no JSON object, as a JSON Schema is", `{"properties":{"a\nb":{}}}`: `its schema has the key &#34;a\nb&#34;`,
		`{"description":"` + strings.Repeat("x", 5_000_000) + `"}`: "its schema has 4.8 MiB, and 1.0 MiB are read at most",
	} {
		r.Service.Plugins = described(schema)
		in("/plugins/target-webhook", want, "<code>hookarr plugins check</code>")
		in("/targets/ops", `<dt><code>old</code></dt>`)
		in("/configuration", `<code>targets.ops.config.old</code>`)
		p, err := r.Service.FindPlugin("target-webhook")
		require.NoError(t, err)
		_, err = json.Marshal(p)
		require.NoError(t, err, "the API can answer with it")
		require.Less(t, len(r.see(t, "/plugins/target-webhook").body), 100_000)
	}
}

func TestConfiguration(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a := r.see(t, "/configuration")
	require.Equal(t, http.StatusOK, a.status)
	for _, want := range []string{r.Config.File + ":2</code>", "<code>admin.tokens[0].role</code>", "[redacted]", `href="/x/metrics"`, `href="/x/api/v1/openapi.yaml"`, "default", "All of it as YAML"} {
		require.Contains(t, a.body, want)
	}
	c := r.configure(t, "hosts: [nas.example]\nsources: {radarr: {plugin: radarr, auth: [{none: {}}], config: {title: '"+strings.ReplaceAll(strings.NewReplacer("\x00", "", "\x1b", "").Replace(foreign), "'", "''")+"'}}}\n")
	a = r.see(t, "/configuration?given=1")
	require.Contains(t, a.body, "$HOOKARR_LOG_LEVEL")
	require.Contains(t, a.body, c.File+":1</code>")
	require.NotContains(t, a.body, "shutdown.drain</code>")
	require.Contains(t, r.see(t, "/configuration").body, "shutdown.drain</code>")
	require.NotContains(t, r.safe(t, config.RoleView, http.MethodGet, "/configuration", nil).body, "<button class=\"strong\">")
}

// reloads answers as a process does.
type reloads struct {
	dry, wet error
	reload   admin.Reload
	// then is done by what is no dry run.
	then func()
}

func (r reloads) Reload(_ context.Context, dryRun bool) (admin.Reload, error) {
	if dryRun {
		return r.reload, r.dry
	}
	if r.wet == nil && r.then != nil {
		r.then()
	}
	return r.reload, r.wet
}

func TestReload(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	require.Equal(t, http.StatusServiceUnavailable, r.send(t, "/configuration/check", nil).status)
	require.Equal(t, http.StatusServiceUnavailable, r.send(t, "/configuration/reload", nil).status)
	wrong := &config.Error{Problems: []config.Problem{
		r.Config.Problem("targets.ops.plugin", "want more than 0s"), {File: foreign, Line: 7, Key: foreign, Message: foreign},
	}}
	reload := admin.Reload{
		Changes:      []config.Change{{Key: "targets.ops.timeout", What: config.Changed, Was: "30s", Is: "10s"}, {Key: foreign, What: config.Changed, Was: foreign, Is: foreign}},
		NeedsRestart: []string{"listen"}, Warnings: []config.Problem{{File: "x.yaml", Line: 3, Key: "log", Message: foreign}},
	}
	r.Service.Reloader = reloads{reload: reload}
	a := r.send(t, "/configuration/check", nil)
	require.Equal(t, http.StatusOK, a.status)
	for _, want := range []string{"What a reload would change", "targets.ops.timeout", "<td>30s</td><td>10s</td>", "<code>listen</code>", "x.yaml:3", `action="/x/configuration/reload"`} {
		require.Contains(t, a.body, want)
	}
	r.Service.Reloader = reloads{reload: reload, dry: wrong, wet: wrong}
	for _, path := range []string{"/configuration/check", "/configuration/reload"} {
		a = r.send(t, path, nil)
		require.Equal(t, http.StatusUnprocessableEntity, a.status)
		require.Contains(t, a.body, "The one in use stays in use")
		require.Contains(t, a.body, r.Config.File+":11</code>")
		require.Contains(t, a.body, "<code>targets.ops.plugin</code>: want more than 0s")
		require.NotContains(t, a.body, `action="/x/configuration/reload"`)
	}
	require.Equal(t, http.StatusForbidden, r.safe(t, config.RoleView, http.MethodPost, "/configuration/reload", url.Values{}).status)
	require.Equal(t, http.StatusForbidden, r.safe(t, config.RoleView, http.MethodPost, "/configuration/check", url.Values{}).status)

	r.Service.Reloader = reloads{reload: reload}
	a = r.send(t, "/configuration/reload", nil)
	require.Equal(t, http.StatusSeeOther, a.status)
	require.Equal(t, "/x/configuration", a.header.Get("Location"))
	r.Service.Reloader = reloads{then: func() { r.configure(t, "admin: {base_path: /y}\n") }}
	a = r.send(t, "/configuration/reload", nil)
	require.Equal(t, "/y/configuration", a.header.Get("Location"), "below the path that is in use now")
	require.Contains(t, a.header.Get("Set-Cookie"), "Path=/y/")
}
