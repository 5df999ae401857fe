package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/pluginhost"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
)

// run1 is how a command of the operators is run: its line, with eN and dN for the ids of
// events and deliveries, and what it says.
type run1 struct {
	line string
	// out is a pattern of the output.
	out string
	// code and err are those of a command that is refused wherever it runs.
	code int
	err  string
	// server is that only a server can do it.
	server bool
	// alone is what it says instead, where no server runs.
	alone string
}

// operatorCommands are every command of the operators, in an order in which each finds what
// it needs.
func operatorCommands() []run1 {
	return []run1{
		{line: "events list", out: `(?m)^0197a2c4-\S+ .* radarr +media.imported +routed +1 delivered, 1 pending +Sintel \(2010\)$`},
		{line: "events list --json --since 2020-01-01 --until 2030-01-01", out: `"delivery_counts"`},
		{line: "events list --limit 1 --type media.imported --source radarr", out: `(?s)\A[^\n]*\n[^\n]*Sintel[^\n]*\n\z`},
		{line: "events search sintel", out: `Sintel \(2010\)`},
		{line: "events search sintel --field id=1 --json", out: `(?s)^\[\n  \{\n    "id": "` + id(1).String()},
		{line: "events search nothing-of-it --json", out: `^\[\]\n$`},
		{line: "events show e1", out: `(?m)^summary +Imported Sintel`},
		{line: "events show 0197a2c4-0000-7000-8000-000000000001", out: `(?m)^event +` + id(1).String()},
		{line: "events show 0197a2c4", code: exitError, err: `(?s)^hookarr: 3 ids of events begin so: give more digits\n  0197a2c4-0000-7000-8000-000000000001\n  .*003\n$`},
		{line: "events show 0197ffff", code: exitError, err: `^hookarr: there is no event whose id begins so\n$`},
		{line: "events body e1", out: `^{"eventType": "Download"}\n$`},
		{line: "events body e1 --normalized", out: `^{"id":"1","type":"media.imported"}\n$`},
		{line: "events why e1", out: `(?s)2 deliveries: 1 delivered, 1 pending\..*Let in: yes.*Decoded: yes, media.imported.*  everything: yes, to ops, chat\n  old: no, when: .*To ops by route everything: delivered, as message m-1.*attempt 2 took 1ms: ok, status 204.*chat takes nothing now: misconfigured: answered 404, next probe`},
		{line: "events why e2", out: `It went nowhere, as no decoder understands it`},
		{line: "events why e3 --json", out: `"routes": \[`},
		{line: "events replay e1 --to ops", out: `^e1 is replayed\n$`},
		{line: "events replay e2", code: exitError, err: `^hookarr: ` + id(2).String() + ` is left as it is: no decoder understood it: have it decoded anew\n$`},
		{line: "events replay e1 --to opps", code: exitError, err: `"opps" is not configured; did you mean "ops"\?`},
		{line: "events replay --source radarr --to ops", code: exitError, err: `^hookarr: the filters select 3 events, and there is no terminal to ask at: give --yes to replay them\n$`},
		{line: "events replay --source radarr --to ops --yes", out: `^replay is done: 2 of 3, 1 skipped, `},
		{line: "events replay --source hookarr --yes", code: exitError, err: `^hookarr: the filters select no events: look with hookarr events list and the same filters\n$`},
		{line: "deliveries list --target chat", out: `(?m)^0197a2c4-\S+ .* chat +media.imported +pending +1 `},
		{line: "deliveries list --state pending --text restarts --json", out: `"reason": "plugin restarts"`},
		{line: "deliveries show d12", out: `(?s)target waits +misconfigured: answered 404.*attempt 1 was answered:\n    no\n$`},
		{line: "deliveries show d12 --request", out: `what attempt 1 sent is not known\n$`},
		{line: "deliveries show d11 --request", out: `(?s)what attempt 1 sent is not known\n.*what attempt 2 sent was not kept, as it was delivered: it is kept of failed attempts alone\n$`},
		{line: "deliveries cancel d14", out: `^d14 is cancelled\n$`},
		{line: "deliveries cancel d11 d13 --json", code: exitError, err: id(11).String() + ` is left as it is`},
		{line: "deliveries retry d13", out: `^d13 is retried\n$`},
		{line: "deliveries retry --target ops --state dead --yes", code: exitError, err: `select no deliveries: look with hookarr deliveries list`},
		{line: "deliveries retry --state cancelled --yes", out: `^retry is done: 1 of 1\n$`},
		{line: "deliveries cancel --target gone --yes --json", out: `"state": "done"`, err: `^warning: --target: no target is called "gone"; there are chat, ops\n$`},
		{line: "actions list", out: `(?m)^0197\S+ +.* cancel +\S+ +\S+ +done +1 +0 +1$|(?m) cancel +`},
		{line: "actions list --limit 1 --json", out: `"what": "cancel"`},
		{line: "actions show a1", out: `(?m)^state +done$`},
		{line: "actions show a1 --follow", out: `^cancel is done: 1 of 1\n$`},
		{line: "actions stop a1", code: exitError, err: `is done already\n$`},
		{line: "targets list", out: `(?m)^chat +webhook +misconfigured, next probe .* answered 404$`},
		{line: "targets show chat", out: `(?m)^state +misconfigured$`},
		{line: "targets show cht", code: exitError, err: `did you mean "chat"\?`},
		{line: "targets probe chat", out: `^target chat is probed with the next of 1 delivery: hookarr targets show chat tells`},
		{line: "targets resume chat", out: `^target chat is resumed: 1 delivery goes out, oldest first\n$`},
		{line: "targets resume chat", code: exitError, err: `it is not on hold`},
		{line: "targets pause ops --reason night", out: `^target ops is paused: hookarr targets resume ops ends it\n$`},
		{line: "targets list --json", out: `"reason": "night"`},
		{line: "targets rename nobody ops", code: exitError, err: `there is no target of this name`},
		{line: "targets rename elsewhere ops", out: `^rename is done: 1 of 1\n$`},
		{line: "targets test ops", out: `^the test of target ops ended as ok, status 204\n$`, server: true},
		{line: "targets preview ops --sample media.imported", out: `(?s)^POST https://example.com/\[redacted\]\nX-A: 1\nX-B: 2\n\n{\n.*"type": "media.imported".*}\n\nthe body goes on\n$`, server: true},
		{line: "targets preview ops --sample media.imported --request", out: `(?s)\n\n{.*"type":"media.imported".*}\n\nthe body goes on\n$`, server: true},
		{line: "targets preview chat --story season", out: `(?s)^POST https://chat.example/\[redacted\] \(14 events\)\n┌─ green ─.*│ The Phantom Empire S01\n.*└─+\n\nnot as it was to be: the template failed: used another\n$`, server: true},
		{line: "targets preview chat --event e1 --event e3 --edit", out: `^PATCH https://chat.example/\[redacted\]/messages/1 \(2 events\)\n┌`, server: true},
		{line: "targets preview chat --delivery d11 --request", out: `(?s)^POST https://chat.example/\[redacted\]\n\n{"embeds":`, server: true},
		{line: "targets preview chat --delivery d11 --edit", out: `^PATCH https://chat.example/\[redacted\]/messages/m-1\n`, server: true},
		{line: "targets preview ops --event e1 --json", out: `"content_type": "application/json"`, server: true},
		{line: `silences add event.source=="sonarr" --for 2h --target ops --comment moving`, out: `^silence \S+ is active until \S+ \S+ UTC\n$`},
		{line: "silences add event.sorce --for 2h", code: exitError, err: `^hookarr: expression: column 7: an event has no field "sorce" here; did you mean "source"\?\n$`},
		{line: "silences add true --for 2h --target opps", code: exitError, err: `"opps" is not configured; did you mean "ops"\?`},
		{line: "silences add true --until 2020-01-01", code: exitError, err: `^hookarr: its end has passed already\n$`},
		{line: "silences list", out: `(?m)^\S+ +active +.* ops +0 +\S+ +event.source=="sonarr" +moving$`},
		{line: "silences list --json", out: `"state": "active"`},
		{line: "silences expire s1", out: `^silence \S+ has ended, after 0 deliveries\n$`},
		{line: "silences expire s1", code: exitError, err: `is over already\n$`},
		{line: "actions list --limit 1", out: `(?m) expire +.* done `},
		{line: "sources list", out: `(?m)^radarr +radarr +hmac github +- +- +- +\S+ +\d{4}-`},
		{line: "sources show radarr", out: `(?m)^last media.imported +\d{4}-`},
		{line: "sources show radar", code: exitError, err: `no source is called "radar"; did you mean "radarr"\?`},
		{line: "sync radar", code: exitError, err: `no source is called "radar"; did you mean "radarr"\?`, server: true},
		{line: "sources list --json", out: `"last_seen": \[\n`},
		{line: "routes list", out: `(?m)^old +- +- +ops +event.media.year < 2000$`},
		{line: "routes test --sample media.imported", out: `(?s)goes to +ops, chat\n\nROUTE +VERDICT\neverything +yes, to ops, chat\nold +no, when: `},
		{line: "routes test --event e1 --json", out: `"targets": \[\n    "ops",\n    "chat"`},
		{line: "routes test ../../examples/payloads/radarr/import.json --source radarr", out: `(?m)^goes to +ops, chat$`, server: true},
		{line: "targets options ops", code: exitError, err: `the plugin of target ops does not tell which values a setting may have|environment variable \S+ is not set`},
		{line: "sources options radarr", code: exitError, err: `the plugin of source radarr does not tell which values a setting may have|environment variable \S+ is not set`},
		{line: "paths ops", code: exitError, err: `has no paths to compare: its plugin knows no libraries\n$|: environment variable \S+ is not set where hookarr runs: `},
		{line: "plugins inspect source-radarr", out: `(?s)plugin +source-radarr\n.*state +ready since.*process +\d+, [\d.]+ MiB of memory\n.*serves +radarr\n$`, server: true},
		{line: "plugins inspect radarr --schema", out: `"properties"`, server: true},
		{line: "plugins inspect radar", code: exitError, err: `did you mean|it uses source-radarr`, server: true},
		{line: "plugins reload target-webhook", out: `^plugin target-webhook is ready, version \S+, process \d+\n$`, server: true},
		{line: "plugins enable webhook", out: `^plugin target-webhook runs: nothing is to be done`, server: true},
		{line: "plugins list", out: `(?m)^radarr +source `},
		{line: "reload --dry-run", out: `(?s)^targets.ops.timeout: .*10s.*\nlisten: needs a restart\nnothing is changed: hookarr reload takes it into use\n$`, server: true},
		{line: "reload", out: `the configuration is reloaded\n$`, server: true},
		{line: "logs", out: `(?m) level=INFO msg="operator action" `, server: true},
		{line: "logs --level error --json", out: `^\[\]\n$`, server: true},
		{line: "catalogue grant grafana", code: exitError, err: `^hookarr: no target has the plugin catalogue: docs/targets/catalogue.md says`},
		{line: "open", out: `^http://127.0.0.1:0/login#[-_A-Za-z0-9]{43}\n$`, err: `^It signs one browser in, once, until \S+ \S+ UTC. From another machine, run there first: ssh -L 0:127.0.0.1:0 HOST\n$`, server: true},
		{line: "open --json", out: `"url": "http://127.0.0.1:0/login#[-_A-Za-z0-9]{43}",\n  "expires_at"`, server: true},
		{line: "actions list --limit 1", out: `(?m) link +\S+ +socket +done +1 `, alone: `(?m) expire `},
		{line: "sessions list", out: `(?m)^[0-9a-f]{18} +ci +token +operate +.* Browser/1$`},
		{line: "sessions list --json", out: `(?s)"who": "root",.*"who": "ci"`},
		{line: "sessions revoke 00000000", code: exitError, err: `^hookarr: there is no such session: list them for their ids\n$`},
		{line: "sessions revoke n1", out: `^the session of ci, begun \S+ \S+ UTC, has ended\n$`},
		{line: "sessions revoke n1", code: exitError, err: `^hookarr: there is no such session`},
		{line: "actions list --limit 1", out: `(?m) revoke +.* done +1 +0 +1 +session of ci by token$`},
		{line: "sessions revoke --all", out: `^2 browsers are signed out\n$`},
		{line: "sessions revoke --all --json", out: `^{\n  "revoked": 0\n}\n$`},
		{line: "version", out: `(?m)^server +\S+`, alone: `^version +`},
	}
}

