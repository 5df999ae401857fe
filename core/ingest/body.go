package ingest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"time"
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
// held at once have a sum.
type bodies struct {
	limit  int64
	memory *memory
}

func newBodies(limit, total int64, waitTimeout time.Duration) *bodies {
	return &bodies{limit: limit, memory: newMemory(max(total, limit+1), waitTimeout)}
}

// read returns the body and the reservation that holds it, which is to be released once it is
// not needed any more, error or not. Memory is reserved as it fills, so that who
// announces much and sends little keeps nobody out.
func (b *bodies) read(ctx context.Context, r *http.Request, s sender) ([]byte, *reservation, error) {
	ctx, l := b.memory.reserve(ctx, s)
	defer l.finish()
	// One byte more than may come is room to see the end.
	most := b.limit + 1
	if r.ContentLength >= 0 {
		most = min(most, r.ContentLength+1)
	}
	body, err := l.readAll(ctx, r.Body, headSize(r), most)
	switch {
	case err == nil, errors.Is(err, errTooLarge), errors.Is(err, errBusy):
		return body, l, err
	case errors.Is(context.Cause(ctx), errBusy):
		return nil, l, errBusy
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, l, errSlow
	default:
		return nil, l, errBroken
	}
}

// readAll reads less than most bytes to their end, into memory that the reservation holds beside
// what it held. What is copied to a larger place is held twice for that long.
func (l *reservation) readAll(ctx context.Context, from io.Reader, held, most int64) (body []byte, err error) {
	for size := min(firstRead, most); ; size = min(2*size, most) {
		if err := l.grow(ctx, held+int64(cap(body))+size); err != nil {
			return nil, err
		}
		grown := make([]byte, len(body), size)
		copy(grown, body)
		l.shrink(held + size)
		body, err = fill(grown, from)
		switch {
		case int64(len(body)) == most:
			return nil, errTooLarge
		case errors.Is(err, io.EOF):
			return body, nil
		case err != nil:
			return nil, err
		}
	}
}

// fieldSize is about what the server keeps of a header field besides its text.
const fieldSize = 100

// headSize is about what a request holds before its body: of a head of many short
// fields that is 15 times its length.
func headSize(r *http.Request) int64 {
	size := len(r.RequestURI)
	for name, values := range r.Header {
		size += fieldSize + len(name)
		for _, v := range values {
			size += len(v)
		}
	}
	return int64(size)
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
