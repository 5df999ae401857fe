package grafana

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/hookarr/hookarr/internal/testport"
)

// Prometheus is a process that scrapes one server.
type Prometheus struct {
	URL string

	cmd   *exec.Cmd
	log   bytes.Buffer
	ended chan struct{}
}

// Job is the name under which the server is scraped.
const Job = "hookarr"

// Start runs the installed prometheus with its data in dir: it scrapes address every second, and goes by
// the files of rules. It returns once there are answers.
func Start(ctx context.Context, dir, address string, rules ...string) (*Prometheus, error) {
	program, err := exec.LookPath("prometheus")
	if err != nil {
		return nil, fmt.Errorf("find prometheus: %w", err)
	}
	port, err := testport.Free()
	if err != nil {
		return nil, err
	}
	own := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	files, err := json.Marshal(rules)
	if err != nil {
		return nil, err
	}
	config := fmt.Sprintf(`global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}
rule_files: %s
scrape_configs:
  - {job_name: %s, static_configs: [{targets: [%q]}]}
`, files, Job, address)
	file := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		return nil, err
	}
	p := &Prometheus{URL: "http://" + own, ended: make(chan struct{})}
	p.cmd = exec.CommandContext(ctx, program, "--config.file="+file, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+own)
	p.cmd.Stdout, p.cmd.Stderr = &p.log, &p.log
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start prometheus: %w", err)
	}
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait()
	}()
	for {
		if series, err := p.Query(ctx, `up{job="`+Job+`"} == 1`, time.Now()); err == nil && len(series) > 0 {
			return p, nil
		}
		select {
		case <-p.ended:
			return nil, fmt.Errorf("prometheus ended: %s", &p.log)
		case <-ctx.Done():
			return nil, errors.Join(context.Cause(ctx), p.Close())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// Close ends the process.
func (p *Prometheus) Close() error {
	err := p.cmd.Process.Signal(syscall.SIGTERM)
	if errors.Is(err, os.ErrProcessDone) {
		err = nil
	}
	<-p.ended
	return err
}

// Series are the samples of one set of labels.
type Series struct {
	Labels  map[string]string
	Samples []Sample
}

// Sample is a value at a time.
type Sample struct {
	At    time.Time
	Value float64
}

// UnmarshalJSON reads the pair of a number and a text that Prometheus writes.
func (s *Sample) UnmarshalJSON(data []byte) error {
	var at float64
	var value string
	if err := json.Unmarshal(data, &[]any{&at, &value}); err != nil {
		return err
	}
	var err error
	s.At = time.UnixMilli(int64(at * 1000))
	s.Value, err = strconv.ParseFloat(value, 64)
	return err
}

// Query asks for the values at a time.
func (p *Prometheus) Query(ctx context.Context, expr string, at time.Time) ([]Series, error) {
	return p.ask(ctx, "/api/v1/query", url.Values{"query": {expr}, "time": {at.Format(time.RFC3339Nano)}})
}

// QueryRange asks for the values between two times.
func (p *Prometheus) QueryRange(ctx context.Context, expr string, from, to time.Time, step time.Duration) ([]Series, error) {
	return p.ask(ctx, "/api/v1/query_range", url.Values{
		"query": {expr}, "start": {from.Format(time.RFC3339Nano)}, "end": {to.Format(time.RFC3339Nano)}, "step": {strconv.FormatFloat(step.Seconds(), 'f', -1, 64)},
	})
}

func (p *Prometheus) ask(ctx context.Context, path string, values url.Values) ([]Series, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.URL+path+"?"+values.Encode(), http.NoBody)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	var answer struct {
		Error string `json:"error"`
		Data  struct {
			Result []struct {
				Metric map[string]string `json:"metric"`
				Value  *Sample           `json:"value"`
				Values []Sample          `json:"values"`
			} `json:"result"`
		} `json:"data"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return nil, fmt.Errorf("read the answer of Prometheus: %w", err)
	}
	if answer.Error != "" {
		return nil, fmt.Errorf("%s: %s", values.Get("query"), answer.Error)
	}
	series := make([]Series, 0, len(answer.Data.Result))
	for _, r := range answer.Data.Result {
		s := Series{Labels: r.Metric, Samples: r.Values}
		if r.Value != nil {
			s.Samples = append(s.Samples, *r.Value)
		}
		series = append(series, s)
	}
	return series, nil
}
