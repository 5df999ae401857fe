package sdk

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/hookarr/hookarr/sdk/internal/pluginv1"
)

// targetServer serves a target plugin.
type targetServer struct {
	pluginv1.UnimplementedTargetServiceServer
	server[Target]
}

// Register adds the plugin's services to s.
func (s *targetServer) Register(to *grpc.Server) {
	s.server.Register(to)
	pluginv1.RegisterTargetServiceServer(to, s)
	if s.id.has(FeatureVerify) {
		pluginv1.RegisterVerifyServiceServer(to, &verifyServer{target: s})
	}
	if s.id.has(FeatureFolders) {
		pluginv1.RegisterFolderServiceServer(to, &folderServer[Target]{server: &s.server})
	}
	if s.id.has(FeatureOptions) {
		pluginv1.RegisterOptionsServiceServer(to, &optionsServer[Target]{server: &s.server})
	}
}

// Deliver implements TargetService.
func (s *targetServer) Deliver(ctx context.Context, req *pluginv1.DeliverRequest) (resp *pluginv1.DeliverResponse, err error) {
	if req.GetPreview() && !s.id.has(FeaturePreview) {
		return nil, status.Error(codes.Unimplemented, "the plugin has no preview")
	}
	ctx, cancel := sooner(ctx)
	defer cancel()
	r := &recorder{preview: req.GetPreview()}
	ctx = r.in(ctx)
	err = s.instances.call(ctx, req.GetInstance(), "Deliver", func(in *instance[Target]) error {
		user, ok := in.value.(JSONUser)
		d, err := fromDelivery(req, !ok || !user.UsesJSON())
		if err != nil {
			return status.Error(codes.InvalidArgument, err.Error())
		}
		if !s.id.has(FeatureEdit) {
			d.Previous = nil
		}
		receipt, err := in.value.Deliver(ctx, d)
		resp = s.outcome(ctx, in, d, receipt, err)
		if r.preview {
			resp.Fallback = in.redactor.line(receipt.Fallback) // whatever became of the request
		}
		if err != nil || r.preview || req.GetRecord() {
			resp.Requests = r.requests(in.redactor)
		}
		return nil
	})
	return resp, err
}

// Test implements TargetService.
func (s *targetServer) Test(ctx context.Context, req *pluginv1.TestRequest) (resp *pluginv1.TestResponse, err error) {
	if !s.id.has(FeatureTest) {
		return nil, status.Error(codes.Unimplemented, "the plugin has no test")
	}
	ctx, cancel := sooner(ctx)
	defer cancel()
	r := &recorder{}
	ctx = r.in(ctx)
	err = s.instances.call(ctx, req.GetInstance(), "Test", func(in *instance[Target]) error {
		tester, ok := in.value.(Tester)
		if !ok {
			return status.Error(codes.Unimplemented, "the instance has no test")
		}
		d, err := testDelivery(in, req.GetEvent())
		if err != nil {
			return status.Error(codes.InvalidArgument, err.Error())
		}
		receipt, err := tester.Test(ctx, d)
		resp = &pluginv1.TestResponse{Outcome: toOutcome(receipt, err, in.redactor)}
		resp.Outcome.Requests = r.requests(in.redactor)
		return nil
	})
	return resp, err
}

// testDelivery is a delivery of an event, JSON by the published schema, or of one that
// says that it is a test.
func testDelivery(in *instance[Target], event []byte) (Delivery, error) {
	now := time.Now().UTC()
	// Each test is new to an endpoint that knows repetitions by their key.
	id := "test-" + rand.Text()
	if len(event) == 0 {
		var err error
		if event, err = json.Marshal(Event{
			ID: id, Source: SourceHookarr, Origin: OriginHookarr, Time: now, App: SourceHookarr, Type: TypeTest,
			Title: "Hookarr", Summary: "Hookarr tests its target " + in.name,
		}); err != nil {
			return Delivery{}, err
		}
	}
	req := &pluginv1.DeliverRequest{DeliveryId: id, Attempt: 1, Events: [][]byte{event}}
	if user, ok := in.value.(OriginalsUser); ok && user.NeedsOriginals() {
		req.Originals = []*pluginv1.OriginalRequest{{
			Method:     http.MethodPost,
			Headers:    []*pluginv1.Header{{Name: "Content-Type", Values: []string{"application/json"}}},
			Body:       event,
			ReceivedAt: timestamppb.New(now),
		}}
	}
	return fromDelivery(req, true)
}

// sooner ends a little before ctx, so that the outcome of an attempt that takes too long
// still reaches the host. After its own deadline, the host knows only that the plugin
// did not answer.
func sooner(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, deadline.Add(-min(time.Until(deadline)/20, 250*time.Millisecond)))
}
