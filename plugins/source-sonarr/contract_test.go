package sonarr

import (
	"testing"

	"github.com/hookarr/hookarr/plugins/internal/arr"
	"github.com/hookarr/hookarr/plugins/internal/arr/api"
	"github.com/hookarr/hookarr/plugins/internal/arr/arrtest"
	"github.com/hookarr/hookarr/sdk/plugintest"
)

func TestMain(m *testing.M) { plugintest.Main(m) }

func TestContract(t *testing.T) {
	t.Parallel()
	plugintest.TestSource(t, info(), newSource, plugintest.SourceSuite{
		Config: config{Config: api.Config{Config: arr.Config{ApplicationURL: "http://sonarr.lan:8989"}}, ImportPair: "both"},
	})
}

func FuzzContract(f *testing.F) {
	plugintest.FuzzSource(f, info(), newSource, plugintest.SourceSuite{})
}

func FuzzDecode(f *testing.F) { arrtest.Fuzz(f, decoder{}, agent) }

func BenchmarkImport(b *testing.B) { arrtest.Benchmark(b, decoder{}, arrtest.Sample(b, "import")) }
