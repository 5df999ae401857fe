package pluginhost

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
)

// maxByHand bounds what is kept of each output of a binary that is started by hand, in bytes.
const maxByHand = 64 << 10

// TrialOptions configure a Trial. Zero values work.
type TrialOptions struct {
	// TempDir is as in Options.
	TempDir string
	// Start bounds the start of the process up to its handshake: 10 s.
	Start time.Duration
	// Exit is how long the news of the process's end may take after the start failed: 1 s.
	Exit time.Duration
	// Logged gets each line of standard error as it came, up to 16 KiB of it, and Printed what
	// the process prints after its handshake. Both are called from other goroutines. Nil is
	// nobody.
	Logged  func(line []byte)
	Printed func(p []byte)
	// Env are variables, NAME=value, in the place of those of the host's that plugins get.
	Env []string
	// Sandboxed: the process starts in the sandbox of plugins that promise to be offline,
	// which the system has to support.
	Sandboxed bool
	// Outlives: the kernel does not end the process together with this one, so that the
	// plugin itself has to learn of it.
	Outlives bool
}

// Trial is the process of a plugin that is launched as a Host does, and then left alone: no
// supervisor restarts it, asks for its health or configures it. It is for who judges a plugin.
type Trial struct {
	// Conn is the connection.
	Conn *grpc.ClientConn
	// Handshake is the line by which the process said where it listens.
	Handshake string
	// Took is the time from the start to the connection.
	Took time.Duration

	launcher *launcher
	process  *process
}

// StartTrial launches the binary at path and connects to it. The error says what a Host would
// say. The caller ends the trial.
func StartTrial(ctx context.Context, path string, opts TrialOptions) (*Trial, error) {
	l, p, err := prepareTrial(ctx, path, opts)
	if err != nil {
		return nil, err
	}
	if opts.Printed != nil {
		p.printed = writerFunc(opts.Printed)
	}
	p.plugin = plugin.NewClient(l.clientConfig(p))
	t := &Trial{launcher: l, process: p}
	ctx, cancel := context.WithTimeout(ctx, l.opts.Timing.Start)
	defer cancel()
	stop := context.AfterFunc(ctx, p.kill)
	protocol, err := p.plugin.Client()
	stop()
	_ = p.binary.Close()
	t.Took = time.Since(p.started)
	if g := p.greeting.Load(); g != nil {
		t.Handshake = *g
	}
	if err != nil {
		gone := p.pid() != 0 && p.endsSoon()
		err = errors.Join(context.Cause(ctx), err)
		t.End()
		return t, p.explainStart(err, gone, l.opts.Timing.Start)
	}
	c, ok := protocol.(*plugin.GRPCClient)
	if !ok {
		t.End()
		return t, fmt.Errorf("connect to plugin: no gRPC connection but %T", protocol)
	}
	t.Conn = c.Conn
	return t, nil
}

func prepareTrial(ctx context.Context, path string, opts TrialOptions) (*launcher, *process, error) {
	b, err := BinaryAt(path)
	if err != nil {
		return nil, nil, err
	}
	l, err := newLauncher(Options{
		Dirs: []string{filepath.Dir(path)}, TempDir: opts.TempDir, Timing: Timing{Start: opts.Start, Exit: opts.Exit},
		// Plugins log at the level of their host.
		Log: slog.New(slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelDebug})), //nolint:sloglint // slog.DiscardHandler has no level
	}.withDefaults())
	if err != nil {
		return nil, nil, err
	}
	sink := newLogSink(l.opts.Log, nil)
	sink.raw = opts.Logged
	p, err := l.prepare(ctx, b.Kind, b.Name, sink)
	if err != nil {
		l.close()
		return nil, nil, err
	}
	p.outlives = opts.Outlives
	if opts.Sandboxed {
		p.policy = policyFor(p.binary, p.dir)
	}
	for _, kv := range opts.Env {
		name, _, _ := strings.Cut(kv, "=")
		p.env = append(slices.DeleteFunc(p.env, func(given string) bool { return strings.HasPrefix(given, name+"=") }), kv)
	}
	return l, p, nil
}

// PID is the id of the process, and of its group.
func (t *Trial) PID() int { return t.process.pid() }

// SocketDir is where the process may listen.
func (t *Trial) SocketDir() string { return t.process.socketDir }

// Signal sends a signal to the process.
func (t *Trial) Signal(s os.Signal) error {
	p, err := os.FindProcess(t.PID())
	if err != nil {
		return err
	}
	return p.Signal(s)
}

// CloseInput closes the process's standard input, which is how it learns of its host's death.
func (t *Trial) CloseInput() {
	t.process.expectEnd()
	_ = t.process.stdin.Close()
}

// Exited is closed when the process has ended and nothing of it is left.
func (t *Trial) Exited() <-chan struct{} { return t.process.exited }

// State says, after the end, how the process ended, and ExitReason also what it said of it.
func (t *Trial) State() *os.ProcessState { return t.process.state }

// ExitReason says, after the end, how the process ended and what it said of that.
func (t *Trial) ExitReason() string { return t.process.exitReason() }

// End ends the process, by asking first, and returns when nothing of it is left. It may be
// called again.
func (t *Trial) End() {
	if t.launcher == nil {
		return
	}
	t.process.end()
	t.launcher.close()
	t.launcher = nil
}

// ByHand is what a binary did that was started as a person would start it.
type ByHand struct {
	// State is nil when it did not end in time.
	State          *os.ProcessState
	Stdout, Stderr string
}

// RunByHand starts a binary as nobody's plugin and waits for its end until ctx ends.
func RunByHand(ctx context.Context, path string) (ByHand, error) {
	var errLines bytes.Buffer
	l, p, err := prepareTrial(ctx, path, TrialOptions{Logged: func(line []byte) {
		if errLines.Len()+len(line) < maxByHand {
			errLines.Write(append(bytes.Clone(line), '\n'))
		}
	}})
	if err != nil {
		return ByHand{}, err
	}
	defer l.close()
	defer func() { _ = os.RemoveAll(p.dir) }()
	defer func() { _ = p.binary.Close() }()
	p.socketDir = p.dir
	if err := p.Start(ctx); err != nil {
		return ByHand{}, err
	}
	var out bytes.Buffer
	var read sync.WaitGroup
	read.Go(func() {
		_, _ = io.Copy(&out, io.LimitReader(p.stdout, maxByHand))
		_, _ = io.Copy(io.Discard, p.stdout)
	})
	var result ByHand
	select {
	case <-p.exited:
		result.State = p.state
	case <-ctx.Done():
		p.kill()
		<-p.exited
	}
	read.Wait()
	_ = p.stdout.Close()
	result.Stdout, result.Stderr = out.String(), errLines.String()
	return result, nil
}

// GroupLives reports whether a process of a group runs.
func GroupLives(pgid int) bool { return groupLives(pgid) }

// KillGroup ends all processes of a group.
func KillGroup(pgid int) { killGroup(pgid) }

// writerFunc writes by a function.
type writerFunc func(p []byte)

func (f writerFunc) Write(p []byte) (int, error) {
	f(p)
	return len(p), nil
}
