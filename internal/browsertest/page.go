package browsertest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

const (
	// Narrow is the width of a telephone, in pixels.
	Narrow = 360
	// Wide is that of a window at a desk.
	Wide   = 1280
	height = 900

	// waitTimeout is how long a page may take on a machine that does much else.
	waitTimeout  = 5 * time.Minute
	pollInterval = 25 * time.Millisecond
)

// whole is a page that is there to its end: a browser may report the end of the page before.
const whole = `document.readyState === "complete" && location.href !== "about:blank"`

// Page is a tab, or a window of one. Its methods fail the test that it was made for.
type Page struct {
	t *testing.T
	//nolint:containedctx // it is the tab, in the library's terms
	ctx    context.Context
	origin string
	watch  *watcher
	// scripts is whether pages may run them.
	scripts bool
}

// Open returns an empty tab for the pages of a server, with no cookies. What was wrong in it
// fails the test in the end.
func (b *Browser) Open(t *testing.T, origin string) *Page {
	t.Helper()
	b.Require(t)
	return newPage(b.ctx, t, origin, chromedp.WithNewBrowserContext())
}

// Another returns a window beside this one, with the same cookies.
func (p *Page) Another() *Page {
	p.t.Helper()
	return newPage(p.ctx, p.t, p.origin)
}

// Tab returns a tab in the window of this one, which it hides.
func (p *Page) Tab() *Page {
	p.t.Helper()
	return newPage(p.ctx, p.t, p.origin, chromedp.WithNewWindow(false))
}

func newPage(parent context.Context, t *testing.T, origin string, options ...chromedp.ContextOption) *Page {
	t.Helper()
	p := &Page{t: t, origin: origin, watch: newWatcher(origin), scripts: true}
	ctx, cancel := chromedp.NewContext(parent, append(options, chromedp.WithListener(p.watch.listen))...)
	p.ctx = ctx
	p.watch.dismiss = func() {
		// The test is over when this fails, and has failed.
		_, _ = chromedp.Call(ctx, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{Accept: false})
	}
	t.Cleanup(cancel)
	require.NoError(t, chromedp.Do(ctx), "open a tab")
	p.call(page.AddScriptToEvaluateOnNewDocument.Method, page.AddScriptToEvaluateOnNewDocumentParams{Source: reportPolicy}) //nolint:contextcheck // the tab is its own
	p.Width(Wide)                                                                                                           //nolint:contextcheck // the tab is its own
	t.Cleanup(func() { p.AssertClean() })
	return p
}

// do runs steps within waitTimeout.
func (p *Page) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, waitTimeout)
	defer cancel()
	require.NoError(p.t, chromedp.Do(ctx, steps...), "%s at %s", what, p.watch.last())
}

func (p *Page) call(method string, params any) {
	p.t.Helper()
	p.do(method, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error { return t.Call(ctx, method, params, nil) }))
}

// Width sets how wide the window is.
func (p *Page) Width(pixels int) {
	p.t.Helper()
	p.do("resize", chromedp.EmulateViewport(int64(pixels), height))
}

