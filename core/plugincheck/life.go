package plugincheck

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/hookarr/hookarr/core/pluginhost"
)

// pollPause is the pause between two looks.
const pollPause = 20 * time.Millisecond

// life are the rows of signals and ends, and what was seen in all the time before.
func (c *check) life() []step {
	return []step{
		c.talk("sigint", c.interrupt),
		c.talk("shutdown", c.shutDown),
		c.talk("sigterm", c.terminate),
		c.talk("host-gone", c.leaveAlone),
		c.talk("stdout", c.listen),
		c.talk("secrets", c.findSecrets),
	}
}

func (c *check) interrupt(ctx context.Context) (string, error) {
	if err := c.trial.Signal(os.Interrupt); err != nil {
		return "", fmt.Errorf("send SIGINT: %w", err)
	}
	timer := time.NewTimer(c.opts.Windows.Interrupt)
	defer timer.Stop()
	select {
	case <-c.trial.Exited():
		return "", errors.New("SIGINT, which a terminal sends to host and plugins alike, ends it: ignore it, and end when the host says so")
	case <-timer.C:
	}
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	if _, err := c.client.Describe(ctx); err != nil {
		return "", fmt.Errorf("after SIGINT: %w", err)
	}
	return "goes on after SIGINT", nil
}

// shutDown asks for the end over go-plugin's own service.
func (c *check) shutDown(ctx context.Context) (string, error) {
	t := c.trial
	c.trial = nil
	defer t.End()
	asked := time.Now()
	ctx, cancel := context.WithTimeout(ctx, c.opts.Windows.End)
	defer cancel()
	// The service is go-plugin's, whose messages are empty.
	err := t.Conn.Invoke(ctx, "/plugin.GRPCController/Shutdown", &emptypb.Empty{}, &emptypb.Empty{})
	if status.Code(err) == codes.Unimplemented {
		return "", skipf("it does not serve plugin.GRPCController, and is killed when it is to end")
	}
	if !within(t.Exited(), time.Until(asked.Add(c.opts.Windows.End))) {
		return "", fmt.Errorf("%s after plugin.GRPCController/Shutdown it still runs, and would be killed: close what is open, and exit", c.opts.Windows.End)
	}
	if state := t.State(); !state.Success() {
		return "", fmt.Errorf("asked to end, it ended by %s: exit with status 0", t.ExitReason())
	}
	return "ends " + time.Since(asked).Round(time.Millisecond).String() + " after it is asked", nil
}

func within(done <-chan struct{}, most time.Duration) bool {
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	}
}

// another launches a process for one row.
func (c *check) another(ctx context.Context, opts pluginhost.TrialOptions) (*pluginhost.Trial, error) {
	t, err := c.launch(ctx, opts)
	if err != nil {
		return nil, fmt.Errorf("started once more: %w", err)
	}
	return t, nil
}

func (c *check) terminate(ctx context.Context) (string, error) {
	t, err := c.another(ctx, pluginhost.TrialOptions{})
	if err != nil {
		return "", err
	}
	defer t.End()
	asked := time.Now()
	if err := t.Signal(syscall.SIGTERM); err != nil {
		return "", fmt.Errorf("send SIGTERM: %w", err)
	}
	if !within(t.Exited(), c.opts.Windows.End) {
		return "", fmt.Errorf("%s after SIGTERM, by which a service manager stops host and plugins, it still runs: end the calls under way, and exit", c.opts.Windows.End)
	}
	state := t.State()
	ws, ok := state.Sys().(syscall.WaitStatus)
	if !state.Success() && (!ok || !ws.Signaled() || ws.Signal() != syscall.SIGTERM) {
		return "", fmt.Errorf("after SIGTERM it ended by %s: exit with status 0", t.ExitReason())
	}
	return fmt.Sprintf("%s, %s after SIGTERM", state, time.Since(asked).Round(time.Millisecond)), nil
}

