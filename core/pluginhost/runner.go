package pluginhost

import (
	"bytes"
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
)

// startRequest asks the goroutine that forks to fork.
type startRequest struct {
	path    string
	argv    []string
	attr    *os.ProcAttr
	started chan<- startResult
	// policy is that of a sandbox, or nil. ended is closed after the process's end.
	policy *sandbox.Policy
	ended  <-chan struct{}
}

func (r startRequest) start() (*os.Process, error) {
	if r.policy != nil {
		return sandbox.Start(*r.policy, r.path, r.argv, r.attr, r.ended)
	}
	return os.StartProcess(r.path, r.argv, r.attr)
}

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
	// printed gets what the process prints after its handshake; nil discards it.
	printed io.Writer
	// outlives: the kernel does not end the process together with this one.
	outlives bool

	stdin  *os.File
	stdout *os.File
	stderr *os.File
	// greeting is the first line that the process printed.
	greeting atomic.Pointer[string]

	mu      sync.Mutex
	process *os.Process
	// ending: this host has asked for the end.
	ending bool

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
	started := make(chan startResult, 1)
	p.requests <- startRequest{
		path: p.path,
		argv: p.argv,
		attr: &os.ProcAttr{
			Dir:   p.socketDir,
			Env:   p.env,
			Files: []*os.File{childIn, childOut, childErr, p.binary},
			Sys:   processAttr(p.outlives),
		},
		started: started,
		policy:  p.policy,
		ended:   p.exited,
	}
	r := <-started
	if r.err != nil {
		closeAll()
		if pe, ok := errors.AsType[*fs.PathError](r.err); ok {
			// Its path is the private link.
			r.err = pe.Err
		}
		return fmt.Errorf("execute %s: %w", p.argv[0], r.err)
	}
	for _, f := range []*os.File{childIn, childOut, childErr} {
		_ = f.Close()
	}
	p.stdin, p.stdout, p.stderr = files[1], files[2], files[4]
	logged := make(chan struct{})
	go p.logOutput(logged)
	go p.reap(r.process, logged)

	p.mu.Lock()
	defer p.mu.Unlock()
	p.process = r.process
	if p.ending {
		_ = p.process.Kill()
	}
	return nil
}

func (p *osProcess) logOutput(done chan<- struct{}) {
	defer close(done)
	w := &lineWriter{line: p.log.line}
	_, _ = io.Copy(w, p.stderr)
	w.flush()
}

func (p *osProcess) reap(process *os.Process, logged <-chan struct{}) {
	defer close(p.exited)
	// The error could only be that there is no such child.
	p.state, _ = reap(process)
	p.mu.Lock()
	p.crashed = !p.ending && p.state != nil && !p.state.Success() && !foreign(p.state)
	p.mu.Unlock()
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
	how := p.state.String()
	if p.said != "" {
		how += ": " + p.said
	}
	return how
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
	f := &firstLine{file: p.stdout, read: func(line string) { p.greeting.Store(&line) }, rest: io.Discard}
	if p.printed != nil {
		f.rest = p.printed
	}
	return f
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

// firstLine reads the first line of a file, then to the file's end without handing
// on anything.
type firstLine struct {
	file *os.File
	// read is called with the line.
	read func(line string)
	// rest gets what follows.
	rest io.Writer
	line []byte
	done bool
}

func (f *firstLine) Read(p []byte) (int, error) {
	if f.done {
		_, _ = io.Copy(f.rest, f.file)
		_ = f.Close()
		return 0, io.EOF
	}
	n, err := f.file.Read(p)
	var rest []byte
	if i := bytes.IndexByte(p[:n], '\n'); i >= 0 {
		rest = bytes.Clone(p[i+1 : n])
		n = i + 1
	}
	f.line = append(f.line, p[:n]...)
	if f.done = err != nil || bytes.HasSuffix(f.line, []byte{'\n'}) || len(f.line) > maxHandshake; f.done {
		f.read(string(bytes.TrimSpace(f.line)))
		_, _ = f.rest.Write(rest)
	}
	return n, nil
}

func (f *firstLine) Close() error { return f.file.Close() }
