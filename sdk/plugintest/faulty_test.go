package plugintest_test

import (
	"context"
	"os"
	"os/exec"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/plugintest"
)

// faultyEnv makes this test binary hold the plugin of that name to the suite.
const faultyEnv = "HOOKARR_TEST_FAULTY"

// faulty are plugins that the suites have to find out.
func faulty() map[string]struct {
	hold func(t *testing.T)
	want string
} {
	type c = struct {
		hold func(t *testing.T)
		want string
	}
	event := func(change func(*sdk.Event, sdk.Request)) sdk.SourceFunc {
		return func(_ context.Context, r sdk.Request) (sdk.Event, error) {
			e := sdk.Event{App: "sample", Type: sdk.TypeTest, Title: "t", Fingerprint: string(r.Body)}
			change(&e, r)
			return e, nil
		}
	}
	source := func(decode sdk.SourceFunc) func(t *testing.T) {
		return func(t *testing.T) {
			t.Helper()
			dir := t.TempDir()
			require.NoError(t, os.WriteFile(dir+"/a.json", []byte(`{}`), 0o600))
			require.NoError(t, os.WriteFile(dir+"/a.golden.json", nil, 0o600))
			ctor := func(context.Context, sdk.Env, struct{}) (sdk.Source, error) { return decode, nil }
			plugintest.TestSource(t, sourceInfo(), ctor, plugintest.SourceSuite{Testdata: dir})
		}
	}
	var once sync.Once
	var first sdk.Request
	return map[string]c{
		"keeps the id": {source(event(func(e *sdk.Event, r sdk.Request) {
			once.Do(func() { first = r })
			e.ID = first.ID
		})), "the event has the id of a former request"},
		"keeps the time": {source(event(func(e *sdk.Event, r sdk.Request) {
			once.Do(func() { first = r })
			e.Time = first.ReceivedAt
		})), "the event has a time of its own"},
		"fingerprints the time": {source(event(func(e *sdk.Event, r sdk.Request) {
			e.Fingerprint = r.ReceivedAt.String()
		})), "decoding is not pure: the same request with another id and time gave another event"},
		"skips the second": {source(func(_ context.Context, r sdk.Request) (sdk.Event, error) {
			return sdk.Event{}, sdk.Skip("of " + r.ID)
		}), "gave another reason"},
		"wants the key that is asked for": {func(t *testing.T) {
			t.Helper()
			info := sourceInfo()
			info.Features = []sdk.Feature{sdk.FeatureOptions}
			dir := t.TempDir()
			require.NoError(t, os.WriteFile(dir+"/a.json", []byte(`{}`), 0o600))
			plugintest.TestSource(t, info, newLister, plugintest.SourceSuite{Testdata: dir, Config: map[string]any{"room": "a"}})
		}, "the options of room cannot be asked for before it is there"},
		"public URL": {func(t *testing.T) {
			t.Helper()
			suite := publicSuite()
			suite.PublicURL = false
			plugintest.TestTarget(t, targetInfo(), newPublicTarget, suite)
		}, "shows the URL: make it an sdk.Secret, or set PublicURL if it is none"},
	}
}

// lister is a source that tells options, and cannot be made without one.
type lister struct{ sdk.SourceFunc }

func (lister) Options(context.Context, string) ([]sdk.Option, error) { return nil, nil }

type listerConfig struct {
	Room string `json:"room" hookarr:"options" doc:"Room."`
}

func newLister(_ context.Context, _ sdk.Env, c listerConfig) (sdk.Source, error) {
	if c.Room == "" {
		return nil, sdk.Problem("room", "is missing")
	}
	return lister{}, nil
}

// TestSuitesFindFaults runs each faulty plugin in a test of another process, which has to
// fail.
func TestSuitesFindFaults(t *testing.T) {
	if name := os.Getenv(faultyEnv); name != "" {
		faulty()[name].hold(t)
		return
	}
	t.Parallel()
	for name, f := range faulty() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestSuitesFindFaults$")
			cmd.Env = append(os.Environ(), faultyEnv+"="+name)
			out, err := cmd.CombinedOutput()
			require.Error(t, err, "the suite lets it pass")
			require.Contains(t, string(out), f.want)
		})
	}
}
