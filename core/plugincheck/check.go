// Package plugincheck holds the binary of a plugin, written in any language, to what Hookarr
// relies on. It launches the binary as Hookarr does, on a machine without Hookarr, calls it and
// ends it, and reports one row for each thing that it looked at.
package plugincheck

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/hookarr/hookarr/core/pluginhost"
	"github.com/hookarr/hookarr/core/timeout"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// Result is what became of one row.
type Result string

// The results.
const (
	OK      Result = "ok"
	Failed  Result = "FAILED"
	Skipped Result = "skipped"
)

// Row is one thing that was looked at.
type Row struct {
	// Check names the row and never changes.
	Check  string `json:"check"`
	Result Result `json:"result"`
	// Detail is what was seen: of a failure with what mends it, of a skipped row why.
	Detail string `json:"detail"`
	// Warnings are of a row that is ok all the same.
	Warnings []string `json:"warnings,omitempty"`
}

// Report is what was found of one binary.
type Report struct {
	Path   string `json:"path"`
	SHA256 string `json:"sha256,omitempty"`
	// Kind and Name are of the file's name; Version and SDK are what the plugin says.
	Kind    host.Kind `json:"kind,omitempty"`
	Name    string    `json:"name,omitempty"`
	Version string    `json:"version,omitempty"`
	SDK     string    `json:"sdk_version,omitempty"`
	// OK: no row failed.
	OK   bool  `json:"ok"`
	Rows []Row `json:"checks"`
}

// Options configure a check. Zero values work.
type Options struct {
	// Config is the configuration of an instance, a JSON object in which ${URL} stands for
	// the address of the check's endpoint. Nil has one made from the schema.
	Config json.RawMessage
	// Payloads are bodies of requests that a source has to decode to an event.
	Payloads [][]byte
	// Orphan is a command line that calls ServeOrphan with the path that is appended to it.
	// Without one, it is not tried what the plugin does when its host is killed.
	Orphan []string
	// Progress is called with the name of each row before it is looked at. Nil is nobody.
	Progress func(row string)
	// TempDir is as in pluginhost.Options.
	TempDir string
	// Windows bound what is waited for. A busy computer needs larger ones.
	Windows Windows
}

// Windows are how long the check waits. Each that is zero is its default.
type Windows struct {
	// Start bounds each start, 10 s, and Call each call that is not about time, 10 s.
	Start, Call time.Duration
	// Sluggish is how long a start may take before its row warns: 2 s.
	Sluggish time.Duration
	// ByHand is how long a plugin may take to tell a person what it is: 5 s.
	ByHand time.Duration
	// Stranger is how long a client without a certificate waits for an answer that is not to
	// come: 1 s.
	Stranger time.Duration
	// Deadline is the time of a call whose endpoint does not answer, 400 ms, and Late how long
	// after it the plugin may still be at it, 250 ms.
	Deadline, Late time.Duration
	// Exit is how long the news of a process's end may take after a call broke: 200 ms.
	Exit time.Duration
	// Interrupt is how long the effect of SIGINT may take, 300 ms, and End that of being asked
	// to end, 2 s. HostGone is how long it may outlive its host: 5 s.
	Interrupt, End, HostGone time.Duration
}

// Patient are windows for a machine that has much to do: what is only waited for where
// something is wrong takes as long as it takes.
func Patient() Windows {
	const most = time.Minute
	return Windows{
		Start: most, Call: most, Sluggish: most, ByHand: most, Stranger: 5 * time.Second,
		Deadline: 2 * time.Second, Late: most, Exit: 5 * time.Second, End: most, HostGone: most,
	}
}

func (w Windows) withDefaults() Windows {
	return Windows{
		Start: cmp.Or(w.Start, timeout.Of(10*time.Second)), Call: cmp.Or(w.Call, timeout.Of(10*time.Second)), Sluggish: cmp.Or(w.Sluggish, 2*time.Second),
		ByHand: cmp.Or(w.ByHand, timeout.Of(5*time.Second)), Stranger: cmp.Or(w.Stranger, time.Second),
		Deadline: cmp.Or(w.Deadline, 400*time.Millisecond), Late: cmp.Or(w.Late, timeout.Of(250*time.Millisecond)),
		Exit:      cmp.Or(w.Exit, 200*time.Millisecond),
		Interrupt: cmp.Or(w.Interrupt, 300*time.Millisecond), End: cmp.Or(w.End, timeout.Of(2*time.Second)), HostGone: cmp.Or(w.HostGone, timeout.Of(5*time.Second)),
	}
}

