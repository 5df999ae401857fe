package sdk_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/sdk"
)

// secretPath stands for the credential that many endpoints have in their URL.
const secretPath = "/api/webhooks/1/tNq7vX2mKc9RwYzAbCd"

func TestEveryStatusHasItsClass(t *testing.T) {
	t.Parallel()
	for status := 100; status <= 600; status++ {
		want := sdk.ClassPermanent
		switch {
		case status >= 200 && status <= 299:
			want = sdk.ClassOK
		case status >= 300 && status <= 399, slices.Contains([]int{401, 403, 404, 405, 407, 410, 415, 426}, status):
			want = sdk.ClassMisconfigured
		case status == 429:
			want = sdk.ClassThrottled
		case status < 200, status >= 500, status == 408, status == 425:
			want = sdk.ClassRetryable
		}
		err := sdk.Classify(&http.Response{StatusCode: status, Header: http.Header{}})
		got, after := sdk.ClassOf(err)
		require.Equal(t, want, got, status)
		require.Zero(t, after)
		if err != nil {
			require.ErrorContains(t, err, strconv.Itoa(status))
		}
	}
}

func TestRetryAfterIsHonoured(t *testing.T) {
	t.Parallel()
	tests := []struct {
		status int
		header string
		class  sdk.Class
		after  time.Duration
	}{
		{429, "7", sdk.ClassThrottled, 7 * time.Second},
		{429, " 7 ", sdk.ClassThrottled, 7 * time.Second},
		{429, "0.376", sdk.ClassThrottled, 376 * time.Millisecond},
		{429, "0", sdk.ClassThrottled, 0},
		{429, "-1", sdk.ClassThrottled, 0},
		{429, "NaN", sdk.ClassThrottled, 0},
		{429, "soon", sdk.ClassThrottled, 0},
		{429, "99999999999999999999", sdk.ClassThrottled, 365 * 24 * time.Hour},
		{429, "Inf", sdk.ClassThrottled, 365 * 24 * time.Hour},
		{503, "inf", sdk.ClassThrottled, 365 * 24 * time.Hour},
		{503, "Infinity", sdk.ClassThrottled, 365 * 24 * time.Hour},
		{503, "-inf", sdk.ClassRetryable, 0},
		{503, "NaN", sdk.ClassRetryable, 0},
		{503, "31536001", sdk.ClassThrottled, 365 * 24 * time.Hour},
		{503, "1e300", sdk.ClassThrottled, 365 * 24 * time.Hour},
		{503, "1e999", sdk.ClassThrottled, 365 * 24 * time.Hour},
		{503, "-1e999", sdk.ClassRetryable, 0},
		{500, "1e999", sdk.ClassRetryable, 365 * 24 * time.Hour},
		{429, "Mon, 02 Jan 2006 15:04:05 GMT", sdk.ClassThrottled, 0},
		{429, "Fri, 31 Dec 9999 23:59:59 GMT", sdk.ClassThrottled, 365 * 24 * time.Hour},
		{503, "", sdk.ClassRetryable, 0},
		{503, "120", sdk.ClassThrottled, 2 * time.Minute},
		{500, "120", sdk.ClassRetryable, 2 * time.Minute},
		{408, "120", sdk.ClassRetryable, 2 * time.Minute},
		{400, "120", sdk.ClassPermanent, 0},
		{404, "120", sdk.ClassMisconfigured, 0},
	}
	for _, test := range tests {
		resp := &http.Response{StatusCode: test.status, Header: http.Header{"Retry-After": {test.header}}}
		class, after := sdk.ClassOf(sdk.Classify(resp))
		require.Equal(t, test.class, class, "%d %q", test.status, test.header)
		require.Equal(t, test.after, after, "%d %q", test.status, test.header)
	}
	in := time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)
	_, after := sdk.ClassOf(sdk.Classify(&http.Response{StatusCode: 429, Header: http.Header{"Retry-After": {in}}}))
	require.InDelta(t, time.Hour, after, float64(time.Minute))
}

func newHTTP(t *testing.T, h http.HandlerFunc) (*sdk.HTTP, *httptest.Server) {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return new(sdk.HTTP), server
}

