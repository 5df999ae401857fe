package main

import (
	"testing"

	"github.com/hookarr/hookarr/sdk/plugintest"
)

func TestMain(m *testing.M) { plugintest.Main(m) }

func TestContract(t *testing.T) {
	t.Parallel()
	plugintest.TestSource(t, info(), newSource, plugintest.SourceSuite{
		Config: config{ApplicationURL: "http://radarr.lan:7878"},
	})
}

func FuzzContract(f *testing.F) {
	plugintest.FuzzSource(f, info(), newSource, plugintest.SourceSuite{})
}

func BenchmarkImport(b *testing.B) {
	body := sample(b, "import")
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := decode(body, nil); err != nil {
			b.Fatal(err)
		}
	}
}
