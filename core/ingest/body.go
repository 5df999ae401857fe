package ingest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"time"

	"golang.org/x/sync/semaphore"
)

var (
	errTooLarge = errors.New("body too large")
	errBusy     = errors.New("too many bodies are being worked on")
	errSlow     = errors.New("body was not received in time")
	errBroken   = errors.New("body ended early")
)

// firstRead is how much memory a body is given before it has shown its size; a
// declared size alone reserves no more.
const firstRead = 8 << 10

// bodies reads bodies within bounds: each has at most limit bytes, and all that are
// held at once have a sum that senders wait for.
type bodies struct {
	limit    int64
	memory   *semaphore.Weighted
	patience time.Duration
}

func newBodies(limit, total int64, patience time.Duration) *bodies {
	return &bodies{limit: limit, memory: semaphore.NewWeighted(max(total, limit+1)), patience: patience}
}

// read returns the body and what to call once it is not needed any more, error or
// not. Memory is reserved as it fills, so that who announces much and sends little
// keeps nobody out.
func (b *bodies) read(ctx context.Context, r *http.Request) (body []byte, release func(), err error) {
	var held int64
	release = func() { b.memory.Release(held) }
	// One byte more than may come is room to see the end.
	most := b.limit + 1
	if r.ContentLength >= 0 {
		most = min(most, r.ContentLength+1)
	}
	size := min(firstRead, most)
	for {
		if err := b.reserve(ctx, size-held); err != nil {
			return nil, release, err
		}
		held = size
		grown := make([]byte, len(body), size)
		copy(grown, body)
		body, err = fill(grown, r.Body)
		switch {
		case err == nil && size == most, int64(len(body)) > b.limit:
			return nil, release, errTooLarge
		case errors.Is(err, io.EOF):
			return body, release, nil
		case errors.Is(err, os.ErrDeadlineExceeded):
			return nil, release, errSlow
		case err != nil:
			return nil, release, errBroken
		}
		size = min(2*size, most)
	}
}

func (b *bodies) reserve(ctx context.Context, n int64) error {
	ctx, cancel := context.WithTimeout(ctx, b.patience)
	defer cancel()
	if b.memory.Acquire(ctx, n) != nil {
		return errBusy
	}
	return nil
}

// fill reads until buf is full, or to an error, such as io.EOF for the end.
func fill(buf []byte, from io.Reader) ([]byte, error) {
	for len(buf) < cap(buf) {
		n, err := from.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if err != nil {
			return buf, err
		}
	}
	return buf, nil
}
