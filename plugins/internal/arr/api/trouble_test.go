package api_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/fakearr"
	"github.com/hookarr/hookarr/plugins/internal/arr"
	"github.com/hookarr/hookarr/plugins/internal/arr/api"
	"github.com/hookarr/hookarr/plugins/internal/arr/movie"
	"github.com/hookarr/hookarr/sdk"
)

// powers are those of Radarr at a URL.
func powers(c api.Config) *api.Powers {
	return api.New(sdk.Env{Instance: "radarr-4k", HTTP: &sdk.HTTP{}}, c, api.App{
		Name: arr.Radarr, API: "v3", Reader: movie.NewReader, Stock: movie.NewStock,
	})
}

func imported() sdk.Event {
	return sdk.Event{Type: sdk.TypeMediaImported, Title: "Dune", Media: &sdk.Media{ID: "1", Title: "Dune"}, Files: []sdk.File{{ID: "1"}}}
}

// all are the answers of all powers, as text. Connect has trouble that a person
// can mend in its result.
func all(ctx context.Context, t *testing.T, p *api.Powers) []string {
	t.Helper()
	_, history := p.History(ctx, sdk.HistoryQuery{})
	e, fetch := p.Fetch(ctx, imported())
	require.Equal(t, imported(), e, "the event stays what it is")
	_, snapshot := p.Snapshot(ctx, sdk.SnapshotQuery{})
	require.Error(t, history)
	require.Error(t, fetch)
	require.Error(t, snapshot)
	r, err := p.Connect(ctx, sdk.ConnectRequest{Action: sdk.ConnectCheck, URL: "http://hookarr/hooks/radarr"})
	require.False(t, r.Connected)
	if err != nil {
		return []string{history.Error(), fetch.Error(), snapshot.Error(), err.Error()}
	}
	return []string{history.Error(), fetch.Error(), snapshot.Error(), strings.Join(r.Problems, "; ")}
}

func TestWithoutConfigurationThePowersSayWhatTheyNeed(t *testing.T) {
	t.Parallel()
	p := powers(api.Config{})
	for _, text := range all(t.Context(), t, p) {
		require.Equal(t, "set base_url and api_key in sources.radarr-4k.config", text)
	}
	_, err := p.History(t.Context(), sdk.HistoryQuery{})
	require.ErrorIs(t, err, errors.ErrUnsupported)
}

func TestTroubleInPlainWords(t *testing.T) {
	t.Parallel()
	a := fakearr.New(fakearr.Radarr, fakearr.Options{URLBase: "/radarr"})
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	base, key := server.URL+"/radarr", sdk.Secret(a.APIKey())
	for want, trouble := range map[string]fakearr.Trouble{
		"API key refused by " + base + ": copy it from Settings, General":                                                               {Status: http.StatusUnauthorized},
		"no Radarr API at " + base + ": is the URL base missing in base_url, a login in front of it, or the version older than API v3?": {Status: http.StatusNotFound},
		"Radarr at " + base + " failed: 500 Internal":                                                                                   {Status: http.StatusInternalServerError},
		"Radarr at " + base + " failed: 502 Bad Gateway":                                                                                {Status: http.StatusBadGateway},
		"no Radarr API at " + base + ": ":                                                                                               {HTML: true},
	} {
		a.Trouble(trouble)
		for _, text := range all(t.Context(), t, powers(api.Config{BaseURL: base, APIKey: key})) {
			require.Contains(t, text, want)
		}
	}
	a.Trouble(fakearr.Trouble{})
	for _, text := range all(t.Context(), t, powers(api.Config{BaseURL: base, APIKey: "ffffffffffffffffffffffffffffffff"})) {
		require.Equal(t, "API key refused by "+base+": copy it from Settings, General", text)
	}
	for _, text := range all(t.Context(), t, powers(api.Config{BaseURL: server.URL, APIKey: key})) {
		require.Contains(t, text, "which redirects to")
		require.Contains(t, text, "is the URL base missing in base_url?")
	}
	server.Close()
	for _, text := range all(t.Context(), t, powers(api.Config{BaseURL: base, APIKey: key})) {
		require.Contains(t, text, "no answer from Radarr at "+base)
		require.Contains(t, text, "refused")
	}
}

