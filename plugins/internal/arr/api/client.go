// Package api gives the sources of Arr applications their optional powers: reading
// back what was missed, adding details to events and managing the webhook. All of it
// goes through the applications' REST APIs, which are as alike as their webhooks.
//
// What differs from one application to the next is in its [App].
package api

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hookarr/hookarr/plugins/internal/arr"
	"github.com/hookarr/hookarr/sdk"
)

const (
	// maxAnswer bounds an answer, in bytes: a library of 5,000 episodes of one series is
	// about 4 MB, a busy week of history as much.
	maxAnswer = 16 << 20
	// maxReason bounds what is repeated of an application's own words.
	maxReason = 300
)

// ErrNotFound is matched when the application does not know the item.
var ErrNotFound = errors.New("not found")

// Client calls the API of one installation. It may be used concurrently.
type Client struct {
	http    *sdk.HTTP
	base    string
	key     sdk.Secret
	app     arr.App
	version string
	cache   cache
	// ahead is how far the application's clock was ahead of this one's by its last
	// answer, a time.Duration.
	ahead atomic.Int64
}

// newClient returns the client of an application whose API has a version: v3, v1.
func newClient(h *sdk.HTTP, c Config, app arr.App, version string) *Client {
	h.LimitBody(maxAnswer + 1)
	if c.InsecureSkipVerify {
		h.InsecureSkipVerify()
	}
	return &Client{http: h, base: strings.TrimRight(c.BaseURL, "/"), key: c.APIKey, app: app, version: version}
}

// pathStatus is where an application says who it is.
const pathStatus = "system/status"

// Status is what an application says of itself.
type Status struct {
	AppName      string
	InstanceName string
	Version      string
}

// Status asks the application who it is. It fails when that is another one than
// the source is for.
func (c *Client) Status(ctx context.Context) (Status, error) {
	s, err := Get[Status](ctx, c, pathStatus, nil)
	switch {
	case errors.Is(err, ErrNotFound):
		return Status{}, c.noAPI()
	case err != nil:
		return Status{}, err
	case s.AppName == "":
		return Status{}, c.noAPI()
	case strings.EqualFold(s.AppName, string(c.app)):
		return s, nil
	}
	err = fmt.Errorf("%s is %s, not %s: correct base_url", c.base, arr.OneLine(s.AppName), c.app)
	if other := arr.Named(s.AppName); other != "" {
		err = fmt.Errorf("%w, or use plugin %s", err, other.Name())
	}
	return Status{}, err
}

// Get returns what the API has at a path, remembered for some minutes. The value is
// shared with other callers, who leave it as it is.
func Get[T any](ctx context.Context, c *Client, path string, query url.Values) (T, error) {
	v, err := c.cache.get(ctx, cacheKey(path, query), func() (any, int, error) {
		var v T
		size, err := c.call(ctx, http.MethodGet, path, query, nil, &v)
		return v, size, err
	})
	if err != nil {
		var none T
		return none, err
	}
	return v.(T), nil
}

func cacheKey(path string, query url.Values) string { return path + "?" + query.Encode() }

// Fresh is Get for what must not have been remembered.
func Fresh[T any](ctx context.Context, c *Client, path string, query url.Values) (T, error) {
	var v T
	_, err := c.call(ctx, http.MethodGet, path, query, nil, &v)
	return v, err
}

// call sends one request and decodes the answer, unless into is nil. Fields of an
// unexpected type keep their zero value, as they do in webhooks. It returns the size
// of the answer.
func (c *Client) call(ctx context.Context, method, path string, query url.Values, body, into any) (int, error) {
	answer, err := c.send(ctx, method, path, query, body)
	if err != nil || into == nil {
		return 0, err
	}
	if len(answer) > maxAnswer {
		return 0, fmt.Errorf("%s at %s answered %s with more than %d MiB", c.app, c.base, path, maxAnswer>>20)
	}
	return len(answer), c.decode(path, answer, into)
}

func (c *Client) decode(path string, answer []byte, into any) error {
	err := json.Unmarshal(answer, into)
	if _, ok := errors.AsType[*json.UnmarshalTypeError](err); ok || err == nil {
		return nil
	}
	return fmt.Errorf("%s at %s answered %s with something that is not JSON or breaks off: %w", c.app, c.base, path, err)
}