// named puts ids in the place of eN, dN and a1.
func named(t *testing.T, line string, s *store.Store) []string {
	t.Helper()
	args := strings.Fields(line)
	for i, arg := range args {
		var n int
		switch {
		case arg == "a1":
			actions, err := s.ListActions(t.Context(), store.ActionFilter{Limit: 1})
			require.NoError(t, err)
			args[i] = actions[0].ID.String()
		case arg == "n1":
			id, _ := store.IDOf(strings.Repeat("A", 43))
			args[i] = hex.EncodeToString(id[:])
		case arg == "s1":
			list, _, err := s.ListSilences(t.Context(), time.Hour)
			require.NoError(t, err)
			args[i] = list[0].ID.String()
		case regexp.MustCompile(`^[ed]\d+$`).MatchString(arg):
			_, err := fmt.Sscan(arg[1:], &n)
			require.NoError(t, err)
			args[i] = id(n).String()
		}
	}
	return args
}

// Every command says the same of a server, of a database without a server, and of both
// where the secrets of the configuration are not known.
func TestOperatorCommands(t *testing.T) {
	t.Parallel()
	for _, serving := range []bool{true, false} {
		for _, secrets := range []bool{true, false} {
			t.Run(fmt.Sprintf("server %t secrets %t", serving, secrets), func(t *testing.T) {
				t.Parallel()
				file := rigConfig(t)
				s := rigDatabase(t, file)
				accept(t, s, 5, "elsewhere")
				signInBrowsers(t, s)
				if serving {
					startServer(t, file, s)
				}
				var environ []string
				if secrets {
					environ = rigEnviron()
				}
				for _, tt := range operatorCommands() {
					if strings.HasPrefix(tt.line, "plugins list") && !secrets {
						continue // it reads plugins.dir itself, as check does
					}
					r := runWith(t, "", environ, append(named(t, tt.line, s), "--config", file)...)
					want, code, errs := tt.out, tt.code, tt.err
					if !serving && tt.server {
						want, code, errs = "", exitError, `^hookarr: no server answers at \S+/hookarr.sock, and this needs a running server: start hookarr serve\n$`
					}
					if !serving && tt.alone != "" {
						want = tt.alone
					}
					require.Equal(t, code, r.code, "%s\n%s%s", tt.line, r.out, r.err)
					said := strings.NewReplacer(id(1).String()+" is", "e1 is", id(13).String()+" is re", "d13 is re", id(14).String()+" is", "d14 is").Replace(r.out)
					require.Regexp(t, orNothing(want, code), said, tt.line)
					require.Regexp(t, orNothing(errs, 0), r.err, tt.line)
					require.NotContains(t, r.out+r.err, "0123456789abcdef")
					require.NotContains(t, r.out+r.err, "\x1b")
				}
			})
		}
	}
}

