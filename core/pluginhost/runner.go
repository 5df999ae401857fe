package pluginhost

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-plugin/runner"

	"github.com/hookarr/hookarr/core/sandbox"
)

const (
	// maxHandshake bounds the line by which a plugin says where it listens, which
	// holds a certificate.
	maxHandshake = 16 << 10
	// pipeGrace is how long output may come after the process ended: only from a
	// child of its own that has left the process group and kept the pipes.
	pipeGrace = 250 * time.Millisecond
	// execFile is the descriptor that a plugin's own binary has in its process: the
	// first after the standard three.
	execFile = 3
)

// startRequest asks the goroutine that forks to fork.
type startRequest struct {
	path    string
	argv    []string
	attr    *os.ProcAttr
	started chan<- startResult
	// policy is that of a sandbox, or nil. ended is closed after the process's end, or when
	// the start has failed.
	policy *sandbox.Policy
	ended  <-chan struct{}
}

func (r startRequest) start() (*os.Process, error) {
	if r.policy != nil {
		return sandbox.Start(*r.policy, r.path, r.argv, r.attr, r.ended)
	}
	return os.StartProcess(r.path, r.argv, r.attr)
}

// errForkLimit: the system, or a start before this one, takes too long.
var errForkLimit = errors.New("the process was not started in time")

type startResult struct {
	process *os.Process
	err     error
}

// osProcess runs one plugin binary, for go-plugin, which knows no way to ask for
// the process's end, its exit status, its group or its standard input.
type osProcess struct {
	requests chan<- startRequest
	binary   *os.File
	path     string
	argv     []string
	env      []string
	// policy is what the process may reach in its sandbox; nil for no sandbox.
	policy *sandbox.Policy
	// socketDir is where the plugin may listen.
	socketDir string
	log       *processLog
	// printed gets what the process prints after its handshake.
	printed io.Writer
	// outlives: the kernel does not end the process together with this one.
	outlives bool

	stdin  *os.File
	stdout *os.File
	stderr *os.File
	// marker is a variable of the environment that no process but this one and its
	// descendants has.
	marker      string
	descendants descendants
	// isPlugin reports whether a child of this process is the first of a plugin, and so no
	// descendant of this one.
	isPlugin func(pid int) bool
	// forkLimit bounds the wait for the fork.
	forkLimit time.Duration
	// exitGrace is how long after a broken call to wait for the news of the process's end,
	// which comes a millisecond or so later.
	exitGrace time.Duration
	// atEnd is called when the process has ended, before exited is closed.
	atEnd func(*os.ProcessState)
	// fault is for what this host has ended the process; nil for nothing.
	fault atomic.Pointer[string]
	// greeting is the first line that the process printed.
	greeting atomic.Pointer[string]

	mu      sync.Mutex
	process *os.Process
	// ending: this host has asked for the end.
	ending bool

	// over is closed when the process has ended, or was not started.
	over chan struct{}
	// exited is closed when the process has ended and all its output is logged. The
	// following are set then.
	exited chan struct{}
	state  *os.ProcessState
	// crashed: the process ended by itself. One that this host or a signal from
	// outside ended has not crashed, nor one that ended in good order, as plugins of
	// the SDK do when a service manager sends them SIGTERM.
	crashed bool
	// said is what the process said of its end.
	said string
}

var _ runner.Runner = (*osProcess)(nil)

// Start starts the process. It is called once.
func (p *osProcess) Start(context.Context) error {
	files := make([]*os.File, 0, 6)
	closeAll := func() {
		for _, f := range files {
			_ = f.Close()
		}
	}
	for range 3 {
		r, w, err := os.Pipe()
		if err != nil {
			closeAll()
			return fmt.Errorf("make pipe: %w", err)
		}
		files = append(files, r, w)
	}
	childIn, childOut, childErr := files[0], files[3], files[5]
	process, err := p.fork(startRequest{
		path: p.path,
		argv: p.argv,
		attr: &os.ProcAttr{
			Dir:   p.socketDir,
			Env:   p.env,
			Files: []*os.File{childIn, childOut, childErr, p.binary},
			Sys:   processAttr(p.outlives),
		},
		policy: p.policy,
		ended:  p.over,
	})
	if err != nil {
		close(p.over)
		closeAll()
		if pe, ok := errors.AsType[*fs.PathError](err); ok {
			// Its path is the private link.
			err = pe.Err
		}
		return fmt.Errorf("execute %s: %w", p.argv[0], err)
	}
	for _, f := range []*os.File{childIn, childOut, childErr} {
		_ = f.Close()
	}
	p.stdin, p.stdout, p.stderr = files[1], files[2], files[4]
	logged := make(chan struct{})
	go p.logOutput(logged)
	go p.reap(process, logged)

	p.mu.Lock()
	defer p.mu.Unlock()
	p.process = process
	if p.ending {
		_ = p.process.Kill()
	}
	return nil
}

