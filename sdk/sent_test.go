package sdk_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
	"github.com/hookarr/hookarr/sdk/internal/pluginv1"
	"github.com/hookarr/hookarr/sdk/plugintest"
)

// poster is a target that posts what an event's title says, to an endpoint that answers
// what the path says.
type poster struct {
	env sdk.Env
	url string
	raw bool
}

type posterConfig struct {
	URL   sdk.Secret `json:"url" doc:"Endpoint."`
	Token sdk.Secret `json:"token" doc:"A token."`
	Raw   bool       `json:"raw" doc:"Post the original."`
	Old   string     `json:"old" hookarr:"deprecated" doc:"Use url."`
}

func newPoster(_ context.Context, env sdk.Env, c posterConfig) (sdk.Target, error) {
	if c.Token == "weak" {
		env.Warn("token", "is as weak as "+c.Token.Reveal())
		env.Warn("", "should be seen to\nsoon")
	}
	if c.Token == "wrong" {
		env.Warn("token", "is wrong")
		return nil, sdk.Problem("token", "is refused")
	}
	return &poster{env: env, url: c.URL.Reveal(), raw: c.Raw}, nil
}

func (p *poster) NeedsOriginals() bool { return p.raw }

func (p *poster) Test(ctx context.Context, d sdk.Delivery) (sdk.Receipt, error) {
	return p.Deliver(ctx, d)
}

func (p *poster) Deliver(ctx context.Context, d sdk.Delivery) (sdk.Receipt, error) {
	post := func(path string, body io.Reader) (sdk.Receipt, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url+path, body)
		if err != nil {
			return sdk.Receipt{}, sdk.Misconfigured(err)
		}
		req.Header.Set("X-Delivery", d.ID)
		req.Header.Set("Authorization", "Bearer something")
		return p.env.HTTP.Do(req)
	}
	switch what, arg, _ := strings.Cut(d.Event.Title, " "); what {
	case "twice":
		first, _ := post("/200", strings.NewReader("first"))
		second, err := post("/"+arg, strings.NewReader("second"))
		first.Status = second.Status
		return first, err
	case "swallow":
		_, _ = post("/500", strings.NewReader("swallowed"))
		return sdk.Receipt{}, nil
	case "none":
		return sdk.Receipt{}, sdk.Permanent(errors.New("nothing to say"))
	case "stream":
		return post("/500", io.LimitReader(repeated("stream "), 1<<20))
	case "many":
		for range 20 {
			_, _ = post("/200", strings.NewReader("x"))
		}
		return sdk.Receipt{}, nil
	case "original":
		return post("/200", strings.NewReader(string(d.Originals[0].Body)))
	default:
		return post("/"+what, strings.NewReader(arg+" for "+d.ID+" "+d.Event.Summary))
	}
}

// repeated is text without end.
type repeated string

func (r repeated) Read(p []byte) (int, error) {
	return copy(p, strings.Repeat(string(r), len(p)/len(r)+1)), nil
}

// posted is an endpoint that answers the status in its path.
type posted struct {
	*httptest.Server
	mu     sync.Mutex
	bodies []string
}

