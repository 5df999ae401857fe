package webhook

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/metadata"

	"github.com/hookarr/hookarr/plugins/internal/eventtest"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/plugintest"
	"github.com/hookarr/hookarr/sdk/signature"
)

// TestAcceptedStatuses answers every status there is to a target that takes some of them.
func TestAcceptedStatuses(t *testing.T) {
	t.Parallel()
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status, _ := strconv.Atoi(r.Header.Get("X-Answer"))
		w.WriteHeader(status)
	}))
	t.Cleanup(endpoint.Close)
	for status := http.StatusOK; status <= 599; status++ {
		c := config{URL: sdk.Secret(endpoint.URL), Method: http.MethodPost, Accept: []int{409, 303, 404}, Headers: map[string]sdk.Secret{"X-Answer": sdk.Secret(strconv.Itoa(status))}}
		target, err := newTarget(t.Context(), sdk.Env{HTTP: &sdk.HTTP{}}, c)
		require.NoError(t, err)
		receipt, err := target.Deliver(t.Context(), delivery(t))
		require.Equal(t, status, receipt.Status)
		accepted := status == 409 || status == 303 || status == 404
		require.Equal(t, accepted, receipt.Accepted, status)
		require.Equal(t, accepted || status < 300, err == nil, status)
	}
}

func TestAcceptedStatusOverTheWire(t *testing.T) {
	t.Parallel()
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "I have it already", http.StatusConflict)
	}))
	t.Cleanup(endpoint.Close)
	for class, accept := range map[sdk.Class][]int{sdk.ClassOK: {409}, sdk.ClassPermanent: {404}} {
		target := plugintest.StartTarget(t, info(), newTarget, map[string]any{"url": endpoint.URL, "accept": accept})
		o, err := target.Deliver(t.Context(), plugintest.Delivery(t, "delivery", plugintest.EventOf(sdk.TypeMediaImported)))
		require.NoError(t, err)
		require.Equal(t, class, o.Class, o.Message)
		require.Equal(t, http.StatusConflict, o.Receipt.Status)
		require.Equal(t, "I have it already\n", o.Receipt.Excerpt)
	}
	target := plugintest.StartTarget(t, info(), newTarget, map[string]any{"url": endpoint.URL})
	warnings, err := target.Warnings(t.Context(), plugintest.Config(t, map[string]any{"url": endpoint.URL, "accept": []int{409, 204}}))
	require.NoError(t, err)
	require.Len(t, warnings, 1)
	require.Equal(t, "accept[1]", warnings[0].Key)
}

// TestTraceparent: an endpoint is told which trace the attempt belongs to where that is asked for.
func TestTraceparent(t *testing.T) {
	t.Parallel()
	const parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	ctx := metadata.NewIncomingContext(t.Context(), metadata.Pairs("traceparent", parent))
	for asked, want := range map[bool]string{true: parent, false: ""} {
		b := setup(t, func(c *config) { c.Traceparent = asked })
		_, err := b.target.Deliver(ctx, delivery(t))
		require.NoError(t, err)
		require.Equal(t, want, b.receiver.all[0].header.Get("traceparent"))
	}
}

func TestHeadersOfOtherNames(t *testing.T) {
	t.Parallel()
	names := headerNames{Signature: "x-revenge-signature", Event: "X-Revenge-Event", Delivery: "X-Revenge-Delivery", Timestamp: "X-Revenge-Timestamp"}
	got := setup(t, func(c *config) { c.Secrets, c.HeaderNames = []sdk.Secret{"first", "second"}, names }).deliver(t, delivery(t))
	require.Equal(t, "media.imported", got.header.Get("X-Revenge-Event"))
	require.Equal(t, got.header.Get("Webhook-Id"), got.header.Get("X-Revenge-Delivery"))
	require.Equal(t, got.header.Get("Webhook-Timestamp"), got.header.Get("X-Revenge-Timestamp"))
	require.Regexp(t, "^sha256=[0-9a-f]{64}$", got.header.Get("X-Revenge-Signature"))
	verify(t, signature.Scheme{Header: "X-Revenge-Signature", Prefix: "sha256="}, "first", got)
	verify(t, signature.StandardWebhooks(), "second", got)

	got = setup(t, func(c *config) {
		c.Secrets, c.HeaderNames = []sdk.Secret{"first"}, names
		c.Signature = &signatureForm{Algorithm: "sha512", Encoding: "base64", Prefix: new(""), Timestamp: true}
	}).deliver(t, delivery(t))
	verify(t, signature.Scheme{
		Header: "X-Revenge-Signature", Algorithm: signature.SHA512, Encoding: signature.Base64, TimestampHeader: "X-Revenge-Timestamp",
	}, "first", got)

	// A source may call a type what it likes.
	d := delivery(t)
	d.Event.Type = "media.\r\nX-Evil: 1\x00é"
	got = setup(t, func(c *config) { c.HeaderNames = names }).deliver(t, d)
	require.Equal(t, "media.X-Evil: 1é", got.header.Get("X-Revenge-Event"))
	require.Empty(t, got.header.Get("X-Evil"))
	require.Empty(t, got.header.Values("X-Revenge-Signature"))
}

