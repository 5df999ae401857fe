package pluginhost

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"github.com/hashicorp/go-plugin/runner"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

const (
	// maxSocketPath is what a Unix socket's path may have, and socketRoom what
	// go-plugin and the private directories append to the temporary directory.
	maxSocketPath = 104
	socketRoom    = 70
	// endGrace is how long a process may take to end when asked. go-plugin alone
	// waits for ever for the answer of a stopped one.
	endGrace = 3 * time.Second
)

// passedOn are the variables of the host's environment that plugins get; no other,
// for the rest may hold secrets.
var passedOn = []string{
	"TZ", "SSL_CERT_FILE", "SSL_CERT_DIR",
	"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
}

// launcher starts plugin processes. All of them must have ended before close.
type launcher struct {
	opts Options
	tmp  string
	// lock is held for as long as tmp is used.
	lock     *os.File
	requests chan startRequest
	// unsupported is done when it was logged that there is no sandbox.
	unsupported sync.Once
	// closing ends watchUsage, and watched says that it has ended.
	closing, watched chan struct{}

	mu sync.Mutex
	// descriptions are what binaries have said of themselves.
	descriptions map[described]host.Description
	// live are the processes that have not ended.
	live map[*process]struct{}
}

func newLauncher(opts Options) (*launcher, error) {
	if len(opts.TempDir)+socketRoom > maxSocketPath {
		return nil, fmt.Errorf("temporary directory %s: path is too long for the plugins' sockets: set TMPDIR to one of at most %d characters",
			opts.TempDir, maxSocketPath-socketRoom)
	}
	tmp, lock, err := makePrivate(opts.TempDir)
	if err != nil {
		return nil, err
	}
	if err := adoptOrphans(); err != nil {
		opts.Log.Warn("processes that plugins hide are not found", "error", err)
	}
	l := &launcher{
		opts: opts, tmp: tmp, lock: lock, requests: make(chan startRequest), descriptions: map[described]host.Description{},
		closing: make(chan struct{}), watched: make(chan struct{}), live: map[*process]struct{}{},
	}
	go startProcesses(l.requests, opts.setLimits)
	go l.watchUsage()
	return l, nil
}

// processes returns those that have not ended.
func (l *launcher) processes() []*process {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Collect(maps.Keys(l.live))
}

// started reports whether a process that has not ended is the first of a plugin.
func (l *launcher) started(pid int) bool {
	return slices.ContainsFunc(l.processes(), func(p *process) bool { return p.pid() == pid })
}

func (l *launcher) close() {
	close(l.closing)
	<-l.watched
	close(l.requests)
	_ = os.RemoveAll(l.tmp)
	_ = l.lock.Close()
}

// process is a plugin that runs.
type process struct {
	*osProcess
	// label is the plugin's kind and name.
	label  string
	plugin *plugin.Client
	client *host.Client
	desc   host.Description
	// dir is the process's own temporary directory.
	dir     string
	started time.Time
	// sandbox is where it runs.
	sandbox Sandbox
	// settings are those that it was started with.
	settings Settings
	// checksum is the binary's SHA-256 in hexadecimal.
	checksum string
	// calls counts the calls under way. It only grows while the process is the
	// supervisor's current one.
	calls sync.WaitGroup
	// memory is what it held at the last look, with its children, in bytes.
	memory atomic.Int64
	// supervisor is who goes by what the process takes; nil for nobody.
	supervisor atomic.Pointer[supervisor]
	// judge and nextTry, before which it is not replaced for what it takes, belong to
	// watchUsage; counted, the CPU time that is in the metric, is guarded by the supervisor.
	judge   usageJudge
	nextTry time.Time
	counted time.Duration
}

// refusedError is matched by errors of binaries that are not even started.
type refusedError struct{ err error }

func (e *refusedError) Error() string { return e.err.Error() }
func (e *refusedError) Unwrap() error { return e.err }

