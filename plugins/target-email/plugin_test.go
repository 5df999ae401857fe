package email

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/endpoint"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/plugintest"
)

func TestMain(m *testing.M) { plugintest.Main(m) }

// served is the plugin as hosts run it, with a mail server.
type served struct {
	*plugintest.Target
	smtp *endpoint.SMTP
	port int
}

const password = "pass-w0rd/ü&secret"

// start serves the plugin, with every secret that it can be given.
func start(t *testing.T) served {
	t.Helper()
	s := served{smtp: &endpoint.SMTP{Username: "hookarr", Password: password}}
	_, s.port = s.smtp.Start(t)
	s.Target = plugintest.StartTarget(t, info(), newTarget, s.config())
	return s
}

func (s served) config() map[string]any {
	return map[string]any{
		"host": "127.0.0.1", "port": s.port, "username": "hookarr", "password": password, "insecure_skip_verify": true,
		"from": "Hookarr <hookarr@example.com>", "to": []string{"a@example.org"},
	}
}

func (s served) deliver(t *testing.T, id string, e sdk.Event) plugintest.Outcome {
	t.Helper()
	o, err := s.Deliver(t.Context(), plugintest.Delivery(t, id, e))
	require.NoError(t, err)
	return o
}

func TestPluginMailsEveryEvent(t *testing.T) {
	t.Parallel()
	s := start(t)
	for i, e := range plugintest.Events() {
		o := s.deliver(t, strconv.Itoa(i), e)
		require.Equal(t, sdk.ClassOK, o.Class, "%s: %s %v", e.Type, o.Message, s.smtp.Refused())
		require.Len(t, s.smtp.Mails(), i+1)
	}
}

func TestPluginDescribesItself(t *testing.T) {
	t.Parallel()
	d, err := start(t).Describe(t.Context())
	require.NoError(t, err)
	require.Equal(t, "email", d.Name)
	require.NotEmpty(t, d.Summary)
	require.ElementsMatch(t, []sdk.Feature{sdk.FeatureGroup, sdk.FeatureTest, sdk.FeaturePreview}, d.Features)
}

func TestSeveralAtOnce(t *testing.T) {
	t.Parallel()
	s := start(t)
	const deliveries = 20
	var wg sync.WaitGroup
	outcomes, errs := make([]plugintest.Outcome, deliveries), make([]error, deliveries)
	for i := range deliveries {
		d := plugintest.Delivery(t, strconv.Itoa(i), plugintest.EventOf(sdk.TypeMediaImported))
		wg.Go(func() { outcomes[i], errs[i] = s.Deliver(t.Context(), d) })
	}
	wg.Wait()
	for i, o := range outcomes {
		require.NoError(t, errs[i])
		require.Equal(t, sdk.ClassOK, o.Class, o.Message)
	}
	require.Len(t, s.smtp.Mails(), deliveries)
}

func TestSecretsAreNotShown(t *testing.T) {
	t.Parallel()
	s := start(t)
	e := plugintest.EventOf(sdk.TypeMediaImported)
	e.Title = "An event that has the " + password
	clean := func(o plugintest.Outcome) {
		require.NotContains(t, o.Message+o.Receipt.Excerpt, password)
		if o.Sent != nil {
			require.NotContains(t, fmt.Sprint(*o.Sent), password)
		}
	}
	for i, r := range []endpoint.SMTPReply{{Code: 554, Text: "I do not like " + password}, {Code: 451, Text: password}} {
		s.smtp.Next(r)
		o := s.deliver(t, strconv.Itoa(i), e)
		require.NotEqual(t, sdk.ClassOK, o.Class)
		require.NotNil(t, o.Sent, "operators see what was not taken")
		require.Contains(t, o.Sent.Body, "An event that has the [redacted]")
		clean(o)
	}
	s.smtp.Password = "another"
	clean(s.deliver(t, "x", e))
	require.NotContains(t, s.Logs(), password)
}

func TestPreviewShowsTheMailAndSendsNone(t *testing.T) {
	t.Parallel()
	s := start(t)
	e := plugintest.EventOf(sdk.TypeMediaImported)
	shown, err := s.Preview(t.Context(), plugintest.Delivery(t, "d1", e))
	require.NoError(t, err)
	require.Equal(t, "MAIL", shown.Method)
	require.Equal(t, "smtp://"+net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)), shown.URL)
	require.Equal(t, `"Hookarr" <hookarr@example.com>`, shown.Header.Get("From"))
	require.Contains(t, shown.Header.Get("Subject"), e.Title)
	require.Contains(t, shown.Body, "<html>")
	require.Empty(t, s.smtp.Mails())
	require.Equal(t, sdk.ClassOK, s.deliver(t, "d1", e).Class)
	require.Equal(t, shown.Header.Get("Subject"), s.smtp.Mails()[0].Header["Subject"])
	require.True(t, strings.HasPrefix(shown.Body, s.smtp.Mails()[0].Text), "what is shown is what is sent")
}

func TestNobodyListens(t *testing.T) {
	t.Parallel()
	s := start(t)
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address, ok := l.Addr().(*net.TCPAddr)
	require.True(t, ok)
	require.NoError(t, l.Close())
	config := s.config()
	config["port"] = address.Port
	problems, err := s.Configure(t.Context(), plugintest.Config(t, config))
	require.NoError(t, err)
	require.Empty(t, problems)
	o := s.deliver(t, "d", plugintest.EventOf(sdk.TypeMediaImported))
	require.Equal(t, sdk.ClassRetryable, o.Class)
	require.Contains(t, o.Message, "connect to the mail server")
}

func TestPluginTestsItsServer(t *testing.T) {
	t.Parallel()
	s := start(t)
	o, err := s.Test(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, sdk.ClassOK, o.Class, o.Message)
	require.Empty(t, s.smtp.Mails())
	s.smtp.Password = "another"
	o, err = s.Test(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, sdk.ClassMisconfigured, o.Class, o.Message)
}
