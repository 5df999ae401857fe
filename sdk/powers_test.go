package sdk_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
	"github.com/hookarr/hookarr/sdk/internal/pluginv1"
	"github.com/hookarr/hookarr/sdk/plugintest"
)

type emptyConfig struct{}

func at() time.Time { return time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC) }

// powerful is a source with every power.
type powerful struct{ sdk.SourceFunc }

func (powerful) History(_ context.Context, q sdk.HistoryQuery) (sdk.HistoryPage, error) {
	if q.Cursor == "unsupported" {
		return sdk.HistoryPage{}, fmt.Errorf("set base_url: %w", errors.ErrUnsupported)
	}
	if q.Cursor == "fail" {
		return sdk.HistoryPage{}, errors.New("the application does not answer")
	}
	e := sdk.Event{App: "a", Type: sdk.TypeReleaseGrabbed, Title: "t", Time: q.Since, Fingerprint: "f", RenamedFiles: q.Renamed}
	if !q.Until.IsZero() {
		e.Time = q.Until
	}
	return sdk.HistoryPage{Events: []sdk.PastEvent{{Event: e, Record: []byte("record"), Key: "7"}}, Cursor: q.Cursor + "+", More: q.Limit == 1}, nil
}

func (powerful) Fetch(_ context.Context, e sdk.Event) (sdk.Event, error) {
	e.Summary = "fetched"
	return e, nil
}

func (powerful) Connect(_ context.Context, r sdk.ConnectRequest) (sdk.ConnectResult, error) {
	if r.Action == sdk.ConnectTest {
		return sdk.ConnectResult{}, errors.New("refused " + r.Credentials[0].Password.Reveal())
	}
	return sdk.ConnectResult{
		Connected: true, ConnectionID: "7", AppName: "Sample", AppVersion: "1", Credential: 1,
		Problems: []string{"the password " + r.Credentials[0].Password.Reveal() + " is short"},
		Changes:  []sdk.Change{{Field: "url", From: "", To: r.URL}, {Field: "header", To: r.Credentials[1].HeaderValue.Reveal()}},
	}, nil
}

func (powerful) CheckHealth(context.Context) error { return errors.New("the key ends\nsoon") }

func decodeByBody(_ context.Context, r sdk.Request) (sdk.Event, error) {
	switch string(r.Body) {
	case "skip":
		return sdk.Event{}, sdk.Skip("not of interest")
	case "invalid":
		return sdk.Event{}, sdk.Invalid(errors.New("no body of mine"))
	case "test":
		return sdk.Event{}, sdk.InvalidTest(errors.New("press again"))
	case "later":
		return sdk.Event{}, errors.New("not now")
	case "panic":
		panic("on purpose") //nolint:forbidigo // It must not end the process.
	case "no type":
		return sdk.Event{Title: "t"}, nil
	case "no title":
		return sdk.Event{Type: sdk.TypeTest}, nil
	case "complete":
		return sdk.Event{ID: "own", Source: "own", Origin: sdk.OriginCatchup, Time: at().In(time.FixedZone("x", 3600)), Type: sdk.TypeTest, Title: "t"}, nil
	}
	return sdk.Event{
		App: "a", Type: sdk.TypeTest, Title: r.Method, Summary: r.Header.Get("x-thing"), URL: r.Query.Get("q"),
	}, nil
}

func newPowerful(context.Context, sdk.Env, emptyConfig) (sdk.Source, error) {
	return powerful{decodeByBody}, nil
}

func TestDecode(t *testing.T) {
	t.Parallel()
	s := plugintest.StartSource(t, sdk.Info{Name: "s", Version: "1.0.0"}, newPowerful, nil)
	decode := func(body string) (host.Decoded, error) {
		r := plugintest.Request([]byte(body))
		r.Header.Set("X-Thing", "header")
		r.Query.Set("q", "query")
		return s.Decode(t.Context(), r)
	}
	d, err := decode("")
	require.NoError(t, err)
	require.Equal(t, &sdk.Event{
		ID: "01980000-0000-7000-8000-000000000001", Source: plugintest.Instance, Origin: sdk.OriginWebhook,
		Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), App: "a", Type: sdk.TypeTest, Title: "POST", Summary: "header", URL: "query",
	}, d.Event)
	d, err = decode("complete")
	require.NoError(t, err)
	require.Equal(t, &sdk.Event{ID: "own", Source: "own", Origin: sdk.OriginCatchup, Time: at(), Type: sdk.TypeTest, Title: "t"}, d.Event)

	for body, want := range map[string]host.Decoded{
		"skip":    {Skip: "not of interest"},
		"invalid": {Invalid: "no body of mine"},
		"test":    {Invalid: "press again", Test: true},
	} {
		d, err := decode(body)
		require.NoError(t, err)
		require.Equal(t, want, d)
	}
	for body, code := range map[string]codes.Code{
		"later": codes.Unavailable, "panic": codes.Internal, "no type": codes.Internal, "no title": codes.Internal,
	} {
		_, err := decode(body)
		require.Equal(t, code, status.Code(err), body)
	}
}

