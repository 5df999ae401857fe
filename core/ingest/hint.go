package ingest

import (
	"bytes"
	"encoding/json"
	"mime"
	"regexp"
	"unicode/utf8"

	"github.com/hookarr/hookarr/core/event"
)

// byteOrderMark begins some texts in UTF-8.
const byteOrderMark = "\uFEFF"

// hint says of a body that no decoder understood what it looks like, and what to set at
// its sender. It is empty for JSON, of which the decoder knows better, and for what
// looks like nothing in particular.
func hint(r event.Request) string {
	if e := encoding(r.Header); e != "" {
		return packedHint(e)
	}
	for _, packed := range []struct{ magic, hint string }{
		{"\x1f\x8b", "it is gzip: have the sender say so by Content-Encoding: gzip, or not compress it"},
		{"\x28\xb5\x2f\xfd", "it is zstd: have the sender use gzip with Content-Encoding: gzip, or not compress it"},
		{"\x78\x01", deflateHint},
		{"\x78\x9c", deflateHint},
		{"\x78\xda", deflateHint},
	} {
		if bytes.HasPrefix(r.Body, []byte(packed.magic)) {
			return packed.hint
		}
	}
	if utf16(r.Body) {
		return "it is text in UTF-16: have the sender write UTF-8"
	}
	text := bytes.TrimSpace(bytes.TrimPrefix(r.Body, []byte(byteOrderMark)))
	switch {
	case len(text) == 0:
		return "it is blank: enter a payload at the sender"
	case json.Valid(text):
		return ""
	}
	return textHint(text, r.Header.Get("Content-Type"))
}

const deflateHint = "it is compressed by deflate: have the sender say so by Content-Encoding: deflate, or not compress it"

func packedHint(encoding string) string {
	switch encoding {
	case "gzip", "x-gzip", "deflate":
		return "its Content-Encoding says " + encoding + ", and it is not, or breaks off: look at what is between the sender and here, or have the sender not compress it"
	case "br", "zstd", "compress":
		return "it is compressed by " + encoding + ": have the sender use gzip, or not compress it"
	default:
		return "its Content-Encoding is not known here: have the sender use gzip, or not compress it"
	}
}

var (
	html = regexp.MustCompile(`(?i)^(<!--.*?-->\s*)?<(!doctype html|html|head|body)\b`)
	xml  = regexp.MustCompile(`^<(\?xml\b|[A-Za-z_])`)
	form = regexp.MustCompile(`^[A-Za-z0-9_.%+\[\]-]+=[^\s]*$`)
	part = regexp.MustCompile(`(?i)^--[^\r\n]+\r?\ncontent-`)
)

// maxLook is how much of a body is looked at, in bytes.
const maxLook = 64 << 10

func textHint(text []byte, contentType string) string {
	declared, _, _ := mime.ParseMediaType(contentType)
	start := text[:min(len(text), maxLook)]
	switch {
	case declared == "multipart/form-data", part.Match(start):
		return "it is a multipart form: have the sender post JSON"
	case html.Match(start):
		return "it is HTML, as of a login or an error page: enter the URL of this source where the sender posts JSON, and see whether a proxy is between"
	case xml.Match(start):
		return "it is XML: have the sender post JSON"
	case declared == "application/x-www-form-urlencoded", form.Match(start):
		return "it is a form: have the sender post JSON, with Content-Type: application/json"
	case !utf8.Valid(text):
		return "it is not text in UTF-8: have the sender write JSON in UTF-8"
	default:
		return ""
	}
}

// utf16 knows a text by its byte order mark, or as JSON by the zero beside its first
// character.
func utf16(body []byte) bool {
	for _, start := range []string{"\xff\xfe", "\xfe\xff", "{\x00", "\x00{", "[\x00", "\x00["} {
		if bytes.HasPrefix(body, []byte(start)) {
			return true
		}
	}
	return false
}
