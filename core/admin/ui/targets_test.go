package ui_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/admin/admintest"
	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/pluginhost"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// tries answers as the plugins of targets do.
type tries struct {
	tested  admin.Tested
	preview admin.Preview
	err     error
}

func (tr tries) TestTarget(context.Context, string) (admin.Tested, error) { return tr.tested, tr.err }

func (tr tries) Preview(_ context.Context, _ string, work store.Work, previous *sdk.Receipt) (admin.Preview, error) {
	p := tr.preview
	p.Headers = http.Header{"X-Title": {work.Event.Title}, "X-Edit": {strconv.FormatBool(previous != nil)}}
	return p, tr.err
}

// folders answers as the plugins of applications and of media servers do.
type folders struct{ library string }

func (f folders) Folders(_ context.Context, kind host.Kind, _ string, _ sdk.FoldersQuery) (sdk.Folders, error) {
	if kind == host.KindSource {
		return sdk.Folders{Roots: []sdk.Folder{{Path: "/movies"}}}, nil
	}
	return sdk.Folders{Roots: []sdk.Folder{{Library: f.library, Path: "/data/movies"}}}, nil
}

func TestTargets(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.Service.Plugins = plugins{{Kind: host.KindTarget, Plugin: "discord", State: pluginhost.Ready, Description: host.Description{Defaults: sdk.Defaults{Concurrency: 1, Rate: .5, Burst: 5}}}}
	r.deliver(t, "Sintel", "ops")
	r.MakeDead(t, r.Accept(t, admintest.Imported("Dune", "ops")).Deliveries[0].ID)
	r.Accept(t, admintest.Imported("Heat", "left"))
	require.NoError(t, r.Store.Hold(t.Context(), "news", store.HoldBreaker, foreign))

	for _, a := range []answer{r.get("/targets"), r.part(config.RoleOperate, "/targets")} {
		shown(t, a)
		for _, text := range []string{
			`<a href="/x/targets/ops">ops</a>`, `<span class="badge good">open</span>`, `<span class="badge bad">breaker</span>`, `<span class="badge bad">unconfigured</span>`,
			`href="/x/dead?target=ops"`, `href="/x/deliveries?state=pending&amp;target=left"`, "one every 2 s, 5 at once", `action="/x/targets/news/resume"`,
		} {
			require.Contains(t, a.body, text)
		}
		require.Equal(t, 2, strings.Count(a.body, ">never<"))
		require.NotContains(t, a.body, `action="/x/targets/ops/resume"`)
	}
	require.NotContains(t, r.do(config.RoleView, http.MethodGet, "/targets", nil).body, "/resume")
}

func TestTarget(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.deliver(t, "Sintel", "ops")
	r.MakeDead(t, r.Accept(t, admintest.Imported("Dune", "ops")).Deliveries[0].ID)
	a := r.get("/targets/ops")
	require.Equal(t, http.StatusOK, a.status)
	for _, text := range []string{
		"<h1>Target ops</h1>", "<dt>Plugin</dt><dd>target-webhook</dd>", "<dt>Concurrency</dt><dd>the plugin&#39;s own, or 8</dd>", "<dt>Rate</dt><dd>no limit</dd>",
		"after 5 s, each pause 3 times as long as the last, at most 6 h; given up after 7 d", "<dt>Routes</dt><dd>imports, old</dd>",
		`aria-label="Outcomes: delivered 1, failed attempts 1, dead letters 1"`, `aria-label="Latency of attempts: median, at most 1 ms, 95th percentile, at most 120 ms"`,
		`href="/x/deliveries/retry?state=dead&amp;target=ops"`, `action="/x/targets/ops/pause"`, `action="/x/targets/ops/test"`, `href="/x/targets/ops/preview"`,
	} {
		require.Contains(t, a.body, text)
	}
	require.NotContains(t, a.body, "/targets/ops/paths", "its plugin knows no folders")
	require.NotContains(t, a.body, admintest.SourceSecret)

	a = r.do(config.RoleView, http.MethodGet, "/targets/ops", nil)
	require.Contains(t, a.body, "<dt>Plugin</dt>")
	for _, action := range []string{"/pause", "/test", "/preview", "/deliveries/retry", "What you can do"} {
		require.NotContains(t, a.body, action)
	}
	part := r.part(config.RoleOperate, "/targets/ops").body
	require.NotContains(t, part, "<svg", "the plots are not read once a second")
	require.NotContains(t, part, `name="reason"`)
	require.Contains(t, part, "dead letters")
}

