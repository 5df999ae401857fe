package api_test

import (
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/hookarr/hookarr/core/admin/admintest"
)

// description is what a test needs of docs/openapi.yaml.
type description struct {
	Paths map[string]map[string]struct {
		ID          string `yaml:"operationId"`
		Description string `yaml:"description"`
	} `yaml:"paths"`
}

// requests are bodies that operations take; others need none.
var requests = map[string]string{
	"replay-events":     `{"filter":{"source":"nobody"},"expect_count":0}`,
	"retry-deliveries":  `{"filter":{"target":"news"},"expect_count":0}`,
	"cancel-deliveries": `{"filter":{"target":"news"},"expect_count":0}`,
	"rename-target":     `{"to":"news"}`,
	"preview-target":    `{"sample":"media.imported"}`,
	"test-routes":       `{"sample":"media.imported"}`,
	"add-silence":       `{"expression":"false","for":"1h"}`,
}

// Every operation there is, whoever adds it, asks for its role.
func TestAccess(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../docs/openapi.yaml")
	require.NoError(t, err)
	var doc description
	require.NoError(t, yaml.Unmarshal(text, &doc))
	require.Greater(t, len(doc.Paths), 25)
	r := newRig(t)
	a := r.Accept(t, admintest.Imported("Arrival", "ops"))
	local := overSocket(r.socket)
	t.Cleanup(local.CloseIdleConnections)
	for path, methods := range doc.Paths {
		for method, operation := range methods {
			t.Run(operation.ID, func(t *testing.T) {
				t.Parallel()
				method := strings.ToUpper(method)
				id := a.Event.ID.String()
				if strings.HasPrefix(path, "/deliveries") {
					id = a.Deliveries[0].ID.String()
				}
				if strings.HasPrefix(path, "/sessions") {
					id = strings.Repeat("0", 64)
				}
				path := strings.NewReplacer("{id}", id, "{name}", "ops").Replace(path)
				body := requests[operation.ID]
				operates := strings.Contains(operation.Description, "operate")
				require.True(t, operates || strings.Contains(operation.Description, "view"))
				changes := method == http.MethodPost

				status, header, _ := r.call(t, method, path, "", body)
				require.Equal(t, http.StatusUnauthorized, status)
				require.NotEmpty(t, header.Get("WWW-Authenticate"))
				status, _, _ = r.call(t, method, path, operateToken+"x", body)
				require.Contains(t, []int{http.StatusUnauthorized, http.StatusTooManyRequests}, status)
				status, _, said := r.call(t, method, path, operateToken, body, "Host", "evil.example")
				require.Equal(t, http.StatusForbidden, status)
				require.Contains(t, said, "admin.hosts")
				if changes {
					status, _, said = r.call(t, method, path, operateToken, body, "Origin", "https://evil.example")
					require.Equal(t, http.StatusForbidden, status)
					require.Contains(t, said, "admin.external_url")
				}
				status, _, said = r.call(t, method, path, viewToken, body)
				if operates || operation.ID == "get-event-body" {
					require.Equal(t, http.StatusForbidden, status, said)
					require.Contains(t, said, "operate")
				} else {
					fits(t, status, said)
				}
				status, header, said = r.call(t, method, path, operateToken, body)
				if operation.ID == "make-link" {
					require.Equal(t, http.StatusForbidden, status, "a way in makes no other")
				} else {
					fits(t, status, said)
				}
				require.Equal(t, "no-store", header.Get("Cache-Control"))
				require.Equal(t, "nosniff", header.Get("X-Content-Type-Options"))

				req, err := http.NewRequestWithContext(t.Context(), method, "http://evil.example/api/v1"+path, strings.NewReader(body))
				require.NoError(t, err)
				req.Header.Set("Content-Type", "application/json")
				resp, err := local.Do(req)
				require.NoError(t, err)
				require.NoError(t, resp.Body.Close())
				fits(t, resp.StatusCode, "over the socket")
			})
		}
	}
}

// fits: it was let in, and what it asked for was done or is not to be had now.
func fits(t *testing.T, status int, said string) {
	t.Helper()
	require.Contains(t, []int{
		http.StatusOK, http.StatusAccepted, http.StatusNotFound, http.StatusConflict, http.StatusServiceUnavailable,
	}, status, said)
}

