package e2e

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/admin/client"
	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/internal/testpg"
)

// rewrite replaces the configuration as an editor does: by a rename.
func (s *server) rewrite(edit func(string) string) {
	s.t.Helper()
	old, err := os.ReadFile(s.config)
	require.NoError(s.t, err)
	next := s.config + ".next"
	require.NoError(s.t, os.WriteFile(next, []byte(edit(string(old))), 0o600))
	require.NoError(s.t, os.Rename(next, s.config))
}

const (
	reloaded    = `"msg":"configuration reloaded"`
	notReloaded = `"msg":"configuration not reloaded: the former one holds"`
)

func (s *server) count(line string) int { return s.log.count(line) }

// awaitCount waits until the server has logged a line so often.
func (s *server) awaitCount(line string, n int) {
	s.t.Helper()
	require.Eventually(s.t, func() bool { return s.count(line) >= n }, waitTimeout, 10*time.Millisecond, "want %d lines %s", n, line)
}

// metrics returns the samples of a metric by their labels.
func (s *server) samples(name string) map[string]float64 {
	s.t.Helper()
	resp, err := http.Get(s.url + "/metrics")
	require.NoError(s.t, err)
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	require.NoError(s.t, err)
	samples := map[string]float64{}
	for _, m := range regexp.MustCompile(`(?m)^`+name+`(\{.*\})? (\S+)$`).FindAllStringSubmatch(string(text), -1) {
		samples[m[1]], err = strconv.ParseFloat(m[2], 64)
		require.NoError(s.t, err)
	}
	return samples
}

// replacePlugin puts a binary of other bytes in the place of a plugin's, or of all plugins'. The
// file is written by another process: one that this process has open for writing may be so in
// a process that another test starts, and cannot be executed until that has begun.
func replacePlugin(t *testing.T, dir, name string, n int) {
	t.Helper()
	next := filepath.Join(dir, ".next")
	const write = `cp "$0" "$1" && printf 'replacement %d' "$2" >> "$1" && chmod 755 "$1"`
	out, err := exec.CommandContext(t.Context(), "sh", "-c", write, pluginFile("plugins"), next, strconv.Itoa(n)).CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.NoError(t, os.Rename(next, filepath.Join(dir, "hookarr-"+name)))
}

// steady posts events to nodes in turns, at a rate that does not depend on how fast they
// answer, and keeps what they answered.
type steady struct {
	mu      sync.Mutex
	took    []time.Duration
	answers map[int]int
	done    sync.WaitGroup
	halt    chan struct{}
	sent    int
	// places bounds what is under way on a machine that is slower than the rate.
	places chan struct{}
}

const reloadRate = 200 // events a second

func sendSteadily(first int, nodes ...*server) *steady {
	s := &steady{answers: map[int]int{}, halt: make(chan struct{}), sent: first, places: make(chan struct{}, reloadRate)}
	s.done.Go(func() {
		tick := time.NewTicker(time.Second / reloadRate)
		defer tick.Stop()
		for {
			select {
			case <-s.halt:
				return
			case <-tick.C:
			}
			s.places <- struct{}{}
			s.sent++
			n := s.sent
			s.done.Go(func() {
				defer func() { <-s.places }()
				start := time.Now()
				status := nodes[n%len(nodes)].post(importBody(n)).status
				s.mu.Lock()
				defer s.mu.Unlock()
				s.took = append(s.took, time.Since(start))
				s.answers[status]++
			})
		}
	})
	return s
}

// stop returns what was answered, how often, and the 99th percentile of how fast.
func (s *steady) stop() (answers map[int]int, p99 time.Duration) {
	close(s.halt)
	s.done.Wait()
	slices.Sort(s.took)
	return s.answers, s.took[len(s.took)*99/100]
}

// variant is the configuration of a reload: two targets that change in turns beside ops,
// which takes everything throughout. Every fifth is broken.
func variant(n int, w *witness) (targets, routes string, broken bool) {
	targets = fmt.Sprintf(`ops:
  plugin: webhook
  timeout: %ds
  concurrency: %d
  config: {url: %q, secrets: [%q], headers: {X-Variant: "%d"}}
`, 300+n%3, 4+n%4, w.URL+"/ops", targetSecret, n)
	to := "ops"
	if n%2 == 0 {
		targets += fmt.Sprintf(`extra:
  plugin: webhook
  rate: {per_second: %d, burst: 50}
  config: {url: %q, secrets: [%q]}
`, 500+n, w.URL+"/extra", targetSecret)
		to += ", extra"
	}
	routes = fmt.Sprintf(`- {name: variant-%d, types: ["*"], to: [%s]}`, n%3, to)
	if n%5 == 4 {
		switch n % 3 {
		case 0:
			targets = strings.Replace(targets, "plugin: webhook", "plugin: webhok", 1)
		case 1:
			targets = strings.Replace(targets, "url: ", "nonsense: ", 1)
		default:
			routes = "- {name: [\n"
		}
		return targets, routes, true
	}
	return targets, routes, false
}

