package admin

import (
	"net/url"
	"path"
	"strings"
)

// maxLocal bounds an address that people are sent to, in bytes.
const maxLocal = 2000

// Local returns the path and query that a link or a form names if they are of this server,
// without the base path, or else other. What a browser might take for the address of
// another is not, nor is what no page can have.
func Local(to, other string) string {
	if len(to) > maxLocal || !strings.HasPrefix(to, "/") || strings.ContainsFunc(to, misread) {
		return other
	}
	u, err := url.Parse(to)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" {
		return other
	}
	if clean := path.Clean(u.Path); u.Path != clean && u.Path != clean+"/" || strings.HasPrefix(u.Path, "//") {
		return other
	}
	u.Fragment, u.RawFragment = "", ""
	return u.RequestURI()
}

// misread reports whether browsers leave a character out of an address, or take it for a
// slash.
func misread(c rune) bool { return c <= ' ' || c == '\\' || c >= 0x7f }
