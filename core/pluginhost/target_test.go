package pluginhost

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// inbox is an endpoint that keeps what it gets, and refuses what says "refuse".
type inbox struct {
	*httptest.Server
	mu  sync.Mutex
	got []string
}

func newInbox(t *testing.T) *inbox {
	t.Helper()
	in := &inbox{}
	in.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		in.mu.Lock()
		defer in.mu.Unlock()
		in.got = append(in.got, string(body))
		if strings.Contains(string(body), "refuse") {
			w.WriteHeader(http.StatusForbidden)
		}
	}))
	t.Cleanup(in.Close)
	return in
}

func (in *inbox) all() []string {
	in.mu.Lock()
	defer in.mu.Unlock()
	return append([]string{}, in.got...)
}

func TestSentRequestReachesTheOutcome(t *testing.T) {
	t.Parallel()
	b, in := setup(t, quick, "hookarr-target-chaos"), newInbox(t)
	b.start(t, b.target("chaos", "ops", map[string]any{"url": in.URL + "/hooks/tok3n"}))
	o := b.do(t.Context(), "ops", "post refuse this")
	require.Equal(t, sdk.ClassMisconfigured, o.Class, o.Message)
	require.Equal(t, in.URL+"/[redacted]/[redacted]", o.Sent.URL)
	require.Equal(t, `"refuse this"`, o.Sent.Body)
	require.Nil(t, b.do(t.Context(), "ops", "post fine").Sent)
	d := delivery("post fine")
	d.Record = true
	require.Equal(t, `"fine"`, b.Deliver(t.Context(), "ops", d, false).Sent.Body)
}

func TestTestOfATarget(t *testing.T) {
	t.Parallel()
	b, in := setup(t, quick, "hookarr-target-chaos", "hookarr-target-plain"), newInbox(t)
	b.start(t, b.target("chaos", "ops", map[string]any{"url": in.URL}), b.target("plain", "plain", nil),
		b.target("chaos", "bad", map[string]any{"refuse": "it is Monday"}))
	o, err := b.Test(t.Context(), "ops", nil)
	require.NoError(t, err)
	require.Equal(t, sdk.ClassOK, o.Class, o.Message)
	require.Equal(t, []string{`"Hookarr tests its target ops"`}, in.all())
	require.Equal(t, in.all()[0], o.Sent.Body)

	o, err = b.Test(t.Context(), "ops", delivery("post refuse this").Events[0])
	require.NoError(t, err, "what the endpoint says is an outcome")
	require.Equal(t, sdk.ClassMisconfigured, o.Class)
	require.Equal(t, http.StatusForbidden, o.Receipt.Status)

	_, err = b.Test(t.Context(), "plain", nil)
	require.ErrorIs(t, err, host.ErrUnsupported)
	require.ErrorContains(t, err, "plugin target-plain 1.2.3 cannot test its endpoint")
	_, err = b.Test(t.Context(), "bad", nil)
	require.ErrorContains(t, err, "it is Monday")
	_, err = b.Test(t.Context(), "nobody", nil)
	require.ErrorIs(t, err, ErrUnavailable)
	_, err = b.Test(t.Context(), "ops", delivery("panic").Events[0])
	require.ErrorIs(t, err, ErrPluginBug)
	require.Equal(t, Ready, b.Status()[0].State)
}

