package sdk

import (
	"context"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

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
}

// Deliver implements TargetService.
func (s *targetServer) Deliver(ctx context.Context, req *pluginv1.DeliverRequest) (resp *pluginv1.DeliverResponse, err error) {
	ctx, cancel := sooner(ctx)
	defer cancel()
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
		resp = toOutcome(receipt, err, in.redactor)
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
	err = s.instances.call(ctx, req.GetInstance(), "Test", func(in *instance[Target]) error {
		tester, ok := in.value.(Tester)
		if !ok {
			return status.Error(codes.Unimplemented, "the instance has no test")
		}
		receipt, err := tester.Test(ctx)
		resp = &pluginv1.TestResponse{Outcome: toOutcome(receipt, err, in.redactor)}
		return nil
	})
	return resp, err
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
