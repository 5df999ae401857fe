package mediaserver

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/hookarr/hookarr/sdk"
)

// Refusal is an answer that is not what was asked for.
type Refusal struct {
	Status  int
	Excerpt string
	err     error
}

func (r *Refusal) Error() string { return r.err.Error() }

// Unwrap returns the error with its class.
func (r *Refusal) Unwrap() error { return r.err }

// Because is the refusal for another reason than its status is usually for.
func (r *Refusal) Because(err error) *Refusal {
	return &Refusal{Status: r.Status, Excerpt: r.Excerpt, err: err}
}

func asRefusal(err error) (*Refusal, bool) { return errors.AsType[*Refusal](err) }

// StatusOf is the status of the answer that an error was made of, or 0.
func StatusOf(err error) int {
	if r, ok := asRefusal(err); ok {
		return r.Status
	}
	return 0
}

// JSON sends a request to a server's API and decodes the answer into what into points to,
// or only looks at its status for nil. Hint says what to check when the server refuses the
// credentials. Errors have the classes of a media server's answers:
//
//   - 401 and 403: misconfigured, with the hint.
//   - 404 and 405: they match ErrStale, for whoever knows that the address was right; else
//     they are misconfigured.
//   - 200 with a web page: misconfigured. Something else answers, such as a proxy that wants
//     a person to log in.
//   - everything else is as sdk.Classify has it.
func JSON(h *sdk.HTTP, req *http.Request, in, into any, hint string) error {
	resp, err := h.JSON(req, in, nil)
	if resp == nil {
		return fmt.Errorf("no answer from %s (does the server run, and is that its address?): %w", req.URL.Host, err)
	}
	refused := func(err error) error { return &Refusal{Status: resp.Status, Excerpt: resp.Excerpt, err: err} }
	switch {
	case err != nil && (resp.Status == http.StatusUnauthorized || resp.Status == http.StatusForbidden):
		return refused(sdk.Misconfigured(fmt.Errorf("%w: %s", err, hint)))
	case err != nil && (resp.Status == http.StatusNotFound || resp.Status == http.StatusMethodNotAllowed):
		return refused(sdk.Misconfigured(fmt.Errorf("%w: %w", err, ErrStale)))
	case err != nil:
		return refused(err)
	case isPage(resp):
		return refused(sdk.Misconfigured(errors.New("a web page answers instead of the API: check the URL, and whether a proxy in between wants a login")))
	case into == nil:
		return nil
	case resp.Truncated:
		return refused(fmt.Errorf("the answer has more than %d bytes", len(resp.Body)))
	case countsMore(resp.Body, maxValues):
		return refused(fmt.Errorf("the answer has more than %d values", maxValues))
	}
	if err := json.Unmarshal(resp.Body, into); err != nil {
		return refused(fmt.Errorf("the answer is not the JSON of the API; is the server too old, or another one? %w", err))
	}
	return nil
}

// maxValues bounds the values of an answer: what an empty item takes in memory is a hundred
// times what it takes in JSON. 1,000 items of Plex have about 200,000 values.
const maxValues = 1_000_000

// countsMore reports whether a text in JSON has more than so many values. It counts what is
// between them, outside of texts.
func countsMore(data []byte, most int) bool {
	n, quoted := 0, false
	for i := 0; i < len(data) && n <= most; i++ {
		switch c := data[i]; {
		case c == '"':
			quoted = !quoted
		case quoted && c == '\\':
			i++
		case !quoted && (c == ',' || c == '[' || c == '{'):
			n++
		}
	}
	return n > most
}

// isPage reports whether an answer is made for people to look at.
func isPage(resp *sdk.Response) bool {
	body := bytes.ToLower(bytes.TrimSpace(resp.Body[:min(len(resp.Body), 512)]))
	return bytes.HasPrefix(body, []byte("<!doctype html")) || bytes.HasPrefix(body, []byte("<html"))
}