func TestPostJSON(t *testing.T) {
	t.Parallel()
	client, server := newHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Body", string(body))
		w.Header().Set("X-Type", r.Header.Get("Content-Type"))
		w.WriteHeader(http.StatusCreated)
		_, _ = w.Write([]byte("thanks"))
	})
	receipt, err := client.PostJSON(t.Context(), sdk.Secret(server.URL+secretPath), map[string]int{"a": 1})
	require.NoError(t, err)
	require.Equal(t, sdk.Receipt{Status: 201, Excerpt: "thanks"}, receipt)

	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, server.URL, strings.NewReader("raw"))
	require.NoError(t, err)
	resp, err := client.Send(req)
	require.NoError(t, err)
	require.Equal(t, "raw", resp.Header.Get("X-Body"))
	require.Equal(t, "thanks", string(resp.Body))

	_, err = client.PostJSON(t.Context(), sdk.Secret(server.URL), func() {})
	require.Equal(t, sdk.ClassPermanent, classOf(err))
}

func classOf(err error) sdk.Class {
	class, _ := sdk.ClassOf(err)
	return class
}

func TestFailuresDoNotShowTheURL(t *testing.T) {
	t.Parallel()
	client, server := newHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Query().Get("do") {
		case "redirect":
			http.Redirect(w, r, "/other"+secretPath, http.StatusFound)
		case "break":
			c, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_ = c.Close()
			}
		case "garbage":
			c, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_, _ = c.Write([]byte("this is not HTTP\r\n\r\n"))
				_ = c.Close()
			}
		default:
			w.WriteHeader(http.StatusTeapot)
		}
	})
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0) // The refused handshake.
	secure.StartTLS()
	t.Cleanup(secure.Close)
	host := strings.TrimPrefix(server.URL, "http://")
	tests := map[string]struct {
		url   string
		class sdk.Class
	}{
		"status":            {server.URL + secretPath, sdk.ClassPermanent},
		"redirect":          {server.URL + secretPath + "?do=redirect", sdk.ClassMisconfigured},
		"broken connection": {server.URL + secretPath + "?do=break", sdk.ClassRetryable},
		"not HTTP":          {server.URL + secretPath + "?do=garbage", sdk.ClassRetryable},
		"refused":           {deadURL + secretPath, sdk.ClassRetryable},
		"no such host":      {"http://no-such-host.invalid" + secretPath, sdk.ClassRetryable},
		"certificate":       {secure.URL + secretPath, sdk.ClassMisconfigured},
		"TLS to plain":      {"https://" + host + secretPath, sdk.ClassMisconfigured},
		"scheme":            {"ftp://" + host + secretPath, sdk.ClassMisconfigured},
		"no host":           {"http://" + secretPath, sdk.ClassMisconfigured},
		"no URL":            {"http://[" + secretPath, sdk.ClassMisconfigured},
		"empty":             {"", sdk.ClassMisconfigured},
		"control character": {"http://a\n" + secretPath, sdk.ClassMisconfigured},
		"metadata":          {"http://169.254.169.254" + secretPath, sdk.ClassMisconfigured},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := client.PostJSON(t.Context(), sdk.Secret(test.url), 1)
			require.Error(t, err)
			require.Equal(t, test.class, classOf(err), err)
			require.NotContains(t, err.Error(), "tNq7vX2mKc9RwYzAbCd")
			require.NotContains(t, fmt.Sprintf("%+v", err), "tNq7vX2mKc9RwYzAbCd")
		})
	}
}

// deadURL is where nobody listens: the port is no user's.
const deadURL = "http://127.0.0.1:1"

func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	var requests atomic.Int32
	client, server := newHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		http.Redirect(w, r, "/again", http.StatusPermanentRedirect)
	})
	receipt, err := client.PostJSON(t.Context(), sdk.Secret(server.URL), 1)
	require.Equal(t, sdk.ClassMisconfigured, classOf(err))
	require.Equal(t, 308, receipt.Status)
	require.EqualValues(t, 1, requests.Load())
}

// A Location that is no URL is as much a redirect.
func TestRedirectsToNowhere(t *testing.T) {
	t.Parallel()
	for _, location := range []string{"", "http://[::bad/", "%zz", ":", "https://ok/"} {
		client, server := newHTTP(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", location)
			w.WriteHeader(http.StatusMovedPermanently)
		})
		receipt, err := client.PostJSON(t.Context(), sdk.Secret(server.URL), 1)
		require.Equal(t, sdk.ClassMisconfigured, classOf(err), location)
		require.Equal(t, http.StatusMovedPermanently, receipt.Status)
	}
}