func TestSourcePowers(t *testing.T) {
	t.Parallel()
	p, err := sdk.NewSourcePlugin(sdk.Info{
		Name: "s", Version: "1.0.0", Features: []sdk.Feature{sdk.FeatureHistory, sdk.FeatureFetch, sdk.FeatureConnect},
	}, newPowerful)
	conn := attach(t, p, err)
	client := host.NewClient(conn)
	configured, err := client.Configure(t.Context(), []host.Instance{{Name: "arr"}}, false)
	require.NoError(t, err)
	require.Empty(t, configured.Problems)
	warnings, err := client.CheckHealth(t.Context())
	require.NoError(t, err)
	require.Equal(t, map[string]string{"arr": "the key ends soon"}, warnings)

	renames := []sdk.Rename{{From: "a", To: "b"}, {From: "c", To: "d"}}
	past, err := client.History(t.Context(), "arr", sdk.HistoryQuery{Cursor: "c", Since: at(), Limit: 1, Renamed: renames})
	require.NoError(t, err)
	require.Equal(t, "7", past.Events[0].Key)
	require.Equal(t, renames, past.Events[0].Event.RenamedFiles)
	require.Equal(t, "c+", past.Cursor)
	require.True(t, past.More)
	require.Equal(t, []byte("record"), past.Events[0].Record)
	e := past.Events[0].Event
	require.Equal(t, sdk.OriginCatchup, e.Origin)
	require.Equal(t, "arr", e.Source)
	require.Equal(t, at(), e.Time)
	_, err = client.History(t.Context(), "arr", sdk.HistoryQuery{Cursor: "fail"})
	require.Equal(t, codes.Aborted, status.Code(err))
	_, err = client.History(t.Context(), "arr", sdk.HistoryQuery{Cursor: "unsupported"})
	require.ErrorIs(t, err, host.ErrUnsupported)
	require.ErrorContains(t, err, "set base_url")
	_, err = client.History(t.Context(), "other", sdk.HistoryQuery{})
	require.Equal(t, codes.FailedPrecondition, status.Code(err))

	fetched, err := client.Fetch(t.Context(), "arr", past.Events[0].JSON)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(fetched, &e))
	require.Equal(t, "fetched", e.Summary)
	_, err = client.Fetch(t.Context(), "arr", []byte("{"))
	require.Equal(t, codes.InvalidArgument, status.Code(err))

	req := sdk.ConnectRequest{Action: sdk.ConnectApply, URL: "http://hookarr/hooks/arr", Credentials: []sdk.Credential{
		{Username: "u", Password: "generated-password"}, {HeaderName: "X-Key", HeaderValue: "generated-key"},
	}}
	result, err := client.Connect(t.Context(), "arr", req)
	require.NoError(t, err)
	require.True(t, result.Connected)
	require.Equal(t, 1, result.Credential)
	require.Equal(t, []string{"the password [redacted] is short"}, result.Problems)
	require.Equal(t, "http://hookarr/hooks/arr", result.Changes[0].To)
	require.Equal(t, "[redacted]", result.Changes[1].To)
	req.Action = sdk.ConnectTest
	_, err = client.Connect(t.Context(), "arr", req)
	require.Equal(t, codes.Aborted, status.Code(err))
	require.NotContains(t, err.Error(), "generated")
}

func TestPowersThatAreNotDeclaredAreNotServed(t *testing.T) {
	t.Parallel()
	p, err := sdk.NewSourcePlugin(sdk.Info{Name: "s", Version: "1.0.0"}, newPowerful)
	conn := attach(t, p, err)
	_, err = pluginv1.NewFetchServiceClient(conn).Fetch(t.Context(), &pluginv1.FetchRequest{})
	require.Equal(t, codes.Unimplemented, status.Code(err))
}

func TestDeclaredPowersMustBeThere(t *testing.T) {
	t.Parallel()
	p, err := sdk.NewSourcePlugin(sdk.Info{
		Name: "s", Version: "1.0.0", Features: []sdk.Feature{sdk.FeatureHistory, sdk.FeatureFetch, sdk.FeatureConnect},
	}, func(context.Context, sdk.Env, emptyConfig) (sdk.Source, error) {
		return sdk.SourceFunc(decodeByBody), nil
	})
	configured, err := host.NewClient(attach(t, p, err)).Configure(t.Context(), []host.Instance{{Name: "arr"}}, false)
	require.NoError(t, err)
	require.Empty(t, configured.Instances)
	require.Len(t, configured.Problems, 3)
	require.Contains(t, configured.Problems[0].Message, "history")

	p, err = sdk.NewTargetPlugin(sdk.Info{Name: "t", Version: "1.0.0", Features: []sdk.Feature{sdk.FeatureTest}},
		func(context.Context, sdk.Env, emptyConfig) (sdk.Target, error) { return sdk.TargetFunc(nil), nil })
	configured, err = host.NewClient(attach(t, p, err)).Configure(t.Context(), []host.Instance{{Name: "ops"}}, false)
	require.NoError(t, err)
	require.Len(t, configured.Problems, 1)
	require.Contains(t, configured.Problems[0].Message, "test")
}

