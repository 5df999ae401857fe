package sdk_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Authors link this package: it must stay light.
func TestAuthorsLinkNoCore(t *testing.T) {
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", ".", "./host", "./signature")
	out, err := cmd.Output()
	require.NoError(t, err)
	require.Contains(t, string(out), "github.com/hookarr/hookarr/sdk")
	for path := range strings.FieldsSeq(string(out)) {
		for _, heavy := range []string{
			"github.com/hookarr/hookarr/core", "github.com/hookarr/hookarr/plugins", "github.com/hookarr/hookarr/cmd", "github.com/jackc/",
			"github.com/riverqueue/", "github.com/knadh/", "modernc.org/", "github.com/spf13/", "github.com/expr-lang/",
			"github.com/prometheus/", "github.com/stretchr/", "go.uber.org/goleak",
		} {
			require.False(t, strings.HasPrefix(path, heavy), path)
		}
	}
}
