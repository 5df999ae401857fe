package host_test

import (
	"context"
	"encoding/json"
	"math"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
	"github.com/hookarr/hookarr/sdk/internal/pluginv1"
)

// fakePlugin answers what a test tells it to, as no SDK would.
type fakePlugin struct {
	pluginv1.UnimplementedPluginServiceServer
	pluginv1.UnimplementedSourceServiceServer
	pluginv1.UnimplementedTargetServiceServer

	describe  *pluginv1.DescribeResponse
	configure *pluginv1.ConfigureResponse
	health    *pluginv1.CheckHealthResponse
	decode    *pluginv1.DecodeResponse
	deliver   *pluginv1.DeliverResponse
	err       error

	// got is the last request.
	got proto.Message
}

func (f *fakePlugin) Describe(context.Context, *pluginv1.DescribeRequest) (*pluginv1.DescribeResponse, error) {
	return f.describe, f.err
}

func (f *fakePlugin) Configure(_ context.Context, r *pluginv1.ConfigureRequest) (*pluginv1.ConfigureResponse, error) {
	f.got = r
	return f.configure, f.err
}

func (f *fakePlugin) CheckHealth(context.Context, *pluginv1.CheckHealthRequest) (*pluginv1.CheckHealthResponse, error) {
	return f.health, f.err
}

func (f *fakePlugin) Decode(_ context.Context, r *pluginv1.DecodeRequest) (*pluginv1.DecodeResponse, error) {
	f.got = r
	return f.decode, f.err
}

func (f *fakePlugin) Deliver(_ context.Context, r *pluginv1.DeliverRequest) (*pluginv1.DeliverResponse, error) {
	f.got = r
	return f.deliver, f.err
}

// connect serves a fake plugin over a gRPC connection.
func connect(t *testing.T, f *fakePlugin) *host.Client {
	t.Helper()
	l := bufconn.Listen(1 << 20)
	server := grpc.NewServer()
	pluginv1.RegisterPluginServiceServer(server, f)
	pluginv1.RegisterSourceServiceServer(server, f)
	pluginv1.RegisterTargetServiceServer(server, f)
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(l)
	}()
	conn, err := grpc.NewClient("passthrough:plugin", append(host.DialOptions(),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return l.DialContext(ctx) }))...)
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = conn.Close()
		server.Stop()
		<-served
	})
	return host.NewClient(conn)
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	client := connect(t, &fakePlugin{describe: &pluginv1.DescribeResponse{
		Name: "discord", Kind: pluginv1.Kind_KIND_TARGET, Version: "1.2.3", Summary: "Posts\nto Discord.",
		SdkVersion: "0.1.0", ProtocolVersion: 1, ConfigSchema: []byte(`{}`),
		Features: []pluginv1.Feature{pluginv1.Feature_FEATURE_EDIT, 99, pluginv1.Feature_FEATURE_GROUP},
		Defaults: &pluginv1.Defaults{
			Concurrency: 1,
			Rate:        &pluginv1.Rate{PerSecond: .5, Burst: 5},
			Group:       &pluginv1.Group{Wait: durationpb.New(time.Second), MaxWait: durationpb.New(-time.Second), Max: 10},
		},
	}})
	got, err := client.Describe(t.Context())
	require.NoError(t, err)
	require.Equal(t, host.Description{
		Name: "discord", Kind: host.KindTarget, Version: "1.2.3", Summary: "Posts to Discord.",
		SDKVersion: "0.1.0", ProtocolVersion: 1, ConfigSchema: json.RawMessage(`{}`),
		Features: []sdk.Feature{sdk.FeatureEdit, "99", sdk.FeatureGroup}, // a later one by its number
		Defaults: sdk.Defaults{Concurrency: 1, Rate: .5, Burst: 5, Group: sdk.GroupDefaults{Wait: time.Second, Max: 10}},
	}, got)
}

func TestFeaturesOfLaterVersionsAreNotKnown(t *testing.T) {
	t.Parallel()
	require.True(t, host.Knows(sdk.FeatureEdit))
	for _, f := range []sdk.Feature{"99", "", "unspecified", "clairvoyance"} {
		require.False(t, host.Knows(f), f)
	}
	many := make([]pluginv1.Feature, 1000)
	for i := range many {
		many[i] = pluginv1.Feature(i + 1)
	}
	got, err := connect(t, &fakePlugin{describe: &pluginv1.DescribeResponse{Features: many}}).Describe(t.Context())
	require.NoError(t, err)
	require.Len(t, got.Features, 100)
}

