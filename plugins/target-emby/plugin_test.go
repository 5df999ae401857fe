package emby

import (
	"testing"

	"github.com/hookarr/hookarr/plugins/internal/mediabrowser"
	"github.com/hookarr/hookarr/plugins/internal/mediabrowser/mediabrowsertest"
	"github.com/hookarr/hookarr/sdk/plugintest"
)

func TestMain(m *testing.M) { plugintest.Main(m) }

func TestPlugin(t *testing.T) {
	t.Parallel()
	mediabrowsertest.Plugin(t, info(), newTarget, mediabrowser.Emby())
}
