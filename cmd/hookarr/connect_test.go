package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/app"
	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/internal/fakearr"
	"github.com/hookarr/hookarr/sdk"
)

const webhookPassword = "a-password-for-tests"

// newConnectable returns an application, the configuration of its source, and the URL
// at which every webhook is kept as a test in the source's database.
func newConnectable(t *testing.T) (arr *fakearr.Arr, file, url string) {
	t.Helper()
	arr = fakearr.New(fakearr.Radarr, fakearr.Options{})
	api := httptest.NewServer(arr)
	t.Cleanup(api.Close)
	database := "sqlite://" + filepath.Join(t.TempDir(), "hookarr.db")
	s, err := app.OpenStore(t.Context(), sdk.Secret(database), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	require.NoError(t, s.Migrate(t.Context()))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, password, _ := r.BasicAuth(); password != webhookPassword {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, err := s.Accept(context.WithoutCancel(r.Context()), &store.Acceptance{Event: event.Event{
			ID: uuid.Must(uuid.NewV7()), Source: "radarr", Origin: sdk.OriginWebhook, State: event.Routed, Type: sdk.TypeTest,
			ReceivedAt: time.Now(), Request: event.Request{Method: http.MethodPost},
		}})
		if err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(server.Close)
	return arr, write(t, fmt.Sprintf(`
plugins: {dir: %s}
external_url: %s
database: {url: %q}
sources:
  radarr:
    plugin: radarr
    auth: [{basic: {username: arr, password: %s}}]
    config: {base_url: %q, api_key: %s}
`, pluginDir(t), server.URL, database, webhookPassword, api.URL, arr.APIKey())), server.URL + "/hooks/radarr"
}

func TestConnectSaysWhatItDid(t *testing.T) {
	t.Parallel()
	arr, file, url := newConnectable(t)
	connect := func(want int, flags ...string) string {
		r := run(t, append([]string{"connect", "radarr", "--config", file}, flags...)...)
		require.Equal(t, want, r.code, r.err)
		require.Empty(t, r.err)
		return r.out
	}
	version := `Radarr [0-9.]+ `
	require.Regexp(t, `^`+version+`is not connected: hookarr connect radarr connects it\n$`, connect(exitDrift, "--check"))
	require.Regexp(t, `^would add the webhook "Hookarr" \(\d+ triggers, basic auth\)\nnothing was changed\n$`, connect(0, "--dry-run"))
	require.Regexp(t, `^added the webhook "Hookarr" \(\d+ triggers, basic auth\)\n`+version+`is connected to `+url+`; its test arrived as [0-9a-f-]{36}\n$`, connect(0))
	require.Len(t, arr.Events(), 1, "the application tests what it saves")
	require.Regexp(t, `^`+version+`is connected to .*; its test arrived as`, connect(0), "nothing that anybody can see was changed")
	require.Len(t, arr.Events(), 2)
	require.Regexp(t, `^removed the webhook "Hookarr"\n`+version+`does not post to `+url+` any more\n$`, connect(0, "--remove"))
	require.Regexp(t, `^`+version+`has no webhook to `+url+`: there is nothing to remove\n$`, connect(0, "--remove"))
}

// A token in a URL is a secret wherever it stands.
func TestConnectShowsNoToken(t *testing.T) {
	t.Parallel()
	_, file, url := newConnectable(t)
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	const token = "a-token-for-tests-only"
	file = write(t, strings.Replace(string(content), "{basic: {username: arr, password: "+webhookPassword+"}}", "{token: {value: "+token+"}}", 1))
	base := strings.TrimSuffix(url, "/hooks/radarr")
	for _, address := range []string{base, base + "/", base + "/prefix"} {
		for _, flags := range [][]string{{"--check"}, {"--dry-run"}, {"--json"}, {}, {"--remove"}} {
			r := runWith(t, "", []string{"HOOKARR_EXTERNAL_URL=" + address}, append([]string{"connect", "radarr", "--config", file}, flags...)...)
			require.NotContains(t, r.out+r.err, token, "%s %s", address, flags)
		}
	}
}

func TestConnectSaysWhatToDo(t *testing.T) {
	t.Parallel()
	_, file, _ := newConnectable(t)
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	changed := func(change string) string { return write(t, string(content)+change) }

	r := runWith(t, "", []string{"HOOKARR_SOURCES__RADARR__CONFIG__BASE_URL=nas"}, "connect", "radarr", "--config", file)
	require.Equal(t, exitError, r.code)
	require.Regexp(t, `^[^\n]*sources\.radarr\.config\.base_url: is not an absolute URL such as http://nas:7878\n$`, r.err)

	r = run(t, "connect", "prowlarr", "--config", changed("  prowlarr: {plugin: prowlarr, auth: [{none: {}}]}\n"))
	require.Equal(t, result{code: exitError, err: "hookarr: plugin prowlarr cannot set its application up: add the webhook by hand, see docs/connect.md\n"}, r)

	r = run(t, "connect", "bare", "--config", changed("  bare: {plugin: radarr, auth: [{none: {}}]}\n"))
	require.Equal(t, result{code: exitError, err: "hookarr: sources.bare.config: give base_url and api_key of the application, which is asked through its API\n"}, r)

	r = run(t, "connect", "missing", "--config", changed("  missing: {plugin: missing, auth: [{none: {}}]}\n"))
	require.Equal(t, exitError, r.code)
	require.Regexp(t, `^[^\n]*hookarr-source-missing[^\n]*\n$`, r.err)

	r = runWith(t, "", []string{"HOOKARR_SOURCES__RADARR__CONFIG__API_KEY=wrong"}, "connect", "radarr", "--config", file)
	require.Equal(t, exitError, r.code)
	require.Contains(t, r.err, ": copy it from Settings, General\n")
	require.Equal(t, "nothing was changed\n", r.out)
	r = runWith(t, "", []string{"HOOKARR_SOURCES__RADARR__CONFIG__API_KEY=wrong"}, "connect", "radarr", "--check", "--config", file)
	require.Equal(t, exitError, r.code, "it cannot be seen")

	r = run(t, "connect", "radarr", "--check", "--remove", "--config", file)
	require.Equal(t, result{code: exitUsage, err: "hookarr: give one of --dry-run, --check and --remove\n"}, result{code: r.code, err: strings.SplitAfter(r.err, "\n")[0]})
}