var body = regexp.MustCompile(`(?s)\ntargets:\n.*\nroutes:\n.*$`)

func (s *server) rewriteVariant(n int, w *witness) (broken bool) {
	s.t.Helper()
	targets, routes, broken := variant(n, w)
	s.rewrite(func(old string) string {
		return body.ReplaceAllLiteralString(old, fmt.Sprintf("\ntargets:\n%s\nroutes:\n%s\n", indent(targets, 2), indent(routes, 2)))
	})
	return broken
}

// TestReloadLosesNothing reloads the configuration fifty times and replaces a plugin ten
// times under load: every answer is 202, nothing is lost, nothing is sent twice, and no
// attempt fails. So it is with two nodes that reload one after the other.
func TestReloadLosesNothing(t *testing.T) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		reloadUnderLoad(t, "sqlite://"+filepath.Join(t.TempDir(), "hookarr.db"), 1)
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		reloadUnderLoad(t, testpg.New(t), 1)
	})
	t.Run("two nodes", func(t *testing.T) {
		t.Parallel()
		reloadUnderLoad(t, testpg.New(t), 2)
	})
}

func reloadUnderLoad(t *testing.T, database string, count int) {
	t.Helper()
	const reloads, swaps = 50, 10
	w := newWitness(t, 2*time.Millisecond)
	targets, routes, _ := variant(0, w)
	nodes, dirs, sockets := make([]*server, count), make([]string, count), make([]*client.Client, count)
	for i := range nodes {
		dirs[i] = ownPlugins(t, pluginFile("source-radarr"), pluginFile("target-webhook"))
		nodes[i] = newServer(t, settings{
			database: database, plugins: dirs[i], targets: targets, source: "catchup: {enabled: false}", routes: routes,
		})
		// Above the targets, which change.
		nodes[i].rewrite(func(old string) string { return "reload: {watch: false}\nadmin: {socket: h.sock}\n" + old })
		sockets[i] = client.Socket(filepath.Join(filepath.Dir(nodes[i].config), "h.sock"))
		defer sockets[i].Close()
		nodes[i].start()
	}

	alone := sendSteadily(0, nodes...)
	time.Sleep(3 * time.Second)
	aloneAnswers, aloneP99 := alone.stop()
	require.Len(t, aloneAnswers, 1)

	load := sendSteadily(alone.sent, nodes...)
	refused := make([]int, count)
	for n := 1; n <= reloads; n++ {
		for i, s := range nodes {
			if n%(reloads/swaps) == 0 {
				before, ok := s.pluginPID("target-webhook")
				require.True(t, ok)
				replacePlugin(t, dirs[i], "target-webhook", n)
				p, err := sockets[i].ReloadPlugin(t.Context(), "target-webhook")
				require.NoError(t, err)
				require.NotEqual(t, before, p.PID)
			}
			broken := s.rewriteVariant(n, w)
			r, err := sockets[i].Reload(t.Context(), false)
			require.NoError(t, err)
			require.Equal(t, broken, !r.Applied, "%+v", r)
			if broken {
				require.NotEmpty(t, r.Problems)
				refused[i]++
			} else {
				require.NotEmpty(t, r.Changes)
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
	answers, p99 := load.stop()
	require.Equal(t, map[int]int{http.StatusAccepted: load.sent - alone.sent}, answers)

	// The last variant has both targets, so that nothing waits for one that has left.
	require.Zero(t, reloads%2)
	awaitNone(t, sockets[0], event.Pending)
	perTarget := map[string]map[string]int{"ops": {}, "extra": {}}
	for id, requests := range w.all() {
		require.Len(t, requests, 1, "delivery %s was sent twice", id)
		perTarget[requests[0].node][requests[0].title]++
	}
	require.Len(t, perTarget["ops"], load.sent, "events were lost")
	for target, events := range perTarget {
		for title, n := range events {
			require.Equal(t, 1, n, "%s: %s", target, title)
		}
	}
	require.NotEmpty(t, perTarget["extra"])
	for _, s := range nodes {
		for labels, n := range s.samples("hookarr_attempts_total") {
			require.Contains(t, labels, `class="ok"`, "%v failed attempts", n)
		}
		require.Equal(t, map[string]float64{"": 1}, s.samples("hookarr_config_last_reload_successful"))
		require.NoError(t, s.stop())
	}
	t.Logf("%d events, %d reloads, %d of them refused, %d replacements of a plugin; p99 of the answers %s, without reloads %s",
		load.sent, reloads*count, sum(refused), swaps*count, p99.Round(100*time.Microsecond), aloneP99.Round(100*time.Microsecond))
}

func sum(ns []int) (total int) {
	for _, n := range ns {
		total += n
	}
	return total
}

// TestReloadWarns of what a configuration probably means otherwise, to whoever asks for it.
func TestReloadWarns(t *testing.T) {
	t.Parallel()
	targets, routes, _ := variant(1, newWitness(t, 0))
	s, c := withSocket(t, settings{
		database: "sqlite://" + filepath.Join(t.TempDir(), "hookarr.db"), targets: targets, routes: routes, top: "reload: {watch: false}",
	})
	s.start()
	s.rewrite(func(old string) string { return "trusted_proxies: [0.0.0.0/0]\n" + old })
	r, err := c.Reload(t.Context(), true)
	require.NoError(t, err)
	require.Len(t, r.Warnings, 1)
	require.Equal(t, "trusted_proxies[0]", r.Warnings[0].Key)
}

// TestHangupReloads without watching files, and what cannot change while the process runs
// is named.
func TestHangupReloads(t *testing.T) {
	t.Parallel()
	w := newWitness(t, 0)
	targets, routes, _ := variant(1, w)
	s := newServer(t, settings{
		database: "sqlite://" + filepath.Join(t.TempDir(), "hookarr.db"), targets: targets, routes: routes, top: "reload: {watch: false}",
	})
	s.start()
	s.rewrite(func(old string) string {
		return strings.NewReplacer("level: debug", "level: info", "format: json", "format: text", "X-Variant: \"1\"", "X-Variant: \"2\"").Replace(old)
	})
	require.NoError(t, s.cmd.Process.Signal(syscall.SIGHUP))
	s.awaitCount(reloaded, 1)
	s.awaitCount(`"msg":"configuration changed: needs a restart","key":"log.format"`, 1)
	require.Equal(t, http.StatusAccepted, s.post(importBody(1)).status)
	require.Eventually(t, func() bool { return len(w.all()) == 1 }, waitTimeout, 10*time.Millisecond)
	require.Zero(t, s.count(`"msg":"webhook"`), "the level of the log changes alive")

	require.NoError(t, os.Remove(s.config))
	require.NoError(t, s.cmd.Process.Signal(syscall.SIGHUP))
	s.awaitCount(notReloaded, 1)
	require.Contains(t, s.log.String(), "there is no such file")
	require.Equal(t, http.StatusAccepted, s.post(importBody(2)).status)
	require.Equal(t, map[string]float64{"": 0}, s.samples("hookarr_config_last_reload_successful"))
}

// TestUnfinishedFileIsNotTaken: whatever is in its place for a while, the configuration in
// use goes on, later ones are taken, and the process ends when told.
func TestUnfinishedFileIsNotTaken(t *testing.T) {
	t.Parallel()
	w := newWitness(t, 0)
	targets, routes, _ := variant(1, w)
	s := newServer(t, settings{database: "sqlite://" + filepath.Join(t.TempDir(), "hookarr.db"), targets: targets, routes: routes})
	s.start()
	whole, err := os.ReadFile(s.config)
	require.NoError(t, err)
	cut, _, ok := strings.Cut(string(whole), "\nroutes:")
	require.True(t, ok)
	for i, part := range []string{"", cut} {
		require.NoError(t, os.WriteFile(s.config, []byte(part), 0o600))
		s.awaitCount(notReloaded, i+1)
		require.Equal(t, http.StatusAccepted, s.post(importBody(i+1)).status)
	}
	require.NoError(t, os.Remove(s.config))
	require.NoError(t, syscall.Mkfifo(s.config, 0o600))
	s.awaitCount("it is a pipe into which nobody has written", 1)
	next := s.config + ".next"
	require.NoError(t, os.WriteFile(next, []byte(strings.Replace(string(whole), "level: debug", "level: info", 1)), 0o600))
	require.NoError(t, os.Rename(next, s.config))
	s.awaitCount(reloaded, 1)
	require.NoError(t, s.stop())
	require.Eventually(t, func() bool { return len(w.all()) == 2 }, waitTimeout, 10*time.Millisecond)
}

// TestFileOfSeveralPluginsIsReplaced: a broken one is refused by each plugin, and what runs
// serves on. A good one takes the place of each.
func TestFileOfSeveralPluginsIsReplaced(t *testing.T) {
	t.Parallel()
	w := newWitness(t, 0)
	dir := ownPlugins(t, pluginFile("plugins"))
	plugins := []string{"source-radarr", "target-webhook"}
	for _, name := range plugins {
		require.NoError(t, os.Symlink("hookarr-plugins", filepath.Join(dir, "hookarr-"+name)))
	}
	targets, routes, _ := variant(1, w)
	s := newServer(t, settings{database: "sqlite://" + filepath.Join(t.TempDir(), "hookarr.db"), plugins: dir, targets: targets, routes: routes})
	s.start()
	pids := func() (all []int) {
		for _, name := range plugins {
			pid, ok := s.pluginPID(name)
			require.True(t, ok)
			all = append(all, pid)
		}
		return all
	}
	old := pids()
	next := filepath.Join(dir, ".next")
	require.NoError(t, os.WriteFile(next, bytes.Repeat([]byte("no binary\n"), 10), 0o755))
	require.NoError(t, os.Rename(next, filepath.Join(dir, "hookarr-plugins")))
	s.awaitCount("replacement of the plugin refused", len(plugins))
	require.Equal(t, http.StatusAccepted, s.post(importBody(1)).status)
	require.Eventually(t, func() bool { return len(w.all()) == 1 }, waitTimeout, 10*time.Millisecond)
	require.Equal(t, old, pids())

	replacePlugin(t, dir, "plugins", 1)
	s.awaitCount(`"msg":"plugin replaced"`, len(plugins))
	require.Equal(t, http.StatusAccepted, s.post(importBody(2)).status)
	require.Eventually(t, func() bool { return len(w.all()) == 2 }, waitTimeout, 10*time.Millisecond)
	require.Eventually(t, func() bool {
		return !slices.ContainsFunc(old, func(pid int) bool { return syscall.Kill(pid, 0) == nil })
	}, waitTimeout, 10*time.Millisecond, "what was replaced ends")
}

// TestStopEndsAReload that waits for a plugin to start: it takes no part of the drain.
func TestStopEndsAReload(t *testing.T) {
	t.Parallel()
	dir := ownPlugins(t, pluginFile("source-radarr"), pluginFile("target-webhook"), filepath.Join(binaries, "hookarr-target-chaos"))
	require.NoError(t, os.Rename(filepath.Join(dir, "hookarr-target-chaos"), filepath.Join(dir, "hookarr-target-mute")))
	targets, routes, _ := variant(1, newWitness(t, 0))
	s := newServer(t, settings{database: "sqlite://" + filepath.Join(t.TempDir(), "hookarr.db"), plugins: dir, targets: targets, routes: routes})
	s.start()
	s.rewrite(func(old string) string {
		return strings.Replace(old, "\ntargets:\n", "\ntargets:\n  silent: {plugin: mute}\n", 1)
	})
	require.Eventually(t, func() bool { _, starts := s.pluginPID("target-mute"); return starts }, waitTimeout, 10*time.Millisecond)
	require.NoError(t, s.stop())
	require.NotContains(t, s.log.String(), "not ready within")
	require.NotContains(t, s.log.String(), notReloaded)
}

// writeCertificate puts a certificate and its key into the place of those before.
func writeCertificate(t *testing.T, dir string, serial int64) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	for name, block := range map[string]*pem.Block{"key.pem": {Type: "PRIVATE KEY", Bytes: private}, "cert.pem": {Type: "CERTIFICATE", Bytes: cert}} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name+".next"), pem.EncodeToMemory(block), 0o600))
		require.NoError(t, os.Rename(filepath.Join(dir, name+".next"), filepath.Join(dir, name)))
	}
	return filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
}

// TestCertificateIsReadAgain when its files change.
func TestCertificateIsReadAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(serial int64) { writeCertificate(t, dir, serial) }
	write(1)
	targets, routes, _ := variant(1, newWitness(t, 0))
	s := newServer(t, settings{
		database: "sqlite://" + filepath.Join(t.TempDir(), "hookarr.db"), targets: targets, routes: routes,
		top: fmt.Sprintf("tls: {cert_file: %s, key_file: %s}", filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")),
	})
	s.launch()
	serial := func() int64 {
		conn, err := tls.Dial("tcp", strings.TrimPrefix(s.url, "http://"), &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			return 0
		}
		defer func() { _ = conn.Close() }()
		return conn.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
	}
	require.Eventually(t, func() bool { return serial() == 1 }, waitTimeout, 20*time.Millisecond)
	s.awaitCount(`"msg":"ready"`, 1)
	write(2)
	require.Eventually(t, func() bool { return serial() == 2 }, waitTimeout, 20*time.Millisecond)
}
