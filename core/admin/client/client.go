// Package client is the operators' API for programs in Go, such as the command line.
package client

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/admin/api"
	"github.com/hookarr/hookarr/core/timeout"
	"github.com/hookarr/hookarr/sdk"
)

// ErrNoServer is matched when nobody listens: no server runs there.
var ErrNoServer = errors.New("no server answers")

const (
	// dialTimeout bounds the connection; the context bounds the whole.
	dialTimeout = 5 * time.Second
	// maxProblem is in bytes.
	maxProblem = 64 << 10
)

// Client makes requests of one server. It may be used concurrently.
type Client struct {
	http  *http.Client
	base  string
	token sdk.Secret
}

// Socket returns the client of the unix socket at path.
func Socket(path string) *Client {
	d := net.Dialer{Timeout: timeout.Of(dialTimeout)}
	return &Client{
		base: "http://localhost",
		http: &http.Client{
			Transport:     &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return d.DialContext(ctx, "unix", path) }},
			CheckRedirect: noRedirect,
		},
	}
}

// Remote returns the client of the server that people reach at a URL, base path included.
func Remote(address string, token sdk.Secret) (*Client, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" || u.User != nil {
		return nil, errors.New("want the URL of admin.listen, such as http://127.0.0.1:8485")
	}
	d := net.Dialer{Timeout: timeout.Of(dialTimeout)}
	return &Client{
		base: strings.TrimSuffix(address, "/"), token: token,
		http: &http.Client{
			Transport: &http.Transport{
				Proxy: http.ProxyFromEnvironment, DialContext: d.DialContext, TLSHandshakeTimeout: dialTimeout,
				TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12},
			},
			CheckRedirect: noRedirect,
		},
	}, nil
}

// noRedirect: the token is for the server alone, and a page to sign in at is no answer.
func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// Close closes idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// request is what is asked of the server.
type request struct {
	method, path string
	query        url.Values
	body         any
	// key is an Idempotency-Key.
	key string
}

// do makes a request. An answer that it was not done is an [*admin.Problem].
func (c *Client) do(ctx context.Context, r request) (data []byte, err error) {
	req, err := c.request(ctx, r)
	if err != nil {
		return nil, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, unreached(err)
	}
	defer func() { err = errors.Join(err, resp.Body.Close()) }()
	if resp.StatusCode >= http.StatusMultipleChoices {
		return nil, problem(resp)
	}
	if data, err = io.ReadAll(resp.Body); err != nil {
		return nil, fmt.Errorf("read answer: %w", err)
	}
	return data, nil
}

func (c *Client) request(ctx context.Context, r request) (*http.Request, error) {
	var body io.Reader
	if r.body != nil {
		data, err := json.Marshal(r.body)
		if err != nil {
			return nil, fmt.Errorf("write request: %w", err)
		}
		body = bytes.NewReader(data)
	}
	address := c.base + api.Prefix + r.path
	if len(r.query) > 0 {
		address += "?" + r.query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, r.method, address, body)
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token.Reveal())
	}
	if r.key != "" {
		req.Header.Set("Idempotency-Key", r.key)
	}
	return req, nil
}

// unreached tells a server that is not there from one that broke off.
func unreached(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err // the address may be long, and says nothing of a socket
	}
	// EINVAL is of a path that is too long for a socket, so that nobody can listen there.
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.EINVAL) {
		return fmt.Errorf("%w: %w", ErrNoServer, err)
	}
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%w: run the command as the user that runs hookarr serve, or as root", err)
	}
	return fmt.Errorf("ask the server: %w", err)
}

// problem is what an answer says that is none of the API's.
func problem(resp *http.Response) error {
	p := new(admin.Problem)
	if resp.Header.Get("Content-Type") == admin.ProblemType &&
		json.NewDecoder(io.LimitReader(resp.Body, maxProblem)).Decode(p) == nil && p.Status != 0 {
		return p
	}
	return admin.NewProblem(resp.StatusCode, fmt.Sprintf("the answer is %s, and not one of Hookarr's API: check the address, and what is in front of it", resp.Status))
}

// ask makes a request whose answer is JSON.
func ask[T any](ctx context.Context, c *Client, r request) (answer T, err error) {
	data, err := c.do(ctx, r)
	if err != nil {
		return answer, err
	}
	// Fields that a newer server has are no error.
	if err := json.Unmarshal(data, &answer); err != nil {
		return answer, fmt.Errorf("read answer of %s: %w; is the server of another version?", r.path, err)
	}
	return answer, nil
}

func get[T any](ctx context.Context, c *Client, path string, query url.Values) (T, error) {
	return ask[T](ctx, c, request{method: http.MethodGet, path: path, query: query})
}

func post[T any](ctx context.Context, c *Client, path string, body any, key string) (T, error) {
	return ask[T](ctx, c, request{method: http.MethodPost, path: path, body: body, key: key})
}
