package email

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/mail"
	"slices"
	"strconv"
	"strings"

	"github.com/hookarr/hookarr/plugins/internal/poster"
	"github.com/hookarr/hookarr/sdk"
)

// target mails to the same people.
type target struct {
	server   server
	instance string
	from     *mail.Address
	to, cc   []*mail.Address
	writer   writer
	posters  poster.Fetcher
}

func newTarget(_ context.Context, env sdk.Env, c config) (sdk.Target, error) {
	from, err := parseAddress(c.From)
	if err != nil {
		return nil, sdk.Problem("from", err.Error())
	}
	to, err := parseAddresses(c.To)
	if err != nil {
		return nil, sdk.Problem("to", err.Error())
	}
	cc, err := parseAddresses(c.CC)
	if err != nil {
		return nil, sdk.Problem("cc", err.Error())
	}
	w, err := newWriter(c, domain(from))
	if err != nil {
		return nil, err
	}
	c.Templates.Warn(env, "templates")
	port := c.port()
	if port == portSubmissions && c.TLS != tlsImplicit || port == portSubmission && c.TLS == tlsImplicit {
		env.Warn("port", fmt.Sprintf("%d is usually not for tls %s: 587 is for starttls and 465 for implicit", port, c.TLS))
	}
	return &target{
		server: server{
			host: c.Host, port: strconv.Itoa(port), security: c.TLS, helo: c.helo(), username: c.Username, password: c.Password,
			tls: &tls.Config{
				ServerName: c.Host, MinVersion: tls.VersionTLS12,
				InsecureSkipVerify: c.InsecureSkipVerify, //nolint:gosec // The operator asked for it, for this server.
			},
		},
		instance: env.Instance, from: from, to: to, cc: cc, writer: w, posters: poster.New(env.HTTP, c.ImageHosts),
	}, nil
}

// Deliver mails the events. A recipient whom the server refuses for good keeps the mail
// from nobody else; one whom it refuses for now has all wait, since a second mail would
// reach the others twice.
func (t *target) Deliver(ctx context.Context, d sdk.Delivery) (sdk.Receipt, error) {
	l, err := t.compose(ctx, d)
	if err != nil {
		return sdk.Receipt{}, sdk.Permanent(err)
	}
	if err := t.record(ctx, l); err != nil {
		return sdk.Receipt{Fallback: l.fallback}, err
	}
	return t.server.converse(ctx, func(s *session) (sdk.Receipt, error) {
		refused, err := s.envelope(t.from.Address, t.recipients())
		if err != nil {
			return sdk.Receipt{}, err
		}
		said, err := s.hand(t.mime(l))
		if err != nil {
			return sdk.Receipt{}, err
		}
		receipt := sdk.Receipt{Status: 250, Excerpt: t.server.hide(said), MessageID: l.id, Fallback: l.fallback}
		if len(refused) > 0 {
			receipt.Fallback = strings.TrimSuffix(t.server.hide(refused.Error())+"; "+l.fallback, "; ")
		}
		return receipt, nil
	})
}

// compose writes the letter and fetches its poster, for which a preview does not wait.
func (t *target) compose(ctx context.Context, d sdk.Delivery) (letter, error) {
	l, err := t.writer.write(d)
	if err != nil || l.image == "" || sdk.Previewing(ctx) {
		return l, err
	}
	picture, err := t.posters.Fetch(ctx, l.image)
	if err != nil {
		return t.writer.withoutPicture(l, d, err)
	}
	l.picture = &picture
	return l, nil
}

// Test goes as far as the server takes the sender and every recipient, and takes the
// mail back: nobody gets one.
func (t *target) Test(ctx context.Context, _ sdk.Delivery) (sdk.Receipt, error) {
	return t.server.converse(ctx, func(s *session) (sdk.Receipt, error) {
		refused, err := s.envelope(t.from.Address, t.recipients())
		if err == nil && len(refused) > 0 {
			err = refused
		}
		if err == nil {
			err = at(stepReset, s.Reset())
		}
		return sdk.Receipt{Status: 250}, err
	})
}

// recipients returns the addresses that a mail goes to, each once.
func (t *target) recipients() []string {
	var all []string
	for _, a := range slices.Concat(t.to, t.cc) {
		if !slices.Contains(all, a.Address) {
			all = append(all, a.Address)
		}
	}
	return all
}
