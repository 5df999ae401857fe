package host

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/grpc"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/internal/pluginv1"
)

// ErrAnswer is matched by errors for answers that break the contract, such as an
// event that is not JSON.
var ErrAnswer = errors.New("answer breaks the contract")

// Client calls one plugin process. Its methods may be called concurrently.
//
// An error of the call itself is a gRPC status error (status.Code reads it): the
// plugin died, did not answer in time or broke. What an endpoint or a sender did
// wrong is in the results. A call returns when its context ends, even when the
// plugin does not; the plugin's handler then runs on by itself.
type Client struct {
	// Host is what the plugin is told of the program that configures it. It is set
	// before the first call.
	Host sdk.HostInfo

	plugin  pluginv1.PluginServiceClient
	source  pluginv1.SourceServiceClient
	target  pluginv1.TargetServiceClient
	history pluginv1.HistoryServiceClient
	fetch   pluginv1.FetchServiceClient
	connect pluginv1.ConnectServiceClient

	verify   pluginv1.VerifyServiceClient
	folders  pluginv1.FolderServiceClient
	options  pluginv1.OptionsServiceClient
	snapshot pluginv1.SnapshotServiceClient
}

// NewClient returns a client of the plugin at the other end of conn.
func NewClient(conn grpc.ClientConnInterface) *Client {
	return &Client{
		plugin:  pluginv1.NewPluginServiceClient(conn),
		source:  pluginv1.NewSourceServiceClient(conn),
		target:  pluginv1.NewTargetServiceClient(conn),
		history: pluginv1.NewHistoryServiceClient(conn),
		fetch:   pluginv1.NewFetchServiceClient(conn),
		connect: pluginv1.NewConnectServiceClient(conn),

		verify:   pluginv1.NewVerifyServiceClient(conn),
		folders:  pluginv1.NewFolderServiceClient(conn),
		options:  pluginv1.NewOptionsServiceClient(conn),
		snapshot: pluginv1.NewSnapshotServiceClient(conn),
	}
}

// Describe asks what the plugin is.
func (c *Client) Describe(ctx context.Context) (Description, error) {
	r, err := c.plugin.Describe(ctx, &pluginv1.DescribeRequest{})
	if err != nil {
		return Description{}, fmt.Errorf("describe plugin: %w", err)
	}
	return fromDescription(r), nil
}

// Configure replaces the plugin's set of instances, or only judges it. Instances
// with a problem are not put in place; the others are.
func (c *Client) Configure(ctx context.Context, instances []Instance, validateOnly bool) (Configured, error) {
	req := &pluginv1.ConfigureRequest{ValidateOnly: validateOnly, Host: toHostInfo(c.Host)}
	for _, in := range instances {
		req.Instances = append(req.Instances, toInstance(in))
	}
	r, err := c.plugin.Configure(ctx, req)
	if err != nil {
		return Configured{}, fmt.Errorf("configure plugin: %w", err)
	}
	configured := Configured{Problems: fromProblems(r.GetProblems()), Warnings: fromProblems(r.GetWarnings())}
	for _, in := range first(r.GetInstances(), len(instances)) {
		configured.Instances = append(configured.Instances, InstanceInfo{
			Name: line(in.GetName(), maxName), NeedsOriginals: in.GetNeedsOriginals(), SingleEvents: in.GetSingleEvents(),
		})
	}
	return configured, nil
}

// CheckHealth returns when the plugin can serve calls, with warnings for people by
// instance.
func (c *Client) CheckHealth(ctx context.Context) (map[string]string, error) {
	r, err := c.plugin.CheckHealth(ctx, &pluginv1.CheckHealthRequest{})
	if err != nil {
		return nil, fmt.Errorf("check plugin's health: %w", err)
	}
	warnings := map[string]string{}
	for instance, text := range r.GetWarnings() {
		if len(warnings) == maxProblems {
			break
		}
		warnings[line(instance, maxName)] = line(text, maxMessage)
	}
	return warnings, nil
}

// Decode has a source's instance decode a request. The event is as the plugin made
// it; of its JSON no more is read than Decoded.Event has.
func (c *Client) Decode(ctx context.Context, instance string, r sdk.Request) (Decoded, error) {
	resp, err := c.source.Decode(ctx, &pluginv1.DecodeRequest{Instance: instance, Id: r.ID, Request: toRequest(r)})
	if err != nil {
		return Decoded{}, fmt.Errorf("decode request %s: %w", r.ID, err)
	}
	switch result := resp.GetResult().(type) {
	case *pluginv1.DecodeResponse_Event:
		e, err := readBrief(result.Event)
		if err != nil {
			return Decoded{}, fmt.Errorf("decode request %s: %w", r.ID, err)
		}
		return Decoded{Event: &e, JSON: result.Event}, nil
	case *pluginv1.DecodeResponse_Skip:
		return Decoded{Skip: reason(result.Skip.GetReason())}, nil
	case *pluginv1.DecodeResponse_Invalid:
		return Decoded{Invalid: reason(result.Invalid.GetReason()), Test: result.Invalid.GetTest()}, nil
	default:
		return Decoded{}, fmt.Errorf("decode request %s: %w: neither event nor skip nor invalid", r.ID, ErrAnswer)
	}
}

// Deliver has a target's instance make one attempt. The outcome is bounded: an
// unknown class is retryable, texts are cut and on one line.
func (c *Client) Deliver(ctx context.Context, instance string, d Delivery) (Outcome, error) {
	resp, err := c.target.Deliver(ctx, toDelivery(instance, d))
	if err != nil {
		return Outcome{}, fmt.Errorf("deliver %s: %w", d.ID, err)
	}
	return fromOutcome(resp), nil
}
