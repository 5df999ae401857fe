package trace

import (
	"errors"
	"net/url"
	"strings"
)

// Environment returns the variable that says where traces go, or nothing where none does
// or another switches them off. The error is for a variable that is not understood.
func Environment(getenv func(string) string) (variable string, err error) {
	if strings.EqualFold(getenv("OTEL_SDK_DISABLED"), "true") || getenv("OTEL_TRACES_EXPORTER") == "none" {
		return "", nil
	}
	for _, name := range []string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"} {
		value := getenv(name)
		if value == "" {
			continue
		}
		if u, err := url.Parse(value); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return "", errors.New(name + ": want http://HOST:PORT or https://HOST:PORT of an OTLP/HTTP receiver, such as http://127.0.0.1:4318")
		}
		return name, nil
	}
	return "", nil
}

// checkHeaders refuses headers that the exporter would complain of with their values, which
// are credentials.
func checkHeaders(getenv func(string) string) error {
	for _, name := range []string{"OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS"} {
		value := getenv(name)
		if value == "" {
			continue
		}
		for pair := range strings.SplitSeq(value, ",") {
			key, value, ok := strings.Cut(pair, "=")
			if _, err := url.PathUnescape(value); !ok || err != nil || strings.TrimSpace(key) == "" {
				return errors.New(name + ": want NAME=VALUE, with commas between several and values percent-encoded, such as authorization=Bearer%20…")
			}
		}
	}
	return nil
}
