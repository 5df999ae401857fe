package sdk_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io/fs"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/hookarr/hookarr/sdk/host"
	"github.com/hookarr/hookarr/sdk/internal/handshake"
)

// identity is a certificate as go-plugin's client makes one for each launch, with its key.
type identity struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  []byte
}

func newIdentity(t *testing.T) identity {
	t.Helper()
	return identity{}.sign(t)
}

// sign makes another identity, signed by this one, or for the zero one by itself.
func (i identity) sign(t *testing.T) identity {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"}, SerialNumber: big.NewInt(1),
		NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(time.Hour),
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
		IsCA:        true, BasicConstraintsValid: true,
	}
	parent, signer := i.cert, i.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return identity{cert: cert, key: key, pem: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}
}

// tls is the client's configuration of go-plugin, towards a plugin with a certificate.
func (i identity) tls(plugin *x509.Certificate) *tls.Config {
	roots := x509.NewCertPool()
	roots.AddCert(plugin)
	config := &tls.Config{RootCAs: roots, ServerName: "localhost", MinVersion: tls.VersionTLS12}
	if i.cert != nil {
		config.Certificates = []tls.Certificate{{Certificate: [][]byte{i.cert.Raw}, PrivateKey: i.key}}
	}
	return config
}

func (i identity) credentials(plugin *x509.Certificate) grpc.DialOption {
	return grpc.WithTransportCredentials(credentials.NewTLS(i.tls(plugin)))
}

// TestOnlyTheHostIsServed: others of the same user may find the socket.
func TestOnlyTheHostIsServed(t *testing.T) {
	t.Parallel()
	self := newIdentity(t)
	l := launchAs(t, self, func(*exec.Cmd) {})
	old := self.tls(l.certificate(t))
	old.MaxVersion = tls.VersionTLS12
	for name, test := range map[string]struct {
		as   grpc.DialOption
		code codes.Code
	}{
		"the host":                   {self.credentials(l.certificate(t)), codes.OK},
		"no encryption":              {grpc.WithTransportCredentials(insecure.NewCredentials()), codes.Unavailable},
		"no certificate":             {identity{}.credentials(l.certificate(t)), codes.Unavailable},
		"another certificate":        {newIdentity(t).credentials(l.certificate(t)), codes.Unavailable},
		"one that the host signed":   {self.sign(t).credentials(l.certificate(t)), codes.Unavailable},
		"the host with its key lost": {identity{cert: self.cert, key: newIdentity(t).key}.credentials(l.certificate(t)), codes.Unavailable},
		"an old TLS":                 {grpc.WithTransportCredentials(credentials.NewTLS(old)), codes.Unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn, err := grpc.NewClient("unix:"+l.address(t), append(host.DialOptions(), test.as)...)
			require.NoError(t, err)
			defer func() { _ = conn.Close() }()
			ctx, cancel := context.WithTimeout(t.Context(), waitTimeout)
			defer cancel()
			_, err = host.NewClient(conn).Describe(ctx)
			require.Equal(t, test.code, status.Code(err), err)
		})
	}
}

func TestWithoutTheHostsCertificateNobodyIsServed(t *testing.T) {
	t.Parallel()
	for name, certificate := range map[string]string{
		"none": "", "no PEM": "a certificate", "no certificate": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := command(t, handshake.CookieKey+"="+handshake.CookieValue, handshake.ClientCertEnv+"="+certificate)
			var stdout, stderr strings.Builder
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			require.Error(t, cmd.Run())
			require.Equal(t, 1, cmd.ProcessState.ExitCode())
			require.Empty(t, stdout.String())
			require.Contains(t, stderr.String(), `"@level":"error"`)
			require.Contains(t, stderr.String(), handshake.ClientCertEnv)
		})
	}
}

func TestSocketDirectoryThatIsMissingIsNamed(t *testing.T) {
	t.Parallel()
	cmd := command(t, handshake.CookieKey+"="+handshake.CookieValue,
		handshake.ClientCertEnv+"="+string(newIdentity(t).pem), handshake.SocketDirEnv+"=/no/such/directory")
	out, err := cmd.CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "/no/such/directory")
}

// TestSocketIsTheUsersOwn: whatever the umask is.
func TestSocketIsTheUsersOwn(t *testing.T) {
	t.Parallel()
	for name, dir := range map[string]string{"in the host's directory": t.TempDir(), "in its own": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := launchAs(t, newIdentity(t), func(cmd *exec.Cmd) {
				cmd.Args = []string{"sh", "-c", `umask 0 && exec "$0"`, cmd.Path}
				cmd.Path = "/bin/sh"
				cmd.Env = append(cmd.Env, handshake.SocketDirEnv+"="+dir)
			})
			private := filepath.Dir(l.address(t))
			info, err := os.Stat(private)
			require.NoError(t, err)
			require.Equal(t, fs.ModeDir|0o700, info.Mode())
			if dir != "" {
				require.Equal(t, dir, filepath.Dir(private))
			}
			l.shutdown(t)
			l.requireExit(t)
			require.NoDirExists(t, private)
		})
	}
}

// TestGreetingNamesTheVersion: a host that speaks others says that it does not fit.
func TestGreetingNamesTheVersion(t *testing.T) {
	t.Parallel()
	for _, offered := range []string{"1", "1,2", "7", "", "nonsense"} {
		l := launch(t, "PLUGIN_PROTOCOL_VERSIONS="+offered)
		require.Equal(t, "1", l.parts(t)[1], "offered %q", offered)
	}
}

func TestCertificateOutlivesEveryClock(t *testing.T) {
	t.Parallel()
	cert := launch(t).certificate(t)
	require.Equal(t, int64(0), cert.NotBefore.Unix())
	require.Equal(t, 9999, cert.NotAfter.Year())
	require.False(t, cert.IsCA)
}

func TestHealthIsGoPlugins(t *testing.T) {
	t.Parallel()
	l := launch(t)
	got, err := grpc_health_v1.NewHealthClient(l.conn).Check(t.Context(), &grpc_health_v1.HealthCheckRequest{Service: "plugin"})
	require.NoError(t, err)
	require.Equal(t, grpc_health_v1.HealthCheckResponse_SERVING, got.GetStatus())
}

// TestShutdownEndsTheProcess: even while it has a call that does not end.
func TestShutdownEndsTheProcess(t *testing.T) {
	t.Parallel()
	l := launch(t)
	ended := make(chan error, 1)
	go func() {
		_, err := l.deliver(t, "wait", "")
		ended <- err
	}()
	require.Eventually(t, func() bool { return strings.Contains(l.logs(), "waiting") }, waitTimeout, time.Millisecond)
	l.shutdown(t)
	require.Error(t, <-ended)
	l.requireExit(t)
	require.NoError(t, l.cmd.Wait(), "it ends in good order")
}

// shutdown asks for the end of the process, as go-plugin's client does. The connection may
// be gone before the answer is here.
func (l *launched) shutdown(t *testing.T) {
	t.Helper()
	err := l.conn.Invoke(t.Context(), "/plugin.GRPCController/Shutdown", &emptypb.Empty{}, &emptypb.Empty{})
	if err != nil {
		require.Equal(t, codes.Unavailable, status.Code(err), err)
	}
}
