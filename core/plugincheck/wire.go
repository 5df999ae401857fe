package plugincheck

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
)

// leastSecret is the shortest secret that is looked for, in bytes: the letters of shorter ones
// are everywhere.
const leastSecret = 8

// watch looks at everything that leaves the plugin.
type watch struct {
	mu      sync.Mutex
	needles []needle
	// leaks are where secrets were seen, and in which spelling.
	leaks []string
	// said is the beginning of what was printed after the handshake, and bytes how much it was.
	said  []byte
	bytes int
	// seen and lines count what was looked at, and sizes has the largest answers by method.
	seen, lines int
	sizes       map[string]int
}

type needle struct {
	text, spelling string
}

// secret has a value looked for from now on.
func (w *watch) secret(value string) {
	if len(value) < leastSecret {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, n := range spellings(value) {
		if !slices.ContainsFunc(w.needles, func(known needle) bool { return known.text == n.text }) {
			w.needles = append(w.needles, n)
		}
	}
}

// spellings are the forms in which a secret could turn up.
func spellings(value string) []needle {
	raw := []byte(value)
	quoted, _ := json.Marshal(value) // strings always marshal
	all := []needle{
		{value, "as it is"},
		{strings.Trim(string(quoted), `"`), "as JSON"},
		{url.QueryEscape(value), "URL-escaped"},
		{url.PathEscape(value), "URL-escaped"},
		{hex.EncodeToString(raw), "in hexadecimal"},
		{strings.ToUpper(hex.EncodeToString(raw)), "in hexadecimal"},
	}
	for _, e := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
		// Without padding the text is the beginning of that with it. Inside of a longer text,
		// such as user:password, a value begins at one of three places of a group of four
		// characters; the first and the last character may then hold bits of others.
		for offset := range 3 {
			text := e.EncodeToString(append(make([]byte, offset), raw...))
			text = strings.TrimRight(text, "=")
			first := (offset*8 + 5) / 6
			last := (offset + len(raw)) * 8 / 6
			all = append(all, needle{text[first:last], "in base64"})
		}
	}
	return all
}

// look searches what came from the plugin.
func (w *watch) look(where string, data []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen++
	for _, n := range w.needles {
		if !bytes.Contains(data, []byte(n.text)) {
			continue
		}
		const most = 10
		leak := fmt.Sprintf("%s has a secret %s", where, n.spelling)
		if len(w.leaks) < most && !slices.Contains(w.leaks, leak) {
			w.leaks = append(w.leaks, leak)
		}
		return
	}
}

func (w *watch) logged(line []byte) {
	w.look("a line of the log", line)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lines++
}

func (w *watch) printed(p []byte) {
	const most = 200
	w.mu.Lock()
	w.bytes += len(p)
	w.said = append(w.said, p[:min(len(p), max(0, most-len(w.said)))]...)
	w.mu.Unlock()
	w.look("standard output", p)
}

func (w *watch) grow(method string, size int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sizes[method] = max(w.sizes[method], size)
}

// size is that of the largest answer of a method, in bytes.
func (w *watch) size(method string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sizes[method]
}

// wire is a connection that is looked at.
type wire struct {
	conn  grpc.ClientConnInterface
	watch *watch
}

// Invoke implements grpc.ClientConnInterface.
func (w *wire) Invoke(ctx context.Context, method string, args, reply any, opts ...grpc.CallOption) error {
	err := w.conn.Invoke(ctx, method, args, reply, opts...)
	name := method[strings.LastIndexByte(method, '/')+1:]
	if err != nil {
		w.watch.look("the error of "+name, []byte(err.Error()))
	} else if m, ok := reply.(proto.Message); ok {
		// Strings are in the bytes of a message as they are.
		if data, err := proto.Marshal(m); err == nil {
			w.watch.look("the answer of "+name, data)
			w.watch.grow(name, len(data))
		}
	}
	return err
}

// NewStream implements grpc.ClientConnInterface. The contract has no streams.
func (w *wire) NewStream(ctx context.Context, desc *grpc.StreamDesc, method string, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	return w.conn.NewStream(ctx, desc, method, opts...)
}
