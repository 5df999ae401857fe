package pathmap

import (
	"slices"
	"strings"
)

// form is the way a path is written.
type form int

const (
	// relative is everything that begins nowhere: it matches nothing.
	relative form = iota
	// posix is /a/b. A backslash is a character of a name there.
	posix
	// drive is C:\a or C:/a, the drive being the first component.
	drive
	// unc is \\server\share or //server/share, the server being the first component.
	unc
	// address is smb://server/share, the server being the first component. The scheme is
	// kept as it is written.
	address
)

// path is a path in its parts.
type path struct {
	form   form
	scheme string
	// separator is the one that the path is written with, and parts its names, without
	// empty ones and single dots.
	separator string
	parts     []string
}

// parse reads a path. Doubled and trailing separators, and single dots, are left out.
func parse(s string) path {
	p := path{separator: "/"}
	rest := s
	switch scheme, after, ok := strings.Cut(s, "://"); {
	case ok && isScheme(scheme):
		p.form, p.scheme, rest = address, scheme, after
	case isDrive(s):
		p.form, p.separator = drive, separatorOf(s[2:])
	case strings.HasPrefix(s, `\\`), strings.HasPrefix(s, "//") && !strings.HasPrefix(s, "///"):
		p.form, p.separator = unc, s[:1]
	case strings.HasPrefix(s, "/"):
		p.form = posix
	default:
		return path{separator: "/"}
	}
	for name := range strings.FieldsFuncSeq(rest, p.separates) {
		if name != "." {
			p.parts = append(p.parts, name)
		}
	}
	if p.form == unc && len(p.parts) == 0 {
		// Two separators name no server: one that is a slash is the root.
		if p.separator != "/" {
			return path{separator: "/"}
		}
		p.form = posix
	}
	return p
}

func isScheme(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '+' && r != '-' && r != '.'
	})
}

func isDrive(s string) bool {
	return len(s) >= 2 && s[1] == ':' && (s[0]|0x20 >= 'a' && s[0]|0x20 <= 'z') && (len(s) == 2 || s[2] == '/' || s[2] == '\\')
}

// separatorOf is the first separator in a Windows path, or the one that Windows writes.
func separatorOf(s string) string {
	if i := strings.IndexAny(s, `/\`); i >= 0 {
		return s[i : i+1]
	}
	return `\`
}

func (p path) windows() bool { return p.form == drive || p.form == unc }

func (p path) separates(r rune) bool { return r == '/' || p.windows() && r == '\\' }

// usable reports whether a path leads to one certain place.
func (p path) usable() bool { return p.form != relative && !slices.Contains(p.parts, "..") }

// String writes a path with its own separators, without one at the end but for roots.
func (p path) String() string {
	joined := strings.Join(p.parts, p.separator)
	switch p.form {
	case posix:
		return "/" + joined
	case drive:
		if len(p.parts) == 1 {
			return joined + p.separator
		}
		return joined
	case unc:
		return p.separator + p.separator + joined
	case address:
		return p.scheme + "://" + joined
	default:
		return joined
	}
}

// startsWith reports whether root is p or one of the folders that p is in.
func (p path) startsWith(root path) bool {
	return p.usable() && root.usable() && p.form == root.form && strings.EqualFold(p.scheme, root.scheme) &&
		len(p.parts) >= len(root.parts) && slices.EqualFunc(p.parts[:len(root.parts)], root.parts, p.sameName)
}

// sameName compares names as the system does that a path is of.
func (p path) sameName(a, b string) bool {
	if p.windows() {
		return strings.EqualFold(a, b)
	}
	return a == b
}

// with returns p with other parts.
func (p path) with(parts []string) path {
	p.parts = parts
	return p
}

// fixed is how many of the first parts are no folder: a drive, a server.
func (p path) fixed() int {
	if p.form == posix {
		return 0
	}
	return min(1, len(p.parts))
}

// Absolute reports whether a path says where it begins: /a, C:\a, \\server\share or
// smb://server/share.
func Absolute(path string) bool { return parse(path).form != relative }

// Clean returns a path without doubled and trailing separators and without single dots.
// A relative path is returned as it is.
func Clean(path string) string {
	p := parse(path)
	if p.form == relative {
		return path
	}
	return p.String()
}

// Equal reports whether two absolute paths are one place: separators at the end are no
// difference, and in Windows forms neither the kind of separator nor the case. Paths
// that are not absolute or have a part ".." equal nothing.
func Equal(a, b string) bool {
	p, q := parse(a), parse(b)
	return len(p.parts) == len(q.parts) && p.startsWith(q)
}

// Under reports whether a path is root or in it, by whole components: /mnt/mediabackup is
// not under /mnt/media. It compares like [Equal].
func Under(path, root string) bool { return parse(path).startsWith(parse(root)) }

// Within returns what a path has below root: names with the path's own separators between
// them, and nothing for root itself. It reports false for a path that is not [Under] root.
// Names that only differ in case may differ in length, so that a path is not to be cut at
// the length of the root.
func Within(path, root string) (string, bool) {
	p, r := parse(path), parse(root)
	if !p.startsWith(r) {
		return "", false
	}
	return strings.Join(p.parts[len(r.parts):], p.separator), true
}

// Dir returns the folder that a path is in, and of a root the root.
func Dir(path string) string {
	p := parse(path)
	if p.form == relative {
		return path
	}
	return p.with(p.parts[:max(p.fixed(), len(p.parts)-1)]).String()
}

// Base returns the last name of a path, and nothing for a root.
func Base(path string) string {
	p := parse(path)
	if len(p.parts) <= p.fixed() {
		return ""
	}
	return p.parts[len(p.parts)-1]
}

// Join adds names to a folder, with the separators of the folder. A name may be several
// with separators of either kind between them only where the folder is of a Windows form,
// and with / everywhere.
func Join(folder string, names ...string) string {
	p := parse(folder)
	if p.form == relative {
		return strings.Join(append([]string{folder}, names...), "/")
	}
	parts := slices.Clone(p.parts)
	for _, name := range names {
		for part := range strings.FieldsFuncSeq(name, p.separates) {
			parts = append(parts, part)
		}
	}
	return p.with(parts).String()
}

// CutSuffix takes from the ends of two absolute paths the names that they share, and
// returns what is left of both and how many names went. Case is no difference when fold is
// set, or when either path is of a Windows form. Drives and servers stay.
func CutSuffix(a, b string, fold bool) (restA, restB string, shared int) {
	p, q := parse(a), parse(b)
	if !p.usable() || !q.usable() {
		return a, b, 0
	}
	fold = fold || p.windows() || q.windows()
	i, j := len(p.parts), len(q.parts)
	for i > p.fixed() && j > q.fixed() {
		if x, y := p.parts[i-1], q.parts[j-1]; x != y && (!fold || !strings.EqualFold(x, y)) {
			break
		}
		i, j, shared = i-1, j-1, shared+1
	}
	return p.with(p.parts[:i]).String(), q.with(q.parts[:j]).String(), shared
}