func TestWhatIsNoOperation(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	status, _, said := r.call(t, http.MethodGet, "/nothing", viewToken, "")
	require.Equal(t, http.StatusNotFound, status)
	require.Contains(t, said, "/api/v1/openapi.yaml")
	for _, unclean := range []string{"//events", "/x/../events", "/events/"} {
		status, _, _ = r.call(t, http.MethodGet, unclean, viewToken, "")
		require.Equal(t, http.StatusNotFound, status, unclean)
	}
	status, header, said := r.call(t, http.MethodDelete, "/events", operateToken, "")
	require.Equal(t, http.StatusMethodNotAllowed, status)
	require.Equal(t, "GET, HEAD", header.Get("Allow"))
	require.Contains(t, said, "GET")
	status, _, _ = r.call(t, http.MethodGet, "/docs", viewToken, "")
	require.Equal(t, http.StatusNotFound, status)
	status, header, said = r.call(t, http.MethodGet, "/openapi.yaml", viewToken, "")
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "application/openapi+yaml", header.Get("Content-Type"))
	want, err := os.ReadFile("../../../docs/openapi.yaml")
	require.NoError(t, err)
	require.True(t, string(want) == said, "another description than docs/openapi.yaml") //nolint:testifylint // it is long
}

// What is wrong with a request is told without what it holds: a secret in the wrong place
// would come back, and end in logs.
func TestProblemsRepeatNoValue(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	const secret = "hunter2"
	for name, tt := range map[string]struct {
		method, path, body string
		status             int
		location           string
	}{
		"query":            {"GET", "/events?state=" + secret, "", 422, "query.state"},
		"number":           {"GET", "/events?limit=" + secret, "", 422, "query.limit"},
		"too many":         {"GET", "/events?limit=5000", "", 422, "query.limit"},
		"time":             {"GET", "/events?since=" + secret, "", 422, "query.since"},
		"unknown query":    {"GET", "/events?stat=" + secret, "", 422, "query.stat"},
		"cursor":           {"GET", "/events?cursor=" + secret, "", 422, ""},
		"id":               {"GET", "/events/" + secret, "", 422, ""},
		"body":             {"POST", "/deliveries/retry", `{"filter":{"state":"` + secret + `"},"expect_count":"` + secret + `"}`, 422, "body.filter.state"},
		"unknown field":    {"POST", "/deliveries/retry", `{"filter":{"password":"` + secret + `"},"expect_count":1}`, 422, "body.filter.password"},
		"missing field":    {"POST", "/deliveries/retry", `{"filter":{}}`, 422, "body"},
		"no JSON":          {"POST", "/deliveries/retry", secret, 400, "body"},
		"another language": {"POST", "/deliveries/retry", "<" + secret + "/>", 400, "body"},
		"target":           {"GET", "/targets/" + secret, "", 404, ""},
		"plugin":           {"GET", "/plugins/" + secret, "", 503, ""},
		"sample":           {"POST", "/routes/test", `{"sample":"` + secret + `"}`, 422, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status, _, said := r.call(t, tt.method, tt.path, operateToken, tt.body)
			require.Equal(t, tt.status, status, said)
			require.NotContains(t, said, secret)
			if tt.location != "" {
				require.Contains(t, said, `"location":"`+tt.location)
			}
		})
	}
}

// Who may not see a body cannot find out what is in it either.
func TestSearchOfBodiesIsForThoseWhoSeeThem(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a := admintest.Imported("Arrival", "ops")
	a.Event.Request.Body = []byte(`{"note":"hunter2"}`)
	r.Accept(t, a)
	for token, found := range map[string]bool{viewToken: false, operateToken: true} {
		status, _, said := r.call(t, http.MethodGet, "/events?q=hunter2", token, "")
		require.Equal(t, http.StatusOK, status)
		require.Equal(t, found, strings.Contains(said, a.Event.ID.String()))
		status, _, said = r.call(t, http.MethodGet, "/events/count?q=hunter2", token, "")
		require.Equal(t, http.StatusOK, status)
		require.Equal(t, found, strings.Contains(said, `"count":1`))
		_, _, said = r.call(t, http.MethodGet, "/events?q=arrival", token, "")
		require.Contains(t, said, a.Event.ID.String())
	}
}

// A large question costs many times its size in memory.
func TestLargeQuestionsAreForOperators(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	large := `{"sample":"media.imported","headers":{"x":["` + strings.Repeat("x", 70<<10) + `"]}}`
	status, _, said := r.call(t, http.MethodPost, "/routes/test", viewToken, large)
	require.Equal(t, http.StatusRequestEntityTooLarge, status)
	require.Contains(t, said, "operate")
	for range 3 {
		status, _, said = r.call(t, http.MethodPost, "/routes/test", operateToken, large)
		require.Equal(t, http.StatusOK, status, said)
	}
}
