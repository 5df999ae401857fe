package endpoint

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/http"
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Mail is a mail that was taken: its envelope, and what its readers see.
type Mail struct {
	// User is who logged in, Encrypted whether the connection was.
	User      string `json:"-"`
	Encrypted bool   `json:"-"`
	// From and To are of the envelope.
	From string   `json:",omitempty"`
	To   []string `json:",omitempty"`
	// Header has the fields, decoded, without Date and what MIME needs.
	Header map[string]string
	Text   string
	HTML   string
	// Pictures are parts of the mail that the page shows: their types by their identifiers.
	Pictures map[string]string `json:",omitempty"`
}

// ReadMail reads a mail as SMTP does, which has no envelope then.
func ReadMail(raw []byte) (Mail, error) {
	var m Mail
	err := m.read(raw)
	return m, err
}

// once are the fields that a mail has at most once: RFC 5322, section 3.6.
func once() []string {
	return []string{"Date", "From", "To", "Cc", "Subject", "Message-Id", "In-Reply-To", "References"}
}

// read reads a mail as its readers do, and refuses what one of them could stumble over.
func (m *Mail) read(raw []byte) error {
	const longestLine = 998 // RFC 5322, section 2.1.1
	for line := range bytes.SplitSeq(raw, []byte("\r\n")) {
		switch {
		case len(line) > longestLine:
			return wrong("a line of %d bytes", len(line))
		case bytes.ContainsAny(line, "\r\n\x00"):
			return wrong("a line with control characters: %q", line)
		case bytes.ContainsFunc(line, func(r rune) bool { return r > unicode.MaxASCII }):
			return wrong("a line with 8-bit characters: %q", line)
		}
	}
	parsed, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return wrong("%s", err)
	}
	if err := m.readHeader(parsed.Header); err != nil {
		return err
	}
	if err := m.readParts(parsed.Header.Get("Content-Type"), parsed.Body); err != nil {
		return err
	}
	if strings.TrimSpace(m.Text) == "" || m.HTML == "" || m.Header["Subject"] == "" {
		return wrong("a part is empty")
	}
	shown := 0
	for _, u := range m.Loads() {
		if id, ok := strings.CutPrefix(u, "cid:"); ok {
			shown++
			if m.Pictures[id] == "" {
				return wrong("the page shows %s, which is no part", u)
			}
		}
	}
	if shown != len(m.Pictures) {
		return wrong("%d pictures, of which the page shows %d", len(m.Pictures), shown)
	}
	return nil
}

func (m *Mail) readHeader(h mail.Header) error {
	m.Header = map[string]string{}
	for name, values := range h {
		if len(values) > 1 && slices.Contains(once(), name) {
			return wrong("%d fields %s", len(values), name)
		}
		text, err := new(mime.WordDecoder).DecodeHeader(strings.Join(values, "\n"))
		if err != nil || !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
			return wrong("field %s: %q", name, values)
		}
		m.Header[name] = text
	}
	if _, err := h.Date(); err != nil {
		return wrong("date: %s", err)
	}
	for _, name := range []string{"From", "To"} {
		if list, err := h.AddressList(name); err != nil || len(list) == 0 {
			return wrong("%s: %v", name, err)
		}
	}
	if _, ok := h["Cc"]; ok {
		if _, err := h.AddressList("Cc"); err != nil {
			return wrong("Cc: %s", err)
		}
	}
	id := regexp.MustCompile(`^<[\w.+-]+@[A-Za-z0-9.-]+>$`)
	for _, name := range []string{"Message-Id", "In-Reply-To", "References"} {
		if value, ok := h[name]; ok && !id.MatchString(value[0]) || name == "Message-Id" && !ok {
			return wrong("%s: %q", name, value)
		}
	}
	for _, name := range []string{"Date", "Mime-Version", "Content-Type"} {
		delete(m.Header, name)
	}
	return nil
}

// readParts reads a text and a page that say the same, alone or with pictures.
func (m *Mail) readParts(contentType string, body io.Reader) error {
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil || kind != "multipart/alternative" && kind != "multipart/related" {
		return wrong("Content-Type %q", contentType)
	}
	for r := multipart.NewReader(body, params["boundary"]); ; {
		part, err := r.NextRawPart()
		if err == io.EOF { //nolint:errorlint // The reader documents the bare value.
			return nil
		}
		if err != nil {
			return wrong("parts: %s", err)
		}
		of := part.Header.Get("Content-Type")
		switch {
		case kind == "multipart/alternative":
			err = m.readText(of, part)
		case strings.HasPrefix(of, "multipart/alternative"):
			err = m.readParts(of, part)
		default:
			err = m.readPicture(of, part)
		}
		if err != nil {
			return err
		}
	}
}

func (m *Mail) readText(contentType string, part *multipart.Part) error {
	if encoding := part.Header.Get("Content-Transfer-Encoding"); encoding != "quoted-printable" {
		return wrong("encoding %q", encoding)
	}
	content, err := io.ReadAll(quotedprintable.NewReader(part))
	if err != nil || !utf8.Valid(content) {
		return wrong("part: %v", err)
	}
	text := strings.ReplaceAll(string(content), "\r\n", "\n")
	switch {
	case contentType == "text/plain; charset=UTF-8" && m.Text == "" && m.HTML == "":
		m.Text = text
	case contentType == "text/html; charset=UTF-8" && m.HTML == "":
		m.HTML = text
	default:
		return wrong("a part of %s", contentType)
	}
	return nil
}

func (m *Mail) readPicture(contentType string, part *multipart.Part) error {
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil || !strings.HasPrefix(kind, "image/") || part.Header.Get("Content-Transfer-Encoding") != "base64" {
		return wrong("a part of %s", contentType)
	}
	content, err := io.ReadAll(base64.NewDecoder(base64.StdEncoding, part))
	if err != nil || http.DetectContentType(content) != kind {
		return wrong("a picture of %s: %v", kind, err)
	}
	if m.Pictures == nil {
		m.Pictures = map[string]string{}
	}
	m.Pictures[strings.Trim(part.Header.Get("Content-Id"), "<>")] = kind
	return nil
}

// Loads returns what the page loads by itself, such as pictures.
func (m *Mail) Loads() []string {
	var urls []string
	for _, found := range regexp.MustCompile(`(?i)(?:src|background)="([^"]*)"|url\(([^)]*)\)`).FindAllStringSubmatch(m.HTML, -1) {
		urls = append(urls, found[1]+found[2])
	}
	return urls
}

// String shows the mail in a failed test.
func (m *Mail) String() string {
	return fmt.Sprintf("%s: %s", m.Header["Message-Id"], m.Header["Subject"])
}
