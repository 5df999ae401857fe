package e2e

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/docs"
	"github.com/hookarr/hookarr/internal/endpoint"
	"github.com/hookarr/hookarr/internal/fakearr"
	"github.com/hookarr/hookarr/internal/testport"
)

var updateDocs = flag.Bool("update-docs", false, "write into the documentation what its commands print")

// The places that the blocks of the documentation are run in; CONTRIBUTING.md describes them.
const (
	frameServer = "server"
	frameEmpty  = "empty"
	frameAbove  = "above"
)

// TestDocumentedCommandsRun runs the blocks of shell that have a marker for it, and compares
// what is printed with what the page shows. Those of a page that are for the same place run in
// the order of the page.
func TestDocumentedCommandsRun(t *testing.T) {
	t.Parallel()
	for _, need := range []string{"bash", "curl", "jq", "openssl"} {
		if _, err := exec.LookPath(need); err != nil {
			require.NotEqual(t, "required", os.Getenv("TEST_DOCS"), "%s is needed", need)
			t.Skipf("%s is not installed: the commands of the documentation are not run", need)
		}
	}
	s, err := site()
	require.NoError(t, err)
	blocks := s.Blocks(func(b docs.Block) bool { _, ok := b.Marker(docs.MarkerRun); return ok })
	require.NotEmpty(t, blocks)
	sessions := map[string][]docs.Block{}
	for _, b := range blocks {
		frame, _ := b.Marker(docs.MarkerRun)
		require.Contains(t, []string{frameServer, frameEmpty, frameAbove}, frame, b.At())
		name := b.Page + " " + frame
		if frame == frameAbove {
			name = b.At() + " " + frame
		}
		sessions[name] = append(sessions[name], b)
	}
	var printed rewrites
	t.Cleanup(func() { printed.write(t) })
	for name, blocks := range sessions {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			frame, _ := blocks[0].Marker(docs.MarkerRun)
			session := newDocsSession(t)
			session.rewrites = &printed
			switch frame {
			case frameServer:
				session.serve()
			case frameAbove:
				session.configure(configurationAbove(t, s.Pages[blocks[0].Page], blocks[0]))
			}
			for _, b := range blocks {
				session.run(b)
			}
		})
	}
}

// configurationAbove is the last configuration before a block.
func configurationAbove(t *testing.T, page *docs.Page, block docs.Block) (text string) {
	t.Helper()
	for _, b := range page.Blocks {
		if b.Line < block.Line && b.Language == "yaml" && !b.Foreign() {
			text = b.Text
		}
	}
	require.NotEmpty(t, text, "%s has no configuration above it", block.At())
	return text
}

// docsSession is somebody who types what a page shows, in a directory of their own.
type docsSession struct {
	t       *testing.T
	dir     string
	environ []string
	// names are what the pages call things here: pairs of the page's name and the real one.
	names [][2]string
	// ids are those of the pages and the real ones in their place.
	ids      map[string]string
	rewrites *rewrites
}

func newDocsSession(t *testing.T) *docsSession {
	t.Helper()
	dir, err := os.MkdirTemp("", "hookarr-docs-") //nolint:usetesting // the directory of a test may be too long for a socket
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	require.NoError(t, os.Mkdir(filepath.Join(dir, "bin"), 0o700))
	examples, err := filepath.Abs("../../examples")
	require.NoError(t, err)
	for name, real := range map[string]string{"bin/hookarr": filepath.Join(binaries, "hookarr"), "bin/plugins": filepath.Join(binaries, "plugins"), "examples": examples} {
		require.NoError(t, os.Symlink(real, filepath.Join(dir, name)))
	}
	listen, admin := testport.Addr(t), testport.Addr(t)
	return &docsSession{
		t: t, dir: dir, ids: map[string]string{},
		environ: append(os.Environ(), "PATH="+filepath.Join(dir, "bin")+":"+os.Getenv("PATH"), "HOME="+dir, "TZ=UTC", "LC_ALL=C.UTF-8",
			"HOOKARR_LISTEN="+listen, "HOOKARR_ADMIN_LISTEN="+admin, "HOOKARR_PLUGINS_DIR="+filepath.Join(binaries, "plugins")),
		names: [][2]string{{"127.0.0.1:8484", listen}, {"127.0.0.1:8485", admin}, {"/home/me/hookarr", dir}},
	}
}