func TestWrongApplication(t *testing.T) {
	t.Parallel()
	a := fakearr.New(fakearr.Sonarr, fakearr.Options{})
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	for _, text := range all(t.Context(), t, powers(api.Config{BaseURL: server.URL, APIKey: sdk.Secret(a.APIKey())})) {
		require.Equal(t, server.URL+" is Sonarr, not Radarr: correct base_url, or use plugin sonarr", text)
	}
}

func TestNonsense(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		"":                     "not JSON or breaks off",
		`{"appName":"Rad`:      "not JSON or breaks off",
		`{}`:                   "no Radarr API",
		`[1]`:                  "no Radarr API",
		`null`:                 "no Radarr API",
		`{"appName":"Radarr"}`: "",

		`{"appName":"A \u202estranger"}`: "is A stranger, not Radarr: correct base_url",
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(body))
		}))
		p := powers(api.Config{BaseURL: server.URL, APIKey: "k"})
		_, err := p.History(t.Context(), sdk.HistoryQuery{})
		require.Error(t, err)
		require.Contains(t, err.Error(), want)
		require.NotContains(t, err.Error(), "use plugin")
		server.Close()
	}
}

func TestAnApplicationThatHangsEndsWithTheContext(t *testing.T) {
	t.Parallel()
	a := fakearr.New(fakearr.Radarr, fakearr.Options{})
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	a.Trouble(fakearr.Trouble{Hang: true})
	p := powers(api.Config{BaseURL: server.URL, APIKey: sdk.Secret(a.APIKey())})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	for _, text := range all(ctx, t, p) {
		require.Regexp(t, `no answer within \d+ms|no time was left|deadline exceeded`, text)
	}
	a.Trouble(fakearr.Trouble{})
	_, err := p.History(t.Context(), sdk.HistoryQuery{})
	require.NoError(t, err, "the next call is not stuck behind the first")
}

func TestUntrustedCertificate(t *testing.T) {
	t.Parallel()
	a := fakearr.New(fakearr.Radarr, fakearr.Options{})
	server := httptest.NewTLSServer(a)
	t.Cleanup(server.Close)
	c := api.Config{BaseURL: server.URL, APIKey: sdk.Secret(a.APIKey())}
	for _, text := range all(t.Context(), t, powers(c)) {
		require.Contains(t, text, "certificate")
	}
	c.InsecureSkipVerify = true
	_, err := powers(c).History(t.Context(), sdk.HistoryQuery{})
	require.NoError(t, err)
}

func TestConfig(t *testing.T) {
	t.Parallel()
	require.NoError(t, api.Config{}.Validate())
	require.NoError(t, api.Config{BaseURL: "http://nas:7878/radarr/", APIKey: "0123"}.Validate())
	for want, c := range map[string]api.Config{
		"base_url":               {APIKey: "k"},
		"api_key":                {BaseURL: "http://nas:7878"},
		"absolute URL":           {BaseURL: "nas:7878", APIKey: "k"},
		"without user name":      {BaseURL: "http://u:p@nas", APIKey: "k"},
		"no ? and no #":          {BaseURL: "http://nas?a=b", APIKey: "k"},
		"before /api":            {BaseURL: "http://nas/api/v3", APIKey: "k"},
		"link-local":             {BaseURL: "http://169.254.169.254", APIKey: "k"},
		"characters that no API": {BaseURL: "http://nas", APIKey: "a\nb"},
		"application_url":        {Config: arr.Config{ApplicationURL: "nas"}},
	} {
		require.ErrorContains(t, c.Validate(), want)
	}
}

// Half an answer is none, even where it could be read.
func TestAnswerThatBreaksOff(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", "100")
		_, _ = w.Write([]byte(`{"appName":"Radarr"}`))
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler) //nolint:forbidigo // So a handler breaks off.
	}))
	t.Cleanup(server.Close)
	_, err := powers(api.Config{BaseURL: server.URL, APIKey: "k"}).History(t.Context(), sdk.HistoryQuery{})
	require.ErrorContains(t, err, "Radarr at "+server.URL+" answered system/status with something that breaks off")
}
