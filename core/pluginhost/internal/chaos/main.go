// Command chaos is the plugin that does everything wrong, on demand, for the tests
// of package pluginhost. What it is follows from the name of its file, because a
// host's environment does not reach it: hookarr-target-exits, for one, ends before
// its handshake. What it does with an event follows from the event's title.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hookarr/hookarr/sdk"
)

type config struct {
	// Dir is where the plugin leaves signs of its calls.
	Dir    string `json:"dir" doc:"Where the plugin leaves signs of its calls."`
	Refuse string `json:"refuse" doc:"Why the configuration is refused."`
	Exit   bool   `json:"exit" doc:"The plugin exits when it is configured."`
	Hang   bool   `json:"hang" doc:"The plugin hangs when it is configured."`
	Doubt  string `json:"doubt" doc:"What the plugin warns of."`
	// Do is what the plugin does with every event, in place of what its title says.
	Do string `json:"do" doc:"What the plugin does with every event."`
	// Prove is how many questions it takes to prove what the plugin accepted.
	Prove int `json:"prove" doc:"How many questions it takes to prove what the plugin accepted."`
	// Upstream is what the plugin may connect to.
	Upstream string `json:"upstream" hookarr:"network" doc:"What the plugin may connect to."`
	// URL is where the plugin posts to.
	URL sdk.Secret `json:"url" doc:"Where the plugin posts to."`
}

// Validate refuses on demand.
func (c config) Validate() error {
	if c.Refuse != "" {
		return errors.New(c.Refuse)
	}
	return nil
}

func main() {
	attemptAsProgram()
	// Traces of many goroutines would only slow the tests down.
	debug.SetTraceback("single")
	kind, name, _ := strings.Cut(strings.TrimPrefix(filepath.Base(os.Args[0]), "hookarr-"), "-")
	switch name {
	case "exits":
		_, _ = fmt.Fprintln(os.Stderr, "cannot find my library")
		os.Exit(7)
	case "prints":
		_, _ = fmt.Fprintln(os.Stdout, "Hello, I am a plugin!")
	case "speaks7":
		_, _ = fmt.Fprintln(os.Stdout, "1|7|unix|/nowhere|grpc|")
		_, _ = io.Copy(io.Discard, os.Stdin)
	case "elsewhere":
		_, _ = fmt.Fprintln(os.Stdout, "1|1|unix|/nowhere|grpc|")
		_, _ = io.Copy(io.Discard, os.Stdin)
	case "oldcore":
		_, _ = fmt.Fprintln(os.Stdout, "7|1|unix|/nowhere|grpc|")
		os.Exit(5)
	case "panics":
		for range 1000 {
			_, _ = fmt.Fprintln(os.Stderr, "loading")
		}
		panic(errors.Join(errors.New("my library"), errors.New(""), errors.New("is of the wrong version"))) //nolint:forbidigo // its purpose
	case "misbuilt":
		sdk.ServeTarget(sdk.Info{Name: name, Version: "1"}, func(context.Context, sdk.Env, struct {
			Age int `json:"age" hookarr:"default=old" doc:"The age."`
		},
		) (sdk.Target, error) {
			return sdk.TargetFunc(nil), nil
		})
	case "impostor", "unencrypted":
		_, _ = fmt.Fprintln(os.Stderr, impersonate(name == "impostor"))
		os.Exit(9)
	case "mute":
		_, _ = io.Copy(io.Discard, os.Stdin)
	case "forks":
		for range 80 {
			_, _ = os.StartProcess("/bin/sleep", []string{"sleep", "600"}, &os.ProcAttr{})
		}
		_, _ = io.Copy(io.Discard, os.Stdin)
	case "once":
		if _, err := os.Stat(os.Args[0] + ".here"); err == nil { //nolint:gosec // the directory is a test's own
			_, _ = io.Copy(io.Discard, os.Stdin)
		}
		_ = os.WriteFile(os.Args[0]+".here", nil, 0o600) //nolint:gosec // the directory is a test's own
	case "slow":
		time.Sleep(300 * time.Millisecond)
	case "meets-a", "meets-b", "meets-c", "meets-d":
		meet(filepath.Dir(os.Args[0]))
	case "liar":
		name = "saint"
	case "turncoat":
		kind = map[string]string{"source": "target", "target": "source"}[kind]
	}
	info := sdk.Info{Name: name, Version: "1.2.3", Summary: "Does everything wrong, on demand."}
	if name == "choosy" {
		serveChoosy(kind, info)
	}
	if kind == "source" {
		info.Features = []sdk.Feature{sdk.FeatureHistory, sdk.FeatureFetch, sdk.FeatureConnect}
		info.EventTypes = []sdk.EventType{{Type: sdk.TypeTest, Native: []string{"Test"}}, {Type: sdk.TypeMediaAdded}}
		info.Offline = name == "offline"
		sdk.ServeSource(info, func(_ context.Context, env sdk.Env, c config) (sdk.Source, error) {
			return source{newPlugin(env, c)}, nil
		})
	}
	if name != "plain" {
		info.Features = []sdk.Feature{sdk.FeatureTest, sdk.FeaturePreview, sdk.FeatureVerify}
	}
	sdk.ServeTarget(info, func(_ context.Context, env sdk.Env, c config) (sdk.Target, error) {
		return target{newPlugin(env, c)}, nil
	})
}

// running counts the calls under way in this process.
var running atomic.Int32

type plugin struct {
	env    sdk.Env
	config config
}

func newPlugin(env sdk.Env, c config) *plugin {
	if c.Exit {
		os.Exit(8)
	}
	if c.Hang {
		select {}
	}
	if c.Doubt != "" {
		env.Warn("doubt", c.Doubt)
	}
	return &plugin{env: env, config: c}
}

// wait returns when the test has left the file "go", or ctx ends.
func (p *plugin) wait(ctx context.Context) error {
	for {
		if released(p.config.Dir) {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// meet returns when every plugin of the directory has come this far.
func meet(dir string) {
	_ = os.WriteFile(os.Args[0]+".here", nil, 0o600) //nolint:gosec // the directory is a test's own
	for {
		all, _ := filepath.Glob(filepath.Join(dir, "hookarr-target-meets-?"))
		here, _ := filepath.Glob(filepath.Join(dir, "*.here"))
		if len(here) == len(all) {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

func (p *plugin) sign(name string) {
	if p.config.Dir != "" {
		_ = os.WriteFile(filepath.Join(p.config.Dir, name), nil, 0o600)
	}
}

// peak returns the most calls that ran at once within a moment.
func peak() int {
	most := int32(0)
	for range 20 {
		most = max(most, running.Load())
		time.Sleep(time.Millisecond)
	}
	return int(most)
}

func names(env []string) []string {
	for i, kv := range env {
		env[i], _, _ = strings.Cut(kv, "=")
	}
	slices.Sort(env)
	return env
}