// step is one row's work. It returns what it saw; an error is a failure, or a skip.
type step struct {
	name string
	look func(ctx context.Context) (string, error)
}

// skip is the reason not to look at something.
type skip string

func (s skip) Error() string { return string(s) }

func skipf(format string, args ...any) error { return skip(fmt.Sprintf(format, args...)) }

// Run checks one binary. It fails when ctx ends, and when the check's own directory or endpoint
// cannot be made.
func Run(ctx context.Context, path string, opts Options) (Report, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return Report{}, fmt.Errorf("find %s: %w", path, err)
	}
	c := &check{opts: opts, path: path, report: Report{Path: path, Rows: []Row{}}}
	c.opts.Windows = opts.Windows.withDefaults()
	if c.opts.Progress == nil {
		c.opts.Progress = func(string) {}
	}
	if err := c.begin(ctx); err != nil {
		return Report{}, err
	}
	defer c.end()
	c.run(ctx, c.beforeStart())
	c.run(ctx, c.aboutItself())
	c.run(ctx, c.configuration())
	if c.report.Kind == host.KindSource {
		c.run(ctx, c.source())
	} else {
		c.run(ctx, c.target())
	}
	c.run(ctx, append(c.features(), c.configured("sandbox", c.stayInside)))
	c.run(ctx, c.life())
	if ctx.Err() != nil {
		return Report{}, fmt.Errorf("check %s: %w", path, ctx.Err())
	}
	c.report.OK = true
	for _, r := range c.report.Rows {
		c.report.OK = c.report.OK && r.Result != Failed
	}
	return c.report, nil
}

// check is the check of one binary.
type check struct {
	opts   Options
	path   string
	report Report
	// noStart is why the binary cannot be started, and noProcess why there is no plugin to talk to.
	noStart, noProcess string

	endpoint *endpoint
	watch    *watch
	trial    *pluginhost.Trial
	client   *host.Client
	restarts int
	desc     host.Description
	schema   *schema
	// config is a configuration that the plugin takes, and unconfigured why there is none.
	config       json.RawMessage
	unconfigured string
	info         host.InstanceInfo
	// configWarnings are the plugin's warnings of a configuration that it takes.
	configWarnings []host.Problem
	// baseline is what became of the first delivery, and reached that it came to the endpoint.
	baseline sdk.Class
	reached  bool
	receipt  sdk.Receipt
	// dir is for files of the plugin's, and word what secrets are made of.
	dir, word string
	deadPort  *deadPort

	warnings []string
}

func (c *check) begin(ctx context.Context) (err error) {
	c.watch, c.word = &watch{sizes: map[string]int{}}, rand.Text()
	if c.dir, err = os.MkdirTemp(c.opts.TempDir, "hc-"); err != nil {
		return fmt.Errorf("make a directory for the plugin's files: %w", err)
	}
	if c.deadPort, err = holdDeadPort(ctx); err != nil {
		return errors.Join(err, os.RemoveAll(c.dir))
	}
	if c.endpoint, err = newEndpoint(ctx); err != nil {
		c.deadPort.close()
		return errors.Join(err, os.RemoveAll(c.dir))
	}
	return nil
}

func (c *check) end() {
	if c.trial != nil {
		c.trial.End()
	}
	c.endpoint.close()
	c.deadPort.close()
	_ = os.RemoveAll(c.dir)
}

// run looks at one row after the other. A process that ends meanwhile is the failure of the row
// that was looked at, and the next ones get another.
func (c *check) run(ctx context.Context, steps []step) {
	for _, s := range steps {
		if ctx.Err() != nil {
			return
		}
		c.opts.Progress(s.name)
		c.warnings = nil
		detail, err := s.look(ctx)
		err = c.revive(ctx, err)
		row := Row{Check: s.name, Result: OK, Detail: detail, Warnings: c.warnings}
		if reason, ok := errors.AsType[skip](err); ok {
			row.Result, row.Detail, row.Warnings = Skipped, string(reason), nil
		} else if err != nil {
			row.Result, row.Detail = Failed, explain(err)
		}
		c.report.Rows = append(c.report.Rows, row)
	}
}

func (c *check) warn(format string, args ...any) {
	c.warnings = append(c.warnings, fmt.Sprintf(format, args...))
}

