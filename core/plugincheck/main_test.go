package plugincheck

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/testbuild"
)

const (
	// orphanArgument makes the test binary a host that is killed.
	orphanArgument = "serve-orphan"
	// builtEnv passes the directory of the built plugins to the tests.
	builtEnv = "HOOKARR_TEST_PLUGINCHECK"
)

func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == orphanArgument {
		fmt.Fprintln(os.Stderr, ServeOrphan(context.Background(), os.Args[2], os.Stdout))
		os.Exit(1)
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "hookarr-plugincheck-")
	if err == nil {
		defer func() { _ = os.RemoveAll(dir) }()
		for name, pkg := range map[string]string{"faulty": "./internal/faulty", "chaos": "../pluginhost/internal/chaos"} {
			err = errors.Join(err, testbuild.Program(context.Background(), ".", pkg, filepath.Join(dir, name)))
		}
		err = errors.Join(err, os.Setenv(builtEnv, dir))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "build the plugins of the tests:", err)
		return 1
	}
	return m.Run()
}

// install puts a plugin of the tests into a directory under a name, and returns its path. It is
// a link: a copy's descriptor, open for writing, could be inherited by a process that another
// test forks, and a binary open for writing cannot be executed.
func install(t *testing.T, what, name string) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.Chmod(dir, 0o755))
	path := filepath.Join(dir, name)
	require.NoError(t, os.Link(filepath.Join(os.Getenv(builtEnv), what), path))
	return path
}

// options are those of a check that does everything.
func options() Options { return Options{Orphan: []string{os.Args[0], orphanArgument}} }

// patient are windows for many checks, of which each waits for some in full.
func patient() Windows {
	w := Patient()
	w.Sluggish, w.Stranger = 2*time.Second, time.Second
	w.Deadline, w.Exit, w.Interrupt = time.Second, 2*time.Second, 100*time.Millisecond
	return w
}

func runCheck(t *testing.T, path string, opts Options) Report {
	t.Helper()
	if opts.Windows == (Windows{}) {
		opts.Windows = patient()
	}
	r, err := Run(t.Context(), path, opts)
	require.NoError(t, err)
	return r
}

// failed returns the rows that failed, and their details.
func failed(r Report) (rows []string, details string) {
	rows = []string{}
	var lines strings.Builder
	for _, row := range r.Rows {
		if row.Result == Failed {
			rows = append(rows, row.Check)
			lines.WriteString(row.Check + ": " + row.Detail + "\n")
		}
	}
	return rows, lines.String()
}

func replace(text, from, to string) string { return strings.ReplaceAll(text, from, to) }

func words(all []string) string { return strings.Join(all, " ") }