// configure completes a part of a configuration.
func (s *docsSession) configure(part string) {
	_, environ := completed(s.t, s.dir, part)
	s.environ = append(s.environ, environ[len(os.Environ()):]...)
}

// serve starts a server with applications and endpoints around it.
func (s *docsSession) serve() {
	s.t.Helper()
	radarr, sonarr := fakearr.New(fakearr.Radarr, fakearr.Options{}), fakearr.New(fakearr.Sonarr, fakearr.Options{})
	discord := &endpoint.Discord{}
	start := func(name string, h http.Handler) string {
		server := httptest.NewServer(h)
		s.t.Cleanup(server.Close)
		s.names = append(s.names, [2]string{name, strings.TrimPrefix(server.URL, "http://")})
		return server.URL
	}
	config, err := os.ReadFile("testdata/docs.yaml")
	require.NoError(s.t, err)
	file := filepath.Join(s.dir, "hookarr.yaml")
	require.NoError(s.t, os.WriteFile(file, config, 0o600))
	ops := start("127.0.0.1:9900", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	s.environ = append(
		s.environ, "RADARR_SECRET=a-secret-that-nobody-guesses", "ARR_PASSWORD=a-password-that-nobody-guesses", "OPS_SECRET=another-secret-that-nobody-guesses",
		"REQUESTS_SECRET=a-third-secret-that-nobody-guesses", "HOOKARR_TOKEN=a-token-that-nobody-guesses", "VIEW_TOKEN=a-token-to-look-with-alone",
		"RADARR_URL="+start("127.0.0.1:7878", radarr), "RADARR_API_KEY="+radarr.APIKey(),
		"SONARR_URL="+start("127.0.0.1:8989", sonarr), "SONARR_API_KEY="+sonarr.APIKey(),
		"DISCORD_WEBHOOK="+discord.URL(start("discord.example", discord)), "OPS_URL="+ops+"/hook",
	)
	srv := serverOn(s.t, file, s.names[0][1])
	srv.cmd = exec.Command(filepath.Join(binaries, "hookarr"), "serve")
	srv.cmd.Dir, srv.cmd.Env, srv.cmd.Stdout, srv.cmd.Stderr = s.dir, s.environ, srv.log, srv.log
	require.NoError(s.t, srv.cmd.Start())
	srv.done = make(chan error, 1)
	go func(cmd *exec.Cmd, done chan error) { done <- cmd.Wait() }(srv.cmd, srv.done)
	srv.url = "http://" + s.names[1][1]
	srv.awaitReady()
}

// run types one block.
func (s *docsSession) run(b docs.Block) {
	s.t.Helper()
	steps, err := b.Steps()
	require.NoError(s.t, err)
	for _, step := range steps {
		command := s.real(step.Text)
		if *updateDocs {
			time.Sleep(2 * time.Second) // what was sent arrives meanwhile
			got, err := s.shell(command)
			if step.Output == "" {
				require.NoError(s.t, err, "%s: %s\n%s", b.At(), step.Text, got)
				continue
			}
			if !s.matches(step.Output, got) {
				s.rewrites.add(b.Page, step, s.shown(got))
			}
			continue
		}
		// What only looks may have looked too early.
		var got string
		deadline := time.Now().Add(waitTimeout)
		for {
			got, err = s.shell(command)
			if step.Output == "" && err == nil || step.Output != "" && s.matches(step.Output, got) {
				break
			}
			require.True(s.t, looks(step.Text) && time.Now().Before(deadline), "%s: %s\nprints\n%s\nnot\n%s\n(go test ./internal/e2e -run DocumentedCommandsRun -update-docs writes it)",
				b.At(), step.Text, s.shown(got), step.Output)
			time.Sleep(100 * time.Millisecond)
		}
	}
}

// looks reports whether a command changes nothing.
func looks(script string) bool {
	calls, err := docs.Calls(script)
	return err == nil && !slices.ContainsFunc(calls, func(call []string) bool {
		args, ok := docs.Hookarr(call)
		return !ok && !slices.Contains([]string{"jq", "head", "grep"}, call[0]) || ok && (len(args) < 2 || !slices.Contains([]string{"list", "show", "why", "search", "body"}, args[1]))
	})
}

func (s *docsSession) shell(script string) (string, error) {
	ctx, cancel := context.WithTimeout(s.t.Context(), waitTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-eu", "-o", "pipefail", "-c", script)
	cmd.Dir, cmd.Env = s.dir, s.environ
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		require.NoError(s.t, err)
	}
	return out.String(), err
}

// shown puts what the pages say in the place of what is so here, and real the other way round.
func (s *docsSession) shown(text string) string {
	for _, name := range s.names {
		text = strings.ReplaceAll(text, name[1], name[0])
	}
	return text
}

func (s *docsSession) real(text string) string {
	for _, name := range s.names {
		text = strings.ReplaceAll(text, name[0], name[1])
	}
	return idPattern.ReplaceAllStringFunc(text, func(id string) string {
		for shown, real := range s.ids {
			if strings.HasPrefix(shown, id) {
				return real
			}
		}
		return id
	})
}

// idPattern is of ids and their beginnings.
var idPattern = regexp.MustCompile(`\b01[0-9a-f]{6}-[0-9a-f]{4}(?:-[0-9a-f]{1,4}(?:-[0-9a-f]{1,4}(?:-[0-9a-f]{1,12})?)?)?\b`)

// volatile is what differs from run to run, and a pattern of what may stand in its place.
var volatile = []struct{ is, as string }{
	{is: `\b01[0-9a-f]{6}-[0-9a-f]{4}(?:-[0-9a-f]{1,4}(?:-[0-9a-f]{1,4}(?:-[0-9a-f]{1,12})?)?)?\b`, as: `([0-9a-f]{8}-[0-9a-f-]{4,27})`},
	{is: `\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?(?:\.\d+)?(?:Z| UTC)?`, as: `\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?(?:\.\d+)?(?:Z| UTC)?`},
	{is: `\b(?:\d+(?:\.\d+)?(?:ns|µs|ms|s|m|h))+\b`, as: `(?:\d+(?:\.\d+)?(?:ns|µs|ms|s|m|h))+`},
	{is: `\b[0-9a-f]{16,}\b`, as: `[0-9a-f]{16,}`},
	{is: `#[-_A-Za-z0-9]{43}`, as: `#[-_A-Za-z0-9]{43}`},
	{is: `\broot\b`, as: `[a-z_][a-z0-9_-]*`},
	{is: `process \d+, \d+ MiB`, as: `process \d+, \d+ MiB`},
	{is: `\(devel\)|\bv?\d+\.\d+\.\d+(?:-[-.0-9a-z]+)?(?:\+\w+)?\b`, as: `(?:\(devel\)|v?\d+\.\d+\.\d+\S*)`},
	{is: `[ ─]{2,}`, as: `[ ─]+`},
	{is: `(?m)^…\n`, as: `(?:.*\n)*?`},
	{is: `…`, as: `.*`},
}

// matches reports whether a command printed what the page shows, and learns which ids those
// of the page are.
func (s *docsSession) matches(shown, got string) bool {
	var is []string
	for _, v := range volatile {
		is = append(is, "("+v.is+")")
	}
	var pattern strings.Builder
	rest := strings.TrimRight(shown, "\n") + "\n"
	var ids []string
	one := regexp.MustCompile(strings.Join(is, "|"))
	for at := 0; at < len(rest); {
		found := one.FindStringSubmatchIndex(rest[at:])
		if found == nil || found[0] == found[1] {
			pattern.WriteString(regexp.QuoteMeta(rest[at:]))
			break
		}
		pattern.WriteString(regexp.QuoteMeta(rest[at : at+found[0]]))
		for i, v := range volatile {
			if found[2+2*i] < 0 {
				continue
			}
			if i == 0 {
				ids = append(ids, rest[at+found[0]:at+found[1]])
			}
			pattern.WriteString(v.as)
			break
		}
		at += found[1]
	}
	got = regexp.MustCompile(`(?m) +$`).ReplaceAllString(strings.TrimRight(s.shown(got), "\n"), "") + "\n"
	found := regexp.MustCompile(`\A` + pattern.String() + `\z`).FindStringSubmatch(got)
	if found == nil {
		return false
	}
	for i, id := range ids {
		s.ids[id] = found[i+1]
	}
	return true
}

// rewrites are what commands printed, for their pages.
type rewrites struct {
	mu  sync.Mutex
	all []rewrittenStep
}

type rewrittenStep struct {
	page   string
	step   docs.Step
	output string
}

func (r *rewrites) add(page string, step docs.Step, output string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, rewrittenStep{page, step, output})
}