// fork has the process forked, and waits no longer than the limit: a start that never ends
// holds up those after it.
func (p *osProcess) fork(r startRequest) (*os.Process, error) {
	started := make(chan startResult, 1)
	r.started = started
	timer := time.NewTimer(p.forkLimit)
	defer timer.Stop()
	select {
	case p.requests <- r:
	case <-timer.C:
		return nil, errForkLimit
	}
	select {
	case s := <-started:
		return s.process, s.err
	case <-timer.C:
		go p.discard(started)
		return nil, errForkLimit
	}
}

// discard ends a process that starts after all, when nobody waits for it any more.
func (p *osProcess) discard(started <-chan startResult) {
	if s := <-started; s.err == nil {
		_ = s.process.Kill()
		p.state, _ = reap(s.process)
		close(p.exited)
	}
}

func (p *osProcess) logOutput(done chan<- struct{}) {
	defer close(done)
	w := &lineWriter{line: p.log.line}
	_, _ = io.Copy(w, newSlowReader(p.stderr, p.over))
	w.flush()
}

func (p *osProcess) reap(process *os.Process, logged <-chan struct{}) {
	defer close(p.exited)
	// The error could only be that there is no such child.
	p.state, _ = reap(process)
	close(p.over)
	p.mu.Lock()
	p.crashed = !p.ending && p.state != nil && !p.state.Success() && !foreign(p.state)
	p.mu.Unlock()
	p.descendants.sweep(process.Pid, p.marker, p.isPlugin)
	p.atEnd(p.state)
	deadline := time.Now().Add(pipeGrace)
	_ = p.stdout.SetReadDeadline(deadline)
	_ = p.stderr.SetReadDeadline(deadline)
	<-logged
	_ = p.stderr.Close()
	_ = p.stdin.Close()
	p.said = p.log.end()
}

// expectEnd makes the end of the process no crash.
func (p *osProcess) expectEnd() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ending = true
}

// kill ends the process at once, whatever it does, or keeps it from starting.
func (p *osProcess) kill() {
	p.rememberDescendants()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ending = true
	if p.process != nil {
		_ = p.process.Kill()
	}
}

// exitReason says, after the end, how the process ended, and what it said of that. It
// is foreign text: for who mends the plugin, not for deliveries.
func (p *osProcess) exitReason() string {
	how := p.how()
	if p.said != "" {
		how += ": " + p.said
	}
	return how
}

// how says, after the end, how the process ended, or for what this host has ended it.
func (p *osProcess) how() string {
	if fault := p.fault.Load(); fault != nil {
		return *fault
	}
	return p.state.String()
}

// endError says why the process has ended, or is ended by this host.
func (p *osProcess) endError() error {
	if fault := p.fault.Load(); fault != nil {
		return errors.New(*fault)
	}
	return fmt.Errorf("process ended: %s", p.state)
}

// killed reports, after the end, whether this host made the process end.
func (p *osProcess) killed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ending && p.state != nil && foreign(p.state)
}

// Wait waits for the end of the process.
func (p *osProcess) Wait(context.Context) error {
	<-p.exited
	return nil
}

// Kill ends the process at once.
func (p *osProcess) Kill(context.Context) error {
	p.kill()
	return nil
}

// Stdout gives go-plugin the handshake and nothing else: what else a plugin prints
// is discarded.
func (p *osProcess) Stdout() io.ReadCloser {
	return &firstLine{
		file: p.stdout, rest: newSlowReader(p.stdout, p.over), to: p.printed,
		read: func(line string) { p.greeting.Store(&line) }, more: sync.OnceFunc(p.log.printed),
	}
}

// Stderr gives go-plugin nothing: see processLog.
func (p *osProcess) Stderr() io.ReadCloser { return io.NopCloser(strings.NewReader("")) }

// Name is the path of the binary.
func (p *osProcess) Name() string { return p.argv[0] }

// ID is the process id, or empty before the start.
func (p *osProcess) ID() string {
	if pid := p.pid(); pid != 0 {
		return strconv.Itoa(pid)
	}
	return ""
}

func (p *osProcess) pid() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.process == nil {
		return 0
	}
	return p.process.Pid
}

// Diagnose has nothing to add to exitReason.
func (p *osProcess) Diagnose(context.Context) string { return "" }

// PluginToHost admits a socket in the plugin's own directory alone.
func (p *osProcess) PluginToHost(network, addr string) (string, string, error) {
	if network != "unix" || !strings.HasPrefix(filepath.Clean(addr), p.socketDir+string(filepath.Separator)) {
		return "", "", fmt.Errorf("plugin listens on %s %s, not in its own directory: it must use $PLUGIN_UNIX_SOCKET_DIR", network, addr)
	}
	return network, addr, nil
}

// HostToPlugin returns addresses as they are.
func (p *osProcess) HostToPlugin(network, addr string) (string, string, error) {
	return network, addr, nil
}
