package sdk

import (
	"errors"
	"io"
	"net/http"
)

// ErrTooLong is what the body of an answer ends with that has more bytes than [HTTP.Stream]
// was told to read.
var ErrTooLong = errors.New("the answer is longer than what is read of one")

// Stream is ReadAll for answers that are too long to be held in memory: take reads the
// body of a 2xx answer, which the Response then lacks, and its error is Stream's. The body
// ends with [ErrTooLong] after limit bytes. Other answers are as with Send. A request
// without a deadline has one of 30 seconds, the reading included.
func (h *HTTP) Stream(req *http.Request, limit int64, take func(header http.Header, body io.Reader) error) (*Response, error) {
	ctx, cancel := bounded(req.Context())
	answer, err := h.ask(req.WithContext(ctx))
	if err != nil {
		cancel()
		return nil, err
	}
	if err := Classify(answer); err != nil {
		resp, _ := h.response(ctx, cancel, answer, bodyTimeout)
		return resp, err
	}
	defer func() {
		cancel() // What nobody reads is not waited for.
		_ = answer.Body.Close()
	}()
	err = take(answer.Header, &capped{from: answer.Body, left: limit})
	if ctx.Err() != nil && err != nil {
		err = errors.Join(err, ctx.Err())
	}
	return &Response{Receipt: Receipt{Status: answer.StatusCode}, Header: answer.Header}, err
}

// capped ends with ErrTooLong, not as a whole does.
type capped struct {
	from io.Reader
	left int64
}

func (c *capped) Read(p []byte) (int, error) {
	if c.left <= 0 {
		// One byte more tells a longer answer from one that ends here.
		if n, err := c.from.Read(make([]byte, 1)); n == 0 {
			return 0, err
		}
		return 0, ErrTooLong
	}
	n, err := c.from.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	return n, err
}
