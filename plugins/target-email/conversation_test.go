package email

import (
	"bufio"
	"context"
	"encoding/base64"
	"io"
	"net"
	"net/mail"
	"net/textproto"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/plugins/internal/eventtest"
	"github.com/hookarr/hookarr/sdk"
)

// dialogue answers the commands of one client, in order, with replies that may have
// several lines. After a reply of 354 comes a text. It returns the port.
func dialogue(t *testing.T, replies ...string) int {
	t.Helper()
	return serve(t, func(conn net.Conn) {
		in := bufio.NewReader(conn)
		for i, reply := range replies {
			if i > 0 {
				if line, err := in.ReadString('\n'); err != nil || strings.HasPrefix(line, "QUIT") {
					return
				}
			}
			_, _ = io.WriteString(conn, reply+"\r\n")
			for strings.HasPrefix(reply, "354") {
				line, err := in.ReadString('\n')
				if err != nil {
					return
				}
				if line == ".\r\n" {
					_, _ = io.WriteString(conn, replies[i+1]+"\r\n")
					return
				}
			}
		}
	})
}

// serve has every client of a port handled until the test ends.
func serve(t *testing.T, handle func(net.Conn)) (port int) {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			handle(conn)
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})
	address, ok := l.Addr().(*net.TCPAddr)
	require.True(t, ok)
	return address.Port
}

// plainly makes a target of a server on loopback without TLS.
func plainly(t *testing.T, port int) *target {
	t.Helper()
	return newest(t, config{Host: "127.0.0.1", Port: port, TLS: tlsNone, From: "hookarr@example.com", To: []string{"a@example.org"}, HELO: "here.example"})
}

func TestRepliesAreClassified(t *testing.T) {
	t.Parallel()
	const hello, greeting, ok = "250-mail.example\r\n250 8BITMIME", "220 mail.example ESMTP", "250 2.0.0 fine"
	for name, c := range map[string]struct {
		replies []string
		class   sdk.Class
		status  int
		says    string
	}{
		"busy":              {[]string{"421 4.3.2 try later"}, sdk.ClassThrottled, 421, "to the connection"},
		"blocked":           {[]string{"554 5.7.1 your address is on a list"}, sdk.ClassMisconfigured, 554, "to the connection"},
		"not now":           {[]string{"450 starting"}, sdk.ClassRetryable, 450, "to the connection"},
		"no SMTP":           {[]string{"* OK IMAP4rev1 ready"}, sdk.ClassMisconfigured, 0, "speaks no SMTP"},
		"hangs up":          {nil, sdk.ClassRetryable, 0, "the connection"},
		"bad name":          {[]string{greeting, "550 bad name", "550 bad name"}, sdk.ClassMisconfigured, 550, "the name of this computer"},
		"closes on a name":  {[]string{greeting}, sdk.ClassRetryable, 0, "the name of this computer"},
		"login wanted":      {[]string{greeting, hello, "530 5.7.0 Authentication required"}, sdk.ClassMisconfigured, 530, "set tls, and username"},
		"sender":            {[]string{greeting, hello, "553 5.7.1 not your address"}, sdk.ClassMisconfigured, 553, "to the sender"},
		"sender not now":    {[]string{greeting, hello, "451 4.7.1 later"}, sdk.ClassRetryable, 451, "to the sender"},
		"sender too often":  {[]string{greeting, hello, "421 4.7.0 too many"}, sdk.ClassThrottled, 421, "to the sender"},
		"recipient":         {[]string{greeting, hello, ok, "550-5.1.1 No\r\n550 5.1.1 such user"}, sdk.ClassMisconfigured, 550, "550 5.1.1 No 5.1.1 such user to the recipient a@example.org"},
		"recipient not now": {[]string{greeting, hello, ok, "450 4.2.1 greylisted"}, sdk.ClassRetryable, 450, "a@example.org"},
		"no mail":           {[]string{greeting, hello, ok, ok, "554 no valid recipients"}, sdk.ClassPermanent, 554, "to the mail"},
		"no mail now":       {[]string{greeting, hello, ok, ok, "452 4.3.1 no space"}, sdk.ClassRetryable, 452, "to the mail"},
		"content":           {[]string{greeting, hello, ok, ok, "354 go on", "554 5.6.0 looks like spam"}, sdk.ClassPermanent, 554, "spam"},
		"size":              {[]string{greeting, hello, ok, ok, "354 go on", "552 5.3.4 too big"}, sdk.ClassPermanent, 552, "too big"},
		"content not now":   {[]string{greeting, hello, ok, ok, "354 go on", "451 4.3.0 try again"}, sdk.ClassRetryable, 451, "try again"},
		"closing":           {[]string{greeting, hello, ok, ok, "354 go on", "421 4.3.2 shutting down"}, sdk.ClassThrottled, 421, "shutting down"},
		"nonsense":          {[]string{greeting, hello, ok, ok, "354 go on", "what?"}, sdk.ClassRetryable, 0, "the mail"},
		"gone after it":     {[]string{greeting, hello, ok, ok, "354 go on", ""}, sdk.ClassRetryable, 0, "the mail"},
		"other success":     {[]string{greeting, hello, ok, "251 will forward", "354 go on", ok}, sdk.ClassOK, 250, ""},
		"old server":        {[]string{greeting, "502 what is EHLO?", "250 hello", ok, ok, "354 go on", ok}, sdk.ClassOK, 250, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			receipt, err := plainly(t, dialogue(t, c.replies...)).Deliver(t.Context(), eventtest.Delivery(t, imported))
			class, after := sdk.ClassOf(err)
			require.Equal(t, c.class, class, err)
			require.Zero(t, after)
			require.Equal(t, c.status, receipt.Status)
			if c.says != "" {
				require.ErrorContains(t, err, c.says)
			}
			if c.status > 250 {
				require.True(t, strings.HasPrefix(receipt.Excerpt, c.replies[len(c.replies)-1][:3]), receipt.Excerpt)
			}
		})
	}
}

