package email

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/plugintest"
)

func good() config {
	return config{
		Host: "smtp.example.com", TLS: tlsStart, Username: "hookarr", Password: "s3cret", From: "Hookärr <hookarr@example.com>",
		To: []string{"a@example.org", `"A, B" <a+b@sub.example.org>`}, CC: []string{"c@xn--bcher-kva.example"}, SubjectPrefix: "[Hookarr]",
		HELO: "[IPv6:2001:db8::1]", Images: imagesOff,
	}
}

func TestEveryProblemNamesItsKey(t *testing.T) {
	t.Parallel()
	require.NoError(t, good().Validate())
	many := make([]string, 100)
	for i := range many {
		many[i] = "a@example.org"
	}
	for name, c := range map[string]struct {
		change func(c *config)
		want   string
	}{
		"URL for a host":     {func(c *config) { c.Host = "smtp://smtp.example.com" }, "host: "},
		"port in the host":   {func(c *config) { c.Host = "smtp.example.com:587" }, "host: "},
		"line in the host":   {func(c *config) { c.Host = "smtp.example.com\n" }, "host: "},
		"metadata":           {func(c *config) { c.Host = "169.254.169.254" }, "host: "},
		"metadata in hex":    {func(c *config) { c.Host = "0xa9fea9fe" }, "host: "},
		"link-local":         {func(c *config) { c.Host = "fe80::1" }, "host: "},
		"no password":        {func(c *config) { c.Password = "" }, "username: "},
		"no name":            {func(c *config) { c.Username = "" }, "username: "},
		"password in clear":  {func(c *config) { c.TLS = tlsNone }, "tls: "},
		"line in the name":   {func(c *config) { c.Username = "a\r\nb" }, "username: "},
		"no sender":          {func(c *config) { c.From = "Hookarr" }, "from: "},
		"two senders":        {func(c *config) { c.From = "a@example.org, b@example.org" }, "from: "},
		"line in the sender": {func(c *config) { c.From = "a@example.org\r\nBcc: b@example.org" }, "from: "},
		"line in a name":     {func(c *config) { c.From = "=?utf-8?q?a=0D=0ABcc:b?= <a@example.org>" }, "from: "},
		"quoted":             {func(c *config) { c.To[0] = `"a b"@example.org` }, "to[0]: "},
		"bracket":            {func(c *config) { c.To[0] = `"a>"@example.org` }, "to[0]: "},
		"other script":       {func(c *config) { c.To[1] = "jörg@example.org" }, "to[1]: "},
		"other domain":       {func(c *config) { c.To[1] = "a@bücher.example" }, "to[1]: "},
		"address of a host":  {func(c *config) { c.To[1] = "a@[192.0.2.1]" }, "to[1]: "},
		"empty":              {func(c *config) { c.To[1] = "" }, "to[1]: "},
		"group":              {func(c *config) { c.CC[0] = "all: a@example.org, b@example.org;" }, "cc[0]: "},
		"dots":               {func(c *config) { c.CC[0] = "a@example..org" }, "cc[0]: "},
		"too many":           {func(c *config) { c.To = many }, "to: "},
		"line in a prefix":   {func(c *config) { c.SubjectPrefix = "a\nBcc: x" }, "subject_prefix: "},
		"long prefix":        {func(c *config) { c.SubjectPrefix = strings.Repeat("ü", 61) }, "subject_prefix: "},
		"line in helo":       {func(c *config) { c.HELO = "a\r\nMAIL" }, "helo: "},
		"half a literal":     {func(c *config) { c.HELO = "[192.0.2.1" }, "helo: "},
	} {
		bad := good()
		c.change(&bad)
		err := bad.Validate()
		require.ErrorContains(t, err, c.want, name)
		require.Len(t, strings.Split(err.Error(), "\n"), 1, name)
		require.NotContains(t, err.Error(), "s3cret", name)
	}
	for name, change := range map[string]func(c *config){
		"no login":       func(c *config) { c.Username, c.Password, c.TLS = "", "", tlsNone },
		"bare name":      func(c *config) { c.Host = "mail" },
		"address":        func(c *config) { c.Host = "fd12::1" },
		"underscore":     func(c *config) { c.Host = "mail_relay.lan" },
		"helo's address": func(c *config) { c.HELO = "[192.0.2.1]" },
	} {
		fine := good()
		change(&fine)
		require.NoError(t, fine.Validate(), name)
	}
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	var got config
	target := plugintest.StartTarget(t, info(), func(ctx context.Context, env sdk.Env, c config) (sdk.Target, error) {
		got = c
		return newTarget(ctx, env, c)
	}, map[string]any{"host": "mail", "from": "a@example.org", "to": []string{"b@example.org"}})
	require.Equal(t, config{Host: "mail", TLS: tlsStart, From: "a@example.org", To: []string{"b@example.org"}, Images: imagesOff, Look: "standard"}, got)
	for encryption, port := range map[string]int{tlsStart: 587, tlsImplicit: 465, tlsNone: 25} {
		require.Equal(t, port, config{TLS: encryption}.port())
		require.Equal(t, 2525, config{TLS: encryption, Port: 2525}.port())
	}
	require.NotEmpty(t, got.helo())

	for _, c := range []struct {
		port       int
		encryption string
		warned     bool
	}{{465, tlsStart, true}, {465, tlsImplicit, false}, {587, tlsImplicit, true}, {587, tlsStart, false}, {2525, tlsImplicit, false}, {465, tlsNone, true}} {
		warnings, err := target.Warnings(t.Context(), plugintest.Config(t, map[string]any{
			"host": "mail", "from": "a@example.org", "to": []string{"b@example.org"}, "port": c.port, "tls": c.encryption,
		}))
		require.NoError(t, err)
		require.Equal(t, c.warned, len(warnings) == 1, "%v", c)
	}
}