// Scheme sets the colours that the system has: light or dark.
func (p *Page) Scheme(scheme string) {
	p.t.Helper()
	p.call(emulation.SetEmulatedMedia.Method, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
}

// NoScripts keeps pages that are opened from now on from running any.
func (p *Page) NoScripts() {
	p.t.Helper()
	p.scripts = false
	p.call(emulation.SetScriptExecutionDisabled.Method, emulation.SetScriptExecutionDisabledParams{Value: true})
}

// Header sends a header with every request.
func (p *Page) Header(name, value string) {
	p.t.Helper()
	p.call(network.SetExtraHTTPHeaders.Method, network.SetExtraHTTPHeadersParams{Headers: network.Headers{name: value}})
}

// Go opens a path of the server, which must be there.
func (p *Page) Go(path string) {
	p.t.Helper()
	p.GoTo(path, http.StatusOK)
}

// GoTo opens a path of the server that is answered with one of the statuses.
func (p *Page) GoTo(path string, statuses ...int) {
	p.t.Helper()
	for _, status := range statuses {
		p.watch.expect(status)
	}
	ctx, cancel := context.WithTimeout(p.ctx, waitTimeout)
	defer cancel()
	// A page that differs by what follows # alone would not be loaded.
	require.NoError(p.t, chromedp.Do(ctx, chromedp.Navigate("about:blank")))
	require.NoError(p.t, chromedp.Do(ctx, chromedp.Navigate(p.origin+path)), "open %s", abridged(path))
	p.AwaitTrue(whole)
	_, answer := p.watch.loaded()
	require.NotNil(p.t, answer)
	require.Contains(p.t, statuses, int(answer.Status), "open %s: %s", abridged(path), p.Text("main"))
}

// Reload fetches the page anew.
func (p *Page) Reload() {
	p.t.Helper()
	p.do("reload", chromedp.Reload())
}

// Follow clicks what a selector finds and waits for the page that it leads to, which is
// answered with status 200.
func (p *Page) Follow(selector string) {
	p.t.Helper()
	p.FollowTo(selector, http.StatusOK)
}

// FollowTo is Follow to a page with another status.
func (p *Page) FollowTo(selector string, status int) {
	p.t.Helper()
	p.watch.expect(status)
	p.Submit(selector)
	_, answer := p.watch.loaded()
	require.NotNil(p.t, answer)
	require.Equal(p.t, int64(status), answer.Status, "click %s, which leads to %s: %s", selector, answer.URL, p.Text("main"))
}

// Expect has the next pages be answered with a status, too, without complaint.
func (p *Page) Expect(status int) { p.watch.expect(status) }

// Submit clicks what a selector finds and waits for the page that it leads to, whatever its
// status is.
func (p *Page) Submit(selector string) {
	p.t.Helper()
	before, _ := p.watch.loaded()
	p.Click(selector)
	require.Eventually(p.t, func() bool {
		now, _ := p.watch.loaded()
		return now > before
	}, waitTimeout, pollInterval, "click %s at %s leads to no page", selector, p.watch.last())
	p.AwaitTrue(whole)
}

// click clicks an element where a person could: it is seen, and nothing is in front of it. Nothing
// of the page changes between the look and the click.
const click = `((e) => {
  if (!e?.checkVisibility()) return false;
  e.scrollIntoView({block: "center", inline: "center"});
  const box = e.getClientRects()[0];
  const hit = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
  if (!hit || !e.contains(hit) && hit.closest("label")?.control !== e) return false;
  e.click();
  return true;
})(document.querySelector(%s))`

// Click clicks what a selector finds.
func (p *Page) Click(selector string) {
	p.t.Helper()
	p.AwaitTrue(fmt.Sprintf(click, quote(selector)))
}

// Fill puts a text into a field, in the place of what is there.
func (p *Page) Fill(selector, text string) {
	p.t.Helper()
	p.Await(selector)
	p.do("fill "+selector, chromedp.Clear(chromedp.CSS(selector)), chromedp.SendKeys(chromedp.CSS(selector), text))
}

// Choose picks an option of a field.
func (p *Page) Choose(selector, value string) {
	p.t.Helper()
	p.Await(selector)
	p.do("choose in "+selector, chromedp.SetValue(chromedp.CSS(selector), value))
}

// Text is what a person reads in the first element that a selector finds; it is empty if
// there is none.
func (p *Page) Text(selector string) string {
	p.t.Helper()
	return Evaluate[string](p, fmt.Sprintf(`document.querySelector(%s)?.innerText ?? ""`, quote(selector)))
}

// Value is what is in a field.
func (p *Page) Value(selector string) string {
	p.t.Helper()
	return Evaluate[string](p, fmt.Sprintf(`document.querySelector(%s)?.value ?? ""`, quote(selector)))
}

// Has reports whether a selector finds something.
func (p *Page) Has(selector string) bool {
	p.t.Helper()
	return p.Count(selector) > 0
}

// Count is how many elements a selector finds.
func (p *Page) Count(selector string) int {
	p.t.Helper()
	return Evaluate[int](p, fmt.Sprintf(`document.querySelectorAll(%s).length`, quote(selector)))
}

// Path is the path and query of the page, without the origin.
func (p *Page) Path() string {
	p.t.Helper()
	return Evaluate[string](p, "location.pathname + location.search")
}

// Await waits until a selector finds something.
func (p *Page) Await(selector string) {
	p.t.Helper()
	p.AwaitTrue(fmt.Sprintf(`document.querySelector(%s) != null`, quote(selector)))
}

// AwaitText waits until the first element that a selector finds has a text in it. A page
// without scripts is fetched anew until it has, as a person does.
func (p *Page) AwaitText(selector, text string) {
	p.t.Helper()
	if !p.scripts {
		require.Eventually(p.t, func() bool {
			if strings.Contains(p.Text(selector), text) {
				return true
			}
			p.Reload()
			return false
		}, waitTimeout, 10*pollInterval, "%s of %s has no %q:\n%s", selector, p.watch.last(), text, p.Text("main"))
		return
	}
	p.AwaitTrue(fmt.Sprintf(`(document.querySelector(%s)?.innerText ?? "").includes(%s)`, quote(selector), quote(text)))
}

// AwaitTrue waits until an expression is true in the page.
func (p *Page) AwaitTrue(expression string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, waitTimeout)
	defer cancel()
	var last error
	for {
		// A page that is going fails what is asked of it.
		ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool](expression))
		if ok {
			return
		}
		if err != nil && ctx.Err() == nil {
			last = err
		}
		select {
		case <-ctx.Done():
			now, done := context.WithTimeout(p.ctx, time.Minute)
			defer done()
			text, _ := chromedp.Run(now, chromedp.Evaluate[string](`(document.querySelector("main") ?? document.body).innerText`))
			require.Fail(p.t, "never came true", "%s at %s (%v), which reads:\n%s", expression, p.watch.last(), last, text)
		case <-time.After(pollInterval):
		}
	}
}

// Evaluate returns what an expression is in the page.
func Evaluate[T any](p *Page, expression string) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, waitTimeout)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	require.NoError(p.t, err, "evaluate %s at %s", abridged(expression), p.watch.last())
	return v
}

// Close closes the tab as a person does.
func (p *Page) Close() {
	p.t.Helper()
	require.NoError(p.t, chromedp.Cancel(p.ctx))
}

func quote(s string) string {
	text, _ := json.Marshal(s)
	return string(text)
}

func abridged(s string) string {
	if len(s) > 200 {
		return strings.ToValidUTF8(s[:200], "") + "…"
	}
	return s
}

// Front looks at the tab, which hides the others of its window.
func (p *Page) Front() {
	p.t.Helper()
	p.call(page.BringToFront.Method, nil)
}
