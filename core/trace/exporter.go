package trace

import (
	"context"
	"log/slog"
	"sync"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/hookarr/hookarr/core/excerpt"
)

// maxReason bounds what is logged of an error, in bytes: a proxy may answer with a page.
const maxReason = 300

// exporter sends spans, and tells once of an outage and once of its end. The SDK would tell
// of every batch, to whoever the program has for that.
type exporter struct {
	sdktrace.SpanExporter
	log *slog.Logger

	mu sync.Mutex
	// lost counts the spans that were not sent since the outage began; none is no outage.
	lost int
}

// ExportSpans implements sdktrace.SpanExporter.
func (e *exporter) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	err := e.SpanExporter.ExportSpans(ctx, spans)
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case err != nil && e.lost == 0:
		e.log.WarnContext(ctx, "traces not sent: deliveries go on", slog.String("error", excerpt.Line(err.Error(), maxReason)))
		e.lost = len(spans)
	case err != nil:
		e.lost += len(spans)
	case e.lost > 0:
		e.log.InfoContext(ctx, "traces are sent again", slog.Int("lost_spans", e.lost))
		e.lost = 0
	}
	return nil
}