// orNothing is the pattern of what is said; with an error, more may be.
func orNothing(pattern string, code int) string {
	switch {
	case pattern != "":
		return pattern
	case code != 0:
		return ""
	default:
		return `^$`
	}
}

// The table has every command.
func TestOperatorCommandsAreAll(t *testing.T) {
	t.Parallel()
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		path := strings.TrimPrefix(cmd.CommandPath(), "hookarr ")
		switch {
		case cmd.HasSubCommands():
			for _, sub := range cmd.Commands() {
				walk(sub)
			}
			return
		case cmd.Flags().Lookup("socket") == nil && cmd.InheritedFlags().Lookup("socket") == nil:
			return // it is no client of the service
		}
		for _, tt := range operatorCommands() {
			if strings.HasPrefix(tt.line+" ", path+" ") {
				return
			}
		}
		t.Errorf("no test runs hookarr %s", path)
	}
	walk((&cli{}).newRoot())
}

// signInBrowsers stores a session that began with a token, whose secret is all A, and one
// with a link.
func signInBrowsers(t *testing.T, s *store.Store) {
	t.Helper()
	for i, n := range []store.Session{
		{Who: "ci", Via: admin.ViaToken, Role: config.RoleOperate, Agent: "Browser/1"},
		{Who: "root", Via: admin.ViaLink, Role: config.RoleOperate},
		{Who: "gone", Via: admin.ViaToken, Role: config.RoleOperate}, // its token is not configured
	} {
		id, ok := store.IDOf(strings.Repeat("ABC"[i:i+1], 42) + "A")
		require.True(t, ok)
		n.ID, n.Proof = id, []byte{1}
		require.NoError(t, s.AddSession(t.Context(), &n, store.SecretID{}))
	}
}