func TestDefaultsAreBounded(t *testing.T) {
	t.Parallel()
	for _, perSecond := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), -1} {
		client := connect(t, &fakePlugin{describe: &pluginv1.DescribeResponse{Defaults: &pluginv1.Defaults{
			Concurrency: math.MaxUint32,
			Rate:        &pluginv1.Rate{PerSecond: perSecond, Burst: math.MaxUint32},
			Group:       &pluginv1.Group{Wait: &durationpb.Duration{Seconds: 1 << 60}, Max: math.MaxUint32},
		}}})
		got, err := client.Describe(t.Context())
		require.NoError(t, err)
		require.Equal(t, sdk.Defaults{
			Concurrency: math.MaxInt32, Burst: math.MaxInt32,
			Group: sdk.GroupDefaults{Wait: 30 * 24 * time.Hour, Max: math.MaxInt32},
		}, got.Defaults)
	}
}

func TestConfigure(t *testing.T) {
	t.Parallel()
	fake := &fakePlugin{configure: &pluginv1.ConfigureResponse{
		Problems:  []*pluginv1.Problem{{Instance: "ops", Key: "url", Message: "is\r\n\u202erequired"}},
		Instances: []*pluginv1.InstanceInfo{{Name: "dev", NeedsOriginals: true}},
	}}
	client := connect(t, fake)
	configured, err := client.Configure(t.Context(), []host.Instance{{Name: "ops"}, {Name: "dev", Config: json.RawMessage(`{"a":1}`)}}, true)
	require.NoError(t, err)
	require.Equal(t, []host.Problem{{Instance: "ops", Key: "url", Message: "is  required"}}, configured.Problems)
	require.Equal(t, []host.InstanceInfo{{Name: "dev", NeedsOriginals: true}}, configured.Instances)
	require.True(t, proto.Equal(&pluginv1.ConfigureRequest{ValidateOnly: true, Instances: []*pluginv1.Instance{
		{Name: "ops", Config: []byte(`{}`)}, {Name: "dev", Config: []byte(`{"a":1}`)},
	}}, fake.got))
}

func TestCheckHealth(t *testing.T) {
	t.Parallel()
	client := connect(t, &fakePlugin{health: &pluginv1.CheckHealthResponse{Warnings: map[string]string{"ops": "token ends soon"}}})
	warnings, err := client.CheckHealth(t.Context())
	require.NoError(t, err)
	require.Equal(t, map[string]string{"ops": "token ends soon"}, warnings)
}

// TestErrorOfCallKeepsStatus: hosts decide by the status of a broken call.
func TestErrorOfCallKeepsStatus(t *testing.T) {
	t.Parallel()
	client := connect(t, &fakePlugin{err: status.Error(codes.FailedPrecondition, "no such instance")})
	ctx := t.Context()
	_, err := client.Describe(ctx)
	require.Equal(t, codes.FailedPrecondition, status.Code(err))
	_, err = client.Configure(ctx, nil, false)
	require.Equal(t, codes.FailedPrecondition, status.Code(err))
	_, err = client.CheckHealth(ctx)
	require.Equal(t, codes.FailedPrecondition, status.Code(err))
	_, err = client.Decode(ctx, "radarr", sdk.Request{ID: "1"})
	require.Equal(t, codes.FailedPrecondition, status.Code(err))
	require.ErrorContains(t, err, "decode request 1")
	_, err = client.Deliver(ctx, "ops", host.Delivery{ID: "2"})
	require.Equal(t, codes.FailedPrecondition, status.Code(err))
	require.ErrorContains(t, err, "deliver 2")
}

func TestDecodeSendsRequest(t *testing.T) {
	t.Parallel()
	fake := &fakePlugin{decode: &pluginv1.DecodeResponse{Result: &pluginv1.DecodeResponse_Event{
		Event: []byte(`{"type":"test","title":"A test","of_tomorrow":1}`),
	}}}
	client := connect(t, fake)
	received := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	d, err := client.Decode(t.Context(), "radarr", sdk.Request{
		ID: "e1", Method: "POST", Body: []byte("\xff\x00"), ReceivedAt: received,
		Header: http.Header{"X-B": {"2", "\xfe"}, "A": {"1"}}, Query: url.Values{"q": {"a b"}},
	})
	require.NoError(t, err)
	require.Equal(t, sdk.TypeTest, d.Event.Type)
	require.JSONEq(t, `{"type":"test","title":"A test","of_tomorrow":1}`, string(d.JSON))
	require.Empty(t, d.Skip+d.Invalid)

	got, ok := fake.got.(*pluginv1.DecodeRequest)
	require.True(t, ok)
	require.Equal(t, "radarr", got.GetInstance())
	require.Equal(t, "e1", got.GetId())
	require.Equal(t, "POST", got.GetRequest().GetMethod())
	require.Equal(t, "q=a+b", got.GetRequest().GetQuery())
	require.Equal(t, []byte("\xff\x00"), got.GetRequest().GetBody())
	require.Equal(t, received, got.GetRequest().GetReceivedAt().AsTime())
	require.Len(t, got.GetRequest().GetHeaders(), 2)
	require.Equal(t, "A", got.GetRequest().GetHeaders()[0].GetName())
	require.Equal(t, []string{"2", "\uFFFD"}, got.GetRequest().GetHeaders()[1].GetValues())
}