func TestHeadersAreBounded(t *testing.T) {
	t.Parallel()
	client, server := newHTTP(t, func(w http.ResponseWriter, _ *http.Request) {
		for i := range 40 {
			w.Header().Set(fmt.Sprintf("X-Long-%d", i), strings.Repeat("x", 64<<10))
		}
	})
	_, err := client.PostJSON(t.Context(), sdk.Secret(server.URL), 1)
	require.ErrorContains(t, err, "headers exceeded")
	require.Equal(t, sdk.ClassRetryable, classOf(err))
}

// What is told of a timeout is for people.
func TestATimeoutSaysHowLong(t *testing.T) {
	t.Parallel()
	client, server := newHTTP(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	})
	ctx, cancel := context.WithTimeout(t.Context(), 150*time.Millisecond)
	defer cancel()
	_, err := client.PostJSON(ctx, sdk.Secret(server.URL+secretPath), 1)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Equal(t, sdk.ClassRetryable, classOf(err))
	require.Regexp(t, `^no answer within [\d.]+m?s$`, err.Error())
}

func TestAnswersAreBounded(t *testing.T) {
	t.Parallel()
	client, server := newHTTP(t, func(w http.ResponseWriter, _ *http.Request) {
		for range 1000 {
			if _, err := w.Write([]byte(strings.Repeat("\xffa", 1<<10))); err != nil {
				return
			}
		}
	})
	receipt, err := client.PostJSON(t.Context(), sdk.Secret(server.URL), 1)
	require.NoError(t, err)
	require.Len(t, []rune(receipt.Excerpt), 64<<10)
	require.Contains(t, receipt.Excerpt, "\uFFFDa")

	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
	require.NoError(t, err)
	resp, err := client.Send(req)
	require.NoError(t, err)
	require.Len(t, resp.Body, 64<<10)
	var patient sdk.HTTP
	patient.LimitBody(1 << 20)
	resp, err = patient.ReadAll(req)
	require.NoError(t, err)
	require.Len(t, resp.Body, 1<<20)
	require.Len(t, []rune(resp.Excerpt), 64<<10)
}

// drip answers with a status and a body that never ends.
func drip(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(status)
		for r.Context().Err() == nil {
			_, _ = w.Write([]byte("drip "))
			_ = http.NewResponseController(w).Flush()
			time.Sleep(20 * time.Millisecond)
		}
	}
}

// A second attempt would be a second delivery.
func TestTheStatusDecidesWhateverTheBodyDoes(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]struct {
		handler http.HandlerFunc
		status  int
		class   sdk.Class
	}{
		"accepted": {drip(http.StatusOK), http.StatusOK, sdk.ClassOK},
		"refused":  {drip(http.StatusBadRequest), http.StatusBadRequest, sdk.ClassPermanent},
		"gone":     {drip(http.StatusGone), http.StatusGone, sdk.ClassMisconfigured},
		"silent": {func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			_, _ = w.Write([]byte("drip "))
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}, http.StatusOK, sdk.ClassOK},
		"cut off": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = w.Write([]byte("drip "))
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler) //nolint:forbidigo // So a handler breaks off.
		}, http.StatusOK, sdk.ClassOK},
	} {
		for _, protocol := range []string{"HTTP/1.1", "HTTP/2.0"} {
			t.Run(name+" "+protocol, func(t *testing.T) {
				t.Parallel()
				server := httptest.NewUnstartedServer(answer.handler)
				server.EnableHTTP2 = protocol == "HTTP/2.0"
				server.StartTLS()
				t.Cleanup(server.Close)
				client := new(sdk.HTTP)
				client.InsecureSkipVerify()
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				receipt, err := client.PostJSON(ctx, sdk.Secret(server.URL), 1)
				require.Equal(t, answer.class, classOf(err), err)
				require.Equal(t, answer.status, receipt.Status)
				require.Contains(t, receipt.Excerpt, "drip")
				require.NoError(t, ctx.Err(), "the answer was waited for")

				req, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL, nil)
				require.NoError(t, err)
				resp, err := client.Send(req)
				require.Equal(t, answer.class, classOf(err), err)
				require.Contains(t, string(resp.Body), "drip")
			})
		}
	}
}

