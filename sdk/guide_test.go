package sdk_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/sdk/internal/handshake"
)

// goIn runs the go command in a module outside of this one.
func goIn(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=readonly", "GOWORK=off")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "go %s: %s", strings.Join(args, " "), out)
	return string(out)
}

// outsider makes a module of its own of a program.
func outsider(t *testing.T, root, code string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	example := filepath.Join(root, "examples", "plugin-target-file")
	mod, err := os.ReadFile(filepath.Join(example, "go.mod"))
	require.NoError(t, err)
	sum, err := os.ReadFile(filepath.Join(example, "go.sum"))
	require.NoError(t, err)
	for name, content := range map[string]string{
		"go.mod": strings.Replace(string(mod), "=> ../../sdk", "=> "+filepath.Join(root, "sdk"), 1), "go.sum": string(sum), "main.go": code,
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
	}
	return dir
}

// The plugin in the guide is built as its reader would build it.
func TestGuidesPluginBuildsAsAnOutsider(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	guide, err := os.ReadFile(filepath.Join(root, "PLUGINS.md"))
	require.NoError(t, err)
	_, chapter, ok := strings.Cut(string(guide), "## 2. A plugin in five minutes")
	require.True(t, ok)
	_, code, ok := strings.Cut(chapter, "```go\n")
	require.True(t, ok)
	code, _, ok = strings.Cut(code, "```")
	require.True(t, ok)
	require.LessOrEqual(t, strings.Count(code, "\n"), 25, "it is no longer a short plugin")

	dir := outsider(t, root, code)
	binary := filepath.Join(dir, "hookarr-target-discord")
	goIn(t, dir, "build", "-o", binary, ".")

	cmd := exec.CommandContext(t.Context(), binary)
	out, err := cmd.CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "hookarr-target-discord 0.1.0 is a target plugin")
}

// TestGuidesSourceBuilds puts the pieces of the guide's source together, as its reader
// does: the first decodes, and the others are what the instance can do besides.
func TestGuidesSourceBuilds(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	guide, err := os.ReadFile(filepath.Join(root, "PLUGINS.md"))
	require.NoError(t, err)
	_, chapter, ok := strings.Cut(string(guide), "## 5. Sources: Decode")
	require.True(t, ok)
	chapter, _, ok = strings.Cut(chapter, "## 6.")
	require.True(t, ok)
	var pieces []string
	for piece := range strings.SplitSeq(chapter, "```go\n") {
		code, _, _ := strings.Cut(piece, "```")
		pieces = append(pieces, code)
	}
	require.Len(t, pieces, 7)
	first, err := os.ReadFile(filepath.Join("testdata", "guide", "decode.txt"))
	require.NoError(t, err)
	powers, err := os.ReadFile(filepath.Join("testdata", "guide", "powers.txt"))
	require.NoError(t, err)
	for name, code := range map[string]string{
		"decode": string(first) + pieces[1],
		"powers": string(powers) + strings.Join(pieces[2:], "\n"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			goIn(t, outsider(t, root, code), "vet", ".")
		})
	}
}

func TestExampleBuildsAsAnOutsider(t *testing.T) {
	t.Parallel()
	dir := filepath.Join("..", "examples", "plugin-target-file")
	binary := filepath.Join(t.TempDir(), "hookarr-target-file")
	goIn(t, dir, "build", "-o", binary, ".")
	linked := goIn(t, dir, "version", "-m", binary)
	require.Contains(t, linked, "github.com/hashicorp/go-plugin")
	mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	require.NoError(t, err)
	for _, heavy := range []string{"jackc/pgx", "riverqueue", "modernc.org", "knadh/koanf"} {
		require.NotContains(t, linked, heavy)
		require.NotContains(t, string(mod), heavy)
	}
	goIn(t, dir, "test", "./...")
}

// Authors in other languages copy the handshake from the guide.
func TestGuideHasTheHandshake(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile(filepath.Join("..", "PLUGINS.md"))
	require.NoError(t, err)
	require.Contains(t, string(guide), handshake.CookieKey+"="+handshake.CookieValue)
	require.Contains(t, string(guide), handshake.LogLevelEnv)
}