func TestTargetFacts(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	own := r.Config.Targets["news"]
	own.Concurrency, own.Rate, own.DigestAfter = 3, &config.Rate{PerSecond: 2.5, Burst: 1}, time.Hour
	own.Group = &config.Group{By: "season", Wait: time.Minute, Max: 20}
	own.Quiet = &config.Quiet{Zone: "Europe/Berlin", Days: []string{"mon-fri"}, Hours: []string{"22:00-07:00"}, Then: config.ThenDigest}
	own.Retry.Schedule, own.Retry.MaxAttempts = []time.Duration{time.Second, 90 * time.Second}, 4
	r.Config.Targets["news"] = own
	r.Config.Targets["other"] = config.Target{Plugin: "webhook"}
	r.Service.Plugins = plugins{{Kind: host.KindTarget, Plugin: "discord", Description: host.Description{
		Version: "1.0.0", Features: []sdk.Feature{sdk.FeatureFolders}, Defaults: sdk.Defaults{Concurrency: 1, Group: sdk.GroupDefaults{MaxWait: time.Hour}},
	}}}
	a := r.get("/targets/news")
	for _, text := range []string{
		"<dt>Concurrency</dt><dd>3</dd>", "<dt>Rate</dt><dd>2.5 per second</dd>", "after 1 s, 90 s; the last pause repeats; at most 4 attempts; given up after 7 d",
		"by season, 1 min after the last event, 1 h after the first at the latest, or with 20 events",
		"mon-fri 22:00-07:00 (Europe/Berlin); then one digest", "what waited for 1 h or longer goes out as one", `href="/x/targets/news/paths"`,
	} {
		require.Contains(t, a.body, text)
	}
	require.NotContains(t, a.body, `action="/x/targets/news/test"`, "its plugin has no test")
	r.Service.Plugins = plugins{{Kind: host.KindTarget, Plugin: "discord", Description: host.Description{Version: "1.0.0"}}}
	require.NotContains(t, r.get("/targets/news").body, `action="/x/targets/news/test"`, "its plugin has no features at all")
	require.Contains(t, r.get("/targets/other").body, "none leads here")
}

func TestTargetThatIsNotThere(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, path := range []string{"/targets/opz", "/targets/opz/preview", "/targets/opz/paths", "/targets/%3Cscript%3E", "/targets/" + strings.Repeat("x", 5000)} {
		a := r.get(path)
		require.Equal(t, http.StatusNotFound, a.status, path)
		require.NotContains(t, a.body, "<script>")
	}
	require.Contains(t, r.get("/targets/opz").body, "did you mean &#34;ops&#34;?")
	for _, action := range []string{"pause", "resume", "probe", "test", "rename"} {
		require.Equal(t, http.StatusNotFound, r.post("/targets/opz/"+action, url.Values{"to": {"ops"}}).status, action)
		require.Equal(t, http.StatusForbidden, r.do(config.RoleView, http.MethodPost, "/targets/ops/"+action, url.Values{}).status, action)
		require.Equal(t, http.StatusMethodNotAllowed, r.get("/targets/ops/"+action).status, action)
	}
	for _, page := range []string{"preview", "paths"} {
		require.Equal(t, http.StatusForbidden, r.do(config.RoleView, http.MethodGet, "/targets/ops/"+page, nil).status, page)
	}
}