func TestReadAllWaitsForTheWholeAnswer(t *testing.T) {
	t.Parallel()
	whole := make(chan struct{})
	client, server := newHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(`{"a":`))
		_ = http.NewResponseController(w).Flush()
		switch r.URL.Path {
		case "/slow":
			<-whole
			_, _ = w.Write([]byte("1}"))
		case "/broken":
			panic(http.ErrAbortHandler) //nolint:forbidigo // So a handler breaks off.
		default:
			<-r.Context().Done()
		}
	})
	get := func(ctx context.Context, path string) (*sdk.Response, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+path, nil)
		require.NoError(t, err)
		return client.ReadAll(req)
	}
	// Longer than an excerpt is waited for.
	time.AfterFunc(1500*time.Millisecond, func() { close(whole) })
	resp, err := get(t.Context(), "/slow")
	require.NoError(t, err)
	require.Equal(t, `{"a":1}`, string(resp.Body))

	resp, err = get(t.Context(), "/broken")
	require.ErrorContains(t, err, "breaks off")
	require.Equal(t, sdk.ClassRetryable, classOf(err))
	require.Equal(t, http.StatusOK, resp.Status)

	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err = get(ctx, "/endless")
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestHangingEndpointEndsWithTheContext(t *testing.T) {
	t.Parallel()
	arrived := make(chan struct{})
	client, server := newHTTP(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		close(arrived)
		<-r.Context().Done()
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-arrived
		cancel()
	}()
	_, err := client.PostJSON(ctx, sdk.Secret(server.URL+secretPath), 1)
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, sdk.ClassRetryable, classOf(err))
	require.NotContains(t, err.Error(), secretPath)
}

func TestConnectionsAreKept(t *testing.T) {
	t.Parallel()
	var connections atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = w.Write([]byte("an answer that has to be read to its end"))
	}))
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	client := new(sdk.HTTP)
	for range 10 {
		_, err := client.PostJSON(t.Context(), sdk.Secret(server.URL), 1)
		require.Error(t, err)
	}
	require.EqualValues(t, 1, connections.Load())
}

func TestInsecureSkipVerify(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(server.Close)
	client := new(sdk.HTTP)
	client.InsecureSkipVerify()
	receipt, err := client.PostJSON(t.Context(), sdk.Secret(server.URL), 1)
	require.NoError(t, err)
	require.Equal(t, 200, receipt.Status)
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	refused := []string{
		"169.254.169.254", "169.254.0.1", "0.0.0.0", "0.1.2.3", "224.0.0.1", "255.255.255.255", "100.100.100.200",
		"168.63.129.16", "192.0.0.192", "[fe80::1]", "[fe80::1%25eth0]", "[::]", "[ff02::1]", "[fd00:ec2::254]", "[fd20:ce::254]",
		"[fec0::1]", "[::ffff:169.254.169.254]", "[::ffff:a9fe:a9fe]", "[::169.254.169.254]", "[64:ff9b::169.254.169.254]",
		"[64:ff9b:1::a9fe:a9fe]", "[2002:a9fe:a9fe::1]", "[::ffff:0.0.0.0]", "[64:ff9b::]",
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // What is not refused gets no further than its context.
	post := func(host string) error {
		_, err := new(sdk.HTTP).PostJSON(ctx, sdk.Secret("http://"+host+":80/"), 1)
		return err
	}
	for _, host := range refused {
		err := post(host)
		require.Equal(t, sdk.ClassMisconfigured, classOf(err), "%s: %v", host, err)
		require.ErrorContains(t, err, "refused")
	}
	allowed := []string{
		"127.0.0.1", "10.0.0.1", "192.168.1.1", "172.16.0.1", "100.64.0.1", "8.8.8.8", "[::1]", "[fd12::1]", "[2606:4700::1]",
		"[::ffff:192.168.1.1]", "[64:ff9b::10.0.0.1]", "[2002:c0a8:101::1]", "nas",
	}
	for _, host := range allowed {
		require.ErrorIs(t, post(host), context.Canceled, host)
	}
}
