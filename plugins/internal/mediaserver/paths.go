package mediaserver

import (
	"github.com/hookarr/hookarr/sdk/pathmap"
)

// maxPath is the length of the longest path that is of a file, in bytes: PATH_MAX of Linux.
// Longer ones come from who wants to keep others busy.
const maxPath = 4 << 10

// PathSet finds the one of many paths that another is, or is in, as pathmap.Under would by
// looking at each.
type PathSet struct{ byKey map[string]string }

// NewPathSet returns the set of some paths.
func NewPathSet(paths ...string) PathSet {
	s := PathSet{byKey: make(map[string]string, len(paths))}
	for _, p := range paths {
		s.byKey[pathmap.Canonical(p)] = p
	}
	return s
}

// Len is the number of different paths.
func (s PathSet) Len() int { return len(s.byKey) }

// Match returns the path of the set that a path is, or else the deepest that it is in.
func (s PathSet) Match(path string) (string, bool) {
	if len(path) > maxPath {
		return "", false
	}
	for {
		if p, ok := s.byKey[pathmap.Canonical(path)]; ok {
			return p, true
		}
		up := pathmap.Dir(path)
		if up == path || pathmap.Equal(up, path) {
			return "", false
		}
		path = up
	}
}
