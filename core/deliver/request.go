package deliver

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hookarr/hookarr/sdk/host"
)

// requestText is what an attempt sent, as HTTP/1.1 writes it, for people. Nil is empty.
func requestText(r *host.Request) string {
	if r == nil {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s\n", r.Method, r.URL)
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		for _, value := range r.Header[name] {
			fmt.Fprintf(&b, "%s: %s\n", name, value)
		}
	}
	b.WriteString("\n" + r.Body)
	if r.Truncated {
		b.WriteString("\n[the body is longer]")
	}
	return b.String()
}
