package main

import (
	"os"
	"testing"

	"github.com/hookarr/hookarr/sdk/plugintest"
)

func TestMain(m *testing.M) { plugintest.Main(m) }

// TestSource decodes each testdata/NAME.json, compares the event with NAME.golden.json,
// which -update writes, and holds the source to what Hookarr relies on.
func TestSource(t *testing.T) {
	plugintest.TestSource(t, info(), newSource, plugintest.SourceSuite{})
}

func FuzzSource(f *testing.F) {
	plugintest.FuzzSource(f, info(), newSource, plugintest.SourceSuite{})
}

func TestIgnore(t *testing.T) {
	t.Parallel()
	body, err := os.ReadFile("testdata/requests.json")
	if err != nil {
		t.Fatal(err)
	}
	source := plugintest.StartSource(t, info(), newSource, map[string]any{"ignore": []string{"Grab"}})
	d, err := source.Decode(t.Context(), plugintest.Request(body))
	if err != nil || d.Skip == "" {
		t.Errorf("want it left out, got %+v, %v", d, err)
	}
}