// accept stores an event with a delivery to each target.
func accept(t *testing.T, s *store.Store, n int, targets ...string) {
	t.Helper()
	at, err := time.Parse(time.RFC3339, received)
	require.NoError(t, err)
	a := &store.Acceptance{Event: event.Event{
		ID: event.NewID(), Source: "other", Origin: sdk.OriginWebhook, ReceivedAt: at.Add(time.Duration(n) * time.Second), State: event.Routed,
		Type: sdk.TypeMediaImported, Title: fmt.Sprintf("Film %d", n), Normalized: []byte(`{"type":"media.imported"}`),
	}}
	for _, target := range targets {
		a.Deliveries = append(a.Deliveries, event.Delivery{ID: event.NewID(), EventID: a.Event.ID, Target: target, Route: "everything"})
	}
	_, err = s.Accept(t.Context(), a)
	require.NoError(t, err)
}

func TestRemoteServer(t *testing.T) {
	t.Parallel()
	file := rigConfig(t)
	r := startServer(t, file, rigDatabase(t, file))
	with := func(token string, args ...string) result {
		var environ []string
		if token != "" {
			environ = []string{"HOOKARR_TOKEN=" + token}
		}
		return runWith(t, "", environ, append(args, "--server", r.url)...)
	}
	got := with(rigToken, "targets", "list")
	require.Zero(t, got.code, got.err)
	require.Contains(t, got.out, "chat")
	require.Empty(t, got.err)
	require.Equal(t, result{code: exitError, err: "hookarr: --server needs a token: set HOOKARR_TOKEN to one of the server's admin.tokens\n"}, with("", "targets", "list"))
	require.Equal(t, result{
		code: exitError, err: "hookarr: the server does not know the token in HOOKARR_TOKEN: it wants one of its admin.tokens\n",
	}, with("wrong-0123456789abcdef", "targets", "list"))
	got = runWith(t, "", []string{"HOOKARR_TOKEN=x"}, "targets", "list", "--server", "nowhere")
	require.Equal(t, exitUsage, got.code)
	require.Contains(t, got.err, "--server: want the URL of admin.listen")
	got = runWith(t, "", []string{"HOOKARR_TOKEN=x"}, "targets", "list", "--server", "http://127.0.0.1:1")
	require.Equal(t, exitError, got.code)
	require.Contains(t, got.err, "no server answers")
}

func TestStrangeServers(t *testing.T) {
	t.Parallel()
	file := rigConfig(t)
	r := startServer(t, file, rigDatabase(t, file))
	got := runWith(t, "", rigEnviron(), "targets", "list", "--config", file)
	require.Empty(t, got.err)

	// What the server has from its environment is no other setting of the file.
	overruled, err := config.Loader{Environ: func() []string { return append(rigEnviron(), "HOOKARR_LOG_LEVEL=warn", "HOOKARR_LISTEN=127.0.0.1:0") }}.Load(file)
	require.NoError(t, err)
	r.service.Settings = &settings{config: overruled, routes: r.service.Settings.Routes()}
	require.Empty(t, runWith(t, "", rigEnviron(), "targets", "list", "--config", file).err)

	// The file has changed since the server read it. Without its secrets that is not known.
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, append(text, "log: {format: json}\n"...), 0o600))
	got = runWith(t, "", rigEnviron(), "targets", "list", "--config", file)
	require.Zero(t, got.code)
	require.Equal(t, "note: the server runs other settings than "+file+" has: hookarr reload --dry-run shows what differs\n", got.err)
	require.Empty(t, runWith(t, "", nil, "targets", "list", "--config", file).err)
	require.Empty(t, runWith(t, "", rigEnviron(), "reload", "--config", file).err)

	r.service.Program.Version = "v9.0.0\x1b[2J"
	got = runWith(t, "", nil, "targets", "list", "--config", file)
	require.Zero(t, got.code)
	require.Equal(t, "note: the server is hookarr v9.0.0[2J and this command is "+readBuild().Version+": what one of them does not know is left out\n", got.err)

	// A socket that is named is meant.
	got = run(t, "targets", "list", "--socket", filepath.Join(filepath.Dir(file), "none.sock"))
	require.Equal(t, exitError, got.code)
	require.Regexp(t, `^hookarr: no server answers at .*none.sock: start hookarr serve, or leave --socket out to work on the database\n$`, got.err)
	got = run(t, "targets", "list", "--socket", filepath.Join(filepath.Dir(file), "hookarr.sock"))
	require.Zero(t, got.code, "a socket needs no configuration: %s", got.err)
}

