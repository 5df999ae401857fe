package email

import (
	"bytes"
	"context"
	"net"
	"net/http"
	netmail "net/mail"
	"strings"
	"time"

	"github.com/wneessen/go-mail"

	"github.com/hookarr/hookarr/sdk"
)

// field is a header field of a mail.
type field struct{ name, value string }

// fields returns the header fields that are of Hookarr's own making. All values are ASCII
// without line breaks.
func (t *target) fields(l letter) []field {
	all := []field{
		{"Message-ID", "<" + l.id + ">"},
		// RFC 3834: answering machines do not answer. Exchange needs its own word for it.
		{"Auto-Submitted", "auto-generated"},
		{"X-Auto-Response-Suppress", "All"},
		// RFC 2919: what filters of mail programs go by.
		{"List-Id", "<" + t.instance + ".hookarr." + domain(t.from) + ">"},
	}
	if l.thread != "" {
		// Nobody ever sent the mail that these refer to. Programs show as one conversation
		// what refers to the same.
		all = append(all, field{"In-Reply-To", "<" + l.thread + ">"}, field{"References", "<" + l.thread + ">"})
	}
	return all
}

// mime is a letter in the form in which it is sent.
func (t *target) mime(l letter) *mail.Msg {
	m := mail.NewMsg(mail.WithNoDefaultUserAgent())
	m.FromMailAddress(t.from)
	m.ToMailAddress(t.to...)
	if len(t.cc) > 0 {
		m.CcMailAddress(t.cc...)
	}
	m.Subject(l.subject)
	m.SetDateWithValue(time.Now())
	for _, f := range t.fields(l) {
		m.SetGenHeader(mail.Header(f.name), f.value)
	}
	if l.urgent {
		m.SetImportance(mail.ImportanceHigh)
	}
	m.SetBodyString(mail.TypeTextPlain, l.text)
	m.AddAlternativeString(mail.TypeTextHTML, l.html)
	if p := l.picture; p != nil {
		m.EmbedReadSeeker(p.Name, bytes.NewReader(p.Data), mail.WithFileContentID("<"+t.writer.pictureID()+">"), mail.WithFileContentType(mail.ContentType(p.Type)))
	}
	return m
}

// record shows operators the letter as a request: what they can read, before it is
// encoded. The error is for a preview.
func (t *target) record(ctx context.Context, l letter) error {
	body := l.text + "\n" + l.html
	req, err := http.NewRequestWithContext(ctx, "MAIL", t.server.url(), strings.NewReader(body))
	if err != nil {
		return sdk.Misconfigured(err)
	}
	req.Header = http.Header{"From": {t.from.String()}, "To": {addressLine(t.to)}, "Subject": {l.subject}}
	if len(t.cc) > 0 {
		req.Header["Cc"] = []string{addressLine(t.cc)}
	}
	for _, f := range t.fields(l) {
		req.Header[f.name] = []string{f.value}
	}
	return sdk.Record(req)
}

// url names the server as people do.
func (s *server) url() string {
	scheme := "smtp://"
	if s.security == tlsImplicit {
		scheme = "smtps://"
	}
	return scheme + net.JoinHostPort(s.host, s.port)
}

func addressLine(all []*netmail.Address) string {
	texts := make([]string, 0, len(all))
	for _, a := range all {
		texts = append(texts, a.String())
	}
	return strings.Join(texts, ", ")
}
