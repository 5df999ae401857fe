package api

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/hookarr/hookarr/sdk"
)

const (
	// maxList bounds a list that is not held, in bytes: a library of 50,000 titles.
	maxList = 512 << 20
	// maxEntry bounds one of the entries, in bytes. A series of 100 seasons has 40 KB.
	maxEntry = 4 << 20
)

// each calls f with every entry of the list that the API has at a path, and holds one at
// a time. An error of f ends it.
func (c *Client) each(ctx context.Context, path string, query url.Values, f func(json.RawMessage) error) error {
	req, err := c.request(ctx, http.MethodGet, path, query, nil)
	if err != nil {
		return err
	}
	resp, err := c.http.Stream(req, maxList, func(header http.Header, body io.Reader) error {
		buffered := bufio.NewReader(body)
		first, _ := buffered.Peek(1)
		if isPage(&sdk.Response{Header: header, Body: first}) {
			return c.noAPI()
		}
		return c.entries(path, buffered, f)
	})
	if resp == nil {
		return fmt.Errorf("no answer from %s at %s: %w", c.app, c.base, err)
	}
	if judged := c.judge(resp); judged != nil {
		return judged
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%s at %s did not send all of %s in time: %w", c.app, c.base, path, context.DeadlineExceeded)
	}
	return err
}

func (c *Client) entries(path string, body io.Reader, f func(json.RawMessage) error) error {
	w := &entryGuard{from: body}
	d := json.NewDecoder(w)
	w.read = d.InputOffset
	broken := func(err error) error {
		if errors.Is(err, sdk.ErrTooLong) || errors.Is(err, errEntry) {
			return fmt.Errorf("%s at %s answered %s with more than is read of it: %w", c.app, c.base, path, err)
		}
		return fmt.Errorf("%s at %s answered %s with something that is no list or breaks off: %w", c.app, c.base, path, err)
	}
	if begin, err := d.Token(); err != nil {
		return broken(err)
	} else if begin != json.Delim('[') {
		return broken(errors.New("it does not begin with ["))
	}
	for d.More() {
		var entry json.RawMessage
		if err := d.Decode(&entry); err != nil {
			return broken(err)
		}
		if err := f(entry); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil {
		return broken(err)
	}
	return nil
}

var errEntry = errors.New("one entry is too large")

// entryGuard ends with errEntry when more than maxEntry bytes wait to be decoded.
type entryGuard struct {
	from io.Reader
	// read is how many bytes were decoded, and taken how many were read.
	read  func() int64
	taken int64
}

func (w *entryGuard) Read(p []byte) (int, error) {
	if w.taken-w.read() > maxEntry {
		return 0, errEntry
	}
	n, err := w.from.Read(p)
	w.taken += int64(n)
	return n, err
}
