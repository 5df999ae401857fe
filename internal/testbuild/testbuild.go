// Package testbuild builds the programs that tests start. Go's build cache keeps them, so that
// a program is linked once for all packages of tests that want it.
package testbuild

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// module is the module of the repository.
const module = "github.com/hookarr/hookarr"

// shared is what the file of the plugins that come with Hookarr is called.
const shared = "hookarr-plugins"

// Program builds the package pkg of the module in a directory into a file, which only its owner
// can change, whatever the umask is. Flags are those of go build.
func Program(ctx context.Context, dir, pkg, file string, flags ...string) error {
	file, err := filepath.Abs(file)
	if err != nil {
		return fmt.Errorf("build %s: %w", pkg, err)
	}
	// What go run has built it keeps, and go build does not: it is to run a copy to the file.
	args := slices.Concat([]string{"run", "-exec", "cp"}, flags, []string{pkg, file})
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off")
	out, err := cmd.CombinedOutput()
	if err == nil {
		err = os.Chmod(file, 0o755)
	}
	if err != nil {
		return fmt.Errorf("build %s: %w\n%s", pkg, err, out)
	}
	return nil
}

// Plugins builds the plugins that come with Hookarr into a directory, as make plugins does: one
// file, and a link to it for each of the plugins named, such as target-discord. Without names,
// it has all.
func Plugins(ctx context.Context, dir string, names ...string) error {
	if len(names) == 0 {
		var err error
		if names, err = pluginNames(ctx); err != nil {
			return err
		}
	}
	if err := Program(ctx, ".", module+"/plugins", filepath.Join(dir, shared)); err != nil {
		return err
	}
	for _, name := range names {
		if err := os.Symlink(shared, filepath.Join(dir, "hookarr-"+name)); err != nil {
			return fmt.Errorf("link plugin %s: %w", name, err)
		}
	}
	return nil
}

// pluginNames are the directories of the plugins' sources.
func pluginNames(ctx context.Context) ([]string, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return nil, fmt.Errorf("find the repository: %w", err)
	}
	dirs, err := filepath.Glob(filepath.Join(filepath.Dir(strings.TrimSpace(string(out))), "plugins", "*-*"))
	if err == nil && len(dirs) == 0 {
		err = fmt.Errorf("no plugins beside %s", out)
	}
	if err != nil {
		return nil, fmt.Errorf("find the plugins: %w", err)
	}
	for i, dir := range dirs {
		dirs[i] = filepath.Base(dir)
	}
	return dirs, nil
}
