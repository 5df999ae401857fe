// Package plugintest tests plugins inside the test's own process, over the same
// gRPC stack that hosts use. [TestTarget] and [TestSource] hold a plugin to what
// every host relies on; [StartTarget] and [StartSource] are for the tests that are
// the plugin's own.
package plugintest

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
	"github.com/hookarr/hookarr/sdk/internal/process"
)

// Instance is the name under which a plugin's one instance is configured.
const Instance = "plugintest"

// Main runs a package's tests, fails when they leave a goroutine behind, and
// declares the flag -update for golden files unless the package has it already.
//
//	func TestMain(m *testing.M) { plugintest.Main(m) }
func Main(m *testing.M) {
	if flag.Lookup("update") == nil {
		flag.Bool("update", false, "write the golden files")
	}
	goleak.VerifyTestMain(m)
}

// Plugin is a served plugin with one configured instance.
type Plugin struct {
	client *host.Client
	// config is what the instance was configured with last.
	config json.RawMessage
	logs   *logs
	stop   func()
}

// Describe returns what the plugin says of itself.
func (p *Plugin) Describe(ctx context.Context) (host.Description, error) {
	return p.client.Describe(ctx)
}

// Configure configures the instance anew and returns what is wrong with config, in
// which case the former configuration stays.
func (p *Plugin) Configure(ctx context.Context, config json.RawMessage) ([]host.Problem, error) {
	configured, err := p.client.Configure(ctx, []host.Instance{{Name: Instance, Config: config}}, false)
	if err == nil && len(configured.Problems) == 0 {
		p.config = config
	}
	return configured.Problems, err
}

// Warnings returns what the plugin warns of in config, which is judged and not put in
// place.
func (p *Plugin) Warnings(ctx context.Context, config json.RawMessage) ([]host.Problem, error) {
	configured, err := p.client.Configure(ctx, []host.Instance{{Name: Instance, Config: config}}, true)
	return configured.Warnings, err
}

// Options returns the values that a key may have, of an instance with the configuration
// that is in place. The error matches host.ErrUnsupported for a plugin without
// sdk.FeatureOptions.
func (p *Plugin) Options(ctx context.Context, key string) ([]sdk.Option, error) {
	return p.optionsOf(ctx, p.config, key)
}

func (p *Plugin) optionsOf(ctx context.Context, config json.RawMessage, key string) ([]sdk.Option, error) {
	return p.client.Options(ctx, host.Instance{Name: Instance, Config: config}, key)
}

// Logs returns what the plugin has logged so far, at debug, one JSON object a line.
func (p *Plugin) Logs() string { return p.logs.String() }

// start serves a plugin until the test ends.
func start(tb testing.TB, built *sdk.Plugin, err error, config any) *Plugin {
	tb.Helper()
	require.NoError(tb, err, "the plugin is not built right")
	p := serve(tb, built)
	problems, err := p.Configure(tb.Context(), Config(tb, config))
	require.NoError(tb, err)
	require.Empty(tb, problems, "the configuration has problems")
	return p
}

// serve starts a plugin that has no instance yet.
func serve(tb testing.TB, built *sdk.Plugin) *Plugin {
	tb.Helper()
	logs := &logs{}
	log := process.Log{Output: process.Bounded(logs), Level: slog.LevelDebug}
	ctx, cancel := context.WithCancel(context.WithoutCancel(tb.Context()))
	address, done, err := process.ServeTest(ctx, built.Services(log), log)
	require.NoError(tb, err, "the plugin is not served")
	conn, err := grpc.NewClient(address, append(host.DialOptions(), grpc.WithTransportCredentials(insecure.NewCredentials()))...)
	require.NoError(tb, err)
	stop := sync.OnceFunc(func() {
		_ = conn.Close()
		cancel()
		<-done
	})
	tb.Cleanup(stop)
	client := host.NewClient(conn)
	client.Host = hostInfo()
	return &Plugin{client: client, logs: logs, stop: stop}
}

// hostInfo is what a plugin under test is told of its host, which has a use for every
// feature.
func hostInfo() sdk.HostInfo {
	return sdk.HostInfo{Version: "0.0.0-plugintest", Features: []sdk.Feature{
		sdk.FeatureFetch, sdk.FeatureHistory, sdk.FeatureConnect,
		sdk.FeatureGroup, sdk.FeatureEdit, sdk.FeatureRaw, sdk.FeatureTest, sdk.FeaturePreview,
		sdk.FeatureVerify, sdk.FeatureFolders, sdk.FeatureOptions, sdk.FeatureSnapshot,
	}}
}

// Config returns a configuration as JSON. It takes a map, a struct, or JSON as
// json.RawMessage; nil is an empty configuration.
func Config(tb testing.TB, config any) json.RawMessage {
	tb.Helper()
	if config == nil {
		return json.RawMessage("{}")
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	require.NoError(tb, enc.Encode(config))
	require.NotContains(tb, b.String(), `"`+sdk.Secret("x").String()+`"`,
		"a sdk.Secret does not marshal: give the configuration as a map[string]any")
	return bytes.TrimSpace(b.Bytes())
}

// logs is a log that may be read while it is written.
type logs struct {
	mu sync.Mutex
	b  strings.Builder
}

var _ io.Writer = (*logs)(nil)

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
