package sdk_test

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
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
	line := strings.Trim(regexp.MustCompile("`go build [^`]+`").FindString(chapter), "`")
	require.Contains(t, line, "-tags grpcnotrace")
	build := exec.CommandContext(t.Context(), "sh", "-c", line)
	build.Dir, build.Env = dir, append(os.Environ(), "GOFLAGS=-mod=readonly", "GOWORK=off")
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s: %s", line, out)

	cmd := exec.CommandContext(t.Context(), filepath.Join(dir, "hookarr-target-discord"))
	out, err = cmd.CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "hookarr-target-discord 0.1.0 is a target plugin of Hookarr, which starts it by itself.")
}

// TestGuidesCodeBuilds puts the pieces of the guide together, as its readers do. The comment
// before a piece names the program that it is part of; what the guide leaves out of that is
// in testdata/guide.
func TestGuidesCodeBuilds(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	guide, err := os.ReadFile(filepath.Join(root, "PLUGINS.md"))
	require.NoError(t, err)
	pieces := regexp.MustCompile("(?ms)^<!-- example: ([a-z-]+) -->\n```go\n(.*?)^```").FindAllStringSubmatch(string(guide), -1)
	require.Len(t, pieces, strings.Count(string(guide), "\n```go\n"), "a piece of code has no comment that names its program")
	programs := map[string]string{}
	for _, piece := range pieces {
		programs[piece[1]] += piece[2] + "\n"
	}
	dir := outsider(t, root, "package main\n\nfunc main() {}\n")
	for name, code := range programs {
		rest, err := os.ReadFile(filepath.Join("testdata", "guide", name+".go.txt"))
		if errors.Is(err, fs.ErrNotExist) {
			continue // it is complete, and built by a test of its own
		}
		require.NoError(t, err)
		file := filepath.Join(dir, name, "main.go")
		if strings.HasSuffix(name, "test") {
			file = filepath.Join(dir, name, "main_test.go")
		}
		if before, after, ok := strings.Cut(string(rest), "\t// examples\n"); ok {
			code = before + code + after
		} else {
			code = string(rest) + code
		}
		require.NoError(t, os.Mkdir(filepath.Dir(file), 0o700))
		require.NoError(t, os.WriteFile(file, []byte(code), 0o600))
	}
	goIn(t, dir, "vet", "./...")
}

func TestExampleBuildsAsAnOutsider(t *testing.T) {
	t.Parallel()
	dir := filepath.Join("..", "examples", "plugin-target-file")
	binary := filepath.Join(t.TempDir(), "hookarr-target-file")
	goIn(t, dir, "build", "-o", binary, ".")
	linked := goIn(t, dir, "version", "-m", binary)
	require.Contains(t, linked, "google.golang.org/grpc")
	mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	require.NoError(t, err)
	for _, heavy := range []string{"jackc/pgx", "riverqueue", "modernc.org", "knadh/koanf", "hashicorp"} {
		require.NotContains(t, linked, heavy)
		require.NotContains(t, string(mod), heavy)
	}
	goIn(t, dir, "test", "./...")
}
