package plugincheck

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

// tryWithoutCertificate calls the plugin as another program of the machine could.
func (c *check) tryWithoutCertificate(ctx context.Context) (string, error) {
	socket := strings.Split(c.trial.Handshake, "|")[3]
	clients := []struct {
		who   string
		creds credentials.TransportCredentials
	}{
		{"a client without a certificate", credentials.NewTLS(&tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12})}, //nolint:gosec // whom it talks to does not matter
		{"a client without TLS", insecure.NewCredentials()},
	}
	for _, s := range clients {
		answered, err := answers(ctx, socket, s.creds, c.opts.Windows.Stranger)
		if err != nil {
			return "", err
		}
		if answered {
			return "", fmt.Errorf("%s got an answer: require of clients the certificate that PLUGIN_CLIENT_CERT holds", s.who)
		}
	}
	return "who has no certificate of Hookarr's gets no answer", nil
}

// answers reports whether a plugin talks to a client with these credentials.
func answers(ctx context.Context, socket string, creds credentials.TransportCredentials, waitTimeout time.Duration) (answered bool, err error) {
	conn, err := grpc.NewClient("unix:"+socket, grpc.WithTransportCredentials(creds))
	if err != nil {
		return false, fmt.Errorf("connect to the plugin: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	ctx, cancel := context.WithTimeout(ctx, waitTimeout)
	defer cancel()
	_, err = healthpb.NewHealthClient(conn).Check(ctx, &healthpb.HealthCheckRequest{Service: "plugin"})
	switch status.Code(err) {
	case codes.Unavailable, codes.DeadlineExceeded, codes.Canceled:
		return false, nil
	default: // even that it does not know the service is an answer
		return true, nil
	}
}
