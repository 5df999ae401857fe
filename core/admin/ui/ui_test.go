package ui_test

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/config"
)

func TestNoSuchPage(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a := r.get("/nowhere")
	require.Equal(t, http.StatusNotFound, a.status)
	require.Contains(t, a.body, "<h1>Not found</h1>")
	require.Contains(t, a.body, "There is no such page.")
	require.Contains(t, a.body, `href="/x/"`)
	require.Equal(t, http.StatusMethodNotAllowed, r.get("/theme").status)
}

func TestStrictPolicy(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/nowhere", "/theme"} {
		h := newRig(t).get(path).header
		require.Contains(t, h.Get("Content-Security-Policy"), "default-src 'none'; script-src 'self'; style-src 'self';")
		require.Equal(t, "no-store", h.Get("Cache-Control"))
		require.Equal(t, "nosniff", h.Get("X-Content-Type-Options"))
	}
}

// TestTemplatesKeepThePolicy holds what a strict policy refuses, and what would only be
// found by opening the page.
func TestTemplatesKeepThePolicy(t *testing.T) {
	t.Parallel()
	refused := regexp.MustCompile(`(?i)\sstyle\s*=|\son[a-z]+\s*=|hx-on|\bjs:|javascript:|<script[^>]*>[^<]|<style|template\.HTML|href="/|action="/|src="/|https?://`)
	files, err := fs.Glob(os.DirFS("templates"), "*.html")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		text, err := os.ReadFile("templates/" + file)
		require.NoError(t, err)
		require.Empty(t, refused.FindString(string(text)), file)
	}
}

func TestTheme(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a := r.post("/theme", url.Values{"theme": {"dark"}, "next": {"/plugins?x=1"}})
	require.Equal(t, http.StatusSeeOther, a.status)
	require.Equal(t, "/x/plugins?x=1", a.header.Get("Location"))
	require.Contains(t, a.header.Get("Set-Cookie"), "hookarr-theme=dark; Path=/x/")
	a = r.do(config.RoleView, http.MethodGet, "/nowhere", nil, "Cookie", "hookarr-theme=dark")
	require.Contains(t, a.body, `<html lang="en" data-theme="dark">`)
	a = r.do(config.RoleView, http.MethodGet, "/nowhere", nil, "Cookie", `hookarr-theme="><script>`)
	require.Contains(t, a.body, `<html lang="en">`)
}

func TestNextStaysHere(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, next := range []string{"", "//evil.example", "https://evil.example/", `/\evil.example`, "evil", "\t//evil.example"} {
		require.Equal(t, "/x/", r.post("/theme", url.Values{"next": {next}}).header.Get("Location"), next)
	}
}

func TestAssets(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	path := regexp.MustCompile(`/x(/assets/[0-9a-f]+/hookarr\.css)`).FindStringSubmatch(r.get("/nowhere").body)
	require.Len(t, path, 2)
	fetch := func(path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		r.ui.Assets(w, httptest.NewRequest(http.MethodGet, path, nil))
		return w
	}
	found := fetch(path[1])
	require.Equal(t, http.StatusOK, found.Code)
	require.Contains(t, found.Header().Get("Cache-Control"), "immutable")
	require.Equal(t, "text/css; charset=utf-8", found.Header().Get("Content-Type"))
	require.Equal(t, http.StatusNotFound, fetch("/assets/0/hookarr.css").Code)
	require.Equal(t, http.StatusNotFound, fetch("/assets/0/../../ui.go").Code)
}

func TestActionsNeedTheRole(t *testing.T) {
	t.Parallel()
	a := newRig(t).do("", http.MethodPost, "/theme", url.Values{})
	require.Equal(t, http.StatusForbidden, a.status)
	require.Contains(t, a.body, "This needs the role view")
}
