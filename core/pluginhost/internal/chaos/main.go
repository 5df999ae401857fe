// Command chaos is the plugin that does everything wrong, on demand, for the tests
// of package pluginhost. What it is follows from the name of its file, because a
// host's environment does not reach it: hookarr-target-exits, for one, ends before
// its handshake. What it does with an event follows from the event's title.
package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
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

// choosy is the configuration of a plugin that has options.
type choosy struct {
	config
	Room string `json:"room" hookarr:"required,options" doc:"A room."`
	// Ask is what happens when the plugin is asked for rooms.
	Ask string `json:"ask" doc:"What happens when the plugin is asked for rooms."`
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

func serveChoosy(kind string, info sdk.Info) {
	info.Features = []sdk.Feature{sdk.FeatureOptions}
	if kind == "source" {
		sdk.ServeSource(info, func(_ context.Context, env sdk.Env, c choosy) (sdk.Source, error) {
			return choosySource{source{newPlugin(env, c.config)}, rooms{c}}, nil
		})
	}
	sdk.ServeTarget(info, func(_ context.Context, env sdk.Env, c choosy) (sdk.Target, error) {
		return choosyTarget{target{newPlugin(env, c.config)}, rooms{c}}, nil
	})
}

type choosySource struct {
	source
	rooms
}

type choosyTarget struct {
	target
	rooms
}

// rooms tells options.
type rooms struct{ choosy }

func (r rooms) Options(ctx context.Context, key string) ([]sdk.Option, error) {
	what, arg, _ := strings.Cut(r.Ask, " ")
	p := &plugin{config: r.config}
	switch what {
	case "refuse":
		return nil, errors.New(arg + ": the token " + r.URL.Reveal() + " is not accepted")
	case "wait":
		p.sign("arrived-options")
		return nil, p.wait(ctx)
	default:
		p.misbehave(what, arg)
	}
	return []sdk.Option{{Value: key + "-1", Label: "One"}, {Value: key + "-2"}}, nil
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

// target has every power of a target that hosts use.
type target struct{ *plugin }

func (t target) Deliver(ctx context.Context, d sdk.Delivery) (sdk.Receipt, error) {
	return t.deliver(ctx, d)
}

func (t target) Test(ctx context.Context, d sdk.Delivery) (sdk.Receipt, error) {
	if d.Event.Source == sdk.SourceHookarr {
		return t.env.HTTP.PostJSON(ctx, t.config.URL, d.Event.Summary)
	}
	return t.deliver(ctx, d)
}

// Verify tells of the proof once it was asked for it often enough. How often that was is the
// state of its receipts.
func (t target) Verify(_ context.Context, d sdk.Delivery) (sdk.Receipt, error) {
	if d.Event.Title == "lost" {
		return sdk.Receipt{}, sdk.Redeliver(errors.New("the endpoint has lost it"))
	}
	asked, _ := strconv.Atoi(string(d.Accepted.State))
	if asked++; asked < t.config.Prove && !d.Final {
		return t.toProve(asked), nil
	}
	e := sdk.Event{
		Type: sdk.TypeLibraryAvailable, Title: d.Event.Title, Summary: d.Event.Title + " is there", CorrelationKey: "proof of " + d.Event.ID,
		Library: &sdk.Library{Server: "Chaos"},
	}
	return sdk.Receipt{Status: 200, MessageID: "proof-" + d.ID, Events: []sdk.Event{e}}, nil
}

func (p *plugin) toProve(asked int) sdk.Receipt {
	return sdk.Receipt{
		Status: 202, State: []byte(strconv.Itoa(asked)), VerifyAfter: 50 * time.Millisecond,
		Waits: fmt.Sprintf("asked %d of %d times", asked, p.config.Prove),
	}
}

func (p *plugin) deliver(ctx context.Context, d sdk.Delivery) (sdk.Receipt, error) {
	running.Add(1)
	defer running.Add(-1)
	p.sign("arrived-" + d.ID)
	what, arg, _ := strings.Cut(cmp.Or(p.config.Do, d.Event.Title), " ")
	switch what {
	case "host":
		return sdk.Receipt{Status: 200, Excerpt: fmt.Sprint(p.env.Host)}, nil
	case "post":
		return p.env.HTTP.PostJSON(ctx, p.config.URL, arg)
	case "fallback":
		receipt, err := p.env.HTTP.PostJSON(ctx, p.config.URL, arg)
		receipt.Fallback = "the template failed:\nused " + arg
		return receipt, err
	case "env":
		return sdk.Receipt{Status: 200, Excerpt: strings.Join(names(os.Environ()), " ")}, nil
	case "tmpdir":
		return sdk.Receipt{Status: 200, Excerpt: os.TempDir()}, nil
	case "size":
		return sdk.Receipt{Status: 200, Excerpt: strconv.Itoa(len(d.JSON[0]))}, nil
	case "peak":
		return sdk.Receipt{Status: 200, Excerpt: strconv.Itoa(peak())}, nil
	case "permanent":
		return sdk.Receipt{Status: 400, Excerpt: "no"}, sdk.Permanent(errors.New("never again"))
	case "throttled":
		return sdk.Receipt{Status: 429}, sdk.Throttled(90*time.Second, errors.New("slow down"))
	case "wait":
		return sdk.Receipt{Status: 200}, p.wait(ctx)
	case "log":
		p.env.Log.Warn("careful", "answer", 42, "plugin", "forged")
	default:
		p.misbehave(what, arg)
	}
	if p.config.Prove > 0 {
		return p.toProve(0), nil
	}
	return sdk.Receipt{Status: 200, Excerpt: "done"}, nil
}

func (p *plugin) decode(ctx context.Context, r sdk.Request) (sdk.Event, error) {
	running.Add(1)
	defer running.Add(-1)
	what, arg, _ := strings.Cut(string(r.Body), " ")
	switch what {
	case "skip":
		return sdk.Event{}, sdk.Skip("not interesting")
	case "invalid":
		return sdk.Event{}, sdk.InvalidTest(errors.New("not JSON"))
	case "attempt":
		return sdk.Event{Type: sdk.TypeTest, App: "chaos", Title: attempt(arg), Summary: "Tries to break out"}, nil
	case "untitled":
		return sdk.Event{Type: sdk.TypeTest, App: "chaos"}, nil
	case "foreign":
		return sdk.Event{ID: "forged", Source: "forged", Type: sdk.TypeTest, App: "chaos", Title: "A test", Summary: "A test"}, nil
	case "wait":
		p.sign("arrived-wait")
		if err := p.wait(ctx); err != nil {
			return sdk.Event{}, err
		}
	default:
		p.misbehave(what, arg)
	}
	return sdk.Event{Type: sdk.TypeTest, App: "chaos", Title: "A test", Summary: "A test"}, nil
}

// source has every power of a source.
type source struct{ *plugin }

func (s source) Decode(ctx context.Context, r sdk.Request) (sdk.Event, error) {
	return s.decode(ctx, r)
}

func (s source) History(_ context.Context, q sdk.HistoryQuery) (sdk.HistoryPage, error) {
	if q.Cursor == "down" {
		return sdk.HistoryPage{}, errors.New("the application does not answer")
	}
	s.misbehave(q.Cursor, "")
	e := sdk.Event{Type: sdk.TypeMediaAdded, App: "chaos", Title: "Past", Summary: "Past", Time: q.Since}
	return sdk.HistoryPage{Events: []sdk.PastEvent{{Event: e, Record: []byte("record")}}, Cursor: "end"}, nil
}

func (s source) Fetch(_ context.Context, e sdk.Event) (sdk.Event, error) {
	if e.Title == "gone" {
		return e, errors.New("the application knows nothing of it")
	}
	e.Summary += ", fetched"
	return e, nil
}

func (s source) Connect(_ context.Context, r sdk.ConnectRequest) (sdk.ConnectResult, error) {
	if r.Action == sdk.ConnectRemove {
		return sdk.ConnectResult{}, errors.New("the application keeps it")
	}
	return sdk.ConnectResult{Connected: true, AppName: "Chaos", Changes: []sdk.Change{{Field: "url", To: r.URL}}}, nil
}

// misbehave does what no plugin should.
func (p *plugin) misbehave(what, arg string) {
	switch what {
	case "panic":
		panic("a bug in the handler") //nolint:forbidigo // its purpose
	case "panic-goroutine":
		go func() { panic("a bug in a goroutine") }() //nolint:forbidigo // its purpose
		select {}
	case "exit":
		os.Exit(3)
	case "hang":
		select {}
	case "flood":
		n, _ := strconv.Atoi(arg)
		for i := range n {
			p.env.Log.Info("flood", "line", i)
		}
	case "print":
		_, _ = fmt.Fprintln(os.Stdout, "printed to stdout")
		_, _ = syscall.Write(1, []byte(strings.Repeat("printed raw\n", 20_000)))
	case "hostile-log":
		for _, line := range []string{
			`{"@message":1}`, `{"@message":"x","@level":7}`, `{"@timestamp":{}}`, `[]`, `{`, strings.Repeat("x", 200_000),
			`{"@message":"survived","@level":"warn"}`,
		} {
			_, _ = syscall.Write(2, []byte(line+"\n"))
		}
	case "leak":
		// Until the end of the process.
		mib, _ := strconv.Atoi(arg)
		hoard.Lock()
		hoard.held = append(hoard.held, bytes.Repeat([]byte{1}, mib<<20))
		hoard.Unlock()
	case "spin":
		for !released(p.config.Dir) {
		}
	case "spew-err", "spew-out":
		fd := map[string]int{"spew-err": 2, "spew-out": 1}[what]
		line := []byte(strings.Repeat("spew ", 1000) + "\n")
		for !released(p.config.Dir) {
			_, _ = syscall.Write(fd, line)
		}
	case "sh":
		p.sh(arg)
	case "orphan":
		// A child that keeps the pipes and would outlive its parent.
		child, err := os.StartProcess("/bin/sleep", []string{"sleep", "600"}, &os.ProcAttr{Files: []*os.File{os.Stdin, os.NewFile(1, "stdout"), os.NewFile(2, "stderr")}})
		if err == nil {
			p.sign("child-" + strconv.Itoa(child.Pid))
		}
		os.Exit(4)
	}
}

// hoard is what the plugin never gives back.
var hoard struct {
	sync.Mutex
	held [][]byte
}

// sh runs a script, which finds the plugin's directory in $0, and does not wait for what it
// leaves running.
func (p *plugin) sh(script string) {
	shell, err := os.StartProcess("/bin/sh", []string{"sh", "-c", script, p.config.Dir}, &os.ProcAttr{Env: os.Environ(), Files: []*os.File{nil, nil, nil}})
	if err == nil {
		_, _ = shell.Wait()
	}
}

// released reports whether the test has left the file "go".
func released(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "go"))
	return err == nil
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
