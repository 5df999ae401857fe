package browsertest

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var shared Browser

func TestMain(m *testing.M) {
	code := m.Run()
	shared.Close()
	os.Exit(code)
}

const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'"

// serve answers with a document around a body; /script.js is a script.
func serve(t *testing.T, body, script string) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", policy)
		switch r.URL.Path {
		case "/":
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = w.Write([]byte(`<!doctype html><html lang="en"><head><title>Page</title><link rel="icon" href="/icon"><meta name="viewport" content="width=device-width, initial-scale=1"></head><body>` +
				body + `<script src="/script.js"></script></body></html>`))
		case "/script.js":
			w.Header().Set("Content-Type", "text/javascript")
			_, _ = w.Write([]byte(script))
		case "/icon", "/favicon.ico":
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

const sound = "<main><h1>Sound</h1></main>"

// A browser that crashes while it starts is started again.
func TestBrowserStartsAgain(t *testing.T) {
	path, err := executable()
	if err != nil {
		t.Skip("SKIPPED: " + err.Error())
	}
	crashed := filepath.Join(t.TempDir(), "crashed")
	script := filepath.Join(t.TempDir(), "browser.sh")
	require.NoError(t, os.WriteFile(script, []byte(`#!/bin/sh
[ -e '`+crashed+`' ] || { : > '`+crashed+`'; kill -TRAP $$; }
exec '`+path+`' "$@"
`), 0o700))
	t.Setenv("TEST_BROWSER", script)
	var b Browser
	t.Cleanup(b.Close)
	b.Require(t)
	require.FileExists(t, crashed)
}

func TestSoundPage(t *testing.T) {
	t.Parallel()
	p := shared.Open(t, serve(t, sound, `console.log("all is well")`))
	for _, width := range []int{Narrow, Wide} {
		p.Width(width)
		p.Go("/")
		p.Check()
	}
	require.Equal(t, "Sound", p.Text("h1"))
	p.GoTo("/missing", http.StatusNotFound)
}

// TestFaults has each kind of fault told.
func TestFaults(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, body, script, want string }{
		{"console", sound, `console.error("oh no")`, "oh no"},
		{"exception", sound, `throw new Error("oh no")`, "oh no"},
		{"rejection", sound, `Promise.reject(new Error("oh no"))`, "oh no"},
		{"dialog", sound, `setTimeout(() => alert("oh no"))`, "oh no"},
		{"inline script", sound + `<script>window.ran = true</script>`, "", "script-src"},
		{"handler", sound + `<img src="x" alt="" onerror="window.ran = true">`, "", "script-src"},
		{"style", `<main><h1 style="color: red">Sound</h1></main>`, "", "style attributes"},
		{"missing", sound, `fetch("/missing")`, "answered with 404: "},
		{"request", sound, `fetch("http://localhost:1/").catch(() => {})`, "connect-src"},
		{"no heading", "<main><p>Nothing</p></main>", "", "0 headings"},
		{"two headings", "<main><h1>One</h1><h1>Two</h1></main>", "", "2 headings"},
		{"ids", sound + `<p id="a"></p><p id="a"></p>`, "", "has the id a"},
		{"wide", sound + "<p>" + strings.Repeat("x", 1000) + "</p>", "", "the window 360"},
		{"label", sound + "<input>", "", "label"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := shared.Open(t, serve(t, tt.body, tt.script))
			p.Width(Narrow)
			p.Go("/")
			var all string
			require.Eventually(t, func() bool {
				all += strings.Join(slices.Concat(p.malformed(), p.inaccessible(), p.wrong()), "\n")
				return strings.Contains(all, tt.want)
			}, waitTimeout, pollInterval, "%s", all)
			require.Equal(t, "undefined", Evaluate[string](p, "typeof window.ran"))
			p.wrong()
		})
	}
}

// TestOtherOrigin tells of what leaves the server by ways that no policy closes.
func TestOtherOrigin(t *testing.T) {
	t.Parallel()
	other := serve(t, sound, "")
	p := shared.Open(t, serve(t, sound, `setTimeout(() => { location.href = "`+other+`/"; })`))
	p.Go("/")
	p.AwaitTrue(`location.origin === "` + other + `"`)
	require.Contains(t, strings.Join(p.wrong(), "\n"), "a request to "+other+"/")
}

// TestClickWaits for what is in front of a button to go.
func TestClickWaits(t *testing.T) {
	t.Parallel()
	p := shared.Open(t, serve(t, `<main><h1>Sound</h1><button>Go</button><p id="cover">Wait</p></main>`, `
const cover = document.querySelector("#cover");
Object.assign(cover.style, {position: "fixed", top: 0, left: 0, width: "100%", height: "100%"});
document.querySelector("button").onclick = () => { document.title = cover.isConnected ? "too soon" : "clicked"; };
setTimeout(() => cover.remove(), 200);`))
	p.Go("/")
	p.Click("button")
	require.Equal(t, "clicked", p.Title())
}
