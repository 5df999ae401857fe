package pluginnew

import (
	"bytes"
	"encoding/json"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/sdk/host"
)

// FuzzPayload makes a source of every body that is taken: its code is Go, its sample is JSON
// in which nothing more looks like a credential, and making it again gives the same.
func FuzzPayload(f *testing.F) {
	bodies, err := filepath.Glob("../../examples/payloads/*/*.json")
	require.NoError(f, err)
	require.NotEmpty(f, bodies)
	for _, name := range append(bodies, "testdata/payload.json") {
		body, err := os.ReadFile(name)
		require.NoError(f, err)
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		p, err := ReadPayload("body.json", bytes.NewReader(body))
		if err != nil {
			return
		}
		o := Options{Kind: host.KindSource, Name: "demo", SDK: ReleasedSDK(), Module: DefaultModule(host.KindSource, "demo"), Payload: p}
		files, src, err := render(o)
		require.NoError(t, err)
		for _, file := range files {
			if file.isGo() {
				_, err := parser.ParseFile(token.NewFileSet(), file.path, file.content, parser.SkipObjectResolution)
				require.NoError(t, err)
			}
		}
		require.True(t, json.Valid(src.sample))
		require.True(t, json.Valid(src.golden))
		_, again := redact(src.sample)
		for _, path := range again {
			require.Contains(t, src.redacted, path)
		}
		same, _, err := render(o)
		require.NoError(t, err)
		require.Equal(t, files, same)
	})
}
