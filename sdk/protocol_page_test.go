package sdk_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/internal/handshake"
	"github.com/hookarr/hookarr/sdk/internal/pluginv1"
)

// Authors in other languages have nothing but the page.
func TestProtocolPageHasTheContract(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(filepath.Join("..", "docs", "plugin-protocol.md"))
	require.NoError(t, err)
	page := string(data)
	for _, want := range []string{
		"| `" + handshake.CookieKey + "` | `" + handshake.CookieValue + "`",
		"| `" + handshake.LogLevelEnv + "` |",
		"\n1|" + strconv.Itoa(handshake.ProtocolVersion) + "|unix|",
		"up to " + strconv.Itoa(handshake.MaxMessageBytes>>20) + " MiB in either direction",
		"joined by commas: `" + strconv.Itoa(sdk.ProtocolVersion) + "`",
	} {
		require.Contains(t, page, want)
	}
	file := pluginv1.File_hookarr_plugin_v1_plugin_proto
	for i := range file.Enums().Len() {
		enum := file.Enums().Get(i)
		if enum.Name() != "Feature" && enum.Name() != "Class" {
			continue
		}
		for j := range enum.Values().Len() {
			if value := enum.Values().Get(j); value.Number() != 0 {
				require.Contains(t, page, "\n| `"+string(value.Name())+"` |", "a table's row for it")
			}
		}
	}
	for i := range file.Services().Len() {
		service := file.Services().Get(i)
		for j := range service.Methods().Len() {
			require.True(t, mentions(page, service, service.Methods().Get(j)), service.Methods().Get(j).FullName())
		}
	}
}

// mentions reports whether a page has a method by its name, alone or with its service.
func mentions(page string, service protoreflect.ServiceDescriptor, method protoreflect.MethodDescriptor) bool {
	return strings.Contains(page, "`"+string(method.Name())+"`") ||
		strings.Contains(page, "`"+string(service.Name())+"."+string(method.Name())+"`")
}

// The example in another language has the contract as a copy.
func TestNodeExampleHasTheContract(t *testing.T) {
	t.Parallel()
	want, err := os.ReadFile(filepath.Join("internal", "proto", "hookarr", "plugin", "v1", "plugin.proto"))
	require.NoError(t, err)
	got, err := os.ReadFile(filepath.Join("..", "examples", "plugin-target-node", "proto", "plugin.proto"))
	require.NoError(t, err)
	require.Equal(t, string(want), string(got), "run make generate")
}
