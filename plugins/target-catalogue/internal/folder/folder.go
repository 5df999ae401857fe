// Package folder keeps what applications hold in JSON files: for each source a directory
// with titles.json, which is replaced as a whole, and changes.ndjson, which grows.
package folder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hookarr/hookarr/plugins/target-catalogue/internal/library"
	"github.com/hookarr/hookarr/sdk"
)

// Version is that of the files.
const Version = 1

const (
	lockFile    = ".lock"
	titlesFile  = "titles.json"
	changesFile = "changes.ndjson"
	// formerFile has the changes from before changesFile was begun.
	formerFile = "changes.1.ndjson"
)

// lockPoll is the time between looks at a lock that another process has.
const lockPoll = 50 * time.Millisecond

// Folder keeps libraries in a directory. It is safe for concurrent use, also by several
// processes.
type Folder struct {
	dir  string
	mode fs.FileMode
	now  func() time.Time

	mu sync.Mutex
	// known are the documents as they were read or written last.
	known map[string]*document
}

// Open returns the keeper of a directory, which is made with the first delivery. The mode is
// that of files: who may read them.
func Open(dir string, mode fs.FileMode) *Folder {
	return &Folder{dir: dir, mode: mode, now: time.Now, known: map[string]*document{}}
}

// Close implements io.Closer. There is nothing open.
func (*Folder) Close() error { return nil }

// Keep writes what the events of a delivery say, unless it was written before. Each source's
// file is replaced at once; a delivery of several sources may be written in part when it
// fails, and is completed when it comes again.
func (f *Folder) Keep(ctx context.Context, delivery string, events []sdk.Event) error {
	bySource := map[string][]sdk.Event{}
	for _, e := range events {
		if library.Concerns(e) {
			bySource[e.Source] = append(bySource[e.Source], e)
		}
	}
	if len(bySource) == 0 {
		return nil
	}
	return f.locked(ctx, func() error {
		for _, source := range slices.Sorted(maps.Keys(bySource)) {
			if err := f.keep(ctx, source, delivery, bySource[source]); err != nil {
				delete(f.known, source) // it is not what the file has
				return f.explain(err)
			}
		}
		return nil
	})
}

func (f *Folder) keep(ctx context.Context, source, delivery string, events []sdk.Event) error {
	if !regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,39}$`).MatchString(source) {
		return sdk.Permanent(fmt.Errorf("%q is not the name of a source", source))
	}
	d, err := f.read(source)
	if err != nil {
		return err
	}
	now := f.now()
	if _, seen := d.Internal.Seen[delivery]; !seen {
		if err := d.apply(ctx, delivery, events, now); err != nil {
			return err
		}
		if err := f.write(source, d); err != nil {
			return err
		}
	}
	// Also for a delivery that was seen: the process may have ended between the two.
	return f.appendChanges(source, d.Internal.Changes)
}

// Check says in one sentence what there is. It makes the directory if it is missing.
func (f *Folder) Check(ctx context.Context) (string, error) {
	var said string
	err := f.locked(ctx, func() error {
		entries, err := os.ReadDir(f.dir)
		if err != nil {
			return f.explain(err)
		}
		var sources, titles, files int
		for _, entry := range entries {
			if !entry.IsDir() {
				continue
			}
			d, err := f.read(entry.Name())
			if err != nil {
				return f.explain(err)
			}
			if d.Seq == 0 && len(d.Internal.Seen) == 0 {
				continue
			}
			sources++
			for _, t := range d.Internal.Library.Titles() {
				if t.Held {
					titles++
				}
			}
			for _, file := range d.Internal.Library.Files() {
				if file.Held {
					files++
				}
			}
		}
		said = fmt.Sprintf("JSON files in %s, version %d; sources: %d, titles: %d, files: %d", f.dir, Version, sources, titles, files)
		return nil
	})
	return said, err
}

// locked runs do while no other process writes into the directory.
func (f *Folder) locked(ctx context.Context, do func() error) (err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := os.MkdirAll(f.dir, f.dirMode()); err != nil {
		return f.explain(fmt.Errorf("make the directory: %w", err))
	}
	lock, err := os.OpenFile(filepath.Join(f.dir, lockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return f.explain(fmt.Errorf("open the lock: %w", err))
	}
	defer func() { err = errors.Join(err, lock.Close()) }() // which gives the lock back
	for {
		err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return do()
		}
		if !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) {
			return f.explain(fmt.Errorf("lock the directory: %w", err))
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for another process that writes into %s: %w", f.dir, ctx.Err())
		case <-time.After(lockPoll):
		}
	}
}

// dirMode lets those in who may read.
func (f *Folder) dirMode() fs.FileMode { return f.mode | 0o100 | (f.mode&0o044)>>2 }

// explain gives an error its class, and words that say what to do.
func (f *Folder) explain(err error) error {
	class, _ := sdk.ClassOf(err)
	switch {
	case err == nil, class != sdk.ClassRetryable:
		return err
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("the disk of %s is full; the files are as they were, and the delivery is tried again: make room: %w", f.dir, err)
	case errors.Is(err, syscall.EROFS), errors.Is(err, fs.ErrPermission):
		return sdk.Misconfigured(fmt.Errorf("%s is read-only for the user that Hookarr runs as: let it write there: %w", f.dir, err))
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return sdk.Misconfigured(fmt.Errorf("%s is no directory that can be made: check the path: %w", f.dir, err))
	default:
		return err
	}
}
