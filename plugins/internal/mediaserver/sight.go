package mediaserver

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/pathmap"
)

// sight is what a server sees on its disks, each folder looked at once. It lasts for one
// step of a delivery.
type sight struct {
	target *Target
	looker Looker // nil for a server that does not tell
	seen   map[string]listing
	// names is how many names the listings have.
	names  int
	probed map[string]bool
}

// maxNames bounds the names of files that are held at once, about 200 bytes each.
const maxNames = 500_000

// listing is what is in a folder, by the keys of the paths.
type listing struct {
	in     map[string]bool
	exists bool
}

func (t *Target) look() *sight {
	looker, _ := t.server.(Looker)
	return &sight{target: t, looker: looker, seen: map[string]listing{}, probed: map[string]bool{}}
}

// blind says that the server tells nothing of its disks.
func (s *sight) blind() bool { return s.looker == nil }

func (s *sight) list(ctx context.Context, folder string) (listing, error) {
	if l, ok := s.seen[folder]; ok {
		return l, nil
	}
	if s.blind() {
		return listing{exists: true}, nil
	}
	names, err := s.looker.List(ctx, folder)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		s.looker = nil
		return listing{exists: true}, nil
	case errors.Is(err, fs.ErrNotExist):
		s.seen[folder] = listing{}
	case err != nil:
		return listing{}, fmt.Errorf("ask %s for what is in %s: %w", s.target.options.Name, folder, err)
	default:
		if s.names += len(names); s.names > maxNames {
			clear(s.seen) // they are asked for again
			s.names = len(names)
		}
		in := make(map[string]bool, len(names))
		for _, name := range names {
			in[pathmap.Canonical(pathmap.Join(folder, name))] = true
		}
		s.seen[folder] = listing{in: in, exists: true}
	}
	return s.seen[folder], nil
}

// has reports whether the server sees a file or a folder. A blind one is believed to.
func (s *sight) has(ctx context.Context, path string) (bool, error) {
	if s.blind() {
		return true, nil
	}
	if p, ok := s.looker.(Prober); ok {
		return s.probe(ctx, p, path)
	}
	folder := pathmap.Dir(path)
	l, err := s.list(ctx, folder)
	if err != nil || s.blind() || pathmap.Equal(folder, path) { // a root
		return l.exists, err
	}
	return l.in[pathmap.Canonical(path)], nil
}

func (s *sight) probe(ctx context.Context, p Prober, path string) (bool, error) {
	if seen, ok := s.probed[path]; ok {
		return seen, nil
	}
	seen, err := p.Sees(ctx, path)
	if err != nil {
		return false, fmt.Errorf("ask %s whether it sees %s: %w", s.target.options.Name, path, err)
	}
	s.probed[path] = seen
	return seen, nil
}

// guard returns why nothing must be scanned in a library now: a disk that is gone looks to
// a server like the deletion of all that was on it.
func (s *sight) guard(ctx context.Context, l *Library, path string) error {
	if s.blind() {
		return nil
	}
	name, root, anchored := s.target.options.Name, l.Root(path), false
	for _, anchor := range s.target.config.Anchors {
		ok, err := s.has(ctx, anchor)
		if err != nil {
			return err
		}
		if !ok {
			return s.offline(fmt.Errorf("%s does not see the anchor %s: is its disk mounted? Nothing is scanned until it is seen", name, anchor))
		}
		anchored = anchored || pathmap.Under(anchor, root)
	}
	in, err := s.list(ctx, root)
	switch {
	case err != nil || s.blind():
		return err
	case !in.exists:
		return s.offline(fmt.Errorf("%s does not see the folder %s of its library %q: is its disk mounted? Nothing is scanned until it is seen", name, root, l.Name))
	case len(in.in) == 0 && !anchored:
		return s.offline(fmt.Errorf("the folder %s of the library %q is empty for %s: is its disk mounted? Nothing is scanned until there is something in it, or an anchor in anchors", root, l.Name, name))
	}
	return nil
}

func (s *sight) offline(err error) error { return sdk.Throttled(s.target.options.Offline, err) }

// existing is the folder to scan in the place of one that may be gone: itself, or the
// nearest above it that is there. Above the folder that titles are in, nothing is
// scanned: more than a title is gone then.
func (s *sight) existing(ctx context.Context, f *folder) (string, error) {
	c := f.changes[0]
	root := f.library.Root(f.path)
	if s.blind() {
		if c.Gone && c.Folder && !pathmap.Equal(f.path, root) {
			return pathmap.Dir(f.path), nil
		}
		return f.path, nil
	}
	top := f.path
	if c.Title.Path != "" && pathmap.Under(f.path, c.Title.Path) {
		top = c.Title.Path
	}
	if !pathmap.Equal(top, root) {
		top = pathmap.Dir(top)
	}
	for at := f.path; ; at = pathmap.Dir(at) {
		l, err := s.list(ctx, at)
		if err != nil {
			return "", err
		}
		if l.exists {
			return at, nil
		}
		if pathmap.Equal(at, top) || pathmap.Equal(at, root) || pathmap.Equal(at, pathmap.Dir(at)) {
			return "", s.offline(fmt.Errorf("%s does not see %s, where more than one title was: is a disk gone? Nothing is scanned until it is seen", s.target.options.Name, at))
		}
	}
}