// A process that serves the database does not answer where it is looked for.
func TestServingElsewhere(t *testing.T) {
	t.Parallel()
	file := rigConfig(t)
	s := rigDatabase(t, file)
	require.NoError(t, s.Reserve())
	got := run(t, "targets", "pause", "ops", "--config", file)
	require.Zero(t, got.code)
	dir := filepath.Dir(file)
	require.Equal(t, fmt.Sprintf("note: hookarr serve, process %d, works %s/hookarr.db and does not answer at %s/hookarr.sock: "+
		"name its socket with --socket; it sees within a minute what is changed here\n", os.Getpid(), dir, dir), got.err)
}

// What a command needs of the configuration is to be right; what it does not need is not
// looked at.
func TestNeededSettings(t *testing.T) {
	t.Parallel()
	file := write(t, "database: {url: \"${HOOKARR_NONE}\"}\nsources: {radarr: {plugin: radarr, auth: [{none: {}}]}}\ntargets: {ops: {plugin: webhook, timeout: never}}\nroutes: [{name: all, to: [ops]}]\n")
	got := run(t, "events", "list", "--config", file)
	require.Equal(t, exitError, got.code)
	require.Regexp(t, `^\S+:1: database.url: .*HOOKARR_NONE is not set[^\n]*\n$`, got.err)
	got = run(t, "routes", "test", "--sample", "media.imported", "--config", file)
	require.Zero(t, got.code, got.err)
	require.Contains(t, got.out, "goes to  ops")
	got = run(t, "routes", "list", "--config", write(t, "routes: [{name: all, to: [ops]}]"))
	require.Equal(t, exitError, got.code)
	require.Contains(t, got.err, "routes[0].to")
}

func TestBulkAsks(t *testing.T) {
	t.Parallel()
	file := rigConfig(t)
	s := rigDatabase(t, file)
	startServer(t, file, s)
	asked := func(answer string) result {
		c := &command{cli: cli{in: strings.NewReader(answer), terminal: true, environ: func() []string { return nil }}}
		return c.do(t.Context(), "deliveries", "cancel", "--target", "ops", "--config", file)
	}
	for _, answer := range []string{"", "n\n", "\n", "yesterday\n"} {
		require.Equal(t, result{code: exitError, err: "cancel 1 delivery? [y/N] hookarr: nothing is changed\n"}, asked(answer))
	}
	require.Equal(t, result{out: "cancel is done: 1 of 1\n", err: "cancel 1 delivery? [y/N] "}, asked("y\n"))
}

// Who stops watching leaves the action to the server.
func TestBulkGoesOnWithoutUs(t *testing.T) {
	t.Parallel()
	file := rigConfig(t)
	s := rigDatabase(t, file)
	a := &store.Action{ID: event.NewID(), What: store.ActionCancel, Who: "me", Via: "socket", State: store.ActionRunning, Matched: 3}
	a.Args.Deliveries = &store.DeliveryFilter{Target: "ops"}
	require.NoError(t, s.BeginAction(t.Context(), a))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c := &command{}
	c.cli.out, c.cli.err = &c.out, &c.err
	require.ErrorIs(t, c.watch(ctx, &service{}, admin.Action{ID: a.ID.String(), State: store.ActionRunning}), errReported)
	require.Equal(t, fmt.Sprintf("action %s goes on on the server: hookarr actions show %[1]s --follow watches it, hookarr actions stop %[1]s ends it\n", a.ID), c.err.String())

	got := run(t, "actions", "stop", a.ID.String()[:23], "--config", file)
	require.Zero(t, got.code, got.err)
	require.Regexp(t, `(?m)^state +stopped$`, got.out)
}

func TestRefusedReload(t *testing.T) {
	t.Parallel()
	file := rigConfig(t)
	r := startServer(t, file, rigDatabase(t, file))
	r.service.Reloader = &reloads{broken: &config.Error{Problems: []config.Problem{{File: "hookarr.yaml", Line: 7, Key: "targets.ops.timeout", Message: "want more than 0s"}}}}
	got := run(t, "reload", "--config", file)
	require.Equal(t, result{
		code: exitError, err: "hookarr.yaml:7: targets.ops.timeout: want more than 0s\nnothing is changed: the former configuration holds\n",
	}, got)
	got = run(t, "reload", "--json", "--config", file)
	require.Equal(t, exitError, got.code)
	var v admin.Reload
	require.NoError(t, json.Unmarshal([]byte(got.out), &v))
	require.Len(t, v.Problems, 1)

	got = run(t, "targets", "test", "chat", "--config", file)
	require.Equal(t, exitError, got.code)
	require.Equal(t, "the test of target chat ended as permanent, status 404: answered 404\n    no[2J\n    such channel\n", got.out)
}

