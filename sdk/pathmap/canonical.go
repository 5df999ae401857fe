package pathmap

import "strings"

// Canonical returns a text that is the same for paths that are [Equal], and another for others,
// so that a map of Go can have paths as keys. That of a path that is not absolute, or has
// a part "..", is the path, though such a path is not Equal to itself.
func Canonical(path string) string {
	p := parse(path)
	if !p.usable() {
		return path
	}
	names := strings.Join(p.parts, "/")
	if p.windows() {
		// The second turn makes one of letters that only have one case in common.
		names = strings.ToLower(strings.ToUpper(names))
	}
	switch p.form {
	case drive:
		return names
	case unc:
		return "//" + names
	case address:
		return strings.ToLower(p.scheme) + "://" + names
	default:
		return "/" + names
	}
}
