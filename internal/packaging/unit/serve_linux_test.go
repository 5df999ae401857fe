package unit

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

const (
	secret = "0123456789abcdef"
	// waitTimeout is for what takes a second on a machine that has nothing else to do.
	waitTimeout = time.Minute
	// userPlugin is the operator's own: what it is named by is its file.
	userPlugin = "hookarr-target-ntfy"
)

// build returns the directory with hookarr and plugins/: that of TEST_PACKAGING_BUILD, or one
// that make builds.
var build = sync.OnceValues(func() (string, error) {
	if dir := os.Getenv("TEST_PACKAGING_BUILD"); dir != "" {
		return filepath.Abs(dir)
	}
	if out, err := exec.Command("make", "-C", "../../..", "build").CombinedOutput(); err != nil {
		return "", fmt.Errorf("make build: %w\n%s", err, out)
	}
	return filepath.Abs("../../../bin")
})

// installed is a root directory with Hookarr, as packages install it.
type installed struct {
	t        *testing.T
	stage    stage
	listen   string
	endpoint *httptest.Server
	// got is the delivered bodies.
	got chan string
}

func install(t *testing.T) *installed {
	t.Helper()
	need(t, "systemd-analyze", "systemd-sysusers", "systemd-tmpfiles")
	bin, err := build()
	require.NoError(t, err)
	root := t.TempDir()
	i := &installed{t: t, got: make(chan string, 16)}
	i.endpoint = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		i.got <- r.URL.Path + " " + string(body)
	}))
	t.Cleanup(i.endpoint.Close)
	for _, dir := range []string{"", "usr/bin", "usr/lib/hookarr/plugins", "run/hookarr", "run/credentials/hookarr.service", "proc", "dev", "tmp", "etc"} {
		require.NoError(t, os.MkdirAll(filepath.Join(root, dir), 0o755))
	}
	require.NoError(t, os.Chmod(root, 0o755))
	uid, gid := makeUser(t, root)
	i.copyFile(filepath.Join(bin, "hookarr"), root, "usr/bin/hookarr")
	plugins, err := filepath.Glob(filepath.Join(bin, "plugins", "hookarr-*"))
	require.NoError(t, err)
	for _, p := range plugins {
		switch name := filepath.Base(p); name {
		case userPlugin:
			i.copyFile(p, root, "var/lib/hookarr/plugins/"+name)
		case "hookarr-plugins":
			i.copyFile(p, root, "usr/lib/hookarr/plugins/"+name)
		case "hookarr-source-radarr", "hookarr-target-webhook":
			require.NoError(t, os.Symlink("hookarr-plugins", filepath.Join(root, "usr/lib/hookarr/plugins", name)))
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	i.listen = l.Addr().String()
	require.NoError(t, l.Close())
	i.stage = stage{Root: root, Unit: readUnit(t, "hookarr.service"), UID: uid, GID: gid}
	i.stage.Calls = allowedCalls(t, i.stage.Unit)
	i.credential("radarr", secret)
	i.credential("ops", i.endpoint.URL+"/ops")
	i.configure("info")
	for dir, mode := range map[string]os.FileMode{"run/hookarr": 0o700, "run/credentials/hookarr.service": 0o500} {
		require.NoError(t, os.Chown(filepath.Join(root, dir), uid, gid))
		require.NoError(t, os.Chmod(filepath.Join(root, dir), mode))
	}
	return i
}

func (i *installed) copyFile(from, root, to string) {
	i.t.Helper()
	data, err := os.ReadFile(from)
	require.NoError(i.t, err)
	require.NoError(i.t, os.WriteFile(filepath.Join(root, to), data, 0o755))
	require.NoError(i.t, os.Chmod(filepath.Join(root, to), 0o755))
}

// credential is a LoadCredential.
func (i *installed) credential(name, value string) {
	i.t.Helper()
	file := filepath.Join(i.stage.Root, "run/credentials/hookarr.service", name)
	require.NoError(i.t, os.WriteFile(file, []byte(value), 0o400))
	require.NoError(i.t, os.Chown(file, i.stage.UID, i.stage.GID))
}

func (i *installed) configure(level string) {
	i.t.Helper()
	file := filepath.Join(i.stage.Root, "etc/hookarr/hookarr.yaml")
	require.NoError(i.t, os.WriteFile(file, fmt.Appendf(nil, `
listen: %s
admin: {socket: /run/hookarr/hookarr.sock}
database: {url: "sqlite:///var/lib/hookarr/hookarr.db"}
plugins: {dir: [/var/lib/hookarr/plugins, /usr/lib/hookarr/plugins]}
log: {level: %s}
reload: {watch: false}
sources:
  radarr: {plugin: radarr, auth: [{hmac: {preset: github, secrets_file: "${CREDENTIALS_DIRECTORY}/radarr"}}]}
targets:
  ops: {plugin: webhook, config: {url_file: "${CREDENTIALS_DIRECTORY}/ops"}}
  phone: {plugin: ntfy, config: {server: %q, topic: phone}}
routes: [{name: all, types: ["*", test], to: [ops, phone]}]
`, i.listen, level, i.endpoint.URL), 0o640))
	require.NoError(i.t, os.Chown(file, 0, i.stage.GID))
}

// command runs a program as the unit does.
func (i *installed) command(env []string, command ...string) *exec.Cmd {
	i.t.Helper()
	s := i.stage
	s.Command = command
	s.Env = append([]string{
		"CREDENTIALS_DIRECTORY=/run/credentials/hookarr.service", "RUNTIME_DIRECTORY=/run/hookarr", "STATE_DIRECTORY=/var/lib/hookarr",
		"CONFIGURATION_DIRECTORY=/etc/hookarr", "PATH=/usr/bin", "USER=hookarr", "HOME=/var/lib/hookarr",
	}, env...)
	spec, err := json.Marshal(s)
	require.NoError(i.t, err)
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = []string{stageVariable + "=" + string(spec)}
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	return cmd
}

// output runs a program as the unit does and returns what it prints.
func (i *installed) output(command ...string) (string, error) {
	i.t.Helper()
	out, err := i.command(nil, command...).CombinedOutput()
	return string(out), err
}

// TestUnitDenies shows that what imitates systemd here has its effects.
func TestUnitDenies(t *testing.T) {
	t.Parallel()
	out, err := install(t).output("probe")
	require.NoError(t, err, out)
	require.Equal(t, `write configuration: open /etc/hookarr/new: read-only file system
write plugin: open /var/lib/hookarr/plugins/new: read-only file system
write data: <nil>
run data: permission denied
write and execute memory: permission denied
open netlink: address family not supported by protocol
mount: operation not permitted
make namespace: operation not permitted
change owner: operation not permitted
raise limit: operation not permitted
see process 1: stat /proc/1: no such file or directory
`, out)
}

// TestServesInTheUnit: plugins start, in the sandboxes that they have elsewhere, a webhook is
// delivered, a reload is taken or fails, and the end is in good order.
func TestServesInTheUnit(t *testing.T) {
	t.Parallel()
	i := install(t)
	manager := fmt.Sprintf("@hookarr-unit-%d", os.Getpid())
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: manager, Net: "unixgram"})
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close()) }()
	await := func(line string) {
		t.Helper()
		message := make([]byte, 4096)
		require.NoError(t, conn.SetReadDeadline(time.Now().Add(waitTimeout)))
		for {
			n, err := conn.Read(message)
			require.NoError(t, err, "%s was not told", line)
			if strings.Contains(string(message[:n])+"\n", line+"\n") {
				return
			}
		}
	}
	var log bytes.Buffer
	run := strings.Fields(i.stage.Unit.only(t, "ExecStart"))
	server := i.command([]string{"NOTIFY_SOCKET=" + manager}, run...)
	server.Stdout, server.Stderr, server.WaitDelay = &log, &log, waitTimeout
	require.NoError(t, server.Start())
	ended := make(chan error, 1)
	go func() { ended <- server.Wait() }()
	t.Cleanup(func() {
		_ = server.Process.Kill()
		if t.Failed() {
			require.Error(t, <-ended, "it was killed")
			t.Log(log.String())
		}
	})
	await("READY=1")

	i.post(`{"eventType":"Test","instanceName":"Radarr","movie":{"id":1,"title":"Sintel","year":2010}}`)
	bodies := i.await() + i.await()
	require.Contains(t, bodies, "/ops ")
	require.Equal(t, 2, strings.Count(bodies, "Radarr tested its connection"), bodies)

	running := sandboxes(t, "["+i.root("plugins", "inspect", "source-radarr", "--json")+"]")
	outside := sandboxes(t, i.root("plugins", "list", "--json"))
	require.Len(t, outside, 3)
	require.True(t, strings.HasPrefix(outside["source-radarr"], "on"), "this kernel has no sandbox: %s", outside)
	require.Equal(t, outside["source-radarr"], running["source-radarr"])
	list, err := i.output("/usr/bin/hookarr", "plugins", "list", "--json", "--config", "/etc/hookarr/hookarr.yaml")
	require.NoError(t, err, list)
	require.Equal(t, outside, sandboxes(t, list))

	reload := strings.Fields(i.stage.Unit.only(t, "ExecReload"))
	i.configure("warn")
	out, err := i.output(reload...)
	require.NoError(t, err, out)
	await("RELOADING=1")
	await("READY=1")
	i.configure("loud")
	out, err = i.output(reload...)
	require.Error(t, err)
	require.Contains(t, out, "log.level: want debug, info, warn or error")
	await("STATUS=ready, last reload refused")

	require.NoError(t, server.Process.Signal(syscall.SIGTERM))
	await("STOPPING=1")
	require.NoError(t, <-ended)
	ended <- nil
	info, err := os.Stat(filepath.Join(i.stage.Root, "var/lib/hookarr/hookarr.db"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode())
	require.EqualValues(t, i.stage.UID, info.Sys().(*syscall.Stat_t).Uid)
}