// The replies to a login come after STARTTLS, which a dialogue cannot have: they are
// classified apart.
func TestRepliesToALoginAreClassified(t *testing.T) {
	t.Parallel()
	made := newest(t, good())
	for code, want := range map[int]sdk.Class{
		421: sdk.ClassThrottled, 432: sdk.ClassRetryable, 454: sdk.ClassRetryable,
		500: sdk.ClassMisconfigured, 504: sdk.ClassMisconfigured, 530: sdk.ClassMisconfigured, 534: sdk.ClassMisconfigured, 535: sdk.ClassMisconfigured, 538: sdk.ClassMisconfigured, 554: sdk.ClassMisconfigured,
	} {
		repeated := "no: " + base64.StdEncoding.EncodeToString([]byte("s3cret")) + " " + base64.StdEncoding.EncodeToString([]byte("\x00hookarr\x00s3cret"))
		receipt, err := made.server.explain(t.Context(), at(stepLogin, reply(code, repeated)))
		class, _ := sdk.ClassOf(err)
		require.Equal(t, want, class, code)
		require.Equal(t, code, receipt.Status)
		require.NotContains(t, receipt.Excerpt+err.Error(), base64.StdEncoding.EncodeToString([]byte("s3cret")))
		require.NotContains(t, receipt.Excerpt+err.Error(), base64.StdEncoding.EncodeToString([]byte("\x00hookarr\x00s3cret")))
		require.Contains(t, err.Error(), "[redacted] [redacted]")
	}
}

// A server may repeat what was sent to log in, after the login too.
func TestALoginShowsInNoReceipt(t *testing.T) {
	t.Parallel()
	sent := base64.StdEncoding.EncodeToString([]byte("\x00hookarr\x00s3cret"))
	made := plainly(t, dialogue(t, "220 mail.example", "250-mail.example\r\n250 AUTH PLAIN", "235 fine", "250 fine", "250 fine", "550 not for "+sent, "354 go on", "250 have it from "+sent))
	made.server.username, made.server.password = "hookarr", "s3cret"
	made.cc = []*mail.Address{{Address: "b@example.org"}}
	receipt, err := made.Deliver(t.Context(), eventtest.Delivery(t, imported))
	require.NoError(t, err)
	require.Contains(t, receipt.Excerpt, "have it from [redacted]")
	require.Contains(t, receipt.Fallback, "not for [redacted]")
}

