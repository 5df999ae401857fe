package config

import (
	"fmt"
	"net/url"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// tracing checks where traces go. It never repeats what was given: it may hold a secret.
func (k checker) tracing(t Tracing) {
	if t.Endpoint != "" {
		k.tracingEndpoint(t.Endpoint)
	} else {
		for _, other := range []string{"sample", "headers"} {
			if k.given["tracing."+other] && k.environ[otlpEndpoint] == "" && k.environ[otlpTracesEndpoint] == "" {
				k.warn("tracing."+other, "there are no traces without an endpoint: set tracing.endpoint")
			}
		}
	}
	if s := t.Sample; s != nil && (*s < 0 || *s > 1) {
		k.problem("tracing.sample", "want the part of the events that is traced, from 0 to 1, such as 0.1 for one in ten")
	}
	for i, h := range t.Headers {
		key := fmt.Sprintf("tracing.headers[%d]", i)
		if !httpguts.ValidHeaderFieldName(h.Name) {
			k.problem(key+".name", "want the name of a header, such as Authorization")
		}
		if h.Value == "" || !httpguts.ValidHeaderFieldValue(h.Value.Reveal()) {
			k.problem(key+".value", "give the value of the header, without line breaks")
		}
	}
}

// The variables of OpenTelemetry that say where traces go.
const (
	otlpEndpoint       = "OTEL_EXPORTER_OTLP_ENDPOINT"
	otlpTracesEndpoint = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
)

func (k checker) tracingEndpoint(endpoint string) {
	u, err := url.Parse(endpoint)
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" || u.Fragment != "":
		k.problem("tracing.endpoint", "want http://HOST:PORT or https://HOST:PORT of an OTLP/HTTP receiver, such as http://127.0.0.1:4318")
	case u.User != nil:
		k.problem("tracing.endpoint", "give credentials in tracing.headers")
	case strings.HasSuffix(strings.TrimSuffix(u.Path, "/"), "/v1/traces"):
		k.problem("tracing.endpoint", "leave out /v1/traces: it is put behind it")
	case u.Port() == "4317":
		k.warn("tracing.endpoint", "port 4317 is that of OTLP over gRPC: receivers of OTLP over HTTP, which is spoken here, mostly have 4318")
	}
}
