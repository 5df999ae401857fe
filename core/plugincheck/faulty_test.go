package plugincheck

import (
	"crypto/rand"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/sandbox"
)

// TestFaultsAreFound: a plugin with one fault fails the row of that fault, with what mends it,
// and no other.
func TestFaultsAreFound(t *testing.T) {
	t.Parallel()
	faults := []struct {
		plugin, row, says string
	}{
		{"target-by-hand-content", "by-hand", "exited with status 0"},
		{"target-by-hand-prints", "by-hand", `printed "I am a plugin\n" to standard output`},
		{"target-by-hand-mute", "by-hand", "said nothing"},
		{"target-by-hand-stays", "by-hand", "did not end within 10s"},
		{"target-exits", "handshake", "it ended: exit status 1: cannot find my library"},
		{"target-prints-first", "handshake", `it printed "Hello!" where its handshake belongs`},
		{"target-speaks7", "handshake", `it speaks version "7" of the plugin protocol`},
		{"target-no-certificate", "handshake", "1|1|unix|/path/of/socket|grpc|CERT"},
		{"target-takes-anybody", "private", "require of clients the certificate that PLUGIN_CLIENT_CERT holds"},
		{"target-another-name", "describe", `target plugin "saint", and its file is hookarr-target-another-name`},
		{"source-another-kind", "describe", `it says that it is target plugin`},
		{"source-no-version", "describe", `"latest" is not of the form 1.2.3`},
		{"source-no-summary", "describe", "no summary"},
		{"source-another-protocol", "describe", "version 2 of the plugin protocol"},
		{"source-changes-itself", "describe", "in another way when it is asked again"},
		{"target-feature-of-sources", "describe", "it declares the feature history, which is none of a target plugin"},
		{"source-schema-none", "schema", "it has no schema"},
		{"source-schema-text", "schema", "no JSON object"},
		{"source-schema-broken", "schema", "its schema is none"},
		{"source-schema-undocumented", "schema", "url has no description"},
		{"source-schema-open", "schema", `say "additionalProperties": false`},
		{"source-schema-open-secret", "schema", `token is a secret by its name`},
		{"source-schema-default", "schema", "the default of count does not fit it"},
		{"source-schema-requires", "schema", `requires "place", which is none of its properties`},
		{"source-no-health", "health", "does not serve grpc.health.v1.Health"},
		{"source-health-of-another", "health", "does not serve grpc.health.v1.Health with the service plugin"},
		{"source-sick", "health", "not well"},
		{"source-names-no-instance", "configure", "list every instance"},
		{"source-panics-when-built", "configure", "names no key, so that nobody knows what to change: the plugin panicked while it read this: no such table"},
		{"source-waits-when-built", "configure", "configure plugin: no answer within 10s: the constructor does not return"},
		{"source-exits-when-built", "configure", "it ended while it was configured; the process ended: exit status 8"},
		{"source-takes-unknown-keys", "refuse", "it takes an unknown key"},
		{"source-needs-nothing", "refuse", "it takes a configuration without url"},
		{"source-takes-any-type", "refuse", "it takes a value of the wrong type under count"},
		{"source-names-no-key", "refuse", "without the key's name"},
		{"source-repeats-values", "refuse", "leave values out"},
		{"source-judges-for-real", "validate", "change nothing when validate_only is set"},
		{"source-one-bad-stops-all", "validate", "a good instance is not in place because another is bad"},
		{"source-forgets-none", "validate", "Configure replaces the whole set"},
		{"target-always-ok", "outcomes", "answers 500, and it says that the event is accepted"},
		{"target-drops-of-500", "outcomes", "answers 500, and it says permanent: the event would be lost"},
		{"target-knows-no-classes", "outcomes", "answers 429 with Retry-After: 123, and it says retryable"},
		{"target-hears-no-pause", "outcomes", "asks for a pause of 0s"},
		{"target-breaks-of-no-answer", "unreachable", "what the endpoint does belongs into the response"},
		{"target-gives-up-on-no-answer", "unreachable", "retryable is right"},
		{"target-forgets-deadline", "deadline", "pass the deadline of the call on to it"},
		{"target-knows-all-types", "extremes", "an event of a type that is not known yet"},
		{"target-refuses-long", "extremes", "a text of 1 MiB: it says permanent"},
		{"target-dies-of-long", "extremes", "the process ended: exit status 2"},
		{"target-breaks-of-emoji", "extremes", "emoji: the call breaks"},
		{"target-one-at-a-time", "concurrent", "busy"},
		{"target-drops-calls", "reconfigure", "put the new one in place first"},
		{"target-takes-one-event", "group", "a delivery of 3 events"},
		{"target-edit-breaks", "edit", "cannot read state"},
		{"target-raw-breaks", "raw", "what is that"},
		{"target-test-unserved", "test", "declares the feature test and does not have it"},
		{"target-test-sends-nothing", "test", "proves nothing"},
		{"target-preview-sends", "preview", "send nothing when preview is set"},
		{"target-verify-unserved", "verify", "declares the feature verify and does not have it"},
		{"target-never-proven", "verify", "for the last time"},
		{"target-folders-unserved", "folders", "declares the feature folders and does not have it"},
		{"target-folders-break", "folders", "no disk"},
		{"source-impure", "decode", "decoding is pure"},
		{"source-untitled", "decode", "no type or no title"},
		{"source-answers-nothing", "decode", "neither event nor skip nor invalid"},
		{"source-breaks-of-garbage", "bad-input", "what will never decode is invalid"},
		{"source-dies-of-garbage", "bad-input", "the process ended: exit status 2"},
		{"source-takes-garbage", "bad-input", "which is no JSON, becomes an event"},
		{"target-dies-of-sigint", "sigint", "ignore it"},
		{"target-ignores-shutdown", "shutdown", "10s after plugin.GRPCController/Shutdown it still runs"},
		{"target-shutdown-code", "shutdown", "exit with status 0"},
		{"target-ignores-sigterm", "sigterm", "10s after SIGTERM"},
		{"target-dies-of-sigterm", "sigterm", "exit status 3"},
		{"target-outlives-host", "host-gone", "end when standard input ends"},
		{"target-prints-later", "stdout", `beginning with "delivering\n`},
		{"target-logs-secret", "secrets", "a line of the log has a secret as it is"},
		{"target-logs-base64", "secrets", "a line of the log has a secret in base64"},
		{"target-repeats-answer", "secrets", "the answer of Deliver has a secret"},
		{"source-tells-in-problem", "secrets", "the answer of Configure has a secret"},
	}
	// They wait more than they work: more at once than there are processors.
	const atOnce = 8
	free := make(chan struct{}, atOnce)
	for _, f := range faults {
		path := install(t, "faulty", "hookarr-"+f.plugin)
		done := make(chan struct{})
		var r Report
		var err error
		go func() {
			defer close(done)
			free <- struct{}{}
			defer func() { <-free }()
			opts := Options{}
			if f.row == "host-gone" {
				opts = options()
			}
			opts.Windows = windowsOf(f.plugin)
			r, err = Run(t.Context(), path, opts)
		}()
		t.Run(f.plugin, func(t *testing.T) {
			t.Parallel()
			<-done
			require.NoError(t, err)
			rows, details := failed(r)
			require.Equal(t, []string{f.row}, rows, details)
			require.Contains(t, details, f.says)
			require.False(t, r.OK)
		})
	}
}

