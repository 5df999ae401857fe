package main

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// writeArchive writes a tar.gz of a directory, below the name top. Its entries are sorted and
// root's, and bear one time and one of two modes.
func writeArchive(path, dir, top string, at time.Time) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write archive: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	z, err := gzip.NewWriterLevel(f, gzip.BestCompression)
	if err != nil {
		return fmt.Errorf("write archive: %w", err)
	}
	t := tar.NewWriter(z)
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		return addEntry(t, path, filepath.ToSlash(filepath.Join(top, rel)), entry, at)
	})
	if err = errors.Join(err, t.Close(), z.Close()); err != nil {
		return fmt.Errorf("write archive: %w", err)
	}
	return nil
}

func addEntry(t *tar.Writer, path, name string, entry fs.DirEntry, at time.Time) error {
	info, err := entry.Info()
	if err != nil {
		return err
	}
	h := &tar.Header{Name: name, ModTime: at, Mode: int64(plainMode(info)), Format: tar.FormatPAX}
	switch {
	case entry.IsDir():
		h.Typeflag, h.Name = tar.TypeDir, name+"/"
	case entry.Type()&fs.ModeSymlink != 0:
		h.Typeflag = tar.TypeSymlink
		if h.Linkname, err = os.Readlink(path); err != nil {
			return err
		}
	default:
		h.Typeflag, h.Size = tar.TypeReg, info.Size()
	}
	if err := t.WriteHeader(h); err != nil {
		return err
	}
	if h.Typeflag != tar.TypeReg {
		return nil
	}
	return copyFile(t, path)
}

// plainMode is 0755 for what is executable, and 0644 for the rest, whatever the umask was.
func plainMode(info fs.FileInfo) fs.FileMode {
	if info.IsDir() || info.Mode()&(0o111|fs.ModeSymlink) != 0 {
		return 0o755
	}
	return 0o644
}

func copyFile(w io.Writer, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, f)
	return errors.Join(err, f.Close())
}

// sumsFile is in the form that sha256sum --check reads.
const sumsFile = "SHA256SUMS"

// file is one of the results.
type file struct {
	name, sum string
	size      int64
}

// writeSums writes the checksums of all files of a directory beside them.
func writeSums(dir string) ([]file, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("write checksums: %w", err)
	}
	var files []file
	var text strings.Builder
	for _, entry := range entries {
		h := sha256.New()
		if err := copyFile(h, filepath.Join(dir, entry.Name())); err != nil {
			return nil, fmt.Errorf("write checksums: %w", err)
		}
		info, err := entry.Info()
		if err != nil {
			return nil, fmt.Errorf("write checksums: %w", err)
		}
		f := file{name: entry.Name(), sum: hex.EncodeToString(h.Sum(nil)), size: info.Size()}
		files = append(files, f)
		_, _ = fmt.Fprintf(&text, "%s  %s\n", f.sum, f.name)
	}
	return files, os.WriteFile(filepath.Join(dir, sumsFile), []byte(text.String()), 0o644)
}
