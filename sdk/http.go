package sdk

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

const (
	// maxBody bounds what is read of an answer, in bytes, unless LimitBody was called.
	// It holds every answer that a target has a use for, and every excerpt.
	maxBody = 64 << 10
	// bodyTimeout bounds the reading of an answer's body, once its status is known. It is
	// more than an endpoint takes that answers at all.
	bodyTimeout = time.Second
	// maxHeader bounds the headers of an answer, in bytes. net/http's own bound is ten times
	// as much, which several attempts at once would hold.
	maxHeader = 1 << 20
	// sendTimeout bounds a request whose context has no deadline.
	sendTimeout = 30 * time.Second
	// connectTimeout bounds each of connecting and the TLS handshake, so that a
	// dead endpoint does not use up an attempt.
	connectTimeout = 10 * time.Second
)

// HTTP sends requests to an instance's endpoint. It keeps connections, follows no
// redirects, bounds what it reads and never prints the URL, which often is a
// credential. It dials no link-local, metadata, multicast or unspecified address;
// private and loopback addresses are allowed. The zero value is ready to use, and
// it may be used concurrently.
type HTTP struct {
	userAgent string
	insecure  bool
	roots     *x509.CertPool
	own       []tls.Certificate
	limit     int64
	traced    bool

	once   sync.Once
	client *http.Client
}

// Response is what an endpoint answered. Its Receipt is what Deliver may return.
type Response struct {
	Receipt
	Header http.Header
	// Body is the beginning of the answer, or the whole for ReadAll: at most 64 KiB or
	// what LimitBody says.
	Body []byte
	// Truncated says that the answer had more than Body has: more bytes than that, or it
	// broke off.
	Truncated bool
}

// InsecureSkipVerify accepts any TLS certificate, for endpoints with one that
// they signed themselves. Call it before the first request, in the instance's
// constructor.
func (h *HTTP) InsecureSkipVerify() { h.insecure = true }

// TrustCA trusts the endpoint's certificate if one of these authorities signed it, and no
// other: one or several certificates in PEM. Call it before the first request, in the
// instance's constructor. The error reads well after the key that the PEM is from.
func (h *HTTP) TrustCA(pem string) error {
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM([]byte(pem)) {
		return errors.New("has no certificate in PEM, which begins with -----BEGIN CERTIFICATE-----")
	}
	h.roots = roots
	return nil
}

// ClientCertificate shows the endpoint a certificate, for mutual TLS: in PEM, its own
// first and then those of the authorities between, with its private key. Call it before
// the first request, in the instance's constructor. It returns the certificate, so that a
// CheckHealth can tell that it soon ends. The error has nothing of the key.
func (h *HTTP) ClientCertificate(certificate string, key Secret) (*x509.Certificate, error) {
	pair, err := tls.X509KeyPair([]byte(certificate), []byte(key.Reveal()))
	if err != nil {
		return nil, fmt.Errorf("certificate and private key: %w", err)
	}
	h.own = []tls.Certificate{pair}
	return pair.Leaf, nil
}

// LimitBody reads n bytes of an answer at most, for sources that call ReadAll. Call it
// before the first request, in the instance's constructor.
func (h *HTTP) LimitBody(n int64) { h.limit = n }

// SendTraceparent sends the header traceparent with the requests of calls that the host
// records a trace of, so that an endpoint which records traces too can join its own. Call
// it before the first request, in the instance's constructor.
func (h *HTTP) SendTraceparent() { h.traced = true }

// Do sends req and returns what was answered. The error is nil for 2xx, and is
// made by [Classify] for every other answer. When there was no answer the error is
// retryable, or misconfigured when only a person can help: an address that is not
// dialled, a certificate that is not trusted, a URL that is none.
//
// The status alone decides: it says what became of the request. The body is read for
// one second at most, and one that breaks off or never ends changes nothing.
func (h *HTTP) Do(req *http.Request) (Receipt, error) {
	resp, err := h.Send(req)
	if resp == nil {
		return Receipt{}, err
	}
	return resp.Receipt, err
}

