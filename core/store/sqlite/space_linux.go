package sqlite

import (
	"golang.org/x/sys/unix"

	"github.com/hookarr/hookarr/core/store"
)

// space looks at the file system that a path is on.
func space(path string) (store.Space, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(path, &s); err != nil {
		return store.Space{}, err
	}
	size := int64(s.Frsize) //nolint:unconvert // of another size on other systems
	if size == 0 {
		size = int64(s.Bsize) //nolint:unconvert // see above
	}
	// What is kept back for root is not ours.
	return store.Space{
		Free: int64(s.Bavail) * size, Total: int64(s.Blocks) * size, ReadOnly: s.Flags&unix.ST_RDONLY != 0,
	}, nil
}