// windowsOf are windows in which the fault of a plugin shows.
func windowsOf(plugin string) Windows {
	w := patient()
	switch plugin {
	case "target-by-hand-stays":
		w.ByHand = 10 * time.Second
	case "target-takes-anybody":
		w.Stranger = time.Minute
	case "source-waits-when-built":
		w.Call = 10 * time.Second
	case "source-exits-when-built", "target-exits", "target-dies-of-long", "source-dies-of-garbage":
		w.Exit = time.Minute
	case "target-forgets-deadline":
		w.Deadline, w.Late = 5*time.Second, 2*time.Second
	case "target-dies-of-sigint":
		w.Interrupt = time.Minute
	case "target-ignores-shutdown", "target-ignores-sigterm":
		w.End = 10 * time.Second
	case "target-outlives-host":
		w.HostGone = 5 * time.Second
	}
	return w
}

// TestOfflineIsTried in the sandbox, where the system has one.
func TestOfflineIsTried(t *testing.T) {
	t.Parallel()
	if support := sandbox.Probe(); !support.Supported() {
		t.Skip("no sandbox here: " + support.Missing)
	}
	r := runCheck(t, install(t, "faulty", "hookarr-source-offline"), Options{})
	rows, details := failed(r)
	require.Empty(t, rows, details)
	require.Contains(t, r.Rows, Row{Check: "sandbox", Result: OK, Detail: "decodes 12 bodies without network and files"})
	r = runCheck(t, install(t, "faulty", "hookarr-source-not-offline"), Options{})
	rows, details = failed(r)
	require.Equal(t, []string{"sandbox"}, rows, details)
	require.Contains(t, details, "read the users of this computer: say offline only of a plugin that needs nothing but its requests")
}

