package shell_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/shell"
)

func TestCommand(t *testing.T) {
	t.Parallel()
	require.Equal(t, `chmod go-w '/srv/my plugins/it'\''s'`, shell.Command("chmod", "go-w", "/srv/my plugins/it's"))
	words := []string{"printf", `%s\n`, "", "a b", "it's", "$HOME", "`id`", `back\slash`, "~", "*", "né", "-n", "a;b", "#c", "x=1"}
	out, err := exec.CommandContext(t.Context(), "sh", "-c", shell.Command(words...)).Output()
	require.NoError(t, err)
	require.Equal(t, strings.Join(words[2:], "\n")+"\n", string(out))
}
