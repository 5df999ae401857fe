package email

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/wneessen/go-mail/smtp"

	"github.com/hookarr/hookarr/sdk"
)

const (
	// maxHeard bounds what a server may say in one conversation, in bytes, certificates
	// included.
	maxHeard = 256 << 10
	// maxConversation bounds a conversation whose context has no deadline.
	maxConversation = time.Minute
	// farewell bounds taking leave of a server that has the mail.
	farewell = time.Second
)

// server is where mails are handed in.
type server struct {
	host, port string
	// security is tlsStart, tlsImplicit or tlsNone.
	security string
	tls      *tls.Config
	helo     string
	username string
	password sdk.Secret
}

// session is one conversation with a server, up to where it takes mails.
type session struct {
	*smtp.Client
	server *server
}

// bounded is a connection of a conversation, which ends with a context and has a bound
// on what is heard in it.
type bounded struct {
	net.Conn
	left int64
	stop func() bool
}

var errTalkative = errors.New("the server says more than a mail server has to say")

// Read implements io.Reader.
func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTalkative
	}
	n, err := b.Conn.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

// Close ends the connection, and what watches over its context.
func (b *bounded) Close() error {
	b.stop()
	return b.Conn.Close()
}

// dial connects to the server for as long as ctx lasts.
func (s *server) dial(ctx context.Context) (*bounded, error) {
	conn, err := sdk.Dial(ctx, net.JoinHostPort(s.host, s.port))
	if err != nil {
		return nil, fmt.Errorf("connect to the mail server: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(0, 1)) })
	return &bounded{Conn: conn, left: maxHeard, stop: stop}, nil
}

// converse opens a conversation, has it held, and ends it. What it returns is explained
// already.
func (s *server) converse(ctx context.Context, hold func(*session) (sdk.Receipt, error)) (sdk.Receipt, error) {
	if _, limited := ctx.Deadline(); !limited {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, maxConversation)
		defer cancel()
	}
	conn, err := s.dial(ctx)
	if err != nil {
		return sdk.Receipt{}, err
	}
	defer func() { _ = conn.Close() }()
	in, err := s.open(ctx, conn)
	if err != nil {
		return s.explain(ctx, err)
	}
	receipt, err := hold(in)
	if err != nil {
		return s.explain(ctx, err)
	}
	// The server has the mail: how it says goodbye changes nothing.
	_ = conn.SetDeadline(time.Now().Add(farewell))
	_ = in.Quit()
	return receipt, nil
}

// open goes through everything that comes before a mail: greeting, encryption, login.
func (s *server) open(ctx context.Context, conn *bounded) (*session, error) {
	var transport net.Conn = conn
	if s.security == tlsImplicit {
		encrypted := tls.Client(conn, s.tls)
		if err := encrypted.HandshakeContext(ctx); err != nil {
			return nil, at(stepTLS, err)
		}
		transport = encrypted
	}
	client, err := smtp.NewClient(transport, s.host)
	if err != nil {
		return nil, at(stepGreeting, err)
	}
	client.SkipSMTPUTF8(true) // addresses are ASCII
	if err := client.Hello(s.helo); err != nil {
		return nil, at(stepHello, err)
	}
	if s.security == tlsStart {
		if ok, _ := client.Extension("STARTTLS"); !ok {
			return nil, at(stepTLS, errNoTLS)
		}
		if err := client.StartTLS(s.tls); err != nil {
			return nil, at(stepTLS, err)
		}
	}
	in := &session{Client: client, server: s}
	if s.username == "" {
		return in, nil
	}
	return in, at(stepLogin, in.login())
}

var (
	errNoTLS   = errors.New("the mail server offers no STARTTLS")
	errNoLogin = errors.New("the mail server offers no way to log in that is known here: PLAIN, LOGIN, SCRAM-SHA-256 or CRAM-MD5")
)

// login says who is there. The connection is encrypted, so the ways that every server
// gets right come first: some offer others for accounts that cannot use them.
func (s *session) login() error {
	_, offered := s.Extension("AUTH")
	name, password := s.server.username, s.server.password.Reveal()
	ways := strings.Fields(strings.ToUpper(offered))
	for _, way := range []struct {
		name string
		auth smtp.Auth
	}{
		{"PLAIN", smtp.PlainAuth("", name, password, s.server.host, false)},
		{"LOGIN", smtp.LoginAuth(name, password, s.server.host, false)},
		{"SCRAM-SHA-256", smtp.ScramSHA256Auth(name, password)},
		{"CRAM-MD5", smtp.CRAMMD5Auth(name, password)},
	} {
		if slices.Contains(ways, way.name) {
			return s.Auth(way.auth)
		}
	}
	return errNoLogin
}

// envelope names the sender and the recipients. It returns what was said against those
// that the server refuses for good. It is an error that one is refused for now, or that
// all are refused.
func (s *session) envelope(from string, to []string) (refused refusals, err error) {
	if err := s.Mail("<" + from + ">"); err != nil {
		return nil, at(stepSender, err)
	}
	for _, address := range to {
		err := s.Rcpt("<" + address + ">")
		if err == nil {
			continue
		}
		err = at(stepRecipient(address), err)
		if code, _ := replyOf(err); code < 500 {
			return nil, err
		}
		refused = append(refused, err)
	}
	if len(refused) == len(to) {
		return nil, refused
	}
	return refused, nil
}

// hand sends the text of a mail, and returns what the server says to it.
func (s *session) hand(mail io.WriterTo) (said string, err error) {
	w, err := s.Data()
	if err != nil {
		return "", at(stepMail, err)
	}
	if _, err := mail.WriteTo(w); err != nil {
		return "", at(stepMail, err)
	}
	if err := w.Close(); err != nil {
		return "", at(stepMail, err)
	}
	if closed, ok := w.(*smtp.DataCloser); ok {
		said = closed.ServerResponse()
	}
	return said, nil
}
