package sdk

import (
	"context"
	"strings"

	"google.golang.org/grpc/metadata"

	"github.com/hookarr/hookarr/sdk/internal/handshake"
)

// Traceparent returns the span of the host's that a call of Decode, Deliver or Verify is
// part of, as W3C Trace Context writes it: 00-TRACE-SPAN-01. It is empty where the host
// records no trace of the call. Requests are part of it that send it as their header
// traceparent, which [HTTP.SendTraceparent] has them do.
func Traceparent(ctx context.Context) string {
	values := metadata.ValueFromIncomingContext(ctx, handshake.TraceparentKey)
	if len(values) != 1 || !isTraceparent(values[0]) {
		return ""
	}
	return values[0]
}

// isTraceparent reports whether s is of version 00, with a trace and a span.
func isTraceparent(s string) bool {
	parts := strings.Split(s, "-")
	if len(s) != 55 || len(parts) != 4 || parts[0] != "00" {
		return false
	}
	for i, n := range []int{2, 32, 16, 2} {
		if len(parts[i]) != n || strings.Trim(parts[i], "0123456789abcdef") != "" {
			return false
		}
	}
	return strings.Trim(parts[1], "0") != "" && strings.Trim(parts[2], "0") != ""
}
