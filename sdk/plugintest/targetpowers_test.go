package plugintest_test

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/plugintest"
)

// liarEnv makes this test binary hold a target to the suite that is not what it says.
const liarEnv = "HOOKARR_TEST_LIAR"

type liar struct{ sdk.TargetFunc }

func (liar) Test(context.Context, sdk.Delivery) (sdk.Receipt, error) { return sdk.Receipt{}, nil }

// TestSuiteFindsLiars runs itself as a process of its own, because its suite fails.
func TestSuiteFindsLiars(t *testing.T) {
	t.Parallel()
	if os.Getenv(liarEnv) != "" {
		info := targetInfo()
		info.Features = []sdk.Feature{sdk.FeatureTest, sdk.FeaturePreview}
		plugintest.TestTarget(t, info, func(ctx context.Context, env sdk.Env, c targetConfig) (sdk.Target, error) {
			return liar{func(context.Context, sdk.Delivery) (sdk.Receipt, error) {
				req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL.Reveal(), http.NoBody)
				if err != nil {
					return sdk.Receipt{}, err
				}
				// Not with the attempt's context.
				return env.HTTP.Do(req.WithContext(context.WithoutCancel(ctx)))
			}}, nil
		}, plugintest.TargetSuite{Config: func(url string) any { return map[string]any{"url": url} }})
		return
	}
	for check, says := range map[string]string{
		"preview": "a preview was sent", "test": "a test must reach the endpoint",
	} {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestSuiteFindsLiars$/^"+check+"$")
		cmd.Env = append(os.Environ(), liarEnv+"=1")
		out, err := cmd.CombinedOutput()
		require.Error(t, err, "the suite believes a target that lies: %s", check)
		require.Contains(t, string(out), says, check)
	}
}