// A person tries a configuration before it is saved.
func TestTestOfAConfigurationThatIsNotInUse(t *testing.T) {
	t.Parallel()
	b, in := setup(t, quick, "hookarr-target-chaos", "hookarr-target-plain"), newInbox(t)
	unsaved := b.target("chaos", "new", map[string]any{"url": in.URL})
	o, err := b.TestConfig(t.Context(), unsaved, nil) // before Start
	require.NoError(t, err)
	require.Equal(t, sdk.ClassOK, o.Class, o.Message)
	require.Equal(t, []string{`"Hookarr tests its target new"`}, in.all())

	old := newInbox(t)
	b.start(t, b.target("chaos", "ops", map[string]any{"url": old.URL}))
	pid := b.Status()[0].PID
	unsaved.Name = "ops"
	o, err = b.TestConfig(t.Context(), unsaved, delivery("post given").Events[0])
	require.NoError(t, err)
	require.Equal(t, sdk.ClassOK, o.Class, o.Message)
	require.Equal(t, `"given"`, in.all()[1])
	require.Empty(t, old.all())
	require.Equal(t, sdk.ClassOK, b.do(t.Context(), "ops", "post on").Class)
	require.Equal(t, []string{`"on"`}, old.all(), "what is in use goes on")
	require.Equal(t, pid, b.Status()[0].PID)

	_, err = b.TestConfig(t.Context(), b.target("chaos", "x", map[string]any{"refuse": "it is Monday", "url": "s3cret"}), nil)
	var refused *ConfigError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, "it is Monday", refused.Problems[0].Message)
	require.NotContains(t, err.Error(), "s3cret")
	_, err = b.TestConfig(t.Context(), b.target("plain", "x", nil), nil)
	require.ErrorIs(t, err, host.ErrUnsupported)
	_, err = b.TestConfig(t.Context(), b.target("none", "x", nil), nil)
	require.ErrorContains(t, err, "does not exist")
	_, err = b.TestConfig(t.Context(), b.target("chaos", "x", nil), delivery("panic").Events[0])
	require.ErrorContains(t, err, "test target x: the plugin panicked in Test")
	b.lateAt("arrived-hang", func(ctx context.Context) {
		_, err = b.TestConfig(ctx, b.target("chaos", "x", nil), delivery("hang").Events[0])
	})
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestPreviewOfATarget(t *testing.T) {
	t.Parallel()
	b, in := setup(t, quick, "hookarr-target-chaos", "hookarr-target-plain"), newInbox(t)
	b.start(t, b.target("chaos", "ops", map[string]any{"url": in.URL}), b.target("plain", "plain", map[string]any{"url": in.URL}))
	r, err := b.Preview(t.Context(), "ops", delivery("post hello"))
	require.NoError(t, err)
	require.Equal(t, http.MethodPost, r.Method)
	require.Equal(t, `"hello"`, r.Body)
	require.Empty(t, r.Fallback)
	r, err = b.Preview(t.Context(), "ops", delivery("fallback hello"))
	require.NoError(t, err)
	require.Equal(t, "the template failed: used hello", r.Fallback)
	_, err = b.Preview(t.Context(), "ops", delivery("permanent"))
	require.ErrorIs(t, err, host.ErrNothingToSend)
	require.ErrorContains(t, err, "never again")
	_, err = b.Preview(t.Context(), "plain", delivery("post hello"))
	require.ErrorIs(t, err, host.ErrUnsupported)
	require.ErrorContains(t, err, "plugin target-plain 1.2.3 cannot show what it would send without sending it")
	require.Empty(t, in.all())
}

func TestPluginKnowsThisHost(t *testing.T) {
	t.Parallel()
	b := setup(t, quick, "hookarr-target-chaos")
	b.start(t, b.target("chaos", "ops", nil))
	o := b.do(t.Context(), "ops", "host")
	require.Equal(t, "{"+AboutSelf().Version+" [fetch history connect snapshot folders options group edit raw test preview verify]}", o.Receipt.Excerpt)
	require.True(t, Uses(sdk.FeaturePreview))
	require.False(t, Uses("clairvoyance"))
}

func TestWarningsAreShownAndToldOnce(t *testing.T) {
	t.Parallel()
	b := setup(t, quick, "hookarr-target-chaos", "hookarr-source-chaos")
	instances := []Instance{
		b.target("chaos", "ops", map[string]any{"doubt": "looks odd"}), b.target("chaos", "good", nil),
		b.instance(host.KindSource, "chaos", "arr", nil),
	}
	checked := b.Check(t.Context(), instances)
	require.Empty(t, checked.Problems)
	require.Equal(t, []Problem{{Kind: host.KindTarget, Plugin: "chaos", Instance: "ops", Key: "doubt", Message: "looks odd"}}, checked.Warnings)
	d, ok := checked.Describe(host.KindSource, "chaos")
	require.True(t, ok)
	require.Equal(t, []sdk.EventType{{Type: sdk.TypeTest, Native: []string{"Test"}}, {Type: sdk.TypeMediaAdded}}, d.EventTypes)
	_, ok = checked.Describe(host.KindSource, "none")
	require.False(t, ok)

	b.start(t, instances...)
	require.Equal(t, []host.Problem{{Instance: "ops", Key: "doubt", Message: "looks odd"}}, b.Status()[1].ConfigWarnings)
	require.Equal(t, sdk.ClassOK, b.do(t.Context(), "ops", "fine").Class, "a warning keeps it from nothing")
	// A process that is configured anew says it again.
	before := b.Status()[1].PID
	require.True(t, b.do(t.Context(), "ops", "exit").Crashed)
	require.Eventually(t, func() bool { s := b.Status()[1]; return s.State == Ready && s.PID != before }, waitTimeout, pollInterval)
	require.NoError(t, b.Reload(t.Context(), host.KindTarget, "chaos"))
	require.Len(t, b.Status()[1].ConfigWarnings, 1, "the one that took over says the same")
	told := b.log.all(t, "plugin warns of a configuration")
	require.Len(t, told, 1)
	require.Equal(t, "doubt", told[0]["key"])
}

func TestEventOfATestThatIsNoneIsRefused(t *testing.T) {
	t.Parallel()
	b := setup(t, quick, "hookarr-target-chaos")
	b.start(t, b.target("chaos", "ops", nil))
	_, err := b.Test(t.Context(), "ops", json.RawMessage(`{`))
	require.ErrorContains(t, err, "is not one")
	require.Equal(t, sdk.ClassOK, b.do(t.Context(), "ops", "fine").Class)
}
