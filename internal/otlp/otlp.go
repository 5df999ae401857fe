// Package otlp receives traces as a collector does, for tests.
package otlp

import (
	"compress/gzip"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	collectorpb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// Span is a span as it was received.
type Span struct {
	Name string
	// Trace, ID and Parent are hexadecimal.
	Trace, ID, Parent string
	// Links are the spans that it is linked to, as TRACE-SPAN.
	Links      []string
	Attributes map[string]any
	Resource   map[string]any
	Failed     bool
	// Start and End are in nanoseconds since 1970.
	Start, End uint64
}

// Ref is what links to the span hold.
func (s Span) Ref() string { return s.Trace + "-" + s.ID }

// Receiver takes spans over OTLP/HTTP.
type Receiver struct {
	// URL is its base URL.
	URL string

	mu      sync.Mutex
	status  int
	headers []http.Header
	paths   []string
	spans   []Span
}

// New serves a receiver until the end of the test.
func New(tb testing.TB) *Receiver {
	tb.Helper()
	r := &Receiver{status: http.StatusOK}
	server := httptest.NewServer(r)
	tb.Cleanup(server.Close)
	r.URL = server.URL
	return r
}

// Answer has it answer with a status from now on, and keep spans with 200 alone.
func (r *Receiver) Answer(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status = status
}

// Spans returns the spans of a name that have come so far, or with an empty one all.
func (r *Receiver) Spans(name string) []Span {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(r.spans), func(s Span) bool { return name != "" && s.Name != name })
}

// Headers returns those of all requests so far.
func (r *Receiver) Headers() []http.Header {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.headers)
}

// Paths returns those of all requests so far.
func (r *Receiver) Paths() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.paths)
}

// ServeHTTP takes a request.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	spans, err := read(req)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.headers, r.paths = append(r.headers, req.Header), append(r.paths, req.URL.Path)
	switch {
	case err != nil:
		http.Error(w, err.Error(), http.StatusBadRequest)
	case r.status != http.StatusOK:
		http.Error(w, "the receiver\nrefuses", r.status)
	default:
		r.spans = append(r.spans, spans...)
	}
}

func read(req *http.Request) ([]Span, error) {
	body := io.Reader(req.Body)
	if req.Header.Get("Content-Encoding") == "gzip" {
		unpacked, err := gzip.NewReader(body)
		if err != nil {
			return nil, err
		}
		body = unpacked
	}
	data, err := io.ReadAll(body)
	if err != nil {
		return nil, err
	}
	var export collectorpb.ExportTraceServiceRequest
	if err := proto.Unmarshal(data, &export); err != nil {
		return nil, err
	}
	var spans []Span
	for _, resource := range export.GetResourceSpans() {
		for _, scope := range resource.GetScopeSpans() {
			for _, s := range scope.GetSpans() {
				spans = append(spans, span(s, attributes(resource.GetResource().GetAttributes())))
			}
		}
	}
	return spans, nil
}

func span(s *tracepb.Span, resource map[string]any) Span {
	received := Span{
		Name: s.GetName(), Trace: hex.EncodeToString(s.GetTraceId()), ID: hex.EncodeToString(s.GetSpanId()), Parent: hex.EncodeToString(s.GetParentSpanId()),
		Attributes: attributes(s.GetAttributes()), Resource: resource,
		Failed: s.GetStatus().GetCode() == tracepb.Status_STATUS_CODE_ERROR, Start: s.GetStartTimeUnixNano(), End: s.GetEndTimeUnixNano(),
	}
	for _, l := range s.GetLinks() {
		received.Links = append(received.Links, hex.EncodeToString(l.GetTraceId())+"-"+hex.EncodeToString(l.GetSpanId()))
	}
	return received
}

func attributes(pairs []*commonpb.KeyValue) map[string]any {
	values := make(map[string]any, len(pairs))
	for _, p := range pairs {
		switch v := p.GetValue().GetValue().(type) {
		case *commonpb.AnyValue_StringValue:
			values[p.GetKey()] = v.StringValue
		case *commonpb.AnyValue_IntValue:
			values[p.GetKey()] = v.IntValue
		case *commonpb.AnyValue_BoolValue:
			values[p.GetKey()] = v.BoolValue
		}
	}
	return values
}
