package pluginnew

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// writeAll writes files into a directory that is not there or empty, or none of them.
func writeAll(dir string, files []file) (err error) {
	there, err := usable(dir)
	if err != nil {
		return err
	}
	parent := filepath.Dir(dir)
	if there {
		parent = dir
	} else if err := os.MkdirAll(parent, 0o777); err != nil { //nolint:gosec // as mkdir: the umask decides
		return fmt.Errorf("make the module's directory: %w", err)
	}
	staged, err := os.MkdirTemp(parent, ".hookarr-new-")
	if err != nil {
		return fmt.Errorf("make the module's directory: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(staged)) }()
	module := filepath.Join(staged, "module")
	for _, f := range files {
		if err := os.MkdirAll(filepath.Dir(f.in(module)), 0o777); err != nil { //nolint:gosec // as mkdir: the umask decides
			return fmt.Errorf("write the module: %w", err)
		}
		if err := os.WriteFile(f.in(module), f.content, 0o666); err != nil { //nolint:gosec // code, which the umask keeps or not
			return fmt.Errorf("write the module: %w", err)
		}
	}
	if there {
		return moveInto(dir, module)
	}
	if err := os.Rename(module, dir); err != nil {
		return fmt.Errorf("write the module: %w", err)
	}
	return nil
}

// usable reports whether a directory is there, and refuses one that has something in it. A
// repository's own .git may be there.
func usable(dir string) (there bool, err error) {
	const another = "give another with --dir"
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("look at the module's directory: %w", err)
	case !info.IsDir():
		return false, fmt.Errorf("%s is a file: %s", dir, another)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return false, fmt.Errorf("look at the module's directory: %w", err)
	}
	for _, e := range entries {
		if e.Name() != ".git" {
			return false, fmt.Errorf("%s is not empty, it has %s, and stays as it is: %s", dir, e.Name(), another)
		}
	}
	return true, nil
}

// moveInto moves what is in a directory into another, or nothing.
func moveInto(dir, from string) error {
	entries, err := os.ReadDir(from)
	if err != nil {
		return fmt.Errorf("write the module: %w", err)
	}
	for i, e := range entries {
		if err := os.Rename(filepath.Join(from, e.Name()), filepath.Join(dir, e.Name())); err != nil {
			for _, moved := range entries[:i] {
				err = errors.Join(err, os.RemoveAll(filepath.Join(dir, moved.Name())))
			}
			return fmt.Errorf("write the module: %w", err)
		}
	}
	return nil
}