// run checks and starts a plugin's binary, in a sandbox if that is asked for, and asks it
// what it is. With an error comes the process that has ended, if one was started.
func (l *launcher) run(ctx context.Context, kind host.Kind, name string, sink *logSink, inside func(checksum string) bool) (*process, error) {
	p, err := l.prepare(ctx, kind, name, sink)
	if err != nil {
		return nil, err
	}
	if inside(p.checksum) {
		p.policy = policyFor(p.binary, p.dir)
	}
	p.plugin = plugin.NewClient(l.clientConfig(p))
	err = p.greet(ctx, l.opts.Timing.Start, kind, name)
	// A process that has started has its own.
	_ = p.binary.Close()
	if err != nil {
		gone := p.pid() != 0 && p.endsSoon()
		p.end()
		l.untrack(p) // one that was never started has no end
		return p, p.explainStart(err, gone, l.opts.Timing.Start)
	}
	return p, nil
}

// prepare checks a plugin's binary and returns the process that it is to become. The
// caller closes its binary.
func (l *launcher) prepare(ctx context.Context, kind host.Kind, name string, sink *logSink) (*process, error) {
	file := binaryName(kind, name)
	from := dirOf(l.opts.Dirs, file)
	binary, err := openBinary(from, file)
	if err != nil {
		return nil, &refusedError{err}
	}
	sum, err := checksum(binary)
	if err == nil {
		err = verifyLock(l.opts.LockFile, sum, file)
	}
	if err != nil {
		_ = binary.Close()
		return nil, &refusedError{err}
	}
	dir, err := os.MkdirTemp(l.tmp, "p")
	if err != nil {
		_ = binary.Close()
		return nil, fmt.Errorf("make private directory for plugin: %w", err)
	}
	path, err := execPath(dir, binary)
	if err != nil {
		_ = binary.Close()
		_ = os.RemoveAll(dir)
		return nil, fmt.Errorf("link plugin: %w", err)
	}
	p := &process{
		osProcess: &osProcess{
			requests: l.requests,
			binary:   binary,
			path:     path,
			argv:     []string{filepath.Join(from, file)},
			env:      l.environment(ctx, dir),
			marker:   "TMPDIR=" + dir,
			log:      sink.process(),
			printed:  io.Discard,
			over:     make(chan struct{}),
			exited:   make(chan struct{}),

			isPlugin:  l.started,
			forkLimit: l.opts.Timing.Start,
			exitGrace: l.opts.Timing.Exit,
		},
		label:    string(kind) + "-" + name,
		dir:      dir,
		started:  time.Now(),
		settings: l.opts.Settings(kind, name).withDefaults(),
		checksum: sum,
	}
	l.track(p)
	return p, nil
}

// clientConfig is how go-plugin starts a process.
func (l *launcher) clientConfig(p *process) *plugin.ClientConfig {
	config := ClientConfig()
	// The context of greet ends first.
	config.StartTimeout = 2 * l.opts.Timing.Start
	config.UnixSocketConfig = &plugin.UnixSocketConfig{TempDir: p.dir}
	// Of plugins with go-plugin's own server, which takes both outputs from their process and
	// sends them over the connection.
	config.SyncStderr = newSlowWriter(&lineWriter{line: p.log.line}, p.over)
	config.SyncStdout = newSlowWriter(p.printed, p.over)
	config.RunnerFunc = func(_ hclog.Logger, cmd *exec.Cmd, socketDir string) (runner.Runner, error) {
		p.env = append(p.env, cmd.Env...)
		p.socketDir = socketDir
		return p.osProcess, nil
	}
	return config
}

// track keeps a process among the live ones until it has ended.
func (l *launcher) track(p *process) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.live[p] = struct{}{}
	p.atEnd = func(state *os.ProcessState) {
		l.untrack(p)
		if s := p.supervisor.Load(); s != nil && state != nil {
			s.countCPU(p, state.UserTime()+state.SystemTime())
		}
	}
}

func (l *launcher) untrack(p *process) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.live, p)
}

// environment is the whole environment of a plugin, but for go-plugin's own
// variables.
func (l *launcher) environment(ctx context.Context, dir string) []string {
	env := []string{"TMPDIR=" + dir, "HOOKARR_LOG_LEVEL=" + logLevel(ctx, l.opts.Log)}
	for _, key := range passedOn {
		if value, ok := os.LookupEnv(key); ok {
			env = append(env, key+"="+value)
		}
	}
	return env
}

