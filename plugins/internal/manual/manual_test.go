package manual

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/plugintest"
)

func TestMain(m *testing.M) { plugintest.Main(m) }

type config struct {
	URL    sdk.Secret         `json:"url" hookarr:"required" doc:"Where to: a|b."`
	Look   string             `json:"look" hookarr:"default=small,enum=small|large" doc:"How, by *."`
	Most   int                `json:"most" jsonschema:"minimum=1,maximum=5" doc:"How many."`
	Least  int                `json:"least" hookarr:"default=2000000000000" jsonschema:"minimum=0" doc:"How few."`
	Every  sdk.Duration       `json:"every" doc:"How often."`
	Quiet  bool               `json:"quiet" hookarr:"default=true" doc:"Whether."`
	Hosts  []string           `json:"hosts" doc:"From where."`
	Basic  login              `json:"basic" doc:"Who."`
	Logins []login            `json:"logins" doc:"Who else."`
	ByType map[string]login   `json:"by_type" doc:"Who, by type."`
	Header map[string]float64 `json:"header" doc:"What else."`
}

type login struct {
	User string `json:"user" hookarr:"required" doc:"Name."`
}

func options() string {
	return begin + `
| key | value | meaning |
|---|---|---|
| ` + "`url` | required, secret" + ` | Where to: a\|b. |
| ` + "`look` | `small`, `large`, default `small`" + ` | How, by \*. |
| ` + "`most`" + ` | 1 to 5 | How many. |
| ` + "`least` | number from 0, default `2000000000000`" + ` | How few. |
| ` + "`every` | such as `30s`" + ` | How often. |
| ` + "`quiet` | `true`, `false`, default `true`" + ` | Whether. |
| ` + "`hosts`" + ` | list: text | From where. |
| ` + "`basic`" + ` | section | Who. |
| ` + "`basic.user`" + ` | required, text | Name. |
| ` + "`logins`" + ` | list: section | Who else. |
| ` + "`logins[].user`" + ` | required, text | Name. |
| ` + "`by_type`" + ` | section by key | Who, by type. |
| ` + "`by_type.KEY.user`" + ` | required, text | Name. |
| ` + "`header`" + ` | number by key | What else. |

Beside ` + "`config`, unless the target says otherwise: `concurrency: 1`; `rate: {per_second: 0.5, burst: 1}`; " +
		"for groups `by: title`, `wait: 1m30s`, `max_wait: 1h`, `max: 9`." + `

` + end
}

// The page is as a plugin would have it: below docs, two directories up.
func TestOptions(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "plugins", "target-sample")
	require.NoError(t, os.MkdirAll(dir, 0o750))
	require.NoError(t, os.MkdirAll(filepath.Join(root, "docs", "targets"), 0o750))
	require.NoError(t, os.WriteFile(filepath.Join(root, "docs", "targets", "sample.md"), []byte("# Sample\n\n"+options()+"\nThe rest.\n"), 0o600))
	t.Chdir(dir)
	info := sdk.Info{Name: "sample", Version: "0.1.0", Summary: "Tries.", Features: []sdk.Feature{sdk.FeatureGroup}, Defaults: sdk.Defaults{
		Concurrency: 1, Rate: 0.5, Group: sdk.GroupDefaults{By: "title", Wait: 90 * time.Second, MaxWait: time.Hour, Max: 9},
	}}
	newTarget := func(context.Context, sdk.Env, config) (sdk.Target, error) {
		return sdk.TargetFunc(func(context.Context, sdk.Delivery) (sdk.Receipt, error) { return sdk.Receipt{}, nil }), nil
	}
	Check(t, plugintest.StartTarget(t, info, newTarget, map[string]any{"url": "x"}))
}