// explain puts an error on one line, and bounds what a plugin had a part in.
func explain(err error) string {
	const most = 2000
	text := strings.Join(strings.Fields(strings.ReplaceAll(err.Error(), "\n", "; ")), " ")
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}

// revive starts the process anew that ended by itself, and adds to the error how it ended.
func (c *check) revive(ctx context.Context, err error) error {
	if c.trial == nil {
		return err
	}
	if _, skipped := errors.AsType[skip](err); err == nil || skipped {
		select {
		case <-c.trial.Exited():
		default:
			return err
		}
	} else if !c.ended() {
		return err
	}
	ended := fmt.Errorf("the process ended: %s", c.trial.ExitReason())
	if reason, ok := errors.AsType[skip](err); ok {
		err = errors.New(string(reason))
	}
	err = errors.Join(err, ended)
	const most = 5
	if c.restarts++; c.restarts > most {
		c.stop("it ended by itself too often")
		return err
	}
	if restarted := c.start(ctx); restarted != nil {
		c.stop("it ended by itself and does not start again: " + restarted.Error())
		return err
	}
	if c.config != nil {
		if _, failed := c.configure(ctx, c.config); failed != nil {
			c.config, c.unconfigured = nil, "it did not take its configuration again after it had ended"
		}
	}
	return err
}

// stop gives the process up.
func (c *check) stop(why string) {
	if c.trial != nil {
		c.trial.End()
	}
	c.trial, c.client, c.noProcess = nil, nil, cmp.Or(c.noProcess, why)
}

// ended reports whether the process has ended, of which the connection's end tells a little
// earlier.
func (c *check) ended() bool {
	timer := time.NewTimer(c.opts.Windows.Exit)
	defer timer.Stop()
	select {
	case <-c.trial.Exited():
		return true
	case <-timer.C:
		return false
	}
}

// talk is a step that needs a process to talk to.
func (c *check) talk(name string, look func(ctx context.Context) (string, error)) step {
	return step{name, func(ctx context.Context) (string, error) {
		if c.client == nil {
			return "", skipf("%s", cmp.Or(c.noProcess, c.noStart, "the plugin does not run"))
		}
		return look(ctx)
	}}
}

// configured is a step that needs a configured instance.
func (c *check) configured(name string, look func(ctx context.Context) (string, error)) step {
	return c.talk(name, func(ctx context.Context) (string, error) {
		if c.config == nil {
			return "", skipf("%s", cmp.Or(c.unconfigured, "no instance is configured"))
		}
		return look(ctx)
	})
}

// start launches the process.
func (c *check) start(ctx context.Context) error {
	if c.trial != nil {
		c.trial.End()
	}
	c.trial, c.client = nil, nil
	t, err := c.launch(ctx, pluginhost.TrialOptions{})
	if err != nil {
		return err
	}
	c.trial = t
	c.client = c.call(t)
	return nil
}

// launch starts a process as the options say beside what all have in common.
func (c *check) launch(ctx context.Context, opts pluginhost.TrialOptions) (*pluginhost.Trial, error) {
	opts.TempDir, opts.Start, opts.Exit, opts.Env = c.opts.TempDir, c.opts.Windows.Start, c.opts.Windows.Exit, c.environment()
	opts.Logged, opts.Printed = c.watch.logged, c.watch.printed
	return pluginhost.StartTrial(ctx, c.path, opts)
}

// call returns a client whose answers are looked at.
func (c *check) call(t *pluginhost.Trial) *host.Client {
	client := host.NewClient(&wire{conn: t.Conn, watch: c.watch})
	client.Host = pluginhost.AboutSelf()
	return client
}

// environment has everything that goes out over HTTP come to the check's endpoint, so that a
// plugin with the address of a service built in does not tell it of a long reel. A configuration
// that somebody gives may lead elsewhere.
func (c *check) environment() []string {
	if c.opts.Config != nil {
		return nil
	}
	proxy := c.endpoint.url
	return []string{
		"HTTP_PROXY=" + proxy, "HTTPS_PROXY=" + proxy, "NO_PROXY=127.0.0.1,localhost",
		"http_proxy=" + proxy, "https_proxy=" + proxy, "no_proxy=127.0.0.1,localhost",
	}
}

// bounded is a context for one call.
func (c *check) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, c.opts.Windows.Call)
}