func verify(t *testing.T, scheme signature.Scheme, secret string, got received) {
	t.Helper()
	verifier, err := signature.New(scheme, secret)
	require.NoError(t, err)
	_, err = verifier.Verify(got.header, got.body, time.Now())
	require.NoError(t, err)
	_, err = verifier.Verify(got.header, append(got.body, ' '), time.Now())
	require.ErrorIs(t, err, signature.ErrMismatch)
}

func TestAuthorization(t *testing.T) {
	t.Parallel()
	got := setup(t, func(c *config) { c.Bearer = "t0ken" }).deliver(t, delivery(t))
	require.Equal(t, []string{"Bearer t0ken"}, got.header.Values("Authorization"))
	got = setup(t, func(c *config) { c.Method = http.MethodPatch }).deliver(t, delivery(t))
	require.Equal(t, http.MethodPatch, got.method)
}

// TestBasicIsNotRepeated has an endpoint that says what it was sent.
func TestBasicIsNotRepeated(t *testing.T) {
	t.Parallel()
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, ok := r.BasicAuth()
		if ok && user == "käse" && password == "a:b and more" {
			http.Error(w, r.Header.Get("Authorization"), http.StatusInternalServerError)
		}
	}))
	t.Cleanup(endpoint.Close)
	target := plugintest.StartTarget(t, info(), newTarget, map[string]any{
		"url": endpoint.URL, "basic": map[string]string{"username": "käse", "password": "a:b and more"},
	})
	o, err := target.Deliver(t.Context(), plugintest.Delivery(t, "delivery", plugintest.EventOf(sdk.TypeMediaImported)))
	require.NoError(t, err)
	require.Equal(t, sdk.ClassRetryable, o.Class, "the endpoint knows the user")
	require.Equal(t, "Basic [redacted]\n", o.Receipt.Excerpt)
}

// selfSigned returns a certificate that ends at a time, with its key, in PEM.
func selfSigned(t *testing.T, end time.Time) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "hookarr"}, NotAfter: end, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	require.NoError(t, err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	return encodePEM("CERTIFICATE", der), encodePEM("PRIVATE KEY", pkcs8)
}

func encodePEM(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func TestMutualTLS(t *testing.T) {
	t.Parallel()
	r := &receiver{}
	endpoint := httptest.NewUnstartedServer(r)
	endpoint.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	endpoint.StartTLS()
	t.Cleanup(endpoint.Close)
	certificate, key := selfSigned(t, time.Now().Add(time.Hour))
	settings := map[string]any{"url": endpoint.URL, "tls": map[string]string{
		"ca": encodePEM("CERTIFICATE", endpoint.Certificate().Raw), "client_cert": certificate, "client_key": key,
	}}
	target := plugintest.StartTarget(t, info(), newTarget, settings)
	o, err := target.Deliver(t.Context(), plugintest.Delivery(t, "delivery", plugintest.EventOf(sdk.TypeMediaImported)))
	require.NoError(t, err)
	require.Equal(t, sdk.ClassOK, o.Class, o.Message)
	require.Len(t, r.all, 1)

	for _, wrong := range []struct{ key, value, want string }{
		{"ca", "no PEM", "tls.ca"}, {"client_cert", "no PEM", "tls.client_cert"}, {"client_key", certificate, "tls.client_cert"},
	} {
		broken := map[string]string{"client_cert": certificate, "client_key": key}
		broken[wrong.key] = wrong.value
		problems, err := target.Configure(t.Context(), plugintest.Config(t, map[string]any{"url": endpoint.URL, "tls": broken}))
		require.NoError(t, err)
		require.Len(t, problems, 1)
		require.Equal(t, wrong.want, problems[0].Key)
	}
}

func TestCertificateThatSoonEnds(t *testing.T) {
	t.Parallel()
	end := time.Date(2026, 12, 24, 0, 0, 0, 0, time.UTC)
	require.NoError(t, expiry{}.check(end))
	require.NoError(t, expiry{end}.check(end.AddDate(0, 0, -15)))
	require.EqualError(t, expiry{end}.check(end.AddDate(0, 0, -13)), "tls.client_cert ends at 2026-12-24T00:00:00Z: renew it")
	require.Error(t, expiry{end}.check(end.AddDate(1, 0, 0)))

	certificate, key := selfSigned(t, time.Now().Add(time.Hour))
	target, err := newTarget(t.Context(), sdk.Env{HTTP: &sdk.HTTP{}}, config{
		URL: "https://a.example", TLS: tlsConfig{ClientCert: certificate, ClientKey: sdk.Secret(key)},
	})
	require.NoError(t, err)
	checker, ok := target.(sdk.HealthChecker)
	require.True(t, ok)
	require.ErrorContains(t, checker.CheckHealth(t.Context()), "renew it")
}

// group is three events of one download as a delivery.
func group(t *testing.T) sdk.Delivery {
	t.Helper()
	d := delivery(t)
	d.CorrelationKey = "download:ABCD1234"
	for i, kind := range []string{"media_upgraded", "file_renamed"} {
		for _, c := range eventtest.Events() {
			if c.Name == kind {
				e := c.Event
				e.ID, e.Time = e.ID+strconv.Itoa(i), e.Time.Add(time.Duration(i+1)*time.Minute)
				d.Events, d.JSON = append(d.Events, e), append(d.JSON, eventtest.Delivery(t, e).JSON[0])
			}
		}
	}
	require.Len(t, d.Events, 3)
	return d
}