// following runs a command that goes on, and returns what it prints and what ends it.
func following(t *testing.T, args ...string) (out *lockedBuffer, stop func() int) {
	t.Helper()
	out = new(lockedBuffer)
	c := &cli{out: out, err: out, local: time.UTC, environ: func() []string { return nil }}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan int, 1)
	go func() { done <- c.run(ctx, args) }()
	return out, func() int { cancel(); return <-done }
}

func eventually(t *testing.T, out *lockedBuffer, want string) {
	t.Helper()
	require.Eventually(t, func() bool { return strings.Contains(out.String(), want) }, time.Minute, 10*time.Millisecond, "%q", want)
}

func TestFollow(t *testing.T) {
	t.Parallel()
	file := rigConfig(t)
	s := rigDatabase(t, file)
	r := startServer(t, file, s)
	for i := range 5 {
		accept(t, s, i)
	}
	events, stopEvents := following(t, "events", "list", "--follow", "--source", "other", "--limit", "3", "--config", file)
	lines, stopLines := following(t, "events", "list", "-f", "--json", "--source", "other", "--limit", "1", "--config", file)
	log, stopLog := following(t, "logs", "--follow", "--level", "warn", "--config", file)
	eventually(t, events, "Film 4")
	eventually(t, lines, "Film 4")
	r.log.Info("not for them")
	r.log.Warn("beware", slog.String("of", "\x1b"))
	eventually(t, log, `msg=beware of="\x1b"`)
	accept(t, s, 6)
	accept(t, s, 5)
	for _, out := range []*lockedBuffer{events, lines} {
		eventually(t, out, "Film 5")
		eventually(t, out, "Film 6")
	}
	r.log.Error("again")
	eventually(t, log, "msg=again")
	require.Zero(t, stopEvents())
	require.Zero(t, stopLines())
	require.Zero(t, stopLog())
	require.NotContains(t, log.String(), "not for them")
	require.NotContains(t, events.String(), "Film 1")
	require.Equal(t, 1, strings.Count(events.String(), "RECEIVED"))
	for i := 2; i <= 6; i++ {
		require.Equal(t, 1, strings.Count(events.String(), fmt.Sprintf("Film %d", i)), events.String())
	}
	for line := range strings.Lines(lines.String()) {
		if strings.HasPrefix(line, "warning: --source") {
			continue // of a source that is not configured
		}
		require.True(t, json.Valid([]byte(line)), line)
	}
}

func TestCompletionOfIDs(t *testing.T) {
	t.Parallel()
	file := rigConfig(t)
	s := rigDatabase(t, file)
	none := run(t, append(strings.Fields("__complete plugins inspect --config "+file), "")...)
	require.Equal(t, ":4", strings.TrimSpace(none.out))
	startServer(t, file, s)
	_, err := s.Operate(t.Context(), &store.Step{New: true, End: true, Retry: nil, Action: &store.Action{
		ID: id(50), What: store.ActionRetry, State: store.ActionDone, Who: "me", Via: "socket",
	}})
	require.NoError(t, err)
	for line, want := range map[string]string{
		"events why":                     id(1).String() + "\tradarr media.imported Sintel (2010)\n",
		"deliveries retry":               id(12).String() + "\tchat pending Sintel (2010)\n",
		"deliveries retry " + "0197":     id(12).String() + "\tchat pending Sintel (2010)\n",
		"deliveries list --event":        id(3).String() + "\tradarr release.grabbed A title of two lines\n",
		"plugins inspect":                "source-radarr\tready\n",
		"actions show":                   id(50).String() + "\tretry done\n",
		"targets preview ops --event":    id(2).String() + "\tradarr\n",
		"targets preview ops --delivery": id(12).String() + "\tchat pending Sintel (2010)\n",
		"targets preview ops --story":    "season\nupgrade\nhealth\ndigest\n",
	} {
		r := run(t, append(strings.Fields("__complete --config "+file+" "+line), "")...)
		require.Zero(t, r.code, r.err)
		require.Contains(t, r.out, want, line)
	}
}

func TestTablesFit(t *testing.T) {
	t.Parallel()
	file := rigConfig(t)
	s := rigDatabase(t, file)
	_, err := s.Accept(t.Context(), &store.Acceptance{Event: event.Event{
		ID: id(9), Source: "radarr", Origin: sdk.OriginWebhook, State: event.Undecodable, ReceivedAt: time.Now(),
		Title: strings.Repeat("天気の子", 20), Reason: strings.Repeat("e\u0301", 200),
	}})
	require.NoError(t, err)
	list := func(width int) (string, int) {
		c := &command{cli: cli{width: width, environ: func() []string { return nil }}}
		r := c.do(t.Context(), "events", "list", "--config", file)
		require.Zero(t, r.code, r.err)
		widest := 0
		for line := range strings.Lines(r.out) {
			widest = max(widest, cells(strings.TrimSuffix(line, "\n")))
		}
		return r.out, widest
	}
	for _, width := range []int{210, 180, 160, 145} {
		out, widest := list(width)
		require.LessOrEqual(t, widest, width, out)
		require.Greater(t, widest, width-15, out, "no more than is needed")
		require.Contains(t, out, "…")
		require.Contains(t, out, "undecodable", "only what others wrote is cut")
	}
	out, _ := list(210)
	require.Contains(t, out, "10:00:00 UTC")
	out, _ = list(10)
	require.Contains(t, out, " 11-23 10:00 ")
	require.Contains(t, out, "undecodable")

	// Columns of which nothing is known go first.
	c := &command{cli: cli{width: 100, environ: func() []string { return nil }}}
	out = c.do(t.Context(), "events", "list", "--state", "undecodable", "--config", file).out
	require.NotContains(t, out, "DELIVERIES")
	require.NotContains(t, out, "TYPE")
	require.Contains(t, out, "REASON")

	c = &command{cli: cli{environ: func() []string { return nil }}}
	require.Contains(t, c.do(t.Context(), "events", "list", "--config", file).out, "天気の子天気の子天気の子")
}

