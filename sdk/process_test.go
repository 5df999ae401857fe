package sdk_test

import (
	"bufio"
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
	"github.com/hookarr/hookarr/sdk/internal/handshake"
	"github.com/hookarr/hookarr/sdk/plugintest"
)

// waitTimeout bounds what a test waits for.
const waitTimeout = time.Minute

// launched is a plugin process.
type launched struct {
	cmd    *exec.Cmd
	conn   *grpc.ClientConn
	client *host.Client
	stdin  io.WriteCloser
	stdout *bufio.Reader
	exited chan struct{}
	// greeting is the line of the handshake.
	greeting string

	mu  sync.Mutex
	log []string
}

// command runs this test binary as a plugin.
func command(t *testing.T, env ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), self)
	cmd.Env = append([]string{asPlugin + "=1", "TMPDIR=" + t.TempDir()}, env...)
	return cmd
}

// launch starts a plugin process the way a host does and configures one instance.
func launch(t *testing.T, env ...string) *launched {
	t.Helper()
	return launchAs(t, newIdentity(t), func(cmd *exec.Cmd) { cmd.Env = append(cmd.Env, env...) })
}

func launchAs(t *testing.T, self identity, change func(*exec.Cmd)) *launched {
	t.Helper()
	l := &launched{exited: make(chan struct{})}
	l.cmd = command(t, handshake.CookieKey+"="+handshake.CookieValue, "PLUGIN_PROTOCOL_VERSIONS=1",
		handshake.ClientCertEnv+"="+string(self.pem), handshake.SocketDirEnv+"="+t.TempDir())
	change(l.cmd)
	var err error
	l.stdin, err = l.cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := l.cmd.StdoutPipe()
	require.NoError(t, err)
	stderr, err := l.cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, l.cmd.Start())
	l.stdout = bufio.NewReader(stdout)
	read := make(chan struct{})
	go func() {
		defer close(read)
		for scanner := bufio.NewScanner(stderr); scanner.Scan(); {
			l.mu.Lock()
			l.log = append(l.log, scanner.Text())
			l.mu.Unlock()
		}
	}()
	t.Cleanup(func() {
		_ = l.cmd.Process.Kill()
		<-read
		_ = l.cmd.Wait()
	})
	go func() {
		defer close(l.exited)
		<-read // Standard error ends with the process.
	}()

	l.greeting, err = l.stdout.ReadString('\n')
	require.NoError(t, err)
	l.conn, err = grpc.NewClient("unix:"+l.address(t), append(host.DialOptions(), self.credentials(l.certificate(t)))...)
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.conn.Close() })
	l.client = host.NewClient(l.conn)
	configured, err := l.client.Configure(t.Context(), []host.Instance{{Name: "ops"}}, false)
	require.NoError(t, err)
	require.Empty(t, configured.Problems)
	return l
}

// parts are those of the greeting: CORE-VERSION|PROTOCOL|NETWORK|ADDRESS|TYPE|CERT.
func (l *launched) parts(t *testing.T) []string {
	t.Helper()
	parts := strings.Split(strings.TrimSuffix(l.greeting, "\n"), "|")
	require.Len(t, parts, 6, l.greeting)
	require.Equal(t, []string{"1", "1", "unix"}, parts[:3])
	require.Equal(t, "grpc", parts[4])
	return parts
}

// address is where the plugin listens.
func (l *launched) address(t *testing.T) string {
	t.Helper()
	return l.parts(t)[3]
}

// certificate is the plugin's.
func (l *launched) certificate(t *testing.T) *x509.Certificate {
	t.Helper()
	der, err := base64.RawStdEncoding.DecodeString(l.parts(t)[5])
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return cert
}

func (l *launched) logs() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.log, "\n")
}

func (l *launched) deliver(t *testing.T, title, summary string) (host.Outcome, error) {
	t.Helper()
	e := plugintest.EventOf(sdk.TypeTest)
	e.Title, e.Summary = title, summary
	ctx, cancel := context.WithTimeout(t.Context(), waitTimeout)
	defer cancel()
	return l.client.Deliver(ctx, "ops", plugintest.Delivery(t, "delivery", e))
}

