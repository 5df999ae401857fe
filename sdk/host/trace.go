package host

import (
	"context"

	"google.golang.org/grpc/metadata"

	"github.com/hookarr/hookarr/sdk/internal/handshake"
)

// WithTraceparent has the calls that are made with the context tell the plugin which span
// they are part of, by W3C Trace Context. Plugins read it by sdk.Traceparent; those of
// earlier versions leave it unread.
func WithTraceparent(ctx context.Context, traceparent string) context.Context {
	return metadata.AppendToOutgoingContext(ctx, handshake.TraceparentKey, traceparent)
}