// TestWarningsOfRowsThatAreOK: what is probably wrong stands in a row that is ok.
func TestWarningsOfRowsThatAreOK(t *testing.T) {
	t.Parallel()
	for plugin, want := range map[string][2]string{
		"hookarr-target-slow":           {"handshake", "to start, which the first delivery waits for"},
		"hookarr-source-schema-keyword": {"schema", "url has the unknown keyword x-hookarr-groop"},
	} {
		t.Run(plugin, func(t *testing.T) {
			t.Parallel()
			r := runCheck(t, install(t, "faulty", plugin), Options{})
			rows, details := failed(r)
			require.Empty(t, rows, details)
			i := slices.IndexFunc(r.Rows, func(row Row) bool { return row.Check == want[0] })
			require.Equal(t, OK, r.Rows[i].Result)
			require.Contains(t, strings.Join(r.Rows[i].Warnings, "; "), want[1])
		})
	}
}

// TestConfigurationOfNothing is one without keys, with a plugin that needs none, too.
func TestConfigurationOfNothing(t *testing.T) {
	t.Parallel()
	r := runCheck(t, install(t, "faulty", "hookarr-source-needs-nothing"), Options{Config: json.RawMessage("null")})
	rows, details := failed(r)
	require.Equal(t, []string{"refuse"}, rows, details)
	require.Contains(t, details, "it takes a configuration without url")
}

// TestLongTemporaryDirectory: one that is just short enough for a plugin's socket is so for the
// plugin of a host that is killed, too, and nothing is left in it.
func TestLongTemporaryDirectory(t *testing.T) {
	t.Parallel()
	const most = 34 // bytes
	dir := "/tmp/" + rand.Text()
	dir += strings.Repeat("x", most-len(dir))
	require.NoError(t, os.Mkdir(dir, 0o700))
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	opts := options()
	opts.TempDir = dir
	r := runCheck(t, install(t, "faulty", "hookarr-target-well"), opts)
	rows, details := failed(r)
	require.Empty(t, rows, details)
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, left)
}

// TestNothingIsWrongWithAWellPlugin in a language without an SDK.
func TestNothingIsWrongWithAWellPlugin(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"hookarr-target-well", "hookarr-source-well"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := runCheck(t, install(t, "faulty", name), options())
			rows, details := failed(r)
			require.Empty(t, rows, details)
			require.True(t, r.OK)
			require.Len(t, r.SHA256, 64)
		})
	}
}