func (l *launched) requireExit(t *testing.T) {
	t.Helper()
	select {
	case <-l.exited:
	case <-time.After(waitTimeout):
		require.FailNow(t, "the plugin lives on", l.logs())
	}
}

func TestRunByHandExplainsItself(t *testing.T) {
	t.Parallel()
	cmd := command(t)
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	require.Error(t, err)
	require.Equal(t, 1, cmd.ProcessState.ExitCode())
	require.Empty(t, stdout.String())
	require.Contains(t, stderr.String(), "hookarr-target-sample 1.2.3 is a target plugin of Hookarr")
	require.Contains(t, stderr.String(), "hookarr plugins list")
}

func TestRunByHandSaysWhatIsNotBuiltRight(t *testing.T) {
	t.Parallel()
	out, err := command(t, asPlugin+"=misbuilt").CombinedOutput()
	require.Error(t, err)
	require.Equal(t, "the plugin is not built right:\nthe version \"1\" needs the form 1.2.3\n", string(out))
}

func TestNothingButTheHandshakeOnStdout(t *testing.T) {
	t.Parallel()
	l := launch(t, handshake.LogLevelEnv+"=debug")
	_, err := l.deliver(t, "log", "")
	require.NoError(t, err)
	require.NoError(t, l.stdin.Close())
	rest, err := io.ReadAll(l.stdout)
	require.NoError(t, err)
	require.Empty(t, string(rest))
	l.requireExit(t)
}

// TestStandardOutputStaysTaken: the file that nothing refers to any more is not closed, so
// that no other gets its descriptor, in which a child or a library would write.
func TestStandardOutputStaysTaken(t *testing.T) {
	t.Parallel()
	l := launch(t)
	_, err := l.deliver(t, "collect", "")
	require.NoError(t, err)
	require.Eventually(t, func() bool { return strings.Count(l.logs(), "opened ") == 20 }, waitTimeout, time.Millisecond)
	require.NotContains(t, l.logs(), "opened 1\n")
}

func TestLogReachesTheHostAtItsLevel(t *testing.T) {
	t.Parallel()
	for level, debug := range map[string]bool{"debug": true, "info": false, "": false, "nonsense": false} {
		l := launch(t, handshake.LogLevelEnv+"="+level)
		_, err := l.deliver(t, "log", "")
		require.NoError(t, err)
		require.Eventually(t, func() bool { return strings.Contains(l.logs(), "at warn") }, waitTimeout, time.Millisecond)
		require.Equal(t, debug, strings.Contains(l.logs(), "at debug"), "level %q", level)
		for line := range strings.Lines(l.logs()) {
			if !strings.Contains(line, "at warn") {
				continue
			}
			record := map[string]any{}
			require.NoError(t, json.Unmarshal([]byte(line), &record))
			require.Equal(t, "warn", record["@level"])
			require.Equal(t, "sample", record["plugin"])
			require.Equal(t, "ops", record["instance"])
			require.Equal(t, "delivery", record["delivery"])
		}
	}
}

// TestDefaultLogsAreRedacted: log and slog, where libraries write, know of no instance, and
// of no secret by themselves.
func TestDefaultLogsAreRedacted(t *testing.T) {
	t.Parallel()
	const former, secret = "former-secret", "hunter2hunter2"
	l := launch(t, handshake.LogLevelEnv+"=debug")
	for _, key := range []string{former, secret} {
		configured, err := l.client.Configure(t.Context(), []host.Instance{{Name: "ops", Config: []byte(`{"key":"` + key + `"}`)}}, false)
		require.NoError(t, err)
		require.Empty(t, configured.Problems)
	}
	_, err := l.deliver(t, "log by default", "")
	require.NoError(t, err)
	require.Eventually(t, func() bool { return strings.Contains(l.logs(), "slog says") }, waitTimeout, time.Millisecond)
	require.NotContains(t, l.logs(), former)
	require.NotContains(t, l.logs(), secret)
	messages := map[string]string{}
	for line := range strings.Lines(l.logs()) {
		var record map[string]string
		require.NoError(t, json.Unmarshal([]byte(line), &record), line)
		messages[record["@message"]] = record["@level"] + " of " + record["plugin"] + " " + record["key"]
	}
	require.Equal(t, "info of sample [redacted]", messages["slog in the constructor"])
	require.Equal(t, "info of sample ", messages["log says [redacted]"])
	require.Equal(t, "debug of sample [redacted]", messages["slog says"])
}

