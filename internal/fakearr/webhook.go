package fakearr

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"strings"
	"time"
)

// sendTimeout is for the whole exchange, the answer's body included.
const sendTimeout = 100 * time.Second

// newClient returns what the applications send with: a connection for each request,
// no redirects.
func newClient(t *tls.Config) *http.Client {
	return &http.Client{
		Transport:     &http.Transport{TLSClientConfig: t, ForceAttemptHTTP2: true, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       sendTimeout,
	}
}

// statusError is an answer that the application takes for a failure.
type statusError struct {
	status      int
	method, url string
}

func (e *statusError) Error() string {
	reason := strings.ReplaceAll(http.StatusText(e.status), " ", "")
	return fmt.Sprintf("HTTP request failed: [%d:%s] [%s] at [%s]", e.status, reason, e.method, e.url)
}

// send posts a webhook and returns the status of the answer. Redirects are taken for
// success.
func (a *Arr) send(ctx context.Context, s settings, body []byte) (int, error) {
	methods := map[int]string{1: http.MethodPost, 2: http.MethodPut}
	method, ok := methods[s.method]
	if !ok {
		return 0, fmt.Errorf("method %d is neither 1 nor 2", s.method)
	}
	req, err := http.NewRequestWithContext(ctx, method, s.url, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", a.agent())
	if s.username != "" || s.password != "" {
		req.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString(latin1(s.username+":"+s.password)))
	}
	for _, h := range s.headers {
		if err := a.addHeader(req.Header, h); err != nil {
			return 0, err
		}
	}
	resp, err := a.client.Do(req)
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	err = errors.Join(err, resp.Body.Close())
	if err != nil {
		return 0, err
	}
	if resp.StatusCode >= http.StatusBadRequest {
		return resp.StatusCode, &statusError{resp.StatusCode, method, s.url}
	}
	return resp.StatusCode, nil
}

func (a *Arr) agent() string {
	a.state.Lock()
	defer a.state.Unlock()
	return a.profile.product + "/" + a.opts.Version + " (alpine 3.22.1)"
}

// addHeader adds a header of the connection's own, or fails like the application.
func (a *Arr) addHeader(to http.Header, h header) error {
	switch name := textproto.CanonicalMIMEHeaderKey(h.Key); name {
	case "User-Agent":
		if !a.profile.agentAppends {
			return errors.New("User-Agent other than own not allowed")
		}
		to.Set(name, to.Get(name)+" "+h.Value)
	case "Range", "Proxy-Connection":
		return fmt.Errorf("header %s is not implemented", name)
	case "Authorization":
		if to.Get(name) != "" {
			return errors.New("one value of Authorization is allowed")
		}
		to.Set(name, h.Value)
	case "Content-Type":
		to.Set(name, h.Value)
	default:
		to.Add(name, h.Value)
	}
	return nil
}

// latin1 encodes s in ISO-8859-1. Other characters become question marks.
func latin1(s string) []byte {
	out := make([]byte, 0, len(s))
	for _, r := range s {
		if r > 0xff {
			r = '?'
		}
		out = append(out, byte(r))
	}
	return out
}
