package email

import (
	"encoding/base64"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/endpoint"
	"github.com/hookarr/hookarr/plugins/internal/eventtest"
	"github.com/hookarr/hookarr/sdk"
)

// setup starts a mail server and makes a target of it, which trusts its certificate.
func setup(t *testing.T, s *endpoint.SMTP, change func(c *config)) sdk.Target {
	t.Helper()
	if !s.Plain {
		s.Username, s.Password = "hookarr", "pass w0rd"
	}
	c := config{From: "Hookarr <hookarr@example.com>", To: []string{"a@example.org", "B <b@example.org>"}, TLS: tlsStart, Images: imagesOff, Username: s.Username, Password: sdk.Secret(s.Password)}
	c.Host, c.Port = s.Start(t)
	switch {
	case s.Plain:
		c.TLS = tlsNone
	case s.Implicit:
		c.TLS = tlsImplicit
	}
	if change != nil {
		change(&c)
	}
	made := newest(t, c)
	made.server.tls.RootCAs = s.Roots()
	return made
}

// newest makes a target of a configuration.
func newest(t *testing.T, c config) *target {
	t.Helper()
	require.NoError(t, c.Validate())
	made, err := newTarget(t.Context(), sdk.Env{Instance: "family", Log: slog.New(slog.DiscardHandler), HTTP: &sdk.HTTP{}}, c)
	require.NoError(t, err)
	typed, ok := made.(*target)
	require.True(t, ok)
	return typed
}

var imported = sdk.Event{Type: sdk.TypeMediaImported, Title: "Dune: Part Two (2024)", URL: "https://radarr.example/movie/1"}

func TestMailArrivesByEveryEncryption(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]*endpoint.SMTP{"starttls": {}, "implicit": {Implicit: true}, "none": {Plain: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			target := setup(t, s, func(c *config) { c.CC = []string{"c@example.org", "a@example.org"} })
			receipt, err := target.Deliver(t.Context(), eventtest.Delivery(t, imported))
			require.NoError(t, err, s.Refused())
			require.Equal(t, 250, receipt.Status)
			require.Empty(t, receipt.Fallback)
			require.Contains(t, receipt.Excerpt, "2.0.0")
			require.Len(t, s.Mails(), 1)
			m := s.Mails()[0]
			require.Equal(t, !s.Plain, m.Encrypted)
			require.Equal(t, s.Username, m.User)
			require.Equal(t, "hookarr@example.com", m.From)
			require.Equal(t, []string{"a@example.org", "b@example.org", "c@example.org"}, m.To, "each once")
			require.Equal(t, "<"+receipt.MessageID+">", m.Header["Message-Id"])
		})
	}
}

func TestEveryAttemptHasTheSameIdentifier(t *testing.T) {
	t.Parallel()
	s := &endpoint.SMTP{}
	target := setup(t, s, nil)
	d := eventtest.Delivery(t, imported)
	d.CorrelationKey = "story"
	send := func(d sdk.Delivery) endpoint.Mail {
		_, err := target.Deliver(t.Context(), d)
		require.NoError(t, err)
		return s.Mails()[len(s.Mails())-1]
	}
	first := send(d)
	require.Equal(t, "<"+d.ID+"@example.com>", first.Header["Message-Id"])
	d.Attempt = 2
	require.Equal(t, first.Header["Message-Id"], send(d).Header["Message-Id"])

	// Mails of a story refer to the same.
	d.ID = "0197b1f0-5a3c-7c11-9d7e-3f0b8a6c2d42"
	second := send(d)
	require.NotEqual(t, first.Header["Message-Id"], second.Header["Message-Id"])
	require.NotEmpty(t, first.Header["References"])
	require.Equal(t, first.Header["References"], second.Header["References"])
	require.Equal(t, first.Header["References"], first.Header["In-Reply-To"])
	d.CorrelationKey = "another"
	require.NotEqual(t, first.Header["References"], send(d).Header["References"])
	d.CorrelationKey = ""
	require.NotContains(t, send(d).Header, "References")

	for _, id := range []string{"", "a b", "x>\r\nBcc: y", strings.Repeat("a", 65)} {
		d.ID = id
		require.Regexp(t, `^<[0-9a-f]{32}@example\.com>$`, send(d).Header["Message-Id"])
	}
}

func TestMachinesDoNotAnswer(t *testing.T) {
	t.Parallel()
	s := &endpoint.SMTP{}
	target := setup(t, s, func(c *config) { c.SubjectPrefix = "[Hookarr]" })
	_, err := target.Deliver(t.Context(), eventtest.Delivery(t, imported))
	require.NoError(t, err)
	h := s.Mails()[0].Header
	require.Equal(t, "auto-generated", h["Auto-Submitted"])
	require.Equal(t, "All", h["X-Auto-Response-Suppress"])
	require.Equal(t, "<family.hookarr.example.com>", h["List-Id"])
	require.Equal(t, "[Hookarr] ✅ Item imported: Dune: Part Two (2024)", h["Subject"])
	require.NotContains(t, h, "Importance")
	_, err = target.Deliver(t.Context(), eventtest.Delivery(t, sdk.Event{Type: sdk.TypeDownloadFailed, Title: "x"}))
	require.NoError(t, err)
	require.Equal(t, "high", s.Mails()[1].Header["Importance"])
}