// TestDecodeReadsWhatHostsActOn: the rest is for the targets.
func TestDecodeReadsWhatHostsActOn(t *testing.T) {
	t.Parallel()
	event := `{"id":"e1","source":"radarr","origin":"webhook","time":"2026-11-23T10:00:00Z","app":"radarr","type":"media.added",` +
		`"title":"Dune","summary":"Added Dune","fingerprint":"f","correlation_key":"c","media":{"title":"Other","year":[]},"files":[{"id":"7"}]}`
	client := connect(t, &fakePlugin{decode: &pluginv1.DecodeResponse{Result: &pluginv1.DecodeResponse_Event{Event: []byte(event)}}})
	d, err := client.Decode(t.Context(), "radarr", sdk.Request{ID: "e1"})
	require.NoError(t, err)
	require.Equal(t, &sdk.Event{
		ID: "e1", Source: "radarr", Type: sdk.TypeMediaAdded, Title: "Dune", Summary: "Added Dune", Fingerprint: "f", CorrelationKey: "c",
	}, d.Event)
	require.Equal(t, event, string(d.JSON))
}

func TestDecodeAnswers(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		resp *pluginv1.DecodeResponse
		want host.Decoded
		err  string
	}{
		"skip": {
			resp: &pluginv1.DecodeResponse{Result: &pluginv1.DecodeResponse_Skip{Skip: &pluginv1.Skip{Reason: "not mine"}}},
			want: host.Decoded{Skip: "not mine"},
		},
		"skip without reason is still a skip": {
			resp: &pluginv1.DecodeResponse{Result: &pluginv1.DecodeResponse_Skip{}},
			want: host.Decoded{Skip: "the plugin gave no reason"},
		},
		"invalid test": {
			resp: &pluginv1.DecodeResponse{Result: &pluginv1.DecodeResponse_Invalid{Invalid: &pluginv1.Invalid{Reason: strings.Repeat("é", 5000), Test: true}}},
			want: host.Decoded{Invalid: strings.Repeat("é", 512), Test: true},
		},
		"nothing": {
			resp: &pluginv1.DecodeResponse{},
			err:  "neither event nor skip nor invalid",
		},
		"event that is not JSON": {
			resp: &pluginv1.DecodeResponse{Result: &pluginv1.DecodeResponse_Event{Event: []byte("{")}},
			err:  "unexpected end of JSON input",
		},
		"event of other types": {
			resp: &pluginv1.DecodeResponse{Result: &pluginv1.DecodeResponse_Event{Event: []byte(`{"title":{}}`)}},
			err:  "cannot unmarshal",
		},
		"event too large": {
			resp: &pluginv1.DecodeResponse{Result: &pluginv1.DecodeResponse_Event{Event: make([]byte, 16<<20+1)}},
			err:  "more than 16777216",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := connect(t, &fakePlugin{decode: test.resp}).Decode(t.Context(), "radarr", sdk.Request{ID: "e1"})
			if test.err != "" {
				require.ErrorIs(t, err, host.ErrAnswer)
				require.ErrorContains(t, err, test.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, test.want, got)
		})
	}
}