// write writes them, from the ends of the pages on, so that lines stay where they were found.
func (r *rewrites) write(t *testing.T) {
	t.Helper()
	slices.SortFunc(r.all, func(a, b rewrittenStep) int { return cmp.Compare(b.step.Line, a.step.Line) })
	for _, w := range r.all {
		file := filepath.Join("../..", w.page)
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		lines := strings.SplitAfter(string(content), "\n")
		begin := w.step.Line - 1 + strings.Count(w.step.Text, "\n")
		end := begin + strings.Count(strings.TrimRight(w.step.Output, "\n"), "\n") + 1
		output := regexp.MustCompile(`(?m) +$`).ReplaceAllString(strings.TrimRight(w.output, "\n"), "") + "\n"
		text := strings.Join(lines[:begin], "") + output + strings.Join(lines[end:], "")
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		t.Logf("%s:%d is rewritten", w.page, w.step.Line)
	}
}

func TestWhatIsPrintedIsCompared(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		shown, got string
		equal      bool
	}{
		{shown: "stored 01a2133f-0a83\n", got: "stored 01a22b35-368f-7745-9d65-6a3d8323ae78\n", equal: true},
		{shown: "at 2026-11-30 06:47:17 UTC, took 4ms\n", got: "at 2027-01-02 00:00:00 UTC, took 1m3.5s\n", equal: true},
		{shown: "a   b\n┌───\n", got: "a b  \n┌─────────\n", equal: true},
		{shown: "a\n…\nd\n", got: "a\nb\nc\nd\n", equal: true},
		{shown: "a\n…\nd\n", got: "a\nd\n", equal: true},
		{shown: `{"version":…}`, got: `{"version":"x"}`, equal: true},
		{shown: "1 delivered\n", got: "2 delivered\n"},
		{shown: "a\n…\nd\n", got: "a\nb\nc\n"},
		{shown: "a\n", got: "a\nb\n"},
		{shown: "a\nb\n", got: "a\n"},
		{shown: "a.c\n", got: "abc\n"},
		{shown: "stored 01a2133f-0a83\n", got: "stored -\n"},
	} {
		s := docsSession{ids: map[string]string{}}
		require.Equal(t, tt.equal, s.matches(tt.shown, tt.got), "%q, %q", tt.shown, tt.got)
	}
	s := docsSession{ids: map[string]string{}}
	require.True(t, s.matches("a 01a2133f-0a83-7ef9\n", "a 01a22b35-368f-7745\n"))
	require.Equal(t, "show 01a22b35-368f-7745 and 01a21340-0a83", s.real("show 01a2133f-0a83 and 01a21340-0a83"))
}
