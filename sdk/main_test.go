package sdk_test

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"os"
	"runtime"
	"testing"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/plugintest"
)

// asPlugin is the environment variable that makes this test binary a plugin, for the
// tests of a plugin's process.
const asPlugin = "HOOKARR_TEST_AS_PLUGIN"

func TestMain(m *testing.M) {
	if os.Getenv(asPlugin) == "misbuilt" {
		sdk.ServeTarget(sdk.Info{Name: "sample", Version: "1"}, newProcessTarget)
	}
	if os.Getenv(asPlugin) != "" {
		sdk.ServeTarget(sdk.Info{Name: "sample", Version: "1.2.3", Summary: "For tests."}, newProcessTarget)
	}
	plugintest.Main(m)
}

type processConfig struct {
	Key sdk.Secret `json:"key" doc:"A key."`
}

// newProcessTarget returns a target that does to its process what an event's title
// says.
func newProcessTarget(_ context.Context, env sdk.Env, c processConfig) (sdk.Target, error) {
	slog.Info("slog in the constructor", "key", c.Key.Reveal()) //nolint:sloglint // Libraries do.
	return sdk.TargetFunc(func(ctx context.Context, d sdk.Delivery) (sdk.Receipt, error) {
		switch d.Event.Title {
		case "log":
			env.Log.DebugContext(ctx, "at debug", "delivery", d.ID)
			env.Log.WarnContext(ctx, "at warn", "delivery", d.ID)
			fmt.Println("an author's own print") //nolint:forbidigo // It must not reach standard output.
		case "collect":
			for range 20 {
				runtime.GC()
				file, err := os.Open(os.DevNull)
				if err != nil {
					return sdk.Receipt{}, err
				}
				defer func() { _ = file.Close() }()
				_, _ = fmt.Fprintf(os.Stderr, "opened %d\n", file.Fd())
			}
		case "log by default":
			log.Printf("log says %s", c.Key.Reveal())                  //nolint:forbidigo // Libraries do.
			slog.DebugContext(ctx, "slog says", "key", c.Key.Reveal()) //nolint:sloglint // Libraries do.
		case "wait":
			env.Log.WarnContext(ctx, "waiting")
			<-ctx.Done()
			return sdk.Receipt{}, ctx.Err()
		case "panic":
			panic("on purpose") //nolint:forbidigo // It must not end the process.
		}
		return sdk.Receipt{Status: 200, MessageID: d.ID}, nil
	}), nil
}