// PostJSON posts v as JSON, like Do.
func (h *HTTP) PostJSON(ctx context.Context, url Secret, v any) (Receipt, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return Receipt{}, Permanent(fmt.Errorf("write the request's JSON: %w", err))
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url.Reveal(), bytes.NewReader(body))
	if err != nil {
		return Receipt{}, Misconfigured(errors.New("the URL is not valid"))
	}
	req.Header.Set("Content-Type", "application/json")
	return h.Do(req)
}

// Send is Do for targets that look at the answer's headers or body. The response is
// nil only when there was no answer; with an error, it is what the error was made
// from, so that a target which knows its endpoint's words can return a better one. The
// body is what came of it in one second, and may be cut off anywhere.
func (h *HTTP) Send(req *http.Request) (*Response, error) {
	resp, _, err := h.send(req, bodyTimeout)
	return resp, err
}

// ReadAll is Send for who needs an API's whole answer. It reads that of a 2xx for as long as
// the request's context allows. A body of a 2xx answer that breaks off is an error, and
// the response then has what came of it.
func (h *HTTP) ReadAll(req *http.Request) (*Response, error) {
	resp, broken, err := h.send(req, 0)
	if err == nil && broken != nil {
		err = fmt.Errorf("the answer breaks off: %w", broken)
	}
	return resp, err
}

// JSON is ReadAll for APIs of JSON. It sends in, unless that is nil, as the body of req,
// and decodes the body of a 2xx answer into what into points to, unless that is nil. An
// answer of 204 leaves it as it was. An answer that is no JSON, or longer than LimitBody
// allows, is an error.
//
//	req, err := http.NewRequestWithContext(ctx, http.MethodGet, baseURL+"/api/items", nil)
//	…
//	req.Header.Set("X-Api-Key", key.Reveal())
//	_, err = env.HTTP.JSON(req, nil, &items)
func (h *HTTP) JSON(req *http.Request, in, into any) (*Response, error) {
	req = req.Clone(req.Context()) // what is the caller's stays as it is
	if in != nil {
		body, err := json.Marshal(in)
		if err != nil {
			return nil, Permanent(fmt.Errorf("write the request's JSON: %w", err))
		}
		req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
		setAbsent(req.Header, "Content-Type", "application/json")
	}
	setAbsent(req.Header, "Accept", "application/json")
	resp, err := h.ReadAll(req)
	switch {
	case err != nil, into == nil, resp.Status == http.StatusNoContent:
		return resp, err
	case resp.Truncated:
		return resp, fmt.Errorf("the answer has more than %d bytes", len(resp.Body))
	}
	if err := json.Unmarshal(resp.Body, into); err != nil {
		return resp, fmt.Errorf("read the answer's JSON: %w", err)
	}
	return resp, nil
}

func setAbsent(h http.Header, key, value string) {
	if h.Get(key) == "" {
		h.Set(key, value)
	}
}

// send returns the answer, what its body broke off with, and what its status stands
// for. The body is read for some time, or with zero for as long as the context lasts.
func (h *HTTP) send(req *http.Request, within time.Duration) (resp *Response, broken, err error) {
	ctx, cancel := bounded(req.Context())
	answer, err := h.ask(req.WithContext(ctx)) //nolint:bodyclose // Response closes it.
	if err != nil {
		cancel()
		return nil, nil, err
	}
	resp, broken = h.response(ctx, cancel, answer, within)
	return resp, broken, Classify(answer)
}

// bounded ends with ctx, and in time where that has no deadline. With a timer of its own for
// the same deadline it could end a moment before ctx, which would tell its owner nothing yet.
func bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, sendTimeout)
}

// ask returns an answer, whose body is to be read and closed.
func (h *HTTP) ask(req *http.Request) (*http.Response, error) {
	// An address in the URL is judged here as well as when it is dialled: a proxy would
	// do the dialling.
	if err := CheckURL(req.URL); err != nil {
		return nil, Misconfigured(err)
	}
	req.Header = h.header(req)
	if err := Record(req); err != nil {
		return nil, err
	}
	h.once.Do(h.init)
	start := time.Now()
	answer, err := h.client.Do(req) //nolint:gosec // Where to is configured, and every address is judged.
	if err != nil {
		return nil, sendError(req.Context(), err, time.Since(start))
	}
	return answer, nil
}

