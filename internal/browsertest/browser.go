// Package browsertest opens pages in a real browser for tests, and reports what a person
// at the browser would: errors in its console, what its security policy refused, requests
// that fail or leave the server, and pages that some people cannot use.
package browsertest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// required is what the variable TEST_BROWSER has where a browser must be there.
const required = "required"

// Browser is a process of Chromium that the tests of a package share; each test has
// cookies of its own in it. It starts when it is first asked for.
type Browser struct {
	once sync.Once
	//nolint:containedctx // it is the browser, in the library's terms
	ctx    context.Context
	cancel context.CancelFunc
	dir    string
	err    error
}

var errNoBrowser = errors.New("no browser: install chromium, or set TEST_BROWSER to its path")

// executable finds the browser.
func executable() (string, error) {
	names := []string{"chromium", "chromium-browser", "google-chrome", "chrome"}
	if own := os.Getenv("TEST_BROWSER"); own != "" && own != required {
		names = []string{own}
	}
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errNoBrowser
}

// starts is how many times the process may start: on a busy machine Chromium now and then
// crashes before it opens its port.
const (
	starts     = 4
	startPause = time.Second
)

func (b *Browser) start() {
	path, err := executable()
	if err != nil {
		b.err = err
		return
	}
	if b.dir, b.err = os.MkdirTemp("", "hookarr-browser-"); b.err != nil {
		return
	}
	for n := range starts {
		if b.err = b.startIn(path, filepath.Join(b.dir, strconv.Itoa(n))); b.err == nil {
			return
		}
		time.Sleep(startPause)
	}
	b.err = fmt.Errorf("start the browser %s %d times: %w", path, starts, b.err)
}

func (b *Browser) startIn(path, dir string) error {
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.UserDataDir(dir), chromedp.DisableGPU, chromedp.WSURLReadTimeout(waitTimeout),
		// It asks nobody but the servers of tests. Names are theirs, and no authority knows
		// their certificates.
		chromedp.Flag("host-resolver-rules", "MAP *.example 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"),
		chromedp.Flag("ignore-certificate-errors", true), chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-domain-reliability", true), chromedp.Flag("no-pings", true),
		chromedp.Flag("hide-scrollbars", true), chromedp.Flag("lang", "en-GB"), chromedp.Env("TZ=UTC", "LANGUAGE=en_GB"),
	)
	ctx, stop := chromedp.NewExecAllocator(context.Background(), options...)
	// A browser may know events that the library does not, and tells so in lines of the log.
	quiet := log.New(io.Discard, "", 0).Printf
	b.ctx, b.cancel = chromedp.NewContext(ctx, chromedp.WithLogf(quiet), chromedp.WithErrorf(quiet))
	err := chromedp.Do(b.ctx)
	if err != nil {
		b.cancel()
		stop()
		b.ctx = nil
	}
	return err
}

// Close ends the process.
func (b *Browser) Close() {
	if b.ctx != nil {
		_, _ = chromedp.CallBrowser(b.ctx, browser.Close, cdp.Empty{})
		b.cancel()
	}
	if b.dir != "" {
		_ = os.RemoveAll(b.dir)
	}
}

// Require skips a test where there is no browser, unless TEST_BROWSER requires one.
func (b *Browser) Require(t *testing.T) {
	t.Helper()
	b.once.Do(b.start)
	if errors.Is(b.err, errNoBrowser) && os.Getenv("TEST_BROWSER") != required {
		t.Skip("SKIPPED: " + b.err.Error())
	}
	require.NoError(t, b.err)
}
