// Package image tests the container image: it is built without a network, and run as people
// run it.
package image

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	imageName = "localhost/hookarr:test"
	// boxName is the container in which programs of the image are run.
	boxName = "hookarr-test"
)

// shared is the directory of what buildah keeps.
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
	if shared, err = os.MkdirTemp("", "hookarr-image-"); err != nil {
		return 1, err
	}
	code = m.Run()
	return code, os.RemoveAll(shared)
}

// need skips a test unless what it tests is to be tested, for which it needs root and tools.
func need(t *testing.T, tools ...string) {
	t.Helper()
	if os.Getenv("TEST_PACKAGING") == "" {
		t.Skip("tests of the image are for make test/packaging")
	}
	require.Zero(t, os.Getuid(), "tests of the image need root")
	for _, tool := range tools {
		_, err := exec.LookPath(tool)
		require.NoError(t, err, "tests of the image need %s: .ci/run says which Debian package has it", tool)
	}
}

// image builds the image, and a container of it without its volume, for which buildah would
// hide what is mounted there. It returns the root of the container.
var image = sync.OnceValues(func() (string, error) {
	storage := fmt.Sprintf("[storage]\ndriver = %q\ngraphroot = %q\nrunroot = %q\n", "vfs", filepath.Join(shared, "graph"), filepath.Join(shared, "run"))
	if err := os.WriteFile(filepath.Join(shared, "storage.conf"), []byte(storage), 0o600); err != nil {
		return "", err
	}
	root := ""
	for _, args := range [][]string{
		{"make", "-C", "../../..", "image", "IMAGE=" + imageName, "IMAGE_BUILDER=buildah"},
		{"buildah", "from", "--name", boxName, imageName},
		{"buildah", "config", "--volume", "/config-", boxName},
		{"buildah", "mount", boxName},
	} {
		var stdout, stderr bytes.Buffer
		cmd := buildah(args[0], args[1:]...)
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		if err := cmd.Run(); err != nil {
			return "", fmt.Errorf("%s: %w\n%s%s", cmd, err, &stdout, &stderr)
		}
		root = string(bytes.TrimSpace(stdout.Bytes()))
	}
	return root, nil
})

// buildah is a command that works with the storage of the tests.
func buildah(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "CONTAINERS_STORAGE_CONF="+filepath.Join(shared, "storage.conf"))
	return cmd
}

// output runs a command that must succeed and returns what it prints.
func output(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	require.NoError(t, cmd.Run(), "%s\n%s%s", cmd, &stdout, &stderr)
	return stdout.String()
}