// header is that of a request, which stays as it is, with what the SDK adds.
func (h *HTTP) header(req *http.Request) http.Header {
	header := req.Header.Clone()
	if header == nil {
		header = http.Header{}
	}
	if h.userAgent != "" {
		setAbsent(header, "User-Agent", h.userAgent)
	}
	if parent := Traceparent(req.Context()); h.traced && parent != "" {
		setAbsent(header, "Traceparent", parent)
	}
	return header
}

// response reads the body of an answer and closes it. It returns what the body broke off
// with beside it.
func (h *HTTP) response(ctx context.Context, cancel context.CancelFunc, answer *http.Response, within time.Duration) (*Response, error) {
	if answer.StatusCode < http.StatusOK || answer.StatusCode >= http.StatusMultipleChoices {
		within = bodyTimeout // nobody needs the whole of a refusal
	}
	limit := min(cmp.Or(h.limit, maxBody), math.MaxInt64-1)
	body, broken := read(ctx, cancel, answer.Body, limit+1, within) // one more tells a longer answer
	kept := body[:min(int64(len(body)), limit)]
	return &Response{
		Receipt:   Receipt{Status: answer.StatusCode, Excerpt: strings.ToValidUTF8(string(kept[:min(len(kept), maxBody)]), "\uFFFD")},
		Header:    answer.Header,
		Body:      kept,
		Truncated: broken != nil || len(kept) < len(body),
	}, broken
}

func (h *HTTP) init() {
	h.client = &http.Client{
		Transport: staying{&http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         dialer().DialContext,
			ForceAttemptHTTP2:   true,
			TLSHandshakeTimeout: connectTimeout,
			TLSClientConfig: &tls.Config{
				MinVersion:         tls.VersionTLS12,
				RootCAs:            h.roots,
				Certificates:       h.own,
				InsecureSkipVerify: h.insecure, //nolint:gosec // The operator asked for it, for this endpoint.
			},
			MaxResponseHeaderBytes: maxHeader,
			MaxIdleConns:           128,
			MaxIdleConnsPerHost:    64,
			IdleConnTimeout:        90 * time.Second,
		}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// staying takes a Location that is no URL out of an answer: the client would make an
// error of it, and the status, which says that it is a redirect, would be lost.
type staying struct{ *http.Transport }

// RoundTrip implements http.RoundTripper.
func (s staying) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := s.Transport.RoundTrip(req)
	if err == nil {
		if _, err := url.Parse(resp.Header.Get("Location")); err != nil {
			resp.Header.Del("Location")
		}
	}
	return resp, err
}

// close ends the connections that are kept for later.
func (h *HTTP) close() {
	h.once.Do(h.init)
	h.client.CloseIdleConnections()
}

// sendError classifies a request without an answer, and drops the URL that
// net/http puts before every such error.
func sendError(ctx context.Context, err error, after time.Duration) error {
	if ue, ok := errors.AsType[*url.Error](err); ok {
		err = ue.Err
	}
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return lateError(after)
	case ctx.Err() != nil:
		return fmt.Errorf("no answer: %w", ctx.Err())
	case errors.Is(err, errAddress), errors.Is(err, http.ErrSchemeMismatch):
		return Misconfigured(err)
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok || refusesCertificate(err) {
		return Misconfigured(err)
	}
	return err
}

// refusesCertificate reports whether the endpoint ended the handshake because of the
// client's certificate, or because there is none. The alerts of RFC 8446, section 6.2, that
// say so are a type that crypto/tls keeps to itself; all of them have the word.
func refusesCertificate(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "remote error" && strings.Contains(op.Err.Error(), "certificate")
}

// lateError is of an endpoint that did not answer for so long.
type lateError time.Duration

func (e lateError) Error() string {
	d := time.Duration(e)
	if d < time.Millisecond {
		return "no answer: no time was left"
	}
	unit := time.Millisecond
	if d > time.Second {
		unit *= 100
	}
	return "no answer within " + d.Round(unit).String()
}

func (lateError) Unwrap() error { return context.DeadlineExceeded }
