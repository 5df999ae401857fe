package email

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net/textproto"
	"strconv"
	"strings"

	"github.com/hookarr/hookarr/plugins/internal/message"
	"github.com/hookarr/hookarr/sdk"
)

// step is what a conversation was at, in words that go on after "the mail server
// answered 550 to".
type step string

const (
	stepGreeting step = "the connection"
	stepHello    step = "the name of this computer"
	stepTLS      step = "the encryption"
	stepLogin    step = "the login"
	stepSender   step = "the sender"
	stepReset    step = "the end of the test"
	stepMail     step = "the mail"
)

func stepRecipient(address string) step { return step("the recipient " + address) }

// stepError is what went wrong at a step.
type stepError struct {
	step step
	err  error
}

// at says at which step an error came up.
func at(s step, err error) error {
	if err == nil {
		return nil
	}
	return &stepError{s, err}
}

func (e *stepError) Error() string {
	code, said := replyOf(e.err)
	if code == 0 {
		return fmt.Sprintf("%s: %s", e.step, e.err)
	}
	return fmt.Sprintf("the mail server answered %s to %s", message.Fit(oneLine(said), maxSaid, message.Plain), e.step)
}

func (e *stepError) Unwrap() error { return e.err }

// refusals are of recipients.
type refusals []error

func (r refusals) Error() string {
	all := make([]string, 0, len(r))
	for _, err := range r {
		all = append(all, err.Error())
	}
	return strings.Join(all, "; ")
}

// Unwrap returns them for package errors.
func (r refusals) Unwrap() []error { return r }

// maxSaid is how much of a server's reply is part of an error, in characters. The
// receipt has all of it.
const maxSaid = 300

// replyOf returns the server's reply that an error is made of: its code, and the code
// with the text. The code is 0 where there was no reply.
func replyOf(err error) (code int, said string) {
	reply, ok := errors.AsType[*textproto.Error](err)
	if !ok {
		return 0, ""
	}
	return reply.Code, strings.TrimSpace(strconv.Itoa(reply.Code) + " " + reply.Msg)
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// explain makes a receipt and a classified error of what went wrong. The codes are those
// of RFC 5321, section 4.2.3, and RFC 4954, section 6.
func (s *server) explain(ctx context.Context, err error) (sdk.Receipt, error) {
	code, said := replyOf(err)
	receipt := sdk.Receipt{Status: code, Excerpt: s.hide(said)}
	if hidden := s.hide(err.Error()); hidden != err.Error() {
		err = &hiddenError{hidden, err}
	}
	switch {
	case code == 0:
		return receipt, s.unanswered(ctx, err)
	case code == 421:
		return receipt, sdk.Throttled(0, err)
	case code == 530 && s.username == "":
		return receipt, sdk.Misconfigured(fmt.Errorf("%w: set tls, and username and password, as the provider says", err))
	case code == 534:
		return receipt, sdk.Misconfigured(fmt.Errorf("%w: such providers want a password that they make for applications; set it as password", err))
	case code == 530, code == 535, code == 538, code >= 500 && stepOf(err) == stepLogin:
		return receipt, sdk.Misconfigured(fmt.Errorf("%w: check username and password", err))
	case code >= 500 && stepOf(err) == stepMail:
		return receipt, sdk.Permanent(err)
	case code >= 500:
		// It speaks of this computer, the sender or the recipients, which are the same for
		// every mail.
		return receipt, sdk.Misconfigured(err)
	default:
		return receipt, err
	}
}

// stepOf returns the step at which an error came up.
func stepOf(err error) step {
	if e, ok := errors.AsType[*stepError](err); ok {
		return e.step
	}
	return ""
}

// unanswered classifies what is no reply of the server.
func (s *server) unanswered(ctx context.Context, err error) error {
	if cause := ctx.Err(); cause != nil {
		return fmt.Errorf("%s: no answer of the mail server in time: %w", stepOf(err), cause)
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return sdk.Misconfigured(fmt.Errorf("%w: set host to a name that is in the certificate, or insecure_skip_verify for one that the server signed itself", err))
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok && s.security == tlsStart {
		return sdk.Misconfigured(errors.New("the mail server offers STARTTLS and does not encrypt after it: somebody else may be answering, check host and port"))
	} else if ok {
		return sdk.Misconfigured(errors.New("the mail server does not encrypt this port from the first byte: set tls to starttls, or port to the one that does"))
	}
	_, garbled := errors.AsType[textproto.ProtocolError](err)
	switch {
	case errors.Is(err, errNoTLS):
		return sdk.Misconfigured(fmt.Errorf("%w: set tls to implicit with the port for it, or to none where nobody else is on the network", err))
	case errors.Is(err, errNoLogin):
		return sdk.Misconfigured(fmt.Errorf("%w: remove username and password, or set tls and port as the provider says", err))
	case garbled && stepOf(err) == stepGreeting:
		return sdk.Misconfigured(errors.New("what answers there speaks no SMTP: check host and port, and whether tls has to be implicit"))
	default:
		return err
	}
}

// hiddenError is an error in other words.
type hiddenError struct {
	text string
	err  error
}

func (e *hiddenError) Error() string { return e.text }
func (e *hiddenError) Unwrap() error { return e.err }

// hide takes out of a text what was sent to log in, in the encodings of the protocol, of
// which the SDK does not know: a server may repeat it.
func (s *server) hide(text string) string {
	if s.username == "" {
		return text
	}
	name, password := s.username, s.password.Reveal()
	pairs := make([]string, 0, 6)
	for _, secret := range []string{"\x00" + name + "\x00" + password, password} {
		pairs = append(pairs, base64.StdEncoding.EncodeToString([]byte(secret)), s.password.String())
	}
	return strings.NewReplacer(append(pairs, password, s.password.String())...).Replace(text)
}
