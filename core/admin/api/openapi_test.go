package api_test

import (
	"bytes"
	"flag"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/admin/api"
)

var update = flag.Bool("update", false, "rewrite docs/openapi.yaml")

// What programs are written against is what the server does.
func TestOpenAPIIsCommitted(t *testing.T) {
	t.Parallel()
	const file = "../../../docs/openapi.yaml"
	got, err := api.OpenAPI()
	require.NoError(t, err)
	if *update {
		require.NoError(t, os.WriteFile(file, got, 0o600))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.True(t, bytes.Equal(want, got), "docs/openapi.yaml is not what the server does: run go test ./core/admin/api -run OpenAPI -update")
	require.NotContains(t, string(got), "$schema")
	require.NotContains(t, string(got), "ErrorModel")
}
