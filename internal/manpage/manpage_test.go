package manpage

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func configuration(t *testing.T) (markdown, page string) {
	t.Helper()
	text, err := os.ReadFile("../../docs/configuration.md")
	require.NoError(t, err)
	return string(text), string(Configuration(string(text), "1.2.3", time.Date(2026, time.November, 30, 0, 0, 0, 0, time.UTC)))
}

func TestEveryKeyIsInTheManual(t *testing.T) {
	t.Parallel()
	markdown, page := configuration(t)
	require.True(t, strings.HasPrefix(page, ".nh\n.TH \"HOOKARR.YAML\" \"5\" \"Nov 2026\" \"Hookarr 1.2.3\" \"Hookarr\"\n\n.SH NAME\nhookarr.yaml \\- configuration of Hookarr\n"), page[:200])
	keys := regexp.MustCompile("(?m)^\\| `([^`]+)` \\|").FindAllStringSubmatch(markdown, -1)
	require.Greater(t, len(keys), 100)
	for _, key := range keys {
		require.Contains(t, page, "\n.TP\n\\fB"+strings.ReplaceAll(key[1], `\`, `\e`)+"\\fR", key[1])
	}
	require.Contains(t, page, "\n.TP\n\\fBtargets.NAME.timeout\\fR\nhow long one attempt may take; default: \\fB30s\\fR\n")
	require.NotRegexp(t, `<!--|\]\(|\.md#|(?m)^\|`, page)
}

func TestManualIsWellFormed(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("man"); err != nil {
		t.Skip("man is not installed")
	}
	_, page := configuration(t)
	file := filepath.Join(t.TempDir(), "hookarr.yaml.5")
	require.NoError(t, os.WriteFile(file, []byte(page), 0o600))
	var said strings.Builder
	cmd := exec.Command("man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", file)
	cmd.Env, cmd.Stderr = append(os.Environ(), "LC_ALL=C.UTF-8"), &said
	require.NoError(t, cmd.Run())
	require.Empty(t, said.String())
}
