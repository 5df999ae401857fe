package config

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"
)

// maxCertificate is in bytes, and more than any chain or key.
const maxCertificate = 1 << 20

// Certificate reads the certificate and its key.
func (t TLS) Certificate() (tls.Certificate, error) {
	cert, _, err := ReadFile(t.CertFile, maxCertificate)
	if err != nil {
		return tls.Certificate{}, err
	}
	key, _, err := ReadFile(t.KeyFile, maxCertificate)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.X509KeyPair(cert, key)
}

// CheckTLS says what keeps the listener from serving HTTPS, and what its clients or its
// key's owner would mind. Load leaves it out, because most commands never use the key and
// may run as a user who cannot read it.
func (c *Config) CheckTLS(now time.Time) (problems, warnings []Problem) {
	if !c.TLS.Enabled() {
		return nil, nil
	}
	for _, f := range []struct{ key, name string }{{"tls.cert_file", c.TLS.CertFile}, {"tls.key_file", c.TLS.KeyFile}} {
		if _, _, err := ReadFile(f.name, maxCertificate); err != nil {
			problems = append(problems, c.Problem(f.key, explainFile(err).Error()))
		}
	}
	if len(problems) > 0 {
		return problems, nil
	}
	pair, err := c.TLS.Certificate()
	if err != nil {
		why := strings.TrimPrefix(err.Error(), "tls: ")
		return []Problem{c.Problem("tls", fmt.Sprintf("%s and %s are no pair: %s; want a certificate and its private key, both as PEM", c.TLS.CertFile, c.TLS.KeyFile, why))}, nil
	}
	switch leaf := pair.Leaf; {
	case now.After(leaf.NotAfter):
		warnings = append(warnings, c.Problem("tls.cert_file", fmt.Sprintf("the certificate expired at %s: senders refuse it; renew it", leaf.NotAfter.UTC().Format(time.RFC3339))))
	case now.Before(leaf.NotBefore):
		warnings = append(warnings, c.Problem("tls.cert_file", fmt.Sprintf("the certificate is not valid before %s: senders refuse it until then; or is the clock wrong?", leaf.NotBefore.UTC().Format(time.RFC3339))))
	}
	if info, err := os.Stat(c.TLS.KeyFile); err == nil && info.Mode().Perm()&worldReadable != 0 {
		warnings = append(warnings, c.Problem("tls.key_file", exposed(c.TLS.KeyFile)))
	}
	return problems, warnings
}

// exposed is the warning of a file with a secret that is open to all.
func exposed(name string) string {
	return fmt.Sprintf("everybody on this machine can read %s: run chmod o= on it", name)
}

// explainFile says why a file was not read and which it was.
func explainFile(err error) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return fmt.Errorf("cannot read %s: %w", pe.Path, pe.Err)
	}
	return fmt.Errorf("cannot read the file: %w", err)
}
