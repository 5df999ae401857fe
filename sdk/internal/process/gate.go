package process

import (
	"context"
	"log/slog"
	"runtime/debug"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// gate counts the calls under way and keeps a panic in one of them from ending the
// process.
type gate struct {
	log *slog.Logger

	mu      sync.RWMutex
	closing bool
	calls   sync.WaitGroup
}

// intercept is a grpc.UnaryServerInterceptor.
func (g *gate) intercept(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (resp any, err error) {
	if !g.enter() {
		return nil, status.Error(codes.Unavailable, "the plugin is stopping")
	}
	defer g.calls.Done()
	defer func() {
		if r := recover(); r != nil {
			// What was thrown may hold a secret; only instances know how to redact it.
			g.log.ErrorContext(ctx, "plugin panicked", "method", info.FullMethod, "stack", string(debug.Stack()))
			resp, err = nil, status.Errorf(codes.Internal, "the plugin panicked in %s", info.FullMethod)
		}
	}()
	return handler(ctx, req)
}

func (g *gate) enter() bool {
	g.mu.RLock()
	defer g.mu.RUnlock()
	if g.closing {
		return false
	}
	g.calls.Add(1)
	return true
}

// drain refuses new calls and waits for those under way.
func (g *gate) drain() {
	g.mu.Lock()
	g.closing = true
	g.mu.Unlock()
	g.calls.Wait()
}
