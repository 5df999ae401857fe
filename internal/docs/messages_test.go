package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestMessagesExist looks for every message of docs/errors.md in the code, so that the page
// names none that the program does not say. What stands between two … has to be in the
// texts of one file.
func TestMessagesExist(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/errors.md")
	require.NoError(t, err)
	said := messages(string(page))
	require.Greater(t, len(said), 80)
	all := map[string][]string{}
	for _, dir := range []string{"cmd", "core", "plugins", "sdk"} {
		maps.Copy(all, textsOf(t, filepath.Join("../..", dir)))
	}
	for _, message := range said {
		require.True(t, anyFile(all, message), "docs/errors.md has the message %q, and no program says it", message)
	}
}

// messages are those in the first column of the tables that are headed so.
func messages(page string) []string {
	var all []string
	listed := false
	for line := range strings.Lines(page) {
		cells := strings.Split(line, "|")
		switch {
		case len(cells) < 3:
			listed = false
		case strings.TrimSpace(cells[1]) == "message":
			listed = true
		case listed:
			for _, span := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(cells[1], -1) {
				all = append(all, span[1])
			}
		}
	}
	return all
}

func anyFile(files map[string][]string, message string) bool {
	for _, texts := range files {
		missing := slices.ContainsFunc(strings.Split(message, "…"), func(part string) bool {
			part = strings.TrimSpace(part)
			return !slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(text, part) })
		})
		if !missing {
			return true
		}
	}
	return false
}

// textsOf are the texts in the code of a directory, by file. Those that are joined are one.
func textsOf(t *testing.T, dir string) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			expression, ok := n.(ast.Expr)
			if !ok {
				return true
			}
			if text, ok := constant(expression); ok {
				all[path] = append(all[path], text)
				return false
			}
			return true
		})
		return nil
	}))
	return all
}

// constant is the text of a literal, or of several that are added.
func constant(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		if e.Kind != token.STRING {
			return "", false
		}
		text, err := strconv.Unquote(e.Value)
		return text, err == nil
	case *ast.BinaryExpr:
		left, first := constant(e.X)
		right, second := constant(e.Y)
		return left + right, first && second && e.Op == token.ADD
	default:
		return "", false
	}
}