func TestProcessEndsWithItsHost(t *testing.T) {
	t.Parallel()
	l := launch(t)
	require.NoError(t, l.stdin.Close())
	l.requireExit(t)
}

func TestProcessEndsWhenItsParentIsGone(t *testing.T) {
	t.Parallel()
	// A shell starts the plugin and is killed: nobody held a pipe.
	cmd := command(t, handshake.CookieKey+"="+handshake.CookieValue, handshake.ClientCertEnv+"="+string(newIdentity(t).pem))
	shell := exec.CommandContext(context.WithoutCancel(t.Context()), "/bin/sh", "-c", `"$0" </dev/null & wait`, cmd.Path)
	shell.Env = cmd.Env
	stdout, err := shell.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, shell.Start())
	reader := bufio.NewReader(stdout)
	_, err = reader.ReadString('\n')
	require.NoError(t, err)
	require.NoError(t, shell.Process.Kill())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = io.Copy(io.Discard, reader) // Standard output ends with the plugin.
	}()
	select {
	case <-ended:
	case <-time.After(waitTimeout):
		require.FailNow(t, "the plugin lives on")
	}
	_ = shell.Wait()
}

func TestInterruptIsIgnored(t *testing.T) {
	t.Parallel()
	l := launch(t)
	require.NoError(t, l.cmd.Process.Signal(os.Interrupt))
	_, err := l.deliver(t, "", "")
	require.NoError(t, err)
}

func TestTerminateFinishesCallsUnderWay(t *testing.T) {
	t.Parallel()
	l := launch(t)
	ctx, cancel := context.WithCancel(t.Context())
	e := plugintest.EventOf(sdk.TypeTest)
	e.Title = "wait"
	d := plugintest.Delivery(t, "delivery", e)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = l.client.Deliver(ctx, "ops", d)
	}()
	require.Eventually(t, func() bool { return strings.Contains(l.logs(), "waiting") }, waitTimeout, time.Millisecond)
	require.NoError(t, l.cmd.Process.Signal(syscall.SIGTERM))
	// It takes no more calls, and lives while it has one.
	require.Eventually(t, func() bool {
		_, err := l.deliver(t, "", "")
		return status.Code(err) == codes.Unavailable
	}, waitTimeout, time.Millisecond)
	select {
	case <-l.exited:
		require.FailNow(t, "the plugin ended while it had a call")
	default:
	}
	cancel()
	<-ended
	l.requireExit(t)
}

func TestPanicDoesNotEndTheProcess(t *testing.T) {
	t.Parallel()
	l := launch(t)
	_, err := l.deliver(t, "panic", "")
	require.Equal(t, codes.Internal, status.Code(err))
	require.ErrorContains(t, err, "on purpose")
	require.NotContains(t, err.Error(), "\n")
	_, err = l.deliver(t, "", "")
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		return strings.Contains(l.logs(), `"@level":"error"`) && strings.Contains(l.logs(), "newProcessTarget")
	}, waitTimeout, time.Millisecond, "the stack goes to the log")
}

func TestLargeMessages(t *testing.T) {
	t.Parallel()
	l := launch(t)
	_, err := l.deliver(t, "", strings.Repeat("x", 20<<20))
	require.NoError(t, err, "more than gRPC's 4 MiB")
	_, err = l.deliver(t, "", strings.Repeat("x", 65<<20))
	require.Equal(t, codes.ResourceExhausted, status.Code(err))
}