func TestTestDisturbsNobody(t *testing.T) {
	t.Parallel()
	s := &endpoint.SMTP{}
	target := setup(t, s, nil)
	tester, ok := target.(sdk.Tester)
	require.True(t, ok)
	receipt, err := tester.Test(t.Context(), eventtest.Delivery(t, imported))
	require.NoError(t, err)
	require.Equal(t, 250, receipt.Status)
	require.Empty(t, s.Mails())
	require.Equal(t, 1, s.Resets(), "sender and recipients were asked for")

	s = &endpoint.SMTP{Refuse: map[string]endpoint.SMTPReply{"b@example.org": {Code: 550, Text: "5.1.1 No such user"}}}
	tester, ok = setup(t, s, nil).(sdk.Tester)
	require.True(t, ok)
	_, err = tester.Test(t.Context(), eventtest.Delivery(t, imported))
	class, _ := sdk.ClassOf(err)
	require.Equal(t, sdk.ClassMisconfigured, class, "one of two is refused")
	require.ErrorContains(t, err, "550 5.1.1 No such user to the recipient b@example.org")
}

func TestRefusedRecipientKeepsTheMailFromNobodyElse(t *testing.T) {
	t.Parallel()
	refuse := func(code int) map[string]endpoint.SMTPReply {
		return map[string]endpoint.SMTPReply{"a@example.org": {Code: code, Text: "No such user here"}}
	}
	s := &endpoint.SMTP{Refuse: refuse(550)}
	receipt, err := setup(t, s, nil).Deliver(t.Context(), eventtest.Delivery(t, imported))
	require.NoError(t, err)
	require.Equal(t, []string{"b@example.org"}, s.Mails()[0].To)
	require.Equal(t, "the mail server answered 550 No such user here to the recipient a@example.org", receipt.Fallback)

	s = &endpoint.SMTP{Refuse: refuse(450)}
	receipt, err = setup(t, s, nil).Deliver(t.Context(), eventtest.Delivery(t, imported))
	class, _ := sdk.ClassOf(err)
	require.Equal(t, sdk.ClassRetryable, class, "the other would get it twice")
	require.Equal(t, 450, receipt.Status)
	require.Empty(t, s.Mails())
}

func TestWrongPasswordIsNotShown(t *testing.T) {
	t.Parallel()
	target := setup(t, &endpoint.SMTP{}, func(c *config) { c.Password = "wr0ng-password" })
	receipt, err := target.Deliver(t.Context(), eventtest.Delivery(t, imported))
	class, _ := sdk.ClassOf(err)
	require.Equal(t, sdk.ClassMisconfigured, class)
	require.ErrorContains(t, err, "check username and password")
	require.Equal(t, 535, receipt.Status)
	for _, secret := range []string{"wr0ng-password", base64.StdEncoding.EncodeToString([]byte("wr0ng-password")), base64.StdEncoding.EncodeToString([]byte("\x00hookarr\x00wr0ng-password"))} {
		require.NotContains(t, err.Error()+receipt.Excerpt, secret)
	}
}

func TestCertificateIsChecked(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]*endpoint.SMTP{"starttls": {}, "implicit": {Implicit: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			made, ok := setup(t, s, nil).(*target)
			require.True(t, ok)
			made.server.tls.RootCAs = nil
			_, err := made.Deliver(t.Context(), eventtest.Delivery(t, imported))
			class, _ := sdk.ClassOf(err)
			require.Equal(t, sdk.ClassMisconfigured, class, err)
			require.ErrorContains(t, err, "insecure_skip_verify")
			require.Empty(t, s.Mails())

			accepting, ok := setup(t, s, func(c *config) { c.InsecureSkipVerify = true }).(*target)
			require.True(t, ok)
			accepting.server.tls.RootCAs = nil
			_, err = accepting.Deliver(t.Context(), eventtest.Delivery(t, imported))
			require.NoError(t, err)
		})
	}
}

func TestEncryptionIsAsConfigured(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		server *endpoint.SMTP
		tls    string
		says   string
	}{
		"no STARTTLS":        {&endpoint.SMTP{Plain: true}, tlsStart, "offers no STARTTLS"},
		"implicit to a port": {&endpoint.SMTP{}, tlsImplicit, "set tls to starttls"},
		"login in clear":     {&endpoint.SMTP{}, tlsNone, "530"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			target := setup(t, c.server, func(config *config) {
				config.TLS = c.tls
				if c.tls == tlsNone {
					config.Username, config.Password = "", ""
				}
			})
			_, err := target.Deliver(t.Context(), eventtest.Delivery(t, imported))
			class, _ := sdk.ClassOf(err)
			require.Equal(t, sdk.ClassMisconfigured, class, err)
			require.ErrorContains(t, err, c.says)
			require.Empty(t, c.server.Mails())
		})
	}
}
