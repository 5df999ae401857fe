package sdk_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Authors link this module: it must stay light.
func TestAuthorsLinkNoCore(t *testing.T) {
	t.Parallel()
	heavy := []string{
		"github.com/hookarr/hookarr/core", "github.com/hookarr/hookarr/plugins", "github.com/hookarr/hookarr/cmd", "github.com/jackc/",
		"github.com/riverqueue/", "github.com/knadh/", "modernc.org/", "github.com/spf13/", "github.com/expr-lang/",
		"github.com/prometheus/", "github.com/hashicorp/",
	}
	requireDepsWithout(t, heavy, "./...")
	requireDepsWithout(t, append(heavy, "github.com/stretchr/", "go.uber.org/goleak", "testing"), ".", "./host", "./signature", "./pathmap")
}

// TestNothingKeepsEveryMethod: templates call methods by name, so that the linker keeps all
// of every type, which is a quarter of a plugin.
func TestNothingKeepsEveryMethod(t *testing.T) {
	t.Parallel()
	requireDepsWithout(t, []string{"text/template", "html/template", "golang.org/x/net/trace"}, "-tags=grpcnotrace", ".")
}

// requireDepsWithout takes arguments of go list.
func requireDepsWithout(t *testing.T, unwanted []string, args ...string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", append([]string{"list", "-deps"}, args...)...).Output()
	require.NoError(t, err)
	require.Contains(t, string(out), "github.com/hookarr/hookarr/sdk")
	for path := range strings.FieldsSeq(string(out)) {
		for _, prefix := range unwanted {
			require.False(t, strings.HasPrefix(path, prefix), path)
		}
	}
}

// maxAuthorRequirements is how many modules an author's go.mod may name.
const maxAuthorRequirements = 18

// What this module requires, its authors' go.mod lists, too.
func TestAuthorsModuleIsShort(t *testing.T) {
	t.Parallel()
	mod, err := os.ReadFile(filepath.Join("..", "examples", "plugin-target-file", "go.mod"))
	require.NoError(t, err)
	requirements := 0
	for line := range strings.Lines(string(mod)) {
		if fields := strings.Fields(line); len(fields) >= 2 && strings.HasPrefix(fields[1], "v") {
			requirements++
		}
	}
	require.LessOrEqual(t, requirements, maxAuthorRequirements, "%s", mod)
	require.Positive(t, requirements)
	require.NotContains(t, string(mod), "hashicorp")
}
