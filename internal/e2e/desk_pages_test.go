package e2e

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/admin/ui"
	"github.com/hookarr/hookarr/internal/browsertest"
)

// explored is how many pages of a kind are asked where they lead.
const explored = 10

// answering are the pages that answer a form, by the pages that have it. Each is in a test
// of its own.
var answering = map[string]string{"POST /routes/test": "/routes", "POST /configuration/check": "/configuration"}

// atlas are the pages of a desk by their patterns.
type atlas map[string][]string

// explore follows the links of the pages, and fails the test if one of the registered
// patterns is not among those that it leads to.
func (d *desk) explore(t *testing.T) atlas {
	t.Helper()
	pages, err := ui.New(ui.Options{Service: &admin.Service{}, Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	mux := http.NewServeMux()
	for _, pattern := range pages.Patterns() {
		mux.HandleFunc(pattern, func(http.ResponseWriter, *http.Request) {})
	}
	found, known := atlas{}, map[string]bool{}
	for next := []string{"/"}; len(next) > 0; {
		at := next[0]
		next = next[1:]
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, at, http.NoBody)
		require.NoError(t, err)
		_, pattern := mux.Handler(req)
		// A list leads to itself in many ways: each is its own kind of page by its names.
		kind := pattern + " " + names(req.URL.Query())
		if known[at] || len(found[kind]) >= explored || pattern == "" && at != "/" {
			continue
		}
		known[at] = true
		if pattern != "" {
			found[kind] = append(found[kind], at)
		}
		next = append(next, d.links(t, at)...)
	}
	for _, pattern := range pages.Patterns() {
		if !strings.HasPrefix(pattern, "GET ") {
			require.Contains(t, answering, pattern, "a page that answers a form")
			continue
		}
		require.True(t, slices.ContainsFunc(slices.Collect(keys(found)), func(kind string) bool { return strings.HasPrefix(kind, pattern+" ") }),
			"no link leads to a page of the pattern %s", pattern)
	}
	return found
}

func keys(a atlas) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range a {
			if !yield(k) {
				return
			}
		}
	}
}

// names are those of a query, in their order.
func names(q url.Values) string {
	var all []string
	for name := range q {
		all = append(all, name)
	}
	slices.Sort(all)
	return strings.Join(all, ",")
}

// links are the paths, without the base, that a page leads to. One that is not there is kept
// in broken, and leads nowhere.
func (d *desk) links(t *testing.T, at string) []string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, d.origin+d.base+at, http.NoBody)
	require.NoError(t, err)
	req.Header.Set("X-Api-Key", adaToken)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	if resp.StatusCode != http.StatusOK {
		d.broken = append(d.broken, fmt.Sprint(at, ": ", resp.Status))
		return nil
	}
	if !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") {
		return nil
	}
	document, err := html.Parse(strings.NewReader(string(body)))
	require.NoError(t, err)
	var paths []string
	for n := range document.Descendants() {
		if n.Type != html.ElementNode || n.Data != "a" {
			continue
		}
		for _, a := range n.Attr {
			if a.Key != "href" || strings.HasPrefix(a.Val, "#") {
				continue
			}
			to, err := url.Parse(a.Val)
			require.NoError(t, err)
			if to.Host != "" {
				continue // the documentation
			}
			rest, ok := strings.CutPrefix(to.RequestURI(), d.base+"/")
			require.True(t, ok, "%s leads to %s, which is not below %s", at, a.Val, d.base)
			paths = append(paths, "/"+rest)
		}
	}
	return paths
}

// first are one or more pages of each pattern, whatever their query is.
func (a atlas) first(n int) []string {
	var paths []string
	for kind, found := range a {
		if strings.HasSuffix(kind, " ") {
			paths = append(paths, found[:min(n, len(found))]...)
		}
	}
	slices.Sort(paths)
	return paths
}