func TestPauseAndResume(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.Accept(t, admintest.Imported("Sintel", "ops"))
	a := r.post("/targets/ops/resume", url.Values{})
	require.Equal(t, http.StatusConflict, a.status)
	require.Contains(t, a.body, "it is not on hold")
	a = r.post("/targets/ops/probe", url.Values{})
	require.Equal(t, http.StatusConflict, a.status)

	a = r.post("/targets/ops/pause", url.Values{"reason": {foreign[:400]}})
	require.Equal(t, "/x/targets/ops", a.header.Get("Location"))
	require.Contains(t, a.header.Get("Set-Cookie"), "hookarr-notice=")
	notice := a.header.Get("Set-Cookie")
	a = r.do(config.RoleOperate, http.MethodGet, "/targets/ops", nil, "Cookie", notice)
	require.Contains(t, a.body, "Target ops is paused. What comes waits until it is resumed.")
	shown(t, a)
	require.Contains(t, a.body, "An operator has paused it.")
	require.Contains(t, a.body, `action="/x/targets/ops/resume"`)
	require.NotContains(t, a.body, `action="/x/targets/ops/probe"`, "a pause is not probed")
	require.Equal(t, http.StatusUnprocessableEntity, r.post("/targets/ops/pause", url.Values{"reason": {foreign}}).status)

	a = r.post("/targets/ops/resume", url.Values{"next": {"/"}})
	require.Equal(t, "/x/", a.header.Get("Location"))
	a = r.do(config.RoleOperate, http.MethodGet, "/", nil, "Cookie", a.header.Get("Set-Cookie"))
	require.Contains(t, a.body, "Target ops is resumed: 1 delivery goes out, oldest first.")
	require.Contains(t, r.get("/targets/ops").body, `<span class="badge good">open</span>`)

	r.post("/targets/ops/pause", url.Values{})
	require.Equal(t, "/x/targets/ops", r.post("/targets/ops/resume", url.Values{"next": {"//evil.example/"}}).header.Get("Location"))
}

func TestProbe(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	_, _, err := r.Store.ChangeTarget(t.Context(), "ops", func(t *store.Target, now time.Time) []*store.Settlement {
		t.Begin(store.HoldBreaker, "five failures", now)
		t.ProbeAt = now.Add(time.Hour)
		return nil
	})
	require.NoError(t, err)
	a := r.get("/targets/ops")
	require.Contains(t, a.body, "probed by its next delivery")
	require.Contains(t, a.body, `action="/x/targets/ops/probe"`)
	a = r.post("/targets/ops/probe", url.Values{})
	require.Equal(t, http.StatusSeeOther, a.status, a.body)
	require.Contains(t, r.do(config.RoleView, http.MethodGet, "/targets/ops", nil, "Cookie", a.header.Get("Set-Cookie")).body, "Target ops is probed.")
}

func TestTargetThatLeft(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.Accept(t, admintest.Imported("Sintel", "left"))
	a := r.get("/targets/left")
	require.Contains(t, a.body, "It has left the configuration.")
	require.Contains(t, a.body, `action="/x/targets/left/rename"`)
	require.Contains(t, a.body, `href="/x/deliveries/cancel?state=pending&amp;target=left"`)
	require.NotContains(t, a.body, "<h2>Settings</h2>")
	require.NotContains(t, a.body, "/pause")
	require.Equal(t, http.StatusConflict, r.post("/targets/left/pause", url.Values{}).status)
	require.NotContains(t, r.do(config.RoleView, http.MethodGet, "/targets/left", nil).body, "/rename")
	require.Equal(t, http.StatusNotFound, r.post("/targets/left/rename", url.Values{"to": {"elsewhere"}}).status)
	a = r.post("/targets/left/rename", url.Values{"to": {"ops"}})
	require.Equal(t, "/x/actions", a.header.Get("Location"), a.body)
}

