package main

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// writeTexts puts what is to be read into the tree: in plain into the archive, and what
// packages want compressed or besides into theirs.
func (t *tree) writeTexts(ctx context.Context, r *release, linked []component) error {
	env := append(r.epoch(), "GOFLAGS=", "CGO_ENABLED=0")
	if err := r.command(ctx, r.root, r.log, env, "go", "run", "-trimpath", "-tags", "man,grpcnotrace", "./cmd/hookarr", t.files, t.version); err != nil {
		return err
	}
	notices, err := t.notices(r, linked)
	if err != nil {
		return err
	}
	texts := map[string]string{noticesFile: notices}
	for to, from := range map[string]string{
		"LICENSE":                        "LICENSE",
		"README.md":                      "README.md",
		"CHANGELOG.md":                   "CHANGELOG.md",
		"systemd/hookarr-backup.service": "examples/systemd/hookarr-backup.service",
		"systemd/hookarr-backup.timer":   "examples/systemd/hookarr-backup.timer",
		"systemd/hookarr.service":        "examples/systemd/hookarr.service",
		"systemd/hookarr.sysusers":       "examples/systemd/hookarr.sysusers",
		"systemd/hookarr.tmpfiles":       "examples/systemd/hookarr.tmpfiles",
		"systemd/hookarr.yaml":           "packaging/hookarr.yaml",
	} {
		content, err := os.ReadFile(filepath.Join(r.root, from))
		if err != nil {
			return fmt.Errorf("read what belongs into the archive: %w", err)
		}
		texts[to] = string(content)
	}
	for name, content := range texts {
		if err := writeFile(filepath.Join(t.files, name), content); err != nil {
			return err
		}
	}
	return t.writePackageTexts(r, texts)
}

// writePackageTexts writes what Debian wants compressed.
func (t *tree) writePackageTexts(r *release, texts map[string]string) error {
	compressed := map[string]string{
		"changelog.Debian.gz": fmt.Sprintf("hookarr (%s-1) stable; urgency=medium\n\n  * Made from the release: changelog.gz has what is new.\n\n"+
			" -- The Hookarr authors <hookarr@users.noreply.github.com>  %s\n", packageVersion(t.version), r.time.Format(time.RFC1123Z)),
		noticesFile + ".gz": texts[noticesFile],
		"changelog.gz":      texts["CHANGELOG.md"],
	}
	err := filepath.WalkDir(filepath.Join(t.files, "man"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		compressed["man/"+filepath.Base(filepath.Dir(path))+"/"+entry.Name()+".gz"] = string(content)
		return err
	})
	if err != nil {
		return fmt.Errorf("compress manual: %w", err)
	}
	for name, content := range compressed {
		var b strings.Builder
		z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
		if err == nil {
			_, err = io.WriteString(z, content)
		}
		if err = errors.Join(err, z.Close()); err != nil {
			return fmt.Errorf("compress %s: %w", name, err)
		}
		if err := writeFile(filepath.Join(t.packages, name), b.String()); err != nil {
			return err
		}
	}
	return nil
}

func writeFile(path, content string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("make directory: %w", err)
	}
	return os.WriteFile(path, []byte(content), 0o644)
}

// pack makes the deb and the rpm.
func (t *tree) pack(ctx context.Context, r *release, done string) error {
	env := append(r.epoch(), "VERSION="+packageVersion(t.version), "ARCH="+t.nfpm,
		"FILES="+t.files, "PACKAGES="+t.packages)
	for _, packager := range []string{"deb", "rpm"} {
		if err := r.command(ctx, r.root, io.Discard, env, "nfpm", "package", "--config", "packaging/nfpm.yaml", "--packager", packager, "--target", done+"/"); err != nil {
			return err
		}
	}
	return nil
}

// epoch gives tools the time of the commit.
func (r *release) epoch() []string {
	return []string{"SOURCE_DATE_EPOCH=" + strconv.FormatInt(r.time.Unix(), 10), "TZ=" + time.UTC.String()}
}

// packageVersion is a version as packages have it, where ~ sorts before everything, even the
// end: 1.2.3-rc.1 comes before 1.2.3.
func packageVersion(version string) string {
	version, before, _ := strings.Cut(version, "-")
	if before == "" {
		return version
	}
	return version + "~" + strings.ReplaceAll(before, "-", ".")
}