// TestPages looks at every page as different people do: on a telephone and at a desk, with
// light and dark colours, with scripts and without.
func TestPages(t *testing.T) {
	t.Parallel()

	d := newDesk(t, deskSettings{})
	d.past(t)
	d.start()
	d.live(t)
	found := d.explore(t)
	require.Empty(t, d.broken, "links lead to what is not there")

	for _, look := range []struct {
		scheme string
		width  int
		check  func(*browsertest.Page)
	}{
		{"light", browsertest.Wide, (*browsertest.Page).Check},
		{"dark", browsertest.Narrow, (*browsertest.Page).Check},
		{"dark", browsertest.Wide, (*browsertest.Page).CheckLayout},
		{"light", browsertest.Narrow, (*browsertest.Page).CheckLayout},
	} {
		t.Run(fmt.Sprint(look.scheme, " ", look.width), func(t *testing.T) {
			t.Parallel()
			p := d.open(t)
			p.Scheme(look.scheme)
			p.Width(look.width)
			titles := map[string]string{}
			for _, at := range found.first(1) {
				p.Go(at)
				look.check(p)
				require.NotContains(t, titles, p.Title(), "%s has the same title", at)
				titles[p.Title()] = at
			}
			if *takePictures {
				d.pictures(t, p, found, look.scheme, look.width)
			}
		})
	}
	t.Run("without scripts", func(t *testing.T) {
		t.Parallel()
		p := d.open(t)
		p.NoScripts()
		for _, at := range found.first(1) {
			p.Go(at)
			p.CheckLayout()
			require.False(t, p.Has("button[hidden]") && browsertest.Evaluate[bool](p, `[...document.querySelectorAll("button[hidden]")].some((b) => b.checkVisibility())`),
				"%s shows what needs scripts", at)
		}
	})
	t.Run("as one who may look", func(t *testing.T) {
		t.Parallel()
		p := chromium.Open(t, d.origin)
		p.Header("X-Api-Key", guestToken)
		for _, at := range found.first(1) {
			if d.statusFor(t, guestToken, at) == http.StatusForbidden {
				p.GoTo(at, http.StatusForbidden)
				p.AwaitText("main", "role operate")
				continue
			}
			p.Go(at)
			p.CheckLayout()
			for _, action := range browsertest.Evaluate[[]string](p, `[...document.querySelectorAll("form[method=post]")].map((f) => new URL(f.action).pathname)`) {
				require.Contains(t, []string{"/theme", "/logout"}, action, "%s offers what needs the role operate", at)
			}
		}
	})
}

// TestPagesBelowABasePath finds every page below a path, and nothing leads out of it.
func TestPagesBelowABasePath(t *testing.T) {
	t.Parallel()

	d := startedDesk(t, deskSettings{base: "/hookarr"})
	d.live(t)
	p := d.open(t)
	for _, at := range d.explore(t).first(1) {
		p.Go(d.base + at)
		p.CheckLayout()
	}
	for _, asked := range p.Requests() {
		require.True(t, strings.HasPrefix(asked, d.base+"/") || asked == "about:blank" || strings.HasPrefix(asked, "data:"), "%s is not below %s", asked, d.base)
	}
}

// pictures writes those of the documentation.
func (d *desk) pictures(t *testing.T, p *browsertest.Page, found atlas, scheme string, width int) {
	t.Helper()
	dir := filepathOfPictures
	require.NoError(t, os.MkdirAll(dir, 0o755))
	for kind, paths := range found {
		name := pictureName(strings.TrimSuffix(kind, " "))
		if !strings.HasSuffix(kind, " ") || width == browsertest.Narrow && !slices.Contains(narrowPictures, name) {
			continue
		}
		at := paths[0]
		if better, ok := map[string]string{
			"events-id": "/events/" + d.upgrade, "events-id-body": "/events/" + d.upgrade + "/body", "targets-name": "/targets/chat",
			"targets-name-preview": "/targets/chat/preview?of=story:season",
		}[name]; ok {
			at = better
		}
		p.Go(at)
		p.Picture(path.Join(dir, fmt.Sprintf("%s-%s%s.png", name, scheme, map[int]string{browsertest.Narrow: "-narrow"}[width])))
	}
}

const filepathOfPictures = "../../docs/pictures"

// narrowPictures are the pages whose pictures are taken on a telephone, too.
var narrowPictures = []string{"now", "events-id"}

// pictureName is the name of the picture of a pattern.
func pictureName(pattern string) string {
	name := strings.Trim(strings.TrimPrefix(pattern, "GET "), "/")
	name = strings.NewReplacer("{$}", "", "{", "", "}", "", "...", "", "/", "-").Replace(name)
	if name = strings.Trim(name, "-"); name == "" {
		return "now"
	}
	return name
}
