package app

import (
	"crypto/tls"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/hookarr/hookarr/core/config"
)

// certificate is that of the webhook listener, which is read again at each reload. The
// zero value speaks no TLS.
type certificate struct {
	current atomic.Pointer[tls.Certificate]
}

// load reads the certificate of a configuration. Whether the listener speaks TLS does not
// change while a process runs.
func (c *certificate) load(t config.TLS) error {
	if !t.Enabled() {
		return nil
	}
	pair, err := t.Certificate()
	if err != nil {
		return fmt.Errorf("read certificate: %w", err)
	}
	c.current.Store(&pair)
	return nil
}

// config is the listener's.
func (c *certificate) config() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			if pair := c.current.Load(); pair != nil {
				return pair, nil
			}
			return nil, errors.New("no certificate is loaded")
		},
	}
}
