package process

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/hookarr/hookarr/sdk/internal/handshake"
)

// callWorkers is how many goroutines are kept for calls; more calls at once get new
// ones. A new one begins with a stack that is too small for gRPC and JSON, and to grow it
// was an eighth of a plugin's time, by its profile.
const callWorkers = 32

// The names under which go-plugin's client asks for a plugin's health, and for its end.
const (
	healthName     = "plugin"
	controllerName = "plugin.GRPCController"
)

// newServer returns a server of the services and of what go-plugin's client calls besides.
// What else it tries, the streams of its broker and of standard output, may be missing.
func newServer(services Services, g *gate, options ...grpc.ServerOption) *grpc.Server {
	s := grpc.NewServer(append(options,
		grpc.MaxRecvMsgSize(handshake.MaxMessageBytes),
		grpc.NumStreamWorkers(callWorkers),
		grpc.InitialWindowSize(handshake.StreamWindow),
		grpc.InitialConnWindowSize(handshake.ConnWindow),
		grpc.ChainUnaryInterceptor(g.intercept))...)
	services.Register(s)
	healthy := health.NewServer()
	healthy.SetServingStatus(healthName, grpc_health_v1.HealthCheckResponse_SERVING)
	grpc_health_v1.RegisterHealthServer(s, healthy)
	registerController(s)
	return s
}

// registerController has the server stop when the host asks for it, whatever calls are
// under way.
func registerController(s *grpc.Server) {
	shutdown := func(_ any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
		if err := decode(new(emptypb.Empty)); err != nil {
			return nil, err
		}
		go s.Stop() // it waits for the connection, over which the answer goes
		return new(emptypb.Empty), nil
	}
	s.RegisterService(&grpc.ServiceDesc{
		ServiceName: controllerName,
		HandlerType: (*any)(nil),
		Methods:     []grpc.MethodDesc{{MethodName: "Shutdown", Handler: shutdown}},
	}, nil)
}
