package sdk_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/sdk"
)

// authority signs certificates.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	certificate, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return authority{certificate, key}
}

func (a authority) pem() string { return encode("CERTIFICATE", a.certificate.Raw) }

func (a authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.certificate)
	return pool
}

// sign returns a certificate for client or server, with its key, in PEM.
func (a authority) sign(t *testing.T, name string) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}, a.certificate, private.Public(), a.key)
	require.NoError(t, err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	return encode("CERTIFICATE", der), encode("PRIVATE KEY", pkcs8)
}

func encode(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// TestMutualTLS has an endpoint of a private authority that takes no clients but those of
// another.
func TestMutualTLS(t *testing.T) {
	t.Parallel()
	servers, clients := newAuthority(t), newAuthority(t)
	certificate, key := servers.sign(t, "localhost")
	pair, err := tls.X509KeyPair([]byte(certificate), []byte(key))
	require.NoError(t, err)
	endpoint := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.TLS.PeerCertificates[0].Subject.CommonName)
	}))
	endpoint.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients.pool()}
	endpoint.Config.ErrorLog = log.New(io.Discard, "", 0) // The refused handshakes.
	endpoint.StartTLS()
	t.Cleanup(endpoint.Close)
	_, port, err := net.SplitHostPort(endpoint.Listener.Addr().String())
	require.NoError(t, err)
	url := sdk.Secret("https://localhost:" + port)

	own, ownKey := clients.sign(t, "hookarr")
	foreign, foreignKey := servers.sign(t, "someone")
	for name, test := range map[string]struct {
		ca, certificate, key string
		class                sdk.Class
	}{
		"both":                   {servers.pem(), own, ownKey, sdk.ClassOK},
		"several authorities":    {clients.pem() + servers.pem(), own, ownKey, sdk.ClassOK},
		"no authority":           {"", own, ownKey, sdk.ClassMisconfigured},
		"another authority":      {clients.pem(), own, ownKey, sdk.ClassMisconfigured},
		"no certificate":         {servers.pem(), "", "", sdk.ClassMisconfigured},
		"another's certificate":  {servers.pem(), foreign, foreignKey, sdk.ClassMisconfigured},
		"with its intermediates": {servers.pem(), own + clients.pem(), ownKey, sdk.ClassOK},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := new(sdk.HTTP)
			if test.ca != "" {
				require.NoError(t, client.TrustCA(test.ca))
			}
			if test.certificate != "" {
				leaf, err := client.ClientCertificate(test.certificate, sdk.Secret(test.key))
				require.NoError(t, err)
				require.NotEmpty(t, leaf.NotAfter)
			}
			receipt, err := client.PostJSON(t.Context(), url, 1)
			require.Equal(t, test.class, classOf(err), err)
			if err == nil {
				require.Equal(t, "hookarr", receipt.Excerpt)
			}
		})
	}
}

func TestWrongCertificatesAreRefused(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	certificate, key := a.sign(t, "localhost")
	_, other := a.sign(t, "localhost")
	client := new(sdk.HTTP)
	require.ErrorContains(t, client.TrustCA(""), "has no certificate in PEM")
	require.ErrorContains(t, client.TrustCA(key), "has no certificate in PEM")
	for _, pair := range [][2]string{{"", ""}, {certificate, ""}, {"", key}, {certificate, other}, {certificate, "s3cr3t-k3y"}, {key, certificate}} {
		_, err := client.ClientCertificate(pair[0], sdk.Secret(pair[1]))
		require.ErrorContains(t, err, "certificate and private key: ")
		require.NotContains(t, err.Error(), "s3cr3t")
	}
}
