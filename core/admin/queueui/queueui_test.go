package queueui_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/riverqueue/river"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/admin/queueui"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/core/store/postgres"
	"github.com/hookarr/hookarr/core/store/sqlite"
	"github.com/hookarr/hookarr/internal/testpg"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/hookarr/hookarr/internal/testpg.(*Server).Start.func1"),
		goleak.IgnoreAnyFunction("os/exec.(*Cmd).Start.func2"))
}

// engines opens a database of each kind.
var engines = map[string]func(t *testing.T) (*store.Store, error){
	"sqlite": func(t *testing.T) (*store.Store, error) {
		return sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "hookarr.db"), slog.New(slog.DiscardHandler))
	},
	"postgres": func(t *testing.T) (*store.Store, error) {
		return postgres.Open(t.Context(), testpg.New(t), slog.New(slog.DiscardHandler))
	},
}

func TestPage(t *testing.T) {
	t.Parallel()
	for name, open := range engines {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := open(t)
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, s.Close()) })
			require.NoError(t, s.Migrate(t.Context()))
			workers := river.NewWorkers()
			river.AddWorker(workers, river.WorkFunc(func(context.Context, *river.Job[store.CatchupArgs]) error { return nil }))
			queue, err := s.OpenQueue(&river.Config{Workers: workers, Queues: map[string]river.QueueConfig{"other": {MaxWorkers: 1}}, Logger: slog.New(slog.DiscardHandler)})
			require.NoError(t, err)
			require.NoError(t, s.AskCatchup(t.Context(), "radarr"))
			page := &queueui.Page{Client: func() any { return queue }, Log: slog.New(slog.DiscardHandler)}
			t.Cleanup(page.Close)

			for _, base := range []string{"", "/x", "/y/z"} {
				status, index := ask(page, http.MethodGet, base, "/queue/")
				require.Equal(t, http.StatusOK, status)
				script := regexp.MustCompile(`src="` + base + `/queue(/assets/[^"]+\.js)"`).FindStringSubmatch(index)
				require.Len(t, script, 2, index)
				status, _ = ask(page, http.MethodGet, base, "/queue"+script[1])
				require.Equal(t, http.StatusOK, status)
				status, jobs := ask(page, http.MethodGet, base, "/queue/api/jobs?state=available")
				require.Equal(t, http.StatusOK, status, jobs)
				require.Contains(t, jobs, store.CatchupQueue)
				status, _ = ask(page, http.MethodGet, base, "/queue/jobs/1") // a path of the page's own
				require.Equal(t, http.StatusOK, status)
			}
			status, said := ask(page, http.MethodPost, "", "/queue/api/jobs/cancel")
			require.Equal(t, http.StatusOK, status, said)
			status, jobs := ask(page, http.MethodGet, "", "/queue/api/jobs?state=cancelled")
			require.Equal(t, http.StatusOK, status)
			require.Contains(t, jobs, store.CatchupQueue)
			page.Close()
			status, _ = ask(page, http.MethodGet, "", "/queue/api/queues")
			require.Equal(t, http.StatusOK, status, "it opens again")
		})
	}
}

// ask makes a request, of which those that change something are about the first job.
func ask(page http.Handler, method, base, path string) (status int, body string) {
	r := httptest.NewRequest(method, path, strings.NewReader(`{"ids":["1"]}`))
	w := httptest.NewRecorder()
	page.ServeHTTP(w, r.WithContext(admin.WithBasePath(r.Context(), base)))
	text, _ := io.ReadAll(w.Result().Body)
	return w.Code, string(text)
}

func TestWithoutQueue(t *testing.T) {
	t.Parallel()
	page := &queueui.Page{Client: func() any { return nil }, Log: slog.New(slog.DiscardHandler)}
	status, _ := ask(page, http.MethodGet, "", "/queue/")
	require.Equal(t, http.StatusInternalServerError, status)
}
