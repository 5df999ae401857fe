// Package deb tests what make dist makes: the deb is installed into a Debian, and the rpm into
// a directory.
package deb

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// shared is a directory for what is made once for all tests.
var shared string

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	if shared, err = os.MkdirTemp("", "hookarr-packaging-"); err != nil {
		return 1, err
	}
	code = m.Run()
	return code, os.RemoveAll(shared)
}

// need skips a test unless what it tests is to be tested, for which it needs root and tools.
func need(t *testing.T, tools ...string) {
	t.Helper()
	if os.Getenv("TEST_PACKAGING") == "" {
		t.Skip("tests of packages are for make test/packaging")
	}
	require.Zero(t, os.Getuid(), "tests of packages need root")
	for _, tool := range tools {
		_, err := exec.LookPath(tool)
		require.NoError(t, err, "tests of packages need %s: .ci/run says which Debian package has it", tool)
	}
}

// first and second are what make dist makes of one commit in two directories.
var (
	first  = sync.OnceValues(makeFirst)
	second = sync.OnceValues(makeSecond)
)

// makeFirst makes a commit of what the work tree has, in a repository of its own, and from it
// the archive and the packages for this machine.
func makeFirst() (string, error) {
	return makeIn("first", `git -C "$root" ls-files -z --cached --others --exclude-standard |
  (cd "$root" && xargs -0 sh -c 'for f; do [ ! -e "$f" ] || printf "%s\0" "$f"; done' sh) |
  tar --create --null --no-recursion -C "$root" --files-from - | tar --extract
git init --quiet
git add --all
git commit --quiet --message 'What is tested'`)
}

func makeSecond() (string, error) {
	if _, err := first(); err != nil {
		return "", err
	}
	return makeIn("elsewhere/of-another-length", `git clone --quiet "$shared/first" .`)
}

// makeIn fills a new directory by a script and returns the directory of what make dist makes
// there.
func makeIn(name, fill string) (string, error) {
	root, err := filepath.Abs("../../..")
	if err != nil {
		return "", err
	}
	dir := filepath.Join(shared, name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	arch := map[string]string{"amd64": "amd64", "arm64": "arm64", "arm": "armv7"}[runtime.GOARCH]
	cmd := exec.Command("sh", "-euc", fill+"\n"+`make dist DIST_ARCHES="$arch" TOOLS="$root/.bin"`)
	cmd.Dir = dir
	const day = "2026-11-30T12:00:00Z"
	cmd.Env = append(os.Environ(), "root="+root, "shared="+shared, "arch="+arch, "GIT_CONFIG_GLOBAL=/dev/null",
		"GIT_AUTHOR_NAME=test", "GIT_AUTHOR_EMAIL=test@example.com", "GIT_AUTHOR_DATE="+day,
		"GIT_COMMITTER_NAME=test", "GIT_COMMITTER_EMAIL=test@example.com", "GIT_COMMITTER_DATE="+day)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("make dist: %w\n%s", err, out)
	}
	return filepath.Join(dir, "dist"), nil
}

// made returns the one file of the first build that a pattern matches.
func made(t *testing.T, pattern string) string {
	t.Helper()
	dir, err := first()
	require.NoError(t, err)
	files, err := filepath.Glob(filepath.Join(dir, pattern))
	require.NoError(t, err)
	require.Len(t, files, 1, pattern)
	return files[0]
}

// output runs a command that must succeed and returns what it prints.
func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.Env = append(os.Environ(), "LC_ALL=C", "DEBIAN_FRONTEND=noninteractive")
	require.NoError(t, cmd.Run(), "%s\n%s%s", cmd, &stdout, &stderr)
	return stdout.String()
}

func TestSameCommitMakesSameFiles(t *testing.T) {
	t.Parallel()
	need(t, "git", "make", "nfpm")
	one, err := first()
	require.NoError(t, err)
	other, err := second()
	require.NoError(t, err)
	sums, err := os.ReadFile(filepath.Join(one, "SHA256SUMS"))
	require.NoError(t, err)
	again, err := os.ReadFile(filepath.Join(other, "SHA256SUMS"))
	require.NoError(t, err)
	require.Equal(t, string(sums), string(again))
	require.Equal(t, 4, strings.Count(string(sums), "\n"), "an archive, a deb, an rpm and a bill of materials:\n%s", sums)

	entries, err := os.ReadDir(one)
	require.NoError(t, err)
	require.Len(t, entries, 5, "nothing unfinished stays")
	output(t, "sh", "-c", `cd "$0" && sha256sum --check --strict SHA256SUMS`, one)
}