// TestServeInTheUnitRefusesAWrongConfiguration with the status after which systemd leaves it.
func TestServeInTheUnitRefusesAWrongConfiguration(t *testing.T) {
	t.Parallel()
	i := install(t)
	require.NoError(t, os.Remove(filepath.Join(i.stage.Root, "run/credentials/hookarr.service/ops")))
	cmd := i.command(nil, strings.Fields(i.stage.Unit.only(t, "ExecStart"))...)
	out, err := cmd.CombinedOutput()
	require.Error(t, err)
	require.Equal(t, i.stage.Unit.only(t, "RestartPreventExitStatus"), strconv.Itoa(cmd.ProcessState.ExitCode()), "%s", out)
	require.Contains(t, string(out), "targets.ops.config.url_file: cannot read /run/credentials/hookarr.service/ops: no such file or directory: the unit needs LoadCredential=ops:FILE")
}

func (i *installed) post(body string) {
	i.t.Helper()
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(body))
	req, err := http.NewRequest(http.MethodPost, "http://"+i.listen+"/hooks/radarr", strings.NewReader(body))
	require.NoError(i.t, err)
	req.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	resp, err := http.DefaultClient.Do(req)
	require.NoError(i.t, err)
	require.NoError(i.t, resp.Body.Close())
	require.Equal(i.t, http.StatusAccepted, resp.StatusCode)
}