func TestDeliverSendsEverything(t *testing.T) {
	t.Parallel()
	fake := &fakePlugin{deliver: &pluginv1.DeliverResponse{
		Class: pluginv1.Class_CLASS_OK, Status: 204, Excerpt: "fine",
		Receipt:    &pluginv1.Receipt{MessageId: "m1", State: []byte{1}},
		LearntRate: &pluginv1.LearntRate{Remaining: 3, ResetAfter: durationpb.New(2 * time.Second)},
	}}
	client := connect(t, fake)
	got, err := client.Deliver(t.Context(), "ops", host.Delivery{
		ID: "d1", Attempt: 2, Route: "all", CorrelationKey: "k",
		Events:    []json.RawMessage{json.RawMessage(`{"id":"1"}`), json.RawMessage(`{"id":"2"}`)},
		Originals: []sdk.Request{{Method: "PUT", Body: []byte("x")}},
		Previous:  &sdk.Receipt{MessageID: "m0", State: []byte{9}},
	})
	require.NoError(t, err)
	require.Equal(t, host.Outcome{Class: sdk.ClassOK, Receipt: sdk.Receipt{
		Status: 204, Excerpt: "fine", MessageID: "m1", State: []byte{1},
		Limit: &sdk.Limit{Remaining: 3, ResetAfter: 2 * time.Second},
	}}, got)

	req, ok := fake.got.(*pluginv1.DeliverRequest)
	require.True(t, ok)
	require.Equal(t, "ops", req.GetInstance())
	require.Equal(t, "d1", req.GetDeliveryId())
	require.Equal(t, uint32(2), req.GetAttempt())
	require.Equal(t, "all", req.GetRoute())
	require.Equal(t, "k", req.GetCorrelationKey())
	require.Equal(t, [][]byte{[]byte(`{"id":"1"}`), []byte(`{"id":"2"}`)}, req.GetEvents())
	require.Equal(t, "PUT", req.GetOriginals()[0].GetMethod())
	require.True(t, proto.Equal(&pluginv1.Receipt{MessageId: "m0", State: []byte{9}}, req.GetPrevious()))
}

func TestDeliverBoundsNonsense(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		resp *pluginv1.DeliverResponse
		want host.Outcome
	}{
		"unknown class is retryable": {
			resp: &pluginv1.DeliverResponse{Class: 42, Message: "from tomorrow"},
			want: host.Outcome{Class: sdk.ClassRetryable, Message: "from tomorrow"},
		},
		"no class is retryable": {
			resp: &pluginv1.DeliverResponse{},
			want: host.Outcome{Class: sdk.ClassRetryable, Message: "the plugin gave no reason"},
		},
		"pauses are neither negative nor endless": {
			resp: &pluginv1.DeliverResponse{
				Class: pluginv1.Class_CLASS_THROTTLED, Message: "x", RetryAfter: durationpb.New(-time.Hour),
				LearntRate: &pluginv1.LearntRate{ResetAfter: &durationpb.Duration{Seconds: 1 << 60}},
			},
			want: host.Outcome{Class: sdk.ClassThrottled, Message: "x", Receipt: sdk.Receipt{Limit: &sdk.Limit{ResetAfter: 30 * 24 * time.Hour}}},
		},
		"a pause and a limit are cut, not dropped": {
			resp: &pluginv1.DeliverResponse{
				Class: pluginv1.Class_CLASS_THROTTLED, Message: "x", RetryAfter: &durationpb.Duration{Seconds: 1 << 60, Nanos: -5},
				LearntRate: &pluginv1.LearntRate{Remaining: math.MaxUint32, ResetAfter: durationpb.New(-1)},
			},
			want: host.Outcome{
				Class: sdk.ClassThrottled, Message: "x", RetryAfter: 30 * 24 * time.Hour,
				Receipt: sdk.Receipt{Limit: &sdk.Limit{Remaining: math.MaxInt32}},
			},
		},
		"message on one line of 1 KiB": {
			resp: &pluginv1.DeliverResponse{Class: pluginv1.Class_CLASS_PERMANENT, Message: "a\nb\x00" + strings.Repeat("ü", 9000)},
			want: host.Outcome{Class: sdk.ClassPermanent, Message: "a b " + strings.Repeat("ü", 510)},
		},
		"excerpt of 4 KiB without NUL": {
			resp: &pluginv1.DeliverResponse{Class: pluginv1.Class_CLASS_MISCONFIGURED, Message: "x", Excerpt: "\x00\n" + strings.Repeat("a", 1<<20)},
			want: host.Outcome{Class: sdk.ClassMisconfigured, Message: "x", Receipt: sdk.Receipt{Excerpt: "\n" + strings.Repeat("a", 4094)}},
		},
		"half an id or state is none": {
			resp: &pluginv1.DeliverResponse{Class: pluginv1.Class_CLASS_OK, Receipt: &pluginv1.Receipt{
				MessageId: strings.Repeat("1", 2000), State: make([]byte, 5000),
			}},
			want: host.Outcome{Class: sdk.ClassOK},
		},
		"status is a status or none": {
			resp: &pluginv1.DeliverResponse{Class: pluginv1.Class_CLASS_OK, Status: 4_000_000_000, Message: "ok has no message"},
			want: host.Outcome{Class: sdk.ClassOK},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := connect(t, &fakePlugin{deliver: test.resp}).Deliver(t.Context(), "ops", host.Delivery{ID: "d1"})
			require.NoError(t, err)
			require.Equal(t, test.want, got)
		})
	}
}