func TestWideTablesFit(t *testing.T) {
	t.Parallel()
	held := "breaker, next probe 2026-11-29 11:56:07 UTC"
	for name, rows := range map[string][][]string{
		"events": {
			{"ID", "RECEIVED", "SOURCE", "TYPE", "STATE", "DELIVERIES", "TITLE", "REASON"},
			{"01a22725-d1c7-71aa", "2026-11-29 11:51:59 UTC", "sonarr", "file.deleted_for_upgrade", "routed", "3 delivered, 1 verifying", "Dark Water S01E03", ""},
		},
		"deliveries": {
			{"ID", "CREATED", "TARGET", "TYPE", "STATE", "ATTEMPTS", "NEXT ATTEMPT", "TITLE", "REASON"},
			{"01a22727-ed61-7d99", "2026-11-29 11:54:17 UTC", "jellyfin", "file.deleted_for_upgrade", "superseded", "0", "-", "Dark Water S01E03", "the delivery of the upgrade tells of it"},
		},
		"targets": {
			{"NAME", "PLUGIN", "STATE", "SINCE", "PENDING", "VERIFYING", "DEAD", "REASON"},
			{"library", "catalogue", held, "2026-11-29 11:53:05 UTC", "4", "1", "0", "5 attempts in a row failed, the last: no answer"},
		},
		"sources": {
			{"NAME", "PLUGIN", "AUTH", "HISTORY READ TO", "SNAPSHOT", "ITEMS", "TYPE", "LAST SEEN"},
			{"radarr", "radarr", "hmac github, basic", "2026-11-29 11:46:51 UTC", "2026-11-29 11:51:52 UTC", "8", "file.deleted_for_upgrade", "2026-11-29 11:49:10 UTC"},
		},
	} {
		var out strings.Builder
		c := &cli{width: 100, out: &out}
		require.NoError(t, c.table(rows...))
		for line := range strings.Lines(out.String()) {
			require.LessOrEqual(t, cells(strings.TrimSuffix(line, "\n")), 100, "%s: %s", name, out.String())
		}
		require.Contains(t, out.String(), rows[1][0], "%s: what is typed again is whole", name)
		if name == "targets" {
			require.Contains(t, out.String(), "breaker, next probe 11-29 11:56 ")
		}
	}

	var out strings.Builder
	c := &cli{width: 60, out: &out}
	reason := "reaches no library, as the server has none in or above /media/elsewhere"
	require.NoError(t, c.reasoned([][]string{{"SOURCE", "ROOT FOLDER", "REASON"}, {"radarr", "/movies", ""}, {"sonarr", "/tv", reason}}))
	require.Equal(t, "SOURCE  ROOT FOLDER\nradarr  /movies\nsonarr  /tv\n  "+reason+"\n", out.String())
}

func TestShorten(t *testing.T) {
	t.Parallel()
	a, b := "0197a2c4-5b1e-7c3a-9d2f-1a2b3c4d5e6f", "0197a2c4-5b1e-7c3b-9d2f-1a2b3c4d5e6f"
	require.Equal(t, "0197a2c4-5b1e-7c3a", shorten([]string{a, a})(a), "another of the same millisecond may be in no list")
	require.Equal(t, "0197a2c4-5b1e-7c3a", shorten([]string{b, a})(a))
	require.Equal(t, "0197a2c4-5b1e-7c3b", shorten([]string{b, a})(b))
	c := "0197a2c4-5b1e-7c3a-9e2f-1a2b3c4d5e6f"
	require.Equal(t, "0197a2c4-5b1e-7c3a-9e", shorten([]string{c, a})(c))
	require.Equal(t, "short", shorten([]string{"short"})("short"))
}

func TestReadTime(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("", 3600)
	for text, ago := range map[string]time.Duration{"90m": 90 * time.Minute, "2h": 2 * time.Hour, "7d": 7 * 24 * time.Hour, "1.5d": 36 * time.Hour, "2w": 14 * 24 * time.Hour} {
		at, err := readTime("since", text, zone)
		require.NoError(t, err, text)
		require.WithinDuration(t, time.Now().Add(-ago), at, time.Minute, text)
	}
	for text, want := range map[string]string{
		"2026-11-28":           "2026-11-27T23:00:00Z",
		"2026-11-28 14:00":     "2026-11-28T13:00:00Z",
		"2026-11-28 14:00:05":  "2026-11-28T13:00:05Z",
		"2026-11-28T14:00:05Z": "2026-11-28T14:00:05Z",
	} {
		at, err := readTime("since", text, zone)
		require.NoError(t, err, text)
		require.Equal(t, want, at.UTC().Format(time.RFC3339))
	}
	for _, text := range []string{"d", "-1d", "1e9d", "nand", "infw", "0h", "-2h", "yesterday", "1dd", "14:00"} {
		_, err := readTime("since", text, zone)
		require.Error(t, err, text)
	}
}