func (i *installed) await() string {
	i.t.Helper()
	select {
	case body := <-i.got:
		return body
	case <-time.After(waitTimeout):
		require.Fail(i.t, "nothing was delivered")
		return ""
	}
}

// sandboxes are those of the plugins that a list has, and why they have none.
func sandboxes(t *testing.T, list string) map[string]string {
	t.Helper()
	var all []struct {
		Kind, Name, Sandbox string
		Reason              string `json:"sandbox_reason"`
	}
	require.NoError(t, json.Unmarshal([]byte(list), &all), list)
	found := map[string]string{}
	for _, p := range all {
		found[p.Kind+"-"+p.Name] = strings.TrimSpace(p.Sandbox + " " + p.Reason)
	}
	return found
}

// outside is the configuration for a command that nothing restricts.
func (i *installed) outside() string {
	i.t.Helper()
	root := i.stage.Root
	text, err := os.ReadFile(filepath.Join(root, "etc/hookarr/hookarr.yaml"))
	require.NoError(i.t, err)
	file := filepath.Join(i.t.TempDir(), "hookarr.yaml")
	require.NoError(i.t, os.WriteFile(file, []byte(strings.NewReplacer(
		"${CREDENTIALS_DIRECTORY}", root+"/run/credentials/hookarr.service", " /", " "+root+"/", "[/", "["+root+"/", "///", "//"+root+"/",
	).Replace(string(text))), 0o600))
	return file
}

// root runs a command as the operator does, from outside the unit.
func (i *installed) root(args ...string) string {
	i.t.Helper()
	cmd := exec.Command(filepath.Join(i.stage.Root, "usr/bin/hookarr"), append(args, "--config", i.outside())...)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	require.NoError(i.t, err, "%s%s", out, said.String())
	return string(out)
}
