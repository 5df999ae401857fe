package sdk

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"
)

// errTimeout is what a body breaks off with that does not end in time.
var errTimeout = errors.New("it takes too long")

// read returns what comes of a body until it ends, has limit bytes, takes longer than
// within (zero is no bound) or ctx ends. In the end cancel, which ends ctx, is called
// and the body is closed. Nobody waits for that: the closing of a connection can take
// as long as the other side likes.
func read(ctx context.Context, cancel context.CancelFunc, body io.ReadCloser, limit int64, within time.Duration) ([]byte, error) {
	if body == http.NoBody {
		cancel()
		return nil, nil
	}
	var b partial
	ended := make(chan error, 1)
	go func() {
		defer func() { _ = body.Close() }()
		defer cancel()
		_, err := io.CopyBuffer(&b, io.LimitReader(body, limit), make([]byte, 4<<10))
		ended <- err
	}()
	var late <-chan time.Time
	if within > 0 {
		timer := time.NewTimer(within)
		defer timer.Stop()
		late = timer.C
	}
	select {
	case err := <-ended:
		return b.take(), err
	case <-late:
		cancel()
		return b.take(), errTimeout
	case <-ctx.Done():
		select {
		case err := <-ended: // And then ctx.
			return b.take(), err
		default:
			return b.take(), ctx.Err()
		}
	}
}

// partial is a body that is still being read. What comes after it was taken is dropped.
type partial struct {
	mu    sync.Mutex
	taken bool
	buf   bytes.Buffer
}

func (b *partial) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.taken {
		return 0, io.ErrClosedPipe
	}
	return b.buf.Write(p)
}

func (b *partial) take() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.taken = true
	return b.buf.Bytes()
}