// inspector is a target that keeps what it was given.
type inspector struct{ got chan sdk.Delivery }

func (i *inspector) Deliver(_ context.Context, d sdk.Delivery) (sdk.Receipt, error) {
	i.got <- d
	return sdk.Receipt{}, nil
}

func (*inspector) NeedsOriginals() bool { return true }

func (*inspector) Test(context.Context, sdk.Delivery) (sdk.Receipt, error) {
	return sdk.Receipt{Status: 401}, sdk.Misconfigured(errors.New("the key is wrong"))
}

func TestDeliver(t *testing.T) {
	t.Parallel()
	for _, features := range [][]sdk.Feature{nil, {sdk.FeatureEdit, sdk.FeatureRaw, sdk.FeatureTest, sdk.FeatureGroup}} {
		in := &inspector{got: make(chan sdk.Delivery, 1)}
		p, err := sdk.NewTargetPlugin(sdk.Info{Name: "t", Version: "1.0.0", Features: features},
			func(context.Context, sdk.Env, emptyConfig) (sdk.Target, error) { return in, nil })
		conn := attach(t, p, err)
		client := host.NewClient(conn)
		configured, err := client.Configure(t.Context(), []host.Instance{{Name: "ops"}}, false)
		require.NoError(t, err)
		require.Equal(t, features != nil, configured.Instances[0].NeedsOriginals)

		first, second := plugintest.EventOf(sdk.TypeReleaseGrabbed), plugintest.EventOf(sdk.TypeMediaImported)
		d := plugintest.Delivery(t, "id", first, second)
		d.Attempt, d.CorrelationKey, d.Previous = 3, "story", &sdk.Receipt{MessageID: "m", State: []byte("s")}
		d.Events[0] = append(json.RawMessage(`{"added_later":true,`), d.Events[0][1:]...)
		d.Originals = []sdk.Request{plugintest.Request([]byte("\x00raw\xff"))}
		o, err := client.Deliver(t.Context(), "ops", d)
		require.NoError(t, err)
		require.Equal(t, sdk.ClassOK, o.Class)
		got := <-in.got
		require.Equal(t, "id", got.ID)
		require.Equal(t, 3, got.Attempt)
		require.Equal(t, "everything", got.Route)
		require.Equal(t, "story", got.CorrelationKey)
		require.Equal(t, []sdk.Event{first, second}, got.Events)
		require.Equal(t, first, got.Event)
		require.Contains(t, string(got.JSON[0]), "added_later")
		require.Equal(t, []byte("\x00raw\xff"), got.Originals[0].Body)
		require.Equal(t, first.ID, got.Originals[0].ID)
		require.Equal(t, features != nil, got.Previous != nil, "only plugins with the feature get it")

		_, err = client.Deliver(t.Context(), "ops", host.Delivery{ID: "id"})
		require.Equal(t, codes.InvalidArgument, status.Code(err), "no event")
		_, err = client.Deliver(t.Context(), "ops", host.Delivery{ID: "id", Events: []json.RawMessage{[]byte("{")}})
		require.Equal(t, codes.InvalidArgument, status.Code(err), "no JSON")

		tested, err := pluginv1.NewTargetServiceClient(conn).Test(t.Context(), &pluginv1.TestRequest{Instance: "ops"})
		if features == nil {
			require.Equal(t, codes.Unimplemented, status.Code(err))
			continue
		}
		require.NoError(t, err)
		require.Equal(t, pluginv1.Class_CLASS_MISCONFIGURED, tested.GetOutcome().GetClass())
		require.EqualValues(t, 401, tested.GetOutcome().GetStatus())
	}
}

// jsonUser is an inspector that works on the JSON.
type jsonUser struct{ *inspector }

func (jsonUser) UsesJSON() bool { return true }

func TestJSONUserGetsLittleOfTheEvent(t *testing.T) {
	t.Parallel()
	in := jsonUser{&inspector{got: make(chan sdk.Delivery, 1)}}
	p, err := sdk.NewTargetPlugin(sdk.Info{Name: "t", Version: "1.0.0"},
		func(context.Context, sdk.Env, emptyConfig) (sdk.Target, error) { return in, nil })
	client := host.NewClient(attach(t, p, err))
	_, err = client.Configure(t.Context(), []host.Instance{{Name: "ops"}}, false)
	require.NoError(t, err)
	e := plugintest.EventOf(sdk.TypeMediaImported)
	d := plugintest.Delivery(t, "id", e)
	_, err = client.Deliver(t.Context(), "ops", d)
	require.NoError(t, err)
	got := <-in.got
	require.Equal(t, sdk.Event{ID: e.ID, Source: e.Source, Type: e.Type, Time: e.Time, Title: e.Title}, got.Event)
	require.Equal(t, []sdk.Event{got.Event}, got.Events)
	require.Equal(t, d.Events, got.JSON)

	_, err = client.Deliver(t.Context(), "ops", host.Delivery{ID: "id", Events: []json.RawMessage{[]byte(`{"id":"1"`)}})
	require.Equal(t, codes.InvalidArgument, status.Code(err), "no JSON")
}
