package fakearr_test

import (
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/hookarr/hookarr/internal/fakearr"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		http.DefaultClient.CloseIdleConnections()
		os.Exit(code)
	}))
}

// clock is the application's, moved by the test.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock {
	return &clock{now: time.Date(2026, 11, 23, 10, 0, 0, 123456700, time.UTC)}
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// received is a webhook as it arrived.
type received struct {
	method, url, user, password string
	header                      http.Header
	body                        string
	length                      int64
	closing                     bool
}

// receiver answers webhooks with a status that the test sets.
type receiver struct {
	URL    string
	mu     sync.Mutex
	status int
	got    []received
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{status: http.StatusAccepted}
	s := httptest.NewServer(r)
	t.Cleanup(s.Close)
	r.URL = s.URL
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, _ := io.ReadAll(req.Body)
	user, password, _ := req.BasicAuth()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.got = append(r.got, received{req.Method, req.URL.String(), user, password, req.Header, string(body), req.ContentLength, req.Close})
	w.Header().Set("Location", "/elsewhere")
	w.WriteHeader(r.status)
}

func (r *receiver) Answer(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status = status
}

func (r *receiver) Got() []received {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.got
}

// Types are the event types that arrived.
func (r *receiver) Types(t *testing.T) []string {
	t.Helper()
	out := []string{}
	for _, g := range r.Got() {
		var e struct{ EventType string }
		require.NoError(t, json.Unmarshal([]byte(g.body), &e))
		out = append(out, e.EventType)
	}
	return out
}

// api is a client of an application.
type api struct {
	t   *testing.T
	url string
	key string
}

func serve(t *testing.T, a *fakearr.Arr) api {
	t.Helper()
	s := httptest.NewServer(a)
	t.Cleanup(s.Close)
	return api{t, s.URL, a.APIKey()}
}

func (c api) do(method, path, body string) (int, string) {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), method, c.url+path, strings.NewReader(body))
	require.NoError(c.t, err)
	req.Header.Set("X-Api-Key", c.key)
	req.Close = true
	resp, err := http.DefaultTransport.RoundTrip(req)
	require.NoError(c.t, err)
	got, err := io.ReadAll(resp.Body)
	require.NoError(c.t, err)
	require.NoError(c.t, resp.Body.Close())
	return resp.StatusCode, string(got)
}

// get decodes what is at path.
func (c api) get(path string, v any) {
	c.t.Helper()
	status, body := c.do(http.MethodGet, path, "")
	require.Equal(c.t, http.StatusOK, status, body)
	require.NoError(c.t, json.Unmarshal([]byte(body), v), body)
}

// movie is a title that every application can add.
func movie() fakearr.Title {
	return fakearr.Title{
		Name: "Amélie & Co", Year: 2001, Overview: "A café in <Paris>.", Genres: []string{"Comedy"}, Tags: []string{"kids", "4k"},
		Poster: "https://img.example/p.jpg", Fanart: "https://img.example/f.jpg", Released: "2001-09-04",
		TMDB: 194, TVDB: 359579, TVMaze: 32791, IMDB: "tt0211915", MusicBrainz: "87c5dedd-371d-4a53-9f7f-80522fb7f3cb",
		Stash: "11111111-2222-3333-4444-555555555555",
		Episodes: []fakearr.Episode{
			{Season: 2, Number: 1, TVDB: 9308051, Title: "Part 1", Aired: "2023-01-15"},
			{Season: 2, Number: 2, TVDB: 9308052, Title: "Part 2", Aired: "2023-01-16"},
		},
		Albums: []fakearr.Album{{
			Title: "Homogenic", MusicBrainz: "06614bff-257b-3fbe-a45b-8d946a8d3019", Type: "Album", Released: "1997-09-22",
			Cover: "https://img.example/c.jpg", Tracks: []fakearr.Track{{Number: "1", Title: "Hunter"}, {Number: "2", Title: "Jóga"}},
		}},
	}
}