func newPosted(t *testing.T) *posted {
	t.Helper()
	p := &posted{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		p.mu.Lock()
		p.bodies = append(p.bodies, string(body))
		p.mu.Unlock()
		if strings.HasSuffix(r.URL.Path, "/500") {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *posted) all() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.bodies
}

// setupPoster serves a poster that is configured as ops.
func setupPoster(t *testing.T, config map[string]any, features ...sdk.Feature) (*posted, *host.Client) {
	t.Helper()
	endpoint := newPosted(t)
	p, err := sdk.NewTargetPlugin(sdk.Info{Name: "poster", Version: "1.2.3", Features: features}, newPoster)
	client := host.NewClient(attach(t, p, err))
	all := map[string]any{"url": endpoint.URL + "/hooks/tok3n", "token": "the-t0ken"}
	maps.Copy(all, config)
	configured, err := client.Configure(t.Context(), []host.Instance{{Name: "ops", Config: plugintest.Config(t, all)}}, false)
	require.NoError(t, err)
	require.Empty(t, configured.Problems)
	return endpoint, client
}

func titled(t *testing.T, id, title string) host.Delivery {
	t.Helper()
	e := plugintest.EventOf(sdk.TypeTest)
	e.Title, e.Summary = title, "summary"
	return plugintest.Delivery(t, id, e)
}

func TestFailedAttemptShowsWhatWasSent(t *testing.T) {
	t.Parallel()
	endpoint, client := setupPoster(t, nil)
	o, err := client.Deliver(t.Context(), "ops", titled(t, "d1", "500 the-t0ken"))
	require.NoError(t, err)
	require.Equal(t, &host.Request{
		Method: http.MethodPost,
		URL:    endpoint.URL + "/[redacted]/[redacted]/500",
		Header: http.Header{
			"Authorization": {"[redacted]"}, "User-Agent": {"Hookarr-target-poster/1.2.3"}, "X-Delivery": {"d1"},
		},
		Body: "[redacted] for d1 summary",
	}, o.Sent)

	// Nobody asked for what was sent with success.
	o, err = client.Deliver(t.Context(), "ops", titled(t, "d2", "200 fine"))
	require.NoError(t, err)
	require.Nil(t, o.Sent)
	d := titled(t, "d2", "200 fine")
	d.Record = true
	o, err = client.Deliver(t.Context(), "ops", d)
	require.NoError(t, err)
	require.Equal(t, "fine for d2 summary", o.Sent.Body)

	o, err = client.Deliver(t.Context(), "ops", titled(t, "d3", "twice 500"))
	require.NoError(t, err)
	require.Equal(t, "second", o.Sent.Body, "the last tells of the outcome")
	o, err = client.Deliver(t.Context(), "ops", titled(t, "d4", "none"))
	require.NoError(t, err)
	require.Nil(t, o.Sent)

	o, err = client.Deliver(t.Context(), "ops", titled(t, "d5", "stream"))
	require.NoError(t, err)
	require.Len(t, endpoint.all()[len(endpoint.all())-1], 1<<20, "a body that is read once arrives whole")
	require.True(t, o.Sent.Truncated)
	require.Len(t, o.Sent.Body, 16<<10)
	require.True(t, strings.HasPrefix(o.Sent.Body, "stream stream "))

	o, err = client.Deliver(t.Context(), "ops", titled(t, "d6", "500 a\x00b\xff"+strings.Repeat("é", 20<<10)))
	require.NoError(t, err)
	require.True(t, o.Sent.Truncated)
	require.LessOrEqual(t, len(o.Sent.Body), 16<<10)
	require.NotContains(t, o.Sent.Body, "\x00", "Postgres has no NUL")
}

func TestAttemptsShowTheirOwnRequest(t *testing.T) {
	t.Parallel()
	_, client := setupPoster(t, nil)
	var wg sync.WaitGroup
	ids := []string{"a", "b", "c", "d", "e", "f", "g", "h"}
	outcomes, errs := make([]host.Outcome, len(ids)), make([]error, len(ids))
	for i, id := range ids {
		d := titled(t, id, "500 body")
		wg.Go(func() { outcomes[i], errs[i] = client.Deliver(t.Context(), "ops", d) })
	}
	wg.Wait()
	for i, id := range ids {
		require.NoError(t, errs[i])
		require.Equal(t, "body for "+id+" summary", outcomes[i].Sent.Body)
	}
}

func TestPreviewSendsNothing(t *testing.T) {
	t.Parallel()
	endpoint, client := setupPoster(t, nil, sdk.FeaturePreview)
	for title, body := range map[string]string{
		"200 body": "body for d summary", "twice 200": "first", "swallow": "swallowed", "many": "x",
	} {
		got, err := client.Preview(t.Context(), "ops", titled(t, "d", title))
		require.NoError(t, err, title)
		require.Equal(t, body, got.Body)
		require.NotContains(t, got.URL, "tok3n")
	}
	got, err := client.Preview(t.Context(), "ops", titled(t, "d", "stream"))
	require.NoError(t, err)
	require.True(t, got.Truncated)
	require.Len(t, got.Body, 16<<10)
	_, err = client.Preview(t.Context(), "ops", titled(t, "d", "none"))
	require.ErrorIs(t, err, host.ErrNothingToSend)
	require.ErrorContains(t, err, "nothing to say")
	require.Empty(t, endpoint.all())

	d := titled(t, "d", "200 body")
	o, err := client.Deliver(t.Context(), "ops", d)
	require.NoError(t, err)
	require.Equal(t, sdk.ClassOK, o.Class)
	require.Len(t, endpoint.all(), 1, "a preview leaves nothing behind")
}

func TestPreviewShowsAFewRequests(t *testing.T) {
	t.Parallel()
	endpoint := newPosted(t)
	p, err := sdk.NewTargetPlugin(sdk.Info{Name: "poster", Version: "1.2.3", Features: []sdk.Feature{sdk.FeaturePreview}}, newPoster)
	conn := attach(t, p, err)
	_, err = host.NewClient(conn).Configure(t.Context(), []host.Instance{{Name: "ops", Config: plugintest.Config(t, map[string]any{"url": endpoint.URL})}}, false)
	require.NoError(t, err)
	for title, want := range map[string]int{"twice 200": 2, "many": 8} {
		resp, err := pluginv1.NewTargetServiceClient(conn).Deliver(t.Context(), &pluginv1.DeliverRequest{
			Instance: "ops", Preview: true, Events: [][]byte{titled(t, "d", title).Events[0]},
		})
		require.NoError(t, err)
		require.Len(t, resp.GetRequests(), want)
	}
	require.Empty(t, endpoint.all())
}

func TestTargetKnowsAPreview(t *testing.T) {
	t.Parallel()
	endpoint := newPosted(t)
	p, err := sdk.NewTargetPlugin(sdk.Info{Name: "knowing", Version: "1.2.3", Features: []sdk.Feature{sdk.FeaturePreview}},
		func(_ context.Context, env sdk.Env, _ struct{}) (sdk.Target, error) {
			return sdk.TargetFunc(func(ctx context.Context, _ sdk.Delivery) (sdk.Receipt, error) {
				return env.HTTP.PostJSON(ctx, sdk.Secret(endpoint.URL), sdk.Previewing(ctx))
			}), nil
		})
	client := host.NewClient(attach(t, p, err))
	_, err = client.Configure(t.Context(), []host.Instance{{Name: "ops"}}, false)
	require.NoError(t, err)
	got, err := client.Preview(t.Context(), "ops", titled(t, "d", "x"))
	require.NoError(t, err)
	require.Equal(t, "true", got.Body)
	_, err = client.Deliver(t.Context(), "ops", titled(t, "d", "x"))
	require.NoError(t, err)
	require.Equal(t, []string{"false"}, endpoint.all())
	require.False(t, sdk.Previewing(t.Context()))
}

// A host that asks all the same must not make it send.
func TestPluginWithoutPreviewSendsNothingForOne(t *testing.T) {
	t.Parallel()
	endpoint, client := setupPoster(t, nil)
	_, err := client.Preview(t.Context(), "ops", titled(t, "d", "200 body"))
	require.ErrorIs(t, err, host.ErrUnsupported)
	require.Empty(t, endpoint.all())
}

func TestTestShowsAnEvent(t *testing.T) {
	t.Parallel()
	endpoint, client := setupPoster(t, nil, sdk.FeatureTest)
	event := titled(t, "", "200 given").Events[0]
	o, err := client.Test(t.Context(), "ops", event)
	require.NoError(t, err)
	require.Equal(t, sdk.ClassOK, o.Class, o.Message)
	first := o.Sent.Header.Get("X-Delivery")
	require.Equal(t, "given for "+first+" summary", o.Sent.Body, "who tests wants to see it")
	require.Equal(t, []string{o.Sent.Body}, endpoint.all())

	o, err = client.Test(t.Context(), "ops", nil)
	require.NoError(t, err)
	require.Contains(t, o.Sent.Body, "Hookarr tests its target ops")
	require.NotEqual(t, first, o.Sent.Header.Get("X-Delivery"), "an endpoint may drop what it has seen")

	_, err = client.Test(t.Context(), "ops", json.RawMessage("{"))
	require.Equal(t, codes.InvalidArgument, status.Code(err))
	_, err = client.Test(t.Context(), "other", nil)
	require.Equal(t, codes.FailedPrecondition, status.Code(err))

	_, client = setupPoster(t, nil)
	_, err = client.Test(t.Context(), "ops", nil)
	require.ErrorIs(t, err, host.ErrUnsupported)
}

func TestTestHasAnOriginalForThoseWhoWantIt(t *testing.T) {
	t.Parallel()
	endpoint, client := setupPoster(t, map[string]any{"raw": true}, sdk.FeatureTest, sdk.FeatureRaw)
	event := titled(t, "", "original").Events[0]
	o, err := client.Test(t.Context(), "ops", event)
	require.NoError(t, err)
	require.Equal(t, sdk.ClassOK, o.Class, o.Message)
	require.Equal(t, []string{string(event)}, endpoint.all())
}

func TestWarningsOfConfigurations(t *testing.T) {
	t.Parallel()
	p, err := sdk.NewTargetPlugin(sdk.Info{Name: "poster", Version: "1.2.3"}, newPoster)
	client := host.NewClient(attach(t, p, err))
	instances := []host.Instance{
		instance("a", `{"token":"weak"}`), instance("b", `{"token":"fine"}`), instance("c", `{"token":"wrong"}`),
		instance("d", `{"old":"x","token":"weak"}`), instance("e", `{"old":"x","rav":true}`),
	}
	want := []host.Problem{
		{Instance: "a", Key: "token", Message: "is as [redacted] as [redacted]"},
		{Instance: "a", Message: "should be seen to soon"},
		{Instance: "c", Key: "token", Message: "is [redacted]"},
		{Instance: "d", Key: "old", Message: "is deprecated. Use url."},
		{Instance: "d", Key: "token", Message: "is as [redacted] as [redacted]"},
		{Instance: "d", Message: "should be seen to soon"},
		{Instance: "e", Key: "old", Message: "is deprecated. Use url."},
	}
	// Each answer has them all, whether or not something has changed.
	for _, validateOnly := range []bool{true, false, false} {
		configured, err := client.Configure(t.Context(), instances, validateOnly)
		require.NoError(t, err)
		require.Equal(t, want, configured.Warnings)
		require.Equal(t, []host.Problem{
			{Instance: "c", Key: "token", Message: "is refused"},
			{Instance: "e", Key: "rav", Message: "is an unknown key; did you mean raw?"},
		}, configured.Problems)
		require.Equal(t, []host.InstanceInfo{{Name: "a"}, {Name: "b"}, {Name: "d"}}, configured.Instances)
	}
}

func TestInstancesKnowTheirHost(t *testing.T) {
	t.Parallel()
	var got sdk.HostInfo
	p, err := sdk.NewTargetPlugin(sdk.Info{Name: "asker", Version: "1.0.0"}, func(_ context.Context, env sdk.Env, _ emptyConfig) (sdk.Target, error) {
		got = env.Host
		return sdk.TargetFunc(nil), nil
	})
	client := host.NewClient(attach(t, p, err))
	configure := func() {
		_, err := client.Configure(t.Context(), []host.Instance{{Name: "ops"}}, true)
		require.NoError(t, err)
	}
	configure()
	require.Equal(t, sdk.HostInfo{}, got, "a host that says nothing")
	require.False(t, got.Has(sdk.FeatureEdit))
	client.Host = sdk.HostInfo{Version: "1.2.3", Features: []sdk.Feature{sdk.FeatureRaw, "of-a-later-version", sdk.FeatureEdit}}
	configure()
	require.Equal(t, sdk.HostInfo{Version: "1.2.3", Features: []sdk.Feature{sdk.FeatureRaw, sdk.FeatureEdit}}, got)
	require.True(t, got.Has(sdk.FeatureEdit))
	require.False(t, got.Has(sdk.FeatureGroup))
}

// An author's own tests make an Env themselves.
func TestEnvOfATestWarnsNobody(t *testing.T) {
	t.Parallel()
	_, err := newPoster(t.Context(), sdk.Env{}, posterConfig{Token: "weak"})
	require.NoError(t, err)
}

func TestOfflineIsAPromiseOfSources(t *testing.T) {
	t.Parallel()
	p, err := sdk.NewSourcePlugin(sdk.Info{Name: "s", Version: "1.0.0", Offline: true}, newPowerful)
	d, err := host.NewClient(attach(t, p, err)).Describe(t.Context())
	require.NoError(t, err)
	require.True(t, d.Offline)

	_, err = sdk.NewTargetPlugin(sdk.Info{Name: "t", Version: "1.0.0", Offline: true}, newPoster)
	require.ErrorContains(t, err, "Info.Offline is for sources")
}

func TestEventTypesOfSources(t *testing.T) {
	t.Parallel()
	types := []sdk.EventType{{Type: sdk.TypeMediaImported, Native: []string{"Download"}}, {Type: sdk.TypeTest}}
	p, err := sdk.NewSourcePlugin(sdk.Info{Name: "s", Version: "1.0.0", EventTypes: types}, newPowerful)
	d, err := host.NewClient(attach(t, p, err)).Describe(t.Context())
	require.NoError(t, err)
	require.Equal(t, types, d.EventTypes)

	_, err = sdk.NewSourcePlugin(sdk.Info{Name: "s", Version: "1.0.0", EventTypes: append(types, types[0])}, newPowerful)
	require.ErrorContains(t, err, `"media.imported" is empty or listed twice`)
	_, err = sdk.NewTargetPlugin(sdk.Info{Name: "t", Version: "1.0.0", EventTypes: types}, newPoster)
	require.ErrorContains(t, err, "EventTypes is for source plugins")
}

// Every feature of the SDK has its number on the wire.
func TestFeaturesCrossTheWire(t *testing.T) {
	t.Parallel()
	all := []sdk.Feature{sdk.FeatureGroup, sdk.FeatureEdit, sdk.FeatureRaw, sdk.FeatureTest, sdk.FeaturePreview}
	p, err := sdk.NewTargetPlugin(sdk.Info{Name: "t", Version: "1.0.0", Features: all}, newPoster)
	d, err := host.NewClient(attach(t, p, err)).Describe(t.Context())
	require.NoError(t, err)
	require.Equal(t, all, d.Features)
	all = []sdk.Feature{sdk.FeatureFetch, sdk.FeatureHistory, sdk.FeatureConnect}
	p, err = sdk.NewSourcePlugin(sdk.Info{Name: "s", Version: "1.0.0", Features: all}, newPowerful)
	d, err = host.NewClient(attach(t, p, err)).Describe(t.Context())
	require.NoError(t, err)
	require.Equal(t, all, d.Features)
}
