package sdk_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	// minPiece is the length from which a piece of a message tells it from others.
	minPiece = 10
	// words in a row of a message are what a test of it has at least.
	words = 3
)

// TestGuidesMessages holds the guide's table of messages to what programs print and tests
// assert: a reader looks up the words that are on the screen.
func TestGuidesMessages(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile("../PLUGINS.md")
	require.NoError(t, err)
	_, chapter, ok := strings.Cut(string(guide), "## 13. When something is wrong")
	require.True(t, ok)
	programs, tests := sources(t)
	messages, wrong := 0, []string{}
	for _, row := range regexp.MustCompile(`(?m)^\| (.*?) \| `).FindAllStringSubmatch(chapter, -1) {
		for _, message := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(row[1], -1) {
			messages++
			pieces := slices.DeleteFunc(strings.Split(message[1], "…"), func(p string) bool { return len(p) < minPiece })
			require.NotEmpty(t, pieces, message[1])
			for _, piece := range pieces {
				if !occurs(programs, strings.TrimSpace(piece)) {
					wrong = append(wrong, "no program prints: "+piece)
				}
			}
			if !slices.ContainsFunc(pieces, func(p string) bool { return asserted(tests, p) }) {
				wrong = append(wrong, "no test asserts: "+message[1])
			}
		}
	}
	require.Empty(t, wrong)
	require.Greater(t, messages, 25)
}

func occurs(texts []string, piece string) bool {
	return slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(text, piece) })
}

// asserted reports whether a test has as many words of a piece in a row.
func asserted(tests []string, piece string) bool {
	all := strings.Fields(strings.Trim(piece, " :,"))
	for i := range max(1, len(all)-words+1) {
		if occurs(tests, strings.Join(all[i:min(i+words, len(all))], " ")) {
			return true
		}
	}
	return false
}

// sources returns the code of programs, and that of tests with their golden files.
func sources(t *testing.T) (programs, tests []string) {
	t.Helper()
	for _, root := range []string{"cmd", "core", "plugins", "sdk"} {
		require.NoError(t, filepath.WalkDir(filepath.Join("..", root), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			golden := strings.Contains(path, "/testdata/")
			if filepath.Ext(path) != ".go" && !golden {
				return nil
			}
			content, err := os.ReadFile(path)
			text := strings.ReplaceAll(string(content), `\"`, `"`)
			if golden || strings.HasSuffix(path, "_test.go") {
				tests = append(tests, text)
			} else {
				programs = append(programs, text)
			}
			return err
		}))
	}
	return programs, tests
}
