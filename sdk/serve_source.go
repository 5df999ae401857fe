package sdk

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/hookarr/hookarr/sdk/internal/pluginv1"
)

// sourceServer serves a source plugin.
type sourceServer struct {
	pluginv1.UnimplementedSourceServiceServer
	server[Source]
}

// Register adds the plugin's services to s. Optional ones are there only when the
// plugin declares them.
func (s *sourceServer) Register(to *grpc.Server) {
	s.server.Register(to)
	pluginv1.RegisterSourceServiceServer(to, s)
	if s.id.has(FeatureHistory) {
		pluginv1.RegisterHistoryServiceServer(to, &historyServer{source: s})
	}
	if s.id.has(FeatureFetch) {
		pluginv1.RegisterFetchServiceServer(to, &fetchServer{source: s})
	}
	if s.id.has(FeatureConnect) {
		pluginv1.RegisterConnectServiceServer(to, &connectServer{source: s})
	}
	if s.id.has(FeatureSnapshot) {
		pluginv1.RegisterSnapshotServiceServer(to, &snapshotServer{source: s})
	}
	if s.id.has(FeatureFolders) {
		pluginv1.RegisterFolderServiceServer(to, &folderServer[Source]{server: &s.server})
	}
	if s.id.has(FeatureOptions) {
		pluginv1.RegisterOptionsServiceServer(to, &optionsServer[Source]{server: &s.server})
	}
}

// Decode implements SourceService.
func (s *sourceServer) Decode(ctx context.Context, req *pluginv1.DecodeRequest) (resp *pluginv1.DecodeResponse, err error) {
	err = s.instances.call(ctx, req.GetInstance(), "Decode", func(in *instance[Source]) error {
		r := fromRequest(req.GetId(), req.GetRequest())
		e, err := in.value.Decode(ctx, r)
		if reason, ok := SkipReason(err); ok {
			resp = &pluginv1.DecodeResponse{Result: &pluginv1.DecodeResponse_Skip{Skip: &pluginv1.Skip{Reason: in.redactor.line(reason)}}}
			return nil
		}
		if test, ok := AsInvalid(err); ok {
			resp = &pluginv1.DecodeResponse{Result: &pluginv1.DecodeResponse_Invalid{
				Invalid: &pluginv1.Invalid{Reason: in.redactor.line(err.Error()), Test: test},
			}}
			return nil
		}
		if err != nil {
			return in.failed(ctx, err)
		}
		data, err := in.event(e, r.ID, OriginWebhook, r.ReceivedAt)
		resp = &pluginv1.DecodeResponse{Result: &pluginv1.DecodeResponse_Event{Event: data}}
		return err
	})
	return resp, err
}

// event writes an event that the author made. One that is incomplete is a bug in
// the plugin.
func (in *instance[T]) event(e Event, id string, origin Origin, at time.Time) ([]byte, error) {
	err := completeEvent(&e, in.name, id, origin, at)
	if err != nil {
		return nil, status.Error(codes.Internal, in.redactor.line(err.Error()))
	}
	data, err := json.Marshal(e)
	if err != nil {
		return nil, status.Error(codes.Internal, in.redactor.line("write the event: "+err.Error()))
	}
	return data, nil
}

// failed is the status of work that went wrong for reasons outside the plugin and
// is worth another try.
func (in *instance[T]) failed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return status.FromContextError(ctx.Err()).Err()
	}
	return status.Error(codes.Unavailable, in.redactor.line(err.Error()))
}

// said is the error of a power: the plugin works, and this is what it has to say, such
// as that the application does not answer. More secrets than the instance's own may be
// in it.
func (in *instance[T]) said(ctx context.Context, err error, more ...redactor) error {
	if ctx.Err() != nil {
		return status.FromContextError(ctx.Err()).Err()
	}
	code, message := codes.Aborted, err.Error()
	if errors.Is(err, errors.ErrUnsupported) {
		code = codes.Unimplemented
	}
	for _, r := range more {
		message = r.text(message)
	}
	return status.Error(code, in.redactor.line(message))
}