// The server is hookarr serve itself.
func TestCommandsOfServe(t *testing.T) {
	t.Parallel()
	file := rigConfig(t)
	address := freeAddress(t)
	var log lockedBuffer
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan int, 1)
	go func() {
		c := &cli{err: &log, out: &log, environ: func() []string { return append(rigEnviron(), "HOOKARR_LISTEN="+address) }}
		done <- c.run(ctx, []string{"serve", "--config", file})
	}()
	t.Cleanup(func() {
		stop()
		require.Zero(t, <-done, log.String())
		require.NoFileExists(t, filepath.Join(filepath.Dir(file), "hookarr.sock"))
	})
	do := func(args ...string) string {
		r := runWith(t, "", append(rigEnviron(), "HOOKARR_LISTEN="+address), append(args, "--config", file)...)
		require.Zero(t, r.code, "%s %s%s", args, r.out, r.err)
		require.Empty(t, r.err, args)
		return r.out
	}
	require.Eventually(t, func() bool {
		return runWith(t, "", nil, "targets", "list", "--config", file, "--socket", filepath.Join(filepath.Dir(file), "hookarr.sock")).code == exitOK
	}, time.Minute, 50*time.Millisecond)
	do("targets", "pause", "ops", "--reason", "night")
	do("targets", "pause", "chat")
	require.Contains(t, do("send", "radarr", "--sample", "import"), "stored")
	var events []admin.Event
	require.Eventually(t, func() bool { // a decoder that is slow is asked again later
		r := runWith(t, "", rigEnviron(), "events", "list", "--json", "--config", file)
		return json.Unmarshal([]byte(r.out), &events) == nil && len(events) == 1 && events[0].State == event.Routed
	}, time.Minute, 50*time.Millisecond)
	why := do("events", "why", events[0].ID[:18])
	require.Contains(t, why, "everything: yes, to ops, chat")
	require.Contains(t, why, "ops takes nothing now: paused: night")
	require.Contains(t, do("deliveries", "cancel", "--target", "chat", "--yes"), "cancel is done: 1 of 1")
	require.Contains(t, do("events", "replay", "--source", "radarr", "--to", "chat", "--redecode", "--yes"), "replay is done: 1 of 1")
	require.Contains(t, do("targets", "preview", "ops", "--event", events[0].ID), events[0].ID)
	require.Contains(t, do("plugins", "inspect", "radarr"), "ready since")
	require.Contains(t, do("reload", "--dry-run"), "nothing would change")
	require.Contains(t, do("version"), "server runs")
}

// Inspect says why a new binary does not take the place of the one that serves.
func TestPluginFactsTellFailures(t *testing.T) {
	t.Parallel()
	c := &cli{local: time.UTC}
	at := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	facts := c.pluginFacts(admin.Plugin{
		LastFailure: &admin.Failure{At: at, Reason: "exit status 2"}, Refusal: &admin.Failure{At: at, Reason: "exec\x1b format error"},
	})
	require.Contains(t, facts, []string{"last failure", "2026-11-23 10:00:00 UTC: exit status 2"})
	require.Contains(t, facts, []string{"not replaced", "2026-11-23 10:00:00 UTC: exec format error"})
	facts = c.pluginFacts(admin.Plugin{Sandbox: pluginhost.SandboxUnsupported, SandboxReason: "this kernel\x1b is old"})
	require.Contains(t, facts, []string{"sandbox", "unsupported: this kernel is old"})
	facts = c.pluginFacts(admin.Plugin{})
	require.Contains(t, facts, []string{"last failure", ""})
	require.Contains(t, facts, []string{"not replaced", ""})
}

func TestRepeated(t *testing.T) {
	t.Parallel()
	c := &cli{local: time.UTC}
	first := admin.Repetition{SeenAt: time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)}
	last := admin.Repetition{SeenAt: first.SeenAt.Add(time.Hour)}
	require.Equal(t, "once, and dropped; the last at 2026-11-23 10:00:00 UTC", c.repeated([]admin.Repetition{first}))
	require.Equal(t, "2 times, and dropped; the last at 2026-11-23 11:00:00 UTC", c.repeated([]admin.Repetition{first, last}))
}

// A file that is broken does not keep an operator from the server that runs without it.
func TestBrokenFileLeavesTheSocket(t *testing.T) {
	t.Parallel()
	file := rigConfig(t)
	startServer(t, file, rigDatabase(t, file))
	require.NoError(t, os.WriteFile(file, []byte("targets: [\n"), 0o600))
	got := run(t, "targets", "list", "--config", file)
	require.Equal(t, exitError, got.code)
	require.Regexp(t, `^note: .*: use --socket `+filepath.Join(filepath.Dir(file), "hookarr.sock")+`\n\S+:1: not YAML: [^\n]*\n$`, got.err)
	got = run(t, "targets", "list", "--config", file, "--socket", filepath.Join(filepath.Dir(file), "hookarr.sock"))
	require.Zero(t, got.code, got.err)

	got = run(t, "targets", "list", "--config", file+".none")
	require.NotContains(t, got.err, "note:")
}