// Whoever is between could take STARTTLS back, or answer in its place.
func TestNothingIsSentWithoutTheEncryption(t *testing.T) {
	t.Parallel()
	const greeting, hello = "220 mail.example", "250-mail.example\r\n250-AUTH PLAIN\r\n250 STARTTLS"
	for name, c := range map[string]struct {
		replies []string
		class   sdk.Class
		says    string
	}{
		"not offered":     {[]string{greeting, "250-mail.example\r\n250 AUTH PLAIN", "235 fine"}, sdk.ClassMisconfigured, "offers no STARTTLS"},
		"old greeting":    {[]string{greeting, "502 what?", "250 hello", "235 fine"}, sdk.ClassMisconfigured, "offers no STARTTLS"},
		"taken back":      {[]string{greeting, hello, "454 not now", "235 fine"}, sdk.ClassRetryable, "454 not now to the encryption"},
		"refused":         {[]string{greeting, hello, "502 what?", "235 fine"}, sdk.ClassMisconfigured, "to the encryption"},
		"goes on plainly": {[]string{greeting, hello, "220 go on\r\n250-mail.example\r\n250 AUTH PLAIN", "235 fine"}, sdk.ClassMisconfigured, "does not encrypt after it"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			heard := make(chan string, 1)
			port := serve(t, func(conn net.Conn) {
				var b strings.Builder
				in := bufio.NewReader(io.TeeReader(conn, &b))
				for i, reply := range c.replies {
					if i > 0 {
						if _, err := in.ReadString('\n'); err != nil {
							break
						}
					}
					_, _ = io.WriteString(conn, reply+"\r\n")
				}
				_, _ = io.Copy(io.Discard, in)
				heard <- b.String()
			})
			made := plainly(t, port)
			made.server.security, made.server.username, made.server.password = tlsStart, "hookarr", "s3cret"
			_, err := made.Deliver(t.Context(), eventtest.Delivery(t, imported))
			require.ErrorContains(t, err, c.says)
			class, _ := sdk.ClassOf(err)
			require.Equal(t, c.class, class)
			said := <-heard
			require.NotContains(t, said, "AUTH")
			require.NotContains(t, said, "MAIL")
		})
	}
}

func TestConversationEndsWithItsContext(t *testing.T) {
	t.Parallel()
	const hello, greeting, ok = "250 mail.example", "220 mail.example ESMTP", "250 fine"
	for name, replies := range map[string][]string{
		"greeting": nil, "hello": {greeting}, "sender": {greeting, hello}, "recipient": {greeting, hello, ok}, "data": {greeting, hello, ok, ok},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			silent, abandoned := make(chan struct{}), make(chan struct{})
			port := serve(t, func(conn net.Conn) {
				in := bufio.NewReader(conn)
				for i, reply := range replies {
					if i > 0 {
						_, _ = in.ReadString('\n')
					}
					_, _ = io.WriteString(conn, reply+"\r\n")
				}
				close(silent)
				_, _ = io.Copy(io.Discard, in) // until the client goes
				close(abandoned)
			})
			ctx, cancel := context.WithCancel(t.Context())
			made := plainly(t, port)
			returned := make(chan error, 1)
			go func() {
				_, err := made.Deliver(ctx, eventtest.Delivery(t, imported))
				returned <- err
			}()
			<-silent
			cancel()
			err := <-returned
			require.ErrorIs(t, err, context.Canceled)
			class, _ := sdk.ClassOf(err)
			require.Equal(t, sdk.ClassRetryable, class)
			<-abandoned
		})
	}
}

func TestEndlessReplyIsCutOff(t *testing.T) {
	t.Parallel()
	for name, line := range map[string]string{"lines": "220-" + strings.Repeat("a", 500) + "\r\n", "a line": strings.Repeat("a", 1000)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			port := serve(t, func(conn net.Conn) {
				for {
					if _, err := io.WriteString(conn, line); err != nil {
						return
					}
				}
			})
			_, err := plainly(t, port).Deliver(t.Context(), eventtest.Delivery(t, imported))
			require.ErrorIs(t, err, errTalkative)
			class, _ := sdk.ClassOf(err)
			require.Equal(t, sdk.ClassRetryable, class)
		})
	}
}

// What a server does once it has the mail changes nothing.
func TestServerThatSaysNoGoodbye(t *testing.T) {
	t.Parallel()
	port := dialogue(t, "220 mail.example", "250 mail.example", "250 fine", "250 fine", "354 go on", "250 have it")
	receipt, err := plainly(t, port).Deliver(t.Context(), eventtest.Delivery(t, imported))
	require.NoError(t, err)
	require.Contains(t, receipt.Excerpt, "have it")
}

// reply is a server's as the client reports it.
func reply(code int, text string) error { return &textproto.Error{Code: code, Msg: text} }
