package main

import (
	"bytes"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// startEnv makes the test binary the program.
const startEnv = "HOOKARR_TEST_START_PLUGIN"

func TestMain(m *testing.M) {
	if os.Getenv(startEnv) != "" {
		main()
	}
	os.Exit(m.Run())
}

func directories(t *testing.T) []string {
	t.Helper()
	dirs, err := filepath.Glob("*-*")
	require.NoError(t, err)
	require.NotEmpty(t, dirs)
	return dirs
}

func TestEveryDirectoryIsAPlugin(t *testing.T) {
	t.Parallel()
	require.Equal(t, directories(t), slices.Sorted(maps.Keys(plugins())))
}

// start runs the program under a name, and returns what it says and its status.
func start(t *testing.T, name string) (says string, status int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Args = []string{name}
	cmd.Env = []string{startEnv + "=yes"}
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	require.Error(t, cmd.Run())
	require.Empty(t, out.String())
	return errs.String(), cmd.ProcessState.ExitCode()
}

func TestTheNameSaysWhichPluginItIs(t *testing.T) {
	t.Parallel()
	for _, name := range directories(t) {
		kind, plugin, _ := strings.Cut(name, "-")
		says, status := start(t, filepath.Join("/some/where", prefix+name))
		require.Equal(t, 1, status)
		require.Contains(t, says, prefix+name+" ")
		require.Contains(t, says, "is a "+kind+" plugin")
		require.Contains(t, says, "`plugin: "+plugin+"`")
	}
}

func TestOtherNamesAreTold(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"hookarr-plugins", "target-discord", "hookarr-target-Discord"} {
		says, status := start(t, filepath.Join("/some/where", name))
		require.Equal(t, 2, status)
		require.Contains(t, says, name+" is the file of the plugins that come with Hookarr")
		require.True(t, strings.HasSuffix(says, "as does ln -s "+name+" hookarr-target-discord\n"), says)
		for _, plugin := range directories(t) {
			require.Contains(t, says, "\n  hookarr-"+plugin+"\n")
		}
	}
}
