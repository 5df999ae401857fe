package testpg

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

var errNoPostgres = errors.New("no Postgres for the tests: set TEST_DATABASE_URL to a server where databases can be made " +
	"(postgres://USER:PASSWORD@HOST/DATABASE), or install the server's binaries (Debian: apt-get install postgresql)")

// binaries returns the directory of initdb and postgres.
func binaries() (string, error) {
	if dir, ok := installed(); ok {
		return dir, nil
	}
	if os.Geteuid() != 0 {
		return "", errNoPostgres
	}
	if _, err := exec.LookPath("apt-get"); err != nil {
		return "", errNoPostgres
	}
	for _, args := range [][]string{{"update"}, {"install", "-y", "--no-install-recommends", "postgresql"}} {
		// Another package's tests may be doing the same.
		cmd := exec.Command("apt-get", append([]string{"-o", "DPkg::Lock::Timeout=300"}, args...)...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("%w; apt-get %s: %w\n%s", errNoPostgres, args[0], err, out)
		}
	}
	if dir, ok := installed(); ok {
		return dir, nil
	}
	return "", errNoPostgres
}

// installed looks where distributions put a server: in PATH, where pg_config says, or
// in a directory by version.
func installed() (string, bool) {
	dirs, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	slices.Sort(dirs)
	slices.Reverse(dirs)
	if out, err := exec.Command("pg_config", "--bindir").Output(); err == nil {
		dirs = append(dirs, strings.TrimSpace(string(out)))
	}
	dirs = append(dirs, filepath.SplitList(os.Getenv("PATH"))...)
	for _, dir := range dirs {
		if executable(filepath.Join(dir, "initdb")) && executable(filepath.Join(dir, "postgres")) {
			return dir, true
		}
	}
	return "", false
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0
}
