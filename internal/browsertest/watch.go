package browsertest

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/audits"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/stretchr/testify/require"
)

// reportPolicy has a page tell in its console of what its security policy refused.
const reportPolicy = `document.addEventListener("securitypolicyviolation", (e) =>
  console.error("security policy: " + e.violatedDirective + " refused " + (e.blockedURI || e.sample) + " at " + e.sourceFile + ":" + e.lineNumber));`

// watcher collects what goes wrong in a tab.
type watcher struct {
	origin string
	// dismiss closes a dialog, which keeps the page from all else.
	dismiss func()

	mu      sync.Mutex
	wrong   []string
	address string
	// urls are those of the requests by their ids, and requests the same in order.
	urls     map[network.RequestID]string
	requests []string
	// expected are the statuses of the pages that a test asks for.
	expected []int64
	// loads counts the pages that were loaded, and document is the answer that the last one
	// came with.
	loads    int
	document *network.Response
	// away is while a test has the server gone.
	away bool
}

func newWatcher(origin string) *watcher {
	return &watcher{origin: origin, urls: map[network.RequestID]string{}}
}

// expect has documents be answered with a status.
func (w *watcher) expect(status int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.expected = append(w.expected, int64(status))
}

// loaded is how many pages were loaded, and the answer that the last one came with.
func (w *watcher) loaded() (int, *network.Response) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.loads, w.document
}

// last is the address of the page.
func (w *watcher) last() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.address
}

func (w *watcher) complain(format string, args ...any) {
	w.wrong = append(w.wrong, abridged(w.address)+": "+abridged(fmt.Sprintf(format, args...)))
}

// listen takes the events of the tab.
func (w *watcher) listen(ev any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch ev := ev.(type) {
	case *page.EventFrameNavigated:
		if ev.Frame.ParentID == "" {
			w.address = ev.Frame.URL
		}
	case *page.EventJavascriptDialogOpening:
		w.complain("a dialog opened: %s", ev.Message)
		go w.dismiss()
	case *runtime.EventExceptionThrown:
		w.complain("uncaught: %s", describe(ev.ExceptionDetails))
	case *runtime.EventConsoleAPICalled:
		if w.away && strings.Contains(arguments(ev.Args), "Failed to fetch") {
			return
		}
		if ev.Type == runtime.ConsoleAPICalledTypeError || ev.Type == runtime.ConsoleAPICalledTypeWarning || ev.Type == runtime.ConsoleAPICalledTypeAssert {
			w.complain("console: %s", arguments(ev.Args))
		}
	case *cdplog.EventEntryAdded:
		// What failed in the network is told by the events of it.
		if e := ev.Entry; e.Source != cdplog.EntrySourceNetwork && (e.Level == cdplog.EntryLevelError || e.Level == cdplog.EntryLevelWarning) {
			w.complain("%s: %s", e.Source, e.Text)
		}
	case *audits.EventIssueAdded:
		if ev.Issue.Code == audits.InspectorIssueCodeContentSecurityPolicyIssue {
			w.complain("security policy: %s", ev.Issue.Code)
		}
	case *network.EventRequestWillBeSent:
		w.urls[ev.RequestID] = ev.Request.URL
		w.requests = append(w.requests, ev.Request.URL)
		if !w.own(ev.Request.URL) {
			w.complain("a request to %s", ev.Request.URL)
		}
	case *page.EventLoadEventFired:
		w.loads++
	case *network.EventResponseReceived:
		if ev.Type == network.ResourceTypeDocument {
			w.document = ev.Response
		}
		if ev.Response.Status >= 400 && !w.away && (ev.Type != network.ResourceTypeDocument || !slices.Contains(w.expected, ev.Response.Status)) {
			w.complain("answered with %d: %s", ev.Response.Status, ev.Response.URL)
		}
	case *network.EventLoadingFailed:
		// A page that is left gives up what it has under way.
		if !ev.Canceled && ev.ErrorText != "net::ERR_ABORTED" && !w.away {
			w.complain("failed, %s %s: %s", ev.ErrorText, ev.BlockedReason, w.urls[ev.RequestID])
		}
	}
}

// own reports whether a request stays with the server.
func (w *watcher) own(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	return u.Scheme == "data" || u.Scheme == "about" || u.Scheme+"://"+u.Host == w.origin
}

func describe(d *runtime.ExceptionDetails) string {
	if d.Exception != nil && d.Exception.Description != "" {
		return d.Exception.Description
	}
	return d.Text
}

func arguments(args []*runtime.RemoteObject) string {
	texts := make([]string, 0, len(args))
	for _, a := range args {
		if a.Description != "" {
			texts = append(texts, a.Description)
			continue
		}
		texts = append(texts, string(a.Value))
	}
	return strings.Join(texts, " ")
}

// Away lets requests fail until the function that it returns is called: the server is gone
// meanwhile.
func (p *Page) Away() (back func()) {
	set := func(away bool) {
		p.watch.mu.Lock()
		defer p.watch.mu.Unlock()
		p.watch.away = away
	}
	set(true)
	return func() { set(false) }
}

// Requests are the URLs that the tab has asked for, without the origin.
func (p *Page) Requests() []string {
	p.watch.mu.Lock()
	defer p.watch.mu.Unlock()
	paths := make([]string, 0, len(p.watch.requests))
	for _, r := range p.watch.requests {
		paths = append(paths, strings.TrimPrefix(r, p.origin))
	}
	return paths
}

// AssertClean fails the test for all that went wrong in the tab since it was called last.
func (p *Page) AssertClean() {
	p.t.Helper()
	require.Empty(p.t, p.wrong(), "what went wrong in the browser")
}

// wrong is what went wrong since it was called last.
func (p *Page) wrong() []string {
	p.watch.mu.Lock()
	defer p.watch.mu.Unlock()
	wrong := p.watch.wrong
	p.watch.wrong = nil
	return wrong
}