// send returns the body of a successful answer, cut off after maxAnswer.
func (c *Client) send(ctx context.Context, method, path string, query url.Values, body any) ([]byte, error) {
	req, err := c.request(ctx, method, path, query, body)
	if err != nil {
		return nil, err
	}
	asked := time.Now()
	resp, err := c.http.ReadAll(req)
	if resp == nil {
		return nil, fmt.Errorf("no answer from %s at %s: %w", c.app, c.base, err)
	}
	if err := c.judge(resp); err != nil {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("%s at %s answered %s with something that breaks off: %w", c.app, c.base, path, err)
	}
	c.ahead.Store(int64(ahead(resp.Header.Get("Date"), asked, time.Now())))
	return resp.Body, nil
}

func (c *Client) request(ctx context.Context, method, path string, query url.Values, body any) (*http.Request, error) {
	var data []byte
	if body != nil {
		var err error
		if data, err = json.Marshal(body); err != nil {
			return nil, fmt.Errorf("write the request for %s: %w", path, err)
		}
	}
	at := c.base + "/api/" + c.version + "/" + path
	if len(query) > 0 {
		at += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, at, bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("make the request for %s: %w", path, err)
	}
	req.Header.Set("X-Api-Key", c.key.Reveal())
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return req, nil
}

// clock is how far the application's clock is ahead of this one's.
func (c *Client) clock() time.Duration { return time.Duration(c.ahead.Load()) }

// ahead is how far a clock that says date is ahead of this one, if that is more than
// the time of the answer and whole seconds can account for. Without a date nobody
// knows.
func ahead(date string, asked, answered time.Time) time.Duration {
	at, err := http.ParseTime(date)
	if err != nil {
		return 0
	}
	half := answered.Sub(asked) / 2
	off := at.Add(time.Second / 2).Sub(asked.Add(half))
	if off.Abs() <= half+time.Second {
		return 0
	}
	return off.Round(time.Second)
}

// judge says in plain words what is wrong with an answer.
func (c *Client) judge(resp *sdk.Response) error {
	page := isPage(resp)
	switch status := resp.Status; {
	case status == http.StatusUnauthorized && !page, status == http.StatusForbidden && !page:
		return fmt.Errorf("API key refused by %s: copy it from Settings, General", c.base)
	case status >= 300 && status <= 399:
		to := arr.OneLine(resp.Header.Get("Location"))
		return fmt.Errorf("no %s API at %s, which redirects to %q: is the URL base missing in base_url?", c.app, c.base, to)
	case page:
		return c.noAPI()
	case status == http.StatusNotFound:
		return fmt.Errorf("%s at %s: %w", c.app, c.base, ErrNotFound)
	case status >= 200 && status <= 299:
		return nil
	case status == http.StatusBadRequest:
		return &refusal{client: c, reasons: reasons(resp.Body)}
	default:
		reason := strings.TrimSpace(fmt.Sprintf("%d %s", status, http.StatusText(status)))
		if said := strings.Join(reasons(resp.Body), "; "); said != "" && said != http.StatusText(status) {
			reason += " (" + said + ")"
		}
		return &failure{status: status, text: fmt.Sprintf("%s at %s failed: %s", c.app, c.base, reason)}
	}
}

func (c *Client) noAPI() error {
	return fmt.Errorf("no %s API at %s: is the URL base missing in base_url, a login in front of it, or the version older than API %s?", c.app, c.base, c.version)
}

// isPage tells the user interface and proxies' logins and errors from the API.
func isPage(resp *sdk.Response) bool {
	return strings.Contains(resp.Header.Get("Content-Type"), "html") || bytes.HasPrefix(bytes.TrimSpace(resp.Body), []byte("<"))
}

// failure is an answer by which the application says that it cannot.
type failure struct {
	status int
	text   string
}

func (f *failure) Error() string { return f.text }

// refusal is what the application does not like of a request.
type refusal struct {
	client  *Client
	reasons []string
}

func (r *refusal) Error() string {
	return fmt.Sprintf("%s at %s refused the request: %s", r.client.app, r.client.base, cmp.Or(strings.Join(r.reasons, "; "), "no reason given"))
}

// reasons reads what is wrong from an answer: a list of failures, or one message.
func reasons(body []byte) []string {
	type reason struct{ ErrorMessage, PropertyName, Message string }
	var all []reason
	if json.Unmarshal(body, &all) != nil {
		var one reason
		if json.Unmarshal(body, &one) != nil {
			return nil
		}
		all = []reason{one}
	}
	var out []string
	for _, r := range all[:min(len(all), 10)] {
		text := []rune(arr.OneLine(cmp.Or(r.ErrorMessage, r.Message)))
		if len(text) > 0 {
			out = append(out, string(text[:min(len(text), maxReason)]))
		}
	}
	return out
}
