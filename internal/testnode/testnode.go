// Package testnode builds the example plugin in Node.js for tests.
package testnode

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// required is what the variable TEST_NODE has where Node.js and its registry must be there.
const required = "required"

// oldest is the first major version of Node.js that the example works with.
const oldest = 20

// buildTimeout bounds the installation of packages, which may come from the network.
const buildTimeout = 10 * time.Minute

// errNoNode is matched when the machine lacks something that the build needs.
var errNoNode = errors.New("no Node.js for the tests")

// noNetwork are the codes by which npm says that it did not reach its registry.
var noNetwork = regexp.MustCompile(`\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ERR_SOCKET_TIMEOUT|ENETUNREACH|EHOSTUNREACH|ENOTCACHED)\b`)

// Plugin returns the directory that has hookarr-target-text, built from
// examples/plugin-target-node, and nothing else. The test is skipped where there is no Node.js or no way to its registry,
// unless the variable TEST_NODE is "required".
func Plugin(tb testing.TB) string {
	tb.Helper()
	dir, err := build(tb.Context(), tb.TempDir())
	if errors.Is(err, errNoNode) && os.Getenv("TEST_NODE") != required {
		tb.Skip(err)
	}
	require.NoError(tb, err)
	return dir
}

func build(ctx context.Context, tmp string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, buildTimeout)
	defer cancel()
	if err := checkNode(ctx); err != nil {
		return "", err
	}
	work, plugins := filepath.Join(tmp, "src"), filepath.Join(tmp, "plugins")
	if err := copySources(work); err != nil {
		return "", fmt.Errorf("copy the example: %w", err)
	}
	if out, err := run(ctx, work, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"); err != nil {
		if noNetwork.Match(out) {
			return "", fmt.Errorf("%w: npm did not reach its registry: %s", errNoNode, noNetwork.Find(out))
		}
		return "", err
	}
	if _, err := run(ctx, work, "npm", "run", "build"); err != nil {
		return "", err
	}
	if err := os.Mkdir(plugins, 0o755); err != nil {
		return "", err
	}
	const name = "hookarr-target-text"
	return plugins, os.Rename(filepath.Join(work, name), filepath.Join(plugins, name))
}

// checkNode makes sure that there is a Node.js that the example works with, and npm.
func checkNode(ctx context.Context) error {
	if _, err := exec.LookPath("npm"); err != nil {
		return fmt.Errorf("%w: install node and npm (Debian: apt-get install nodejs npm)", errNoNode)
	}
	out, err := exec.CommandContext(ctx, "node", "--version").Output()
	if err != nil {
		return fmt.Errorf("%w: install node and npm (Debian: apt-get install nodejs npm): %w", errNoNode, err)
	}
	major, _, _ := bytes.Cut(bytes.TrimPrefix(out, []byte("v")), []byte("."))
	if n, err := strconv.Atoi(string(major)); err != nil || n < oldest {
		return fmt.Errorf("%w: it is %s, and the example needs %d or later", errNoNode, bytes.TrimSpace(out), oldest)
	}
	return nil
}

// copySources copies what is in version control, and not what somebody built beside it.
func copySources(to string) error {
	_, file, _, _ := runtime.Caller(0)
	from := filepath.Join(filepath.Dir(file), "..", "..", "examples", "plugin-target-node")
	if err := os.Mkdir(to, 0o755); err != nil {
		return err
	}
	for _, name := range []string{"package.json", "package-lock.json", "build.mjs"} {
		data, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(to, name), data, 0o600); err != nil {
			return err
		}
	}
	for _, dir := range []string{"src", "proto"} {
		if err := os.CopyFS(filepath.Join(to, dir), os.DirFS(filepath.Join(from, dir))); err != nil {
			return err
		}
	}
	return nil
}

func run(ctx context.Context, dir string, command ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%v: %w\n%s", command, err, out)
	}
	return out, err
}