func TestTestOfATarget(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a := r.post("/targets/ops/test", url.Values{})
	require.Equal(t, http.StatusServiceUnavailable, a.status)
	require.Contains(t, a.body, "needs a running server")

	r.Service.Trier = tries{tested: admin.Tested{Class: sdk.ClassOK, Status: 204}}
	a = r.post("/targets/ops/test", url.Values{})
	require.Contains(t, a.body, "The endpoint took the test.")
	require.Contains(t, a.body, "<dd>204</dd>")
	require.Contains(t, r.get("/targets/ops").body, "People may see a message.")
	key := url.Values{"key": {regexp.MustCompile(`name="key" value="([^"]+)"`).FindStringSubmatch(r.get("/targets/ops").body)[1]}}
	require.Equal(t, http.StatusOK, r.post("/targets/ops/test", key).status)
	a = r.post("/targets/ops/test", key)
	require.Equal(t, "/x/targets/ops", a.header.Get("Location"), "a double click sends one test")

	r.Service.Trier = tries{tested: admin.Tested{Class: sdk.ClassMisconfigured, Status: 404, Message: foreign, Excerpt: foreign}}
	a = r.post("/targets/ops/test", url.Values{})
	shown(t, a)
	require.Contains(t, a.body, "The endpoint did not take the test.")
	require.NotContains(t, a.body, "hx-get")

	r.Service.Trier = tries{err: host.ErrUnsupported}
	a = r.post("/targets/ops/test", url.Values{})
	require.Equal(t, http.StatusConflict, a.status)
	require.Contains(t, a.body, "has no test")
}

func TestPreview(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a := r.get("/targets/news/preview")
	require.Equal(t, http.StatusOK, a.status)
	require.Contains(t, a.body, `<option value="sample:media.imported" selected>media.imported</option>`)
	require.Contains(t, a.body, `<option value="story:season">season</option>`)
	require.Equal(t, http.StatusServiceUnavailable, r.get("/targets/news/preview?of=story:season").status)

	tr := tries{preview: admin.Preview{
		Plugin: "discord", Method: "POST", URL: "https://discord.example/[redacted]", Fallback: "template: " + foreign,
		Body: `{"embeds":[{"title":"**Sintel** <script>alert(1)</script>","color":255,"description":"line\nline ` + "\u202e" + `","image":{"url":"https://image.example/1.jpg"},
			"fields":[{"name":"Quality","value":"1080p","inline":true}]}]}`,
	}}
	r.Service.Trier = tr
	require.Contains(t, r.get("/targets/news/preview").body, "As people see it", "a sample is shown before anything is asked for")
	a = r.get("/targets/news/preview?of=story:season")
	shown(t, a)
	for _, text := range []string{
		"As people see it", `<p class="strong">Sintel &lt;script&gt;`, `fill="#0000ff"`, "<dt>Quality</dt><dd>1080p</dd>", "picture: https://image.example/1.jpg",
		"It tells 14 events.", "POST https://discord.example/[redacted]", "X-Edit: false", `<option value="story:season" selected>`, "It is not as it was to be: template: ",
	} {
		require.Contains(t, a.body, text)
	}
	require.NotContains(t, a.body, `src="https://image`, "nothing is loaded from elsewhere")
	require.Contains(t, r.get("/targets/news/preview?of=sample:media.imported&edit=1").body, "X-Edit: true")

	stored := r.Accept(t, admintest.Imported(foreign, "ops"))
	a = r.get("/targets/news/preview?event=" + stored.Event.ID.String())
	shown(t, a)
	require.Contains(t, a.body, "X-Title: &lt;script&gt;")

	a = r.get("/targets/news/preview?delivery=" + stored.Deliveries[0].ID.String())
	require.Contains(t, a.body, "X-Title: &lt;script&gt;")
	a = r.get("/targets/news/preview?delivery=1&event=1")
	require.Equal(t, http.StatusUnprocessableEntity, a.status)
	require.Contains(t, a.body, "Give exactly one of")

	tr.preview.Plugin, tr.preview.Body, tr.preview.Truncated = "jellyfin", `{"a":"<b>"}`, true
	r.Service.Trier = tr
	a = r.get("/targets/news/preview?of=sample:test")
	require.NotContains(t, a.body, "As people see it")
	require.Contains(t, a.body, "{\n  &#34;a&#34;: &#34;&lt;b&gt;&#34;\n}")
	require.Contains(t, a.body, "The body goes on.")
}