// greet starts the process, connects to it and makes sure that it is what its
// file's name says.
func (p *process) greet(ctx context.Context, timeout time.Duration, kind host.Kind, name string) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	// go-plugin takes no context; it gives up when the process is gone.
	stop := context.AfterFunc(ctx, p.kill)
	defer stop()
	client, err := Connect(p.plugin)
	if err == nil {
		client.Host = AboutSelf()
		p.client = client
		p.desc, err = p.client.Describe(ctx)
	}
	if err != nil {
		return errors.Join(context.Cause(ctx), err)
	}
	if p.desc.Kind != kind || p.desc.Name != name {
		return fmt.Errorf("it says that it is %s plugin %q: rename the file to %s", p.desc.Kind, p.desc.Name, binaryName(p.desc.Kind, p.desc.Name))
	}
	return nil
}

// explainStart says in people's words why a process that has ended did not start.
func (p *process) explainStart(err error, gone bool, timeout time.Duration) error {
	file := filepath.Base(p.argv[0])
	greeting := ""
	if g := p.greeting.Load(); g != nil {
		greeting = *g
	}
	parts := strings.Split(greeting, "|")
	switch {
	case p.fault.Load() != nil:
		return fmt.Errorf("start plugin %s: it was ended: %s", file, p.how())
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("start plugin %s: not ready within %s", file, timeout)
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("start plugin %s: %w", file, context.Canceled)
	case greeting != "" && len(parts) < 4:
		return fmt.Errorf("start plugin %s: it printed %.80q where its handshake belongs: a plugin must not write to standard output", file, greeting)
	case len(parts) >= 4 && parts[1] != strconv.Itoa(sdk.ProtocolVersion):
		return fmt.Errorf("start plugin %s: it speaks version %.10q of the plugin protocol, this Hookarr speaks %d: install a version of the plugin that fits", file, parts[1], sdk.ProtocolVersion)
	case gone && greeting == "":
		return fmt.Errorf("start plugin %s: it ended: %s", file, p.exitReason())
	}
	// Some of go-plugin's reasons have several lines.
	reason := strings.Join(strings.Fields(err.Error()), " ")
	if gone && !p.killed() {
		reason += ": it ended: " + p.exitReason()
	}
	return fmt.Errorf("start plugin %s: %s", file, reason)
}

// explainConfigure says in people's words why a call of Configure failed that was begun then,
// with that context.
func (p *process) explainConfigure(ctx context.Context, begun time.Time, err error) error {
	switch {
	case status.Code(err) == codes.DeadlineExceeded, errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fmt.Errorf("configure plugin: no answer within %s: the constructor does not return", rounded(time.Since(begun)))
	case p.endsSoon():
		return fmt.Errorf("configure plugin: it ended: %s", p.exitReason())
	default:
		return err
	}
}

// drain waits until no call is under way. None may be begun any more.
func (p *process) drain(ctx context.Context) error { return await(ctx, &p.calls) }

// await waits for a group, or for the end of ctx.
func await(ctx context.Context, group *sync.WaitGroup) error {
	done := make(chan struct{})
	go func() {
		group.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// end ends the process, by asking first, and returns when nothing of it is left.
func (p *process) end() {
	p.rememberDescendants()
	p.expectEnd()
	timer := time.AfterFunc(endGrace, p.kill)
	defer timer.Stop()
	p.plugin.Kill()
	if p.pid() != 0 {
		<-p.exited
	}
	removePrivate(p.log.log, p.dir)
}

// removePrivate removes a plugin's own directory, which may hold what cannot be removed,
// such as a tree that is deeper than this process may open files.
func removePrivate(log *slog.Logger, dir string) {
	err := os.RemoveAll(dir)
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		err = pe.Err // its path is as long as the tree is deep
	}
	if err != nil {
		log.Warn("plugin's private directory is left", "dir", dir, "error", err)
	}
}

// ended reports whether the process has ended.
func (p *process) ended() bool { return closed(p.exited) }

// endsSoon waits a little for the end of the process, and then for what follows that.
func (p *process) endsSoon() bool {
	timer := time.NewTimer(p.exitGrace)
	defer timer.Stop()
	select {
	case <-p.over:
		<-p.exited
		return true
	case <-timer.C:
		return false
	}
}
