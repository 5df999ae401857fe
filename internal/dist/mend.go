package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// mend is a text in a file of a module that is replaced where the module does not compile as it
// is. The notices tell of it.
type mend struct{ module, file, old, new string }

func (m mend) String() string { return fmt.Sprintf("in %s, %s is %s", m.file, m.old, m.new) }

// mend copies modules into dir, mends them there, and returns the flag by which Go builds with
// them; without any, none.
func (r *release) mend(ctx context.Context, mends []mend, dir string) (string, error) {
	if len(mends) == 0 {
		return "", nil
	}
	paths := make([]string, len(mends))
	for i, m := range mends {
		paths[i] = m.module
	}
	modules, err := r.modules(ctx, paths)
	if err != nil {
		return "", err
	}
	for _, name := range []string{"go.mod", "go.sum"} {
		content, err := os.ReadFile(filepath.Join(r.root, name))
		if err != nil {
			return "", fmt.Errorf("mend modules: %w", err)
		}
		if err := writeFile(filepath.Join(dir, name), string(content)); err != nil {
			return "", err
		}
	}
	modfile := filepath.Join(dir, "go.mod")
	for _, m := range mends {
		// Binaries name the directory: as one of the repository, it is the same everywhere.
		to, err := filepath.Rel(r.root, filepath.Join(dir, filepath.Base(m.module)))
		if err != nil {
			return "", fmt.Errorf("mend modules: %w", err)
		}
		if err := m.copy(modules[m.module], filepath.Join(r.root, to)); err != nil {
			return "", fmt.Errorf("mend %s: %w", m.module, err)
		}
		if _, err := r.output(ctx, "go", "mod", "edit", "-replace", m.module+"=./"+filepath.ToSlash(to), modfile); err != nil {
			return "", err
		}
	}
	return "-modfile=" + modfile, nil
}

// mendFor mends what a platform needs into dir.
func (r *release) mendFor(ctx context.Context, platforms []platform, dir string) error {
	if len(platforms) != 1 {
		return errors.New("-mend is for one platform: name it")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return fmt.Errorf("find modules to mend: %w", err)
	}
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("clear mended modules: %w", err)
	}
	_, err = r.mend(ctx, platforms[0].mends, dir)
	return err
}

func (m mend) copy(from, to string) error {
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		return err
	}
	path := filepath.Join(to, m.file)
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if bytes.Count(content, []byte(m.old)) != 1 {
		return fmt.Errorf("%s has no %s any more: see whether it compiles as it is", m.file, m.old)
	}
	return writeFile(path, string(bytes.Replace(content, []byte(m.old), []byte(m.new), 1)))
}
