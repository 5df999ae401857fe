package pluginhost

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// gRPC tells a deadline that passed at the other end first by either code, and the own
// context has not ended yet.
func TestDeadlineOfTheOtherEnd(t *testing.T) {
	t.Parallel()
	for _, code := range []codes.Code{codes.Canceled, codes.DeadlineExceeded} {
		require.True(t, timedOut(fmt.Errorf("test: %w", status.Error(code, "stream terminated by RST_STREAM"))), code)
	}
	require.False(t, timedOut(status.Error(codes.Internal, "panicked")))
	require.False(t, timedOut(errors.New("anything")))
}