// leaveAlone takes the host away: its pipe, and then a whole host that is killed.
func (c *check) leaveAlone(ctx context.Context) (string, error) {
	const mend = "end when standard input ends, or when the parent process is another"
	t, err := c.another(ctx, pluginhost.TrialOptions{Outlives: true})
	if err != nil {
		return "", err
	}
	most, group, closed := c.opts.Windows.HostGone, t.PID(), time.Now()
	t.CloseInput()
	gone := within(t.Exited(), most)
	took := time.Since(closed)
	t.End()
	if !gone {
		return "", fmt.Errorf("%s after its standard input ended it still runs: %s", most, mend)
	}
	if pluginhost.GroupLives(group) {
		pluginhost.KillGroup(group)
		return "", errors.New("it ended with its standard input and left a process of its group behind: end your own children first")
	}
	detail := fmt.Sprintf("ends %s after its standard input does", took.Round(time.Millisecond))
	if len(c.opts.Orphan) == 0 {
		return detail, nil
	}
	if took, err = c.orphan(ctx); err != nil {
		return "", err
	}
	if took > most {
		return "", fmt.Errorf("%s after its host was killed it, or a process that it started, still runs: %s", most, mend)
	}
	return detail + fmt.Sprintf(", and %s after a host that is killed; nothing is left", took.Round(time.Millisecond)), nil
}

// orphan runs the plugin under a host of its own, kills that host, and returns how long anything
// of the plugin lived on.
func (c *check) orphan(ctx context.Context) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*c.opts.Windows.Start)
	defer cancel()
	host := exec.CommandContext(ctx, c.opts.Orphan[0], append(c.opts.Orphan[1:len(c.opts.Orphan):len(c.opts.Orphan)], c.path)...)
	// A directory of the check's own in it could be too long for the plugin's socket.
	dir := cmp.Or(c.opts.TempDir, os.TempDir())
	host.Env = append(os.Environ(), "TMPDIR="+dir)
	defer pluginhost.RemoveLeftovers(dir) // of this host, which is killed
	var said bytes.Buffer
	host.Stderr = &said
	out, err := host.StdoutPipe()
	if err == nil {
		err = host.Start()
	}
	if err != nil {
		return 0, fmt.Errorf("start a host for the plugin: %w", err)
	}
	line, readErr := bufio.NewReader(io.LimitReader(out, 100)).ReadString('\n')
	killed := time.Now()
	_ = host.Process.Kill()
	_ = host.Wait() // it was killed
	group, err := strconv.Atoi(strings.TrimSpace(line))
	// A signal to group 0 or 1 is one to this process's own, or to every process.
	if readErr != nil || err != nil || group <= 1 {
		return 0, fmt.Errorf("a host for the plugin did not start it: %s", strings.TrimSpace(said.String()))
	}
	for time.Since(killed) <= c.opts.Windows.HostGone {
		if !pluginhost.GroupLives(group) {
			return time.Since(killed), nil
		}
		time.Sleep(pollPause)
	}
	pluginhost.KillGroup(group)
	return c.opts.Windows.HostGone + 1, nil
}

// ServeOrphan starts a plugin, prints the id of its process group, and waits to be killed. Nothing
// but the plugin itself sees to it that it then ends. It returns only an error.
func ServeOrphan(ctx context.Context, path string, out io.Writer) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	const start = 2 * time.Minute // no check waits for longer
	t, err := pluginhost.StartTrial(ctx, path, pluginhost.TrialOptions{Start: start, Outlives: true})
	if err != nil {
		return err
	}
	defer t.End()
	if _, err := fmt.Fprintln(out, t.PID()); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.Exited():
		return fmt.Errorf("the plugin ended: %s", t.ExitReason())
	}
}

func (c *check) listen(context.Context) (string, error) {
	c.watch.mu.Lock()
	defer c.watch.mu.Unlock()
	if c.watch.bytes > 0 {
		return "", fmt.Errorf("it printed %d bytes to standard output after its handshake, beginning with %.80q: log to standard error", c.watch.bytes, c.watch.said)
	}
	return "silent after the handshake", nil
}

func (c *check) findSecrets(context.Context) (string, error) {
	c.watch.mu.Lock()
	defer c.watch.mu.Unlock()
	if len(c.watch.leaks) > 0 {
		return "", fmt.Errorf("%s: replace secrets, also in what others say, before it leaves the plugin", strings.Join(c.watch.leaks, "; "))
	}
	if len(c.watch.needles) == 0 {
		return "", skipf("the configuration has no secrets of %d characters or more", leastSecret)
	}
	return fmt.Sprintf("in none of %d answers, errors and lines of the log", c.watch.seen), nil
}
