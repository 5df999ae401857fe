package host_test

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
	"github.com/hookarr/hookarr/sdk/internal/pluginv1"
)

// A plugin that is not made with the SDK may say anything.
func TestSentRequestIsBounded(t *testing.T) {
	t.Parallel()
	headers := []*pluginv1.Header{{Name: "X-\nEvil", Values: make([]string, 1000)}}
	headers[0].Values[0] = "a\r\nb" + strings.Repeat("x", 10_000)
	for range 1000 {
		headers = append(headers, &pluginv1.Header{Name: strings.Repeat("h", len(headers)), Values: []string{"v"}})
	}
	client := connect(t, &fakePlugin{deliver: &pluginv1.DeliverResponse{Class: pluginv1.Class_CLASS_RETRYABLE, Requests: []*pluginv1.SentRequest{
		{Method: "FIRST"},
		{Method: "PO\nST", Url: strings.Repeat("u", 10_000), Headers: headers, Body: []byte("\x00\xff" + strings.Repeat("é", 20_000))},
	}}})
	o, err := client.Deliver(t.Context(), "ops", host.Delivery{ID: "1"})
	require.NoError(t, err)
	require.Equal(t, "PO ST", o.Sent.Method, "the last")
	require.Len(t, o.Sent.URL, 1<<10)
	require.LessOrEqual(t, len(o.Sent.Header), 64)
	require.Len(t, o.Sent.Header["X- Evil"], 64)
	require.NotContains(t, o.Sent.Header["X- Evil"][0], "\n")
	require.LessOrEqual(t, len(o.Sent.Header["X- Evil"][0]), 1<<10)
	require.LessOrEqual(t, len(o.Sent.Body), 16<<10)
	require.True(t, o.Sent.Truncated)
	require.True(t, strings.HasPrefix(o.Sent.Body, "\uFFFDé"))

	r, err := client.Preview(t.Context(), "ops", host.Delivery{ID: "1"})
	require.NoError(t, err)
	require.Equal(t, "FIRST", r.Method)
}

func TestWarningsAndEventTypesAreBounded(t *testing.T) {
	t.Parallel()
	many := make([]*pluginv1.EventType, 1000)
	for i := range many {
		many[i] = &pluginv1.EventType{Type: "media.\nimported", NativeTypes: make([]string, 1000)}
	}
	client := connect(t, &fakePlugin{
		describe:  &pluginv1.DescribeResponse{EventTypes: many},
		configure: &pluginv1.ConfigureResponse{Warnings: []*pluginv1.Problem{{Instance: "ops", Key: "url", Message: "looks\r\n\u202eodd"}}},
	})
	d, err := client.Describe(t.Context())
	require.NoError(t, err)
	require.Len(t, d.EventTypes, 100)
	require.Len(t, d.EventTypes[0].Native, 100)
	require.Equal(t, sdk.Type("media. imported"), d.EventTypes[0].Type)
	configured, err := client.Configure(t.Context(), nil, false)
	require.NoError(t, err)
	require.Equal(t, []host.Problem{{Instance: "ops", Key: "url", Message: "looks  odd"}}, configured.Warnings)
}

// TestListsAreBounded, however many entries an answer has room for.
func TestListsAreBounded(t *testing.T) {
	t.Parallel()
	const many = 20_000
	problems, warnings := make([]*pluginv1.Problem, many), map[string]string{}
	for i := range problems {
		problems[i] = &pluginv1.Problem{Instance: "ops"}
		warnings[strconv.Itoa(i)] = "odd"
	}
	instances := make([]*pluginv1.InstanceInfo, many)
	for i := range instances {
		instances[i] = &pluginv1.InstanceInfo{Name: "ops"}
	}
	client := connect(t, &fakePlugin{
		configure: &pluginv1.ConfigureResponse{Problems: problems, Warnings: problems, Instances: instances},
		health:    &pluginv1.CheckHealthResponse{Warnings: warnings},
		deliver:   &pluginv1.DeliverResponse{Class: pluginv1.Class_CLASS_OK, Events: make([][]byte, many)},
	})
	configured, err := client.Configure(t.Context(), []host.Instance{{Name: "ops"}, {Name: "dev"}}, false)
	require.NoError(t, err)
	require.Len(t, configured.Problems, 1000)
	require.Len(t, configured.Warnings, 1000)
	require.Len(t, configured.Instances, 2, "no more than there are")
	sick, err := client.CheckHealth(t.Context())
	require.NoError(t, err)
	require.Len(t, sick, 1000)
	o, err := client.Deliver(t.Context(), "ops", host.Delivery{ID: "1"})
	require.NoError(t, err)
	require.Len(t, o.Events, 10_000)
}

// A plugin of an earlier SDK has no test with an event, and answers no requests.
func TestEarlierPlugin(t *testing.T) {
	t.Parallel()
	client := connect(t, &fakePlugin{
		describe: &pluginv1.DescribeResponse{Name: "old"}, configure: &pluginv1.ConfigureResponse{},
		deliver: &pluginv1.DeliverResponse{Class: pluginv1.Class_CLASS_RETRYABLE, Message: "503"},
	})
	o, err := client.Deliver(t.Context(), "ops", host.Delivery{ID: "1", Record: true})
	require.NoError(t, err)
	require.Nil(t, o.Sent)
	_, err = client.Test(t.Context(), "ops", json.RawMessage(`{}`))
	require.ErrorIs(t, err, host.ErrUnsupported)
	d, err := client.Describe(t.Context())
	require.NoError(t, err)
	require.Empty(t, d.EventTypes)
	configured, err := client.Configure(t.Context(), nil, false)
	require.NoError(t, err)
	require.Empty(t, configured.Warnings)
}

// Fields of a later version harm neither side.
func TestUnknownFieldsAreIgnored(t *testing.T) {
	t.Parallel()
	later := protowire.AppendBytes(protowire.AppendTag(nil, 1000, protowire.BytesType), []byte("of a later version"))
	with := func(m proto.Message) { m.ProtoReflect().SetUnknown(later) }
	described := &pluginv1.DescribeResponse{Name: "new", EventTypes: []*pluginv1.EventType{{Type: "test"}}}
	delivered := &pluginv1.DeliverResponse{Class: pluginv1.Class_CLASS_OK, Requests: []*pluginv1.SentRequest{{Method: "POST"}}}
	for _, m := range []proto.Message{described, described.GetEventTypes()[0], delivered, delivered.GetRequests()[0]} {
		with(m)
	}
	client := connect(t, &fakePlugin{describe: described, deliver: delivered})
	d, err := client.Describe(t.Context())
	require.NoError(t, err)
	require.Equal(t, []sdk.EventType{{Type: sdk.TypeTest}}, d.EventTypes)
	o, err := client.Deliver(t.Context(), "ops", host.Delivery{ID: "1"})
	require.NoError(t, err)
	require.Equal(t, sdk.ClassOK, o.Class)
	require.Equal(t, "POST", o.Sent.Method)
}
