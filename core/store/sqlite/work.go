package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
)

const loadSQL = `
SELECT ` + deliveryCols + `, e.source, e.origin, e.type, e.title, e.received_at, e.correlation_key, e.normalized, e.traceparent, ` + targetCols + `
FROM deliveries d
JOIN events e ON e.id = d.event_id
LEFT JOIN targets t ON t.name = d.target
WHERE d.id = ?`

// LoadWorks reads what attempts need.
func (e *Engine) LoadWorks(ctx context.Context, ids []uuid.UUID) ([]*store.Work, error) {
	works := make([]*store.Work, len(ids))
	for i, id := range ids {
		var w store.Work
		var d deliveryRow
		var t targetRow
		var received int64
		x := &w.Event
		err := e.read.QueryRowContext(ctx, loadSQL, id[:]).Scan(slices.Concat(d.dest(), []any{
			&x.Source, &x.Origin, &x.Type, &x.Title, &received, &x.CorrelationKey, &x.Normalized, &x.Traceparent,
		}, t.dest())...)
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err != nil {
			return nil, err
		}
		w.Delivery, w.Target, w.Now = d.delivery(), t.target(), fromMicros(micros(time.Now()))
		x.ID, x.ReceivedAt = w.Delivery.EventID, fromMicros(received)
		works[i] = &w
	}
	return works, nil
}

// LoadRequest reads the request of an event.
func (e *Engine) LoadRequest(ctx context.Context, id uuid.UUID) (event.Request, error) {
	var r event.Request
	var header []byte
	err := e.read.QueryRowContext(ctx, `SELECT method, query, header, body FROM events WHERE id = ?`, id[:]).
		Scan(&r.Method, &r.Query, &header, &r.Body)
	if err != nil {
		return event.Request{}, notFound(err)
	}
	if err := json.Unmarshal(header, &r.Header); err != nil {
		return event.Request{}, fmt.Errorf("decode headers: %w", err)
	}
	return r, nil
}
