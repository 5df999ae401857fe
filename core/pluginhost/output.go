package pluginhost

import (
	"bytes"
	"io"
	"os"
	"time"

	"golang.org/x/time/rate"
)

// What a process may write to its standard output, and again to its standard error: a burst
// and a steady rate, in bytes, above what the log takes. A process that writes more waits
// until it is read, as with any pipe that is full, so that a flood costs little of this
// process's time, and of the machine's.
const (
	outputBurst     = 4 << 20
	outputPerSecond = 1 << 20
)

// outputLimit holds one output of a process to its rate until the process has ended: what is
// left then is less than a pipe holds, or a message of go-plugin's.
type outputLimit struct {
	limit *rate.Limiter
	ended <-chan struct{}
}

func newOutputLimit(ended <-chan struct{}) outputLimit {
	return outputLimit{rate.NewLimiter(outputPerSecond, outputBurst), ended}
}

// wait returns when n bytes more may be read.
func (l outputLimit) wait(n int) {
	pause := l.limit.ReserveN(time.Now(), min(n, outputBurst)).Delay()
	if pause == 0 {
		return
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-l.ended:
	}
}

// slowReader reads at the bounded rate.
type slowReader struct {
	outputLimit

	from io.Reader
}

func newSlowReader(from io.Reader, ended <-chan struct{}) *slowReader {
	return &slowReader{newOutputLimit(ended), from}
}

func (r *slowReader) Read(p []byte) (int, error) {
	n, err := r.from.Read(p)
	r.wait(n)
	return n, err
}

// slowWriter takes what is written at the bounded rate.
type slowWriter struct {
	outputLimit

	to io.Writer
}

func newSlowWriter(to io.Writer, ended <-chan struct{}) *slowWriter {
	return &slowWriter{newOutputLimit(ended), to}
}

func (w *slowWriter) Write(p []byte) (int, error) {
	w.wait(len(p))
	return w.to.Write(p)
}

// firstLine reads the first line of a file, then to the file's end without handing
// on anything to its reader.
type firstLine struct {
	file *os.File
	// rest reads the same file, and to gets what follows the line.
	rest io.Reader
	to   io.Writer
	// read is called with the line, and more when something follows it.
	read func(line string)
	more func()
	line []byte
	done bool
}

func (f *firstLine) Read(p []byte) (int, error) {
	if f.done {
		n, _ := f.rest.Read(p)
		f.follow(p[:n])
		_, _ = io.Copy(f.to, f.rest)
		_ = f.Close()
		return 0, io.EOF
	}
	n, err := f.file.Read(p)
	var rest []byte
	if i := bytes.IndexByte(p[:n], '\n'); i >= 0 {
		rest = bytes.Clone(p[i+1 : n])
		n = i + 1
	}
	f.line = append(f.line, p[:n]...)
	if f.done = err != nil || bytes.HasSuffix(f.line, []byte{'\n'}) || len(f.line) > maxHandshake; f.done {
		f.read(string(bytes.TrimSpace(f.line)))
		f.follow(rest)
	}
	return n, nil
}

func (f *firstLine) follow(p []byte) {
	if len(p) > 0 {
		f.more()
		_, _ = f.to.Write(p)
	}
}

func (f *firstLine) Close() error { return f.file.Close() }
