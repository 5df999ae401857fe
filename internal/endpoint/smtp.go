package endpoint

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/require"
)

// SMTP is a mail server for submission. It takes mails from those who log in over TLS, of
// the form that RFC 5322 and MIME want. Set its fields before Start.
type SMTP struct {
	// Username and Password are who may send; without them nobody has to log in.
	Username, Password string
	// Implicit has TLS from the first byte, and Plain no TLS at all. Else there is
	// STARTTLS.
	Implicit, Plain bool
	// Refuse has the replies to recipients that are not taken, by their address.
	Refuse map[string]SMTPReply

	roots   *x509.CertPool
	mu      sync.Mutex
	mails   []Mail
	resets  int
	refused []string
	next    []SMTPReply
}

// SMTPReply is what the server says to a command.
type SMTPReply struct {
	Code int
	Text string
}

func (r SMTPReply) err() error {
	return &smtp.SMTPError{Code: r.Code, EnhancedCode: smtp.NoEnhancedCode, Message: r.Text}
}

// Start listens on loopback until the test ends, and returns where.
func (s *SMTP) Start(tb testing.TB) (host string, port int) {
	tb.Helper()
	certificate, roots := selfSigned(tb)
	s.roots = roots
	server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		_, encrypted := c.TLSConnectionState()
		return &smtpSession{server: s, encrypted: encrypted, open: s.Username == ""}, nil
	}))
	server.Domain = "mail.example"
	server.ErrorLog = log.New(io.Discard, "", 0)
	server.ReadTimeout, server.WriteTimeout = 30*time.Second, 30*time.Second
	server.MaxRecipients, server.MaxMessageBytes, server.MaxLineLength = 100, 1<<20, 1000
	settings := &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	if !s.Plain && !s.Implicit {
		server.TLSConfig = settings
	}
	l, err := new(net.ListenConfig).Listen(tb.Context(), "tcp", "127.0.0.1:0")
	require.NoError(tb, err)
	address, ok := l.Addr().(*net.TCPAddr)
	require.True(tb, ok)
	if s.Implicit {
		l = tls.NewListener(l, settings)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(l) // it ends when the test does
	}()
	tb.Cleanup(func() {
		_ = server.Close()
		<-done
	})
	return address.IP.String(), address.Port
}

// Roots has the certificate that the server shows.
func (s *SMTP) Roots() *x509.CertPool { return s.roots }

// Mails returns what was taken, oldest first.
func (s *SMTP) Mails() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.mails)
}

// Refused returns why mails were refused that broke a rule, in order.
func (s *SMTP) Refused() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.refused)
}

// Resets counts the mails that were taken back before their text.
func (s *SMTP) Resets() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.resets
}

// Next answers the next mail, once it is there, with a reply. Calls queue up.
func (s *SMTP) Next(r SMTPReply) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next = append(s.next, r)
}

// smtpSession is one client's conversation.
type smtpSession struct {
	server    *SMTP
	encrypted bool
	// open: mails are taken.
	open bool
	user string
	mail Mail
}

// AuthMechanisms implements smtp.AuthSession.
func (s *smtpSession) AuthMechanisms() []string {
	if s.server.Username == "" {
		return nil
	}
	return []string{sasl.Plain}
}

// Auth implements smtp.AuthSession.
func (s *smtpSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, username, password string) error {
		if username != s.server.Username || password != s.server.Password {
			return smtp.ErrAuthFailed
		}
		s.open, s.user = true, username
		return nil
	}), nil
}

// Mail implements smtp.Session.
func (s *smtpSession) Mail(from string, _ *smtp.MailOptions) error {
	if !s.open {
		return SMTPReply{530, "5.7.0 Authentication required"}.err()
	}
	s.mail = Mail{User: s.user, Encrypted: s.encrypted, From: from}
	return nil
}

// Rcpt implements smtp.Session.
func (s *smtpSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	if r, ok := s.server.Refuse[to]; ok {
		return r.err()
	}
	s.mail.To = append(s.mail.To, to)
	return nil
}

// Data implements smtp.Session.
func (s *smtpSession) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	srv := s.server
	srv.mu.Lock()
	defer srv.mu.Unlock()
	if len(srv.next) > 0 {
		reply := srv.next[0]
		srv.next = srv.next[1:]
		return reply.err()
	}
	if err := s.mail.read(bytes.Clone(raw)); err != nil {
		srv.refused = append(srv.refused, err.Error())
		return SMTPReply{554, "5.6.0 " + strconv.QuoteToASCII(err.Error())}.err()
	}
	srv.mails = append(srv.mails, s.mail)
	s.mail = Mail{}
	return nil
}

// Reset implements smtp.Session.
func (s *smtpSession) Reset() {
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	if len(s.mail.To) > 0 {
		s.server.resets++
	}
	s.mail = Mail{}
}

// Logout implements smtp.Session.
func (s *smtpSession) Logout() error { return nil }

// selfSigned returns a certificate for loopback, and what trusts it.
func selfSigned(tb testing.TB) (tls.Certificate, *x509.CertPool) {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(tb, err)
	template := x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	require.NoError(tb, err)
	parsed, err := x509.ParseCertificate(der)
	require.NoError(tb, err)
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}

// errMail is matched by what is wrong with a mail.
var errMail = errors.New("no mail by RFC 5322")

func wrong(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errMail, fmt.Sprintf(format, args...))
}
