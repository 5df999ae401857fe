package ingest

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hookarr/hookarr/core/auth"
	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/route"
	"github.com/hookarr/hookarr/sdk"
)

// Router decides where events go. route.Table is one.
type Router interface {
	Match(source string, e *sdk.Event, normalized []byte) []route.Match
	// Flushes returns the groups that the event closes without being part of them.
	Flushes(source string, e *sdk.Event, normalized []byte) []event.GroupRef
}

// Source is what the intake needs to know of a configured source.
type Source struct {
	// Gate guards it.
	Gate *auth.Gate
	// TrustTraceparent has the spans of its requests continue the traces of its senders.
	TrustTraceparent bool
	// Enrich has its events enriched.
	Enrich bool
	// Window is how long its bodies and fingerprints are remembered; 0 is not at all. Nil
	// leaves that to the type of the event.
	Window *time.Duration
}

// Generation is what one configuration says of the intake: who may come in, and where events
// go. It does not change.
type Generation struct {
	sources map[string]*source
	router  Router
}

// NewGeneration returns the generation of sources, by name, and routes.
func NewGeneration(sources map[string]Source, router Router) *Generation {
	g := &Generation{sources: make(map[string]*source, len(sources)), router: router}
	for name, s := range sources {
		g.sources[name] = &source{name: name, gate: s.Gate, trusted: s.TrustTraceparent, enrich: s.Enrich, windows: windows{configured: s.Window}}
	}
	return g
}

// names lists the sources.
func (g *Generation) names() string {
	return strings.Join(slices.Sorted(maps.Keys(g.sources)), ", ")
}

// hasSecret reports whether a secret of any source is in a text.
func (g *Generation) hasSecret(text string) bool {
	for _, s := range g.sources {
		if s.gate.HasSecret(text) {
			return true
		}
	}
	return false
}

// WithRouter returns the generation with another router.
func (g *Generation) WithRouter(router Router) *Generation {
	return &Generation{sources: g.sources, router: router}
}

// source is a configured source as the intake knows it.
type source struct {
	name    string
	gate    *auth.Gate
	trusted bool
	enrich  bool
	windows windows
}

// memoryOf is what the intake remembers of a source, whatever its configuration.
type memoryOf struct {
	bypass bypass
	missed missed
}

func (in *Intake) memory(source string) *memoryOf {
	if m, ok := in.memories.Load(source); ok {
		return m.(*memoryOf) //nolint:forcetypeassert // nothing else is stored
	}
	m, _ := in.memories.LoadOrStore(source, &memoryOf{})
	return m.(*memoryOf) //nolint:forcetypeassert // nothing else is stored
}
