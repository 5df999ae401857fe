package process

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc/credentials"

	"github.com/hookarr/hookarr/sdk/internal/handshake"
)

// mutualTLS returns the credentials of a server that serves the owner of one certificate
// alone, in PEM, and the server's own certificate, in DER, for the host to know it by.
// Its key is made for this process and never leaves it.
func mutualTLS(hostPEM []byte) (creds credentials.TransportCredentials, der []byte, err error) {
	block, _ := pem.Decode(hostPEM)
	if block == nil {
		return nil, nil, errors.New("read " + handshake.ClientCertEnv + ": no certificate of the host, without which nobody is served")
	}
	host, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, nil, fmt.Errorf("read %s: %w", handshake.ClientCertEnv, err)
	}
	own, err := newCertificate()
	if err != nil {
		return nil, nil, err
	}
	return credentials.NewTLS(&tls.Config{
		MinVersion:             tls.VersionTLS13,
		Certificates:           []tls.Certificate{own},
		SessionTicketsDisabled: true,
		// A certificate that is known as a whole needs no check of its chain, name and
		// dates. A chain would let in what it signed, too, and dates would break the
		// connection when the clock is set.
		ClientAuth: tls.RequireAnyClientCert,
		VerifyConnection: func(s tls.ConnectionState) error {
			if len(s.PeerCertificates) == 0 || !s.PeerCertificates[0].Equal(host) {
				return errors.New("the client is not the host that launched this plugin")
			}
			return nil
		},
	}), own.Certificate[0], nil
}

func newCertificate() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make the plugin's key: %w", err)
	}
	template := &x509.Certificate{
		Subject:     pkix.Name{CommonName: "Hookarr plugin"},
		DNSNames:    []string{handshake.ServerName},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		// It lasts as long as the process, whatever the clock says meanwhile: the end is
		// that of RFC 5280, 4.1.2.5, for certificates that have none.
		NotBefore: time.Unix(0, 0),
		NotAfter:  time.Date(9999, time.December, 31, 23, 59, 59, 0, time.UTC),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make the plugin's certificate: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}