func TestPreviewOfWhatCannotBeShown(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.Service.Trier = tries{}
	for query, c := range map[string]struct {
		status int
		says   string
	}{
		"of=sample:nothing": {http.StatusUnprocessableEntity, "There is no event type of this name"},
		"of=story:nothing":  {http.StatusUnprocessableEntity, "There is no story of this name"},
		"of=nothing":        {http.StatusUnprocessableEntity, "Give exactly one of"},
		"event=00000000-0000-7000-8000-000000000000": {http.StatusNotFound, "There is no event"},
		"event=%3Cscript%3E":                         {http.StatusUnprocessableEntity, ""},
	} {
		a := r.get("/targets/news/preview?" + query)
		require.Equal(t, c.status, a.status, query)
		require.Contains(t, a.body, c.says, query)
		require.Contains(t, a.body, `name="of"`, "the form is there again: %s", query)
		require.NotContains(t, a.body, "<script>")
	}
	r.Service.Trier = tries{err: fmt.Errorf("%w: %s", pluginhost.ErrUnavailable, foreign)}
	require.Equal(t, http.StatusServiceUnavailable, r.get("/targets/news/preview?of=sample:test").status)
	r.Service.Trier = tries{err: errors.New("secret of the database")}
	a := r.get("/targets/news/preview?of=sample:test")
	require.Equal(t, http.StatusInternalServerError, a.status)
	require.NotContains(t, a.body, "secret of the database")
}

// choices answers as the plugins of media servers do.
type choices struct{ label string }

func (c choices) ListOptions(context.Context, host.Kind, string, string) (pluginhost.OptionList, error) {
	return pluginhost.OptionList{
		Keys:    []host.OptionKey{{Key: "libraries"}, {Key: "none"}},
		Options: []sdk.Option{{Value: "TV <b>Shows</b>", Label: c.label}},
	}, nil
}

func TestOptionsOfATarget(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.Service.Plugins = plugins{{Kind: host.KindTarget, Plugin: r.Config.Targets["ops"].Plugin, Description: host.Description{
		Version: "1.0.0", Features: []sdk.Feature{sdk.FeatureOptions},
		ConfigSchema: json.RawMessage(`{"properties":{"url":{},"libraries":{"x-hookarr-options":true},"at":{"properties":{"a/b?":{"x-hookarr-options":true}}}}}`),
	}}}
	require.Equal(t, http.StatusServiceUnavailable, r.get("/targets/ops/options/libraries").status)
	r.Service.Choices = choices{foreign}
	a := r.get("/targets/ops")
	require.Contains(t, a.body, `<a href="/x/targets/ops/options/libraries">libraries</a>`)
	require.Contains(t, a.body, `<a href="/x/targets/ops/options/at.a%2Fb%3F">at.a/b?</a>`)
	a = r.get("/targets/ops/options/libraries")
	shown(t, a)
	require.Contains(t, a.body, "<code>targets.ops.config.libraries</code>")
	require.Contains(t, a.body, "<code>TV &lt;b&gt;Shows&lt;/b&gt;</code>")
	a = r.get("/targets/ops/options/url")
	require.Equal(t, http.StatusNotFound, a.status)
	require.Contains(t, a.body, "knows no values of the setting url")
}

func TestPathsOfATarget(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	require.Equal(t, http.StatusServiceUnavailable, r.get("/targets/ops/paths").status)
	r.Service.Folders = folders{foreign}
	a := r.get("/targets/ops/paths")
	shown(t, a)
	require.Contains(t, a.body, "<code>/data/movies</code>")
	require.Contains(t, a.body, "<code>/movies</code>")
	require.Contains(t, a.body, "Applications that were asked")
}
