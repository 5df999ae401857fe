package main

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// visible writes text in which no character acts on a terminal or hides what others say:
// control and format characters, such as those that turn the direction of text, become
// \u202e. In JSON that is another spelling of the same. Each Write has whole characters.
type visible struct{ io.Writer }

// Write implements io.Writer.
func (v visible) Write(p []byte) (int, error) {
	escaped := p
	if !utf8.Valid(p) || bytes.ContainsFunc(p, acts) {
		escaped = escape(p)
	}
	if _, err := v.Writer.Write(escaped); err != nil {
		return 0, err
	}
	return len(p), nil
}

func acts(r rune) bool {
	return r != '\n' && r != '\t' && unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)
}

func escape(p []byte) []byte {
	var b bytes.Buffer
	for len(p) > 0 {
		r, size := utf8.DecodeRune(p)
		switch {
		case r == utf8.RuneError && size == 1:
			_, _ = fmt.Fprintf(&b, `\x%02x`, p[0])
		case !acts(r):
			b.Write(p[:size])
		default:
			for _, unit := range utf16.Encode([]rune{r}) {
				_, _ = fmt.Fprintf(&b, `\u%04x`, unit)
			}
		}
		p = p[size:]
	}
	return b.Bytes()
}

// isTerminal reports whether w is a terminal, or another device.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&fs.ModeCharDevice != 0
}

// exact returns where bytes go that are to stay as they are, unless a person looks at them.
func exact(w io.Writer) io.Writer {
	if v, ok := w.(visible); ok && !isTerminal(v.Writer) {
		return v.Writer
	}
	return w
}
