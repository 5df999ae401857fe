package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
)

const loadSQL = `
SELECT ` + deliveryCols + `, e.source, e.origin, e.type, e.title, e.received_at, e.correlation_key, e.normalized, e.traceparent, ` + targetCols + `, now()
FROM deliveries d
JOIN events e ON e.id = d.event_id
LEFT JOIN targets t ON t.name = d.target
WHERE d.id = ANY($1)`

// LoadWorks reads what attempts need.
func (e *Engine) LoadWorks(ctx context.Context, ids []uuid.UUID) ([]*store.Work, error) {
	rows, err := e.pool.Query(ctx, loadSQL, uuids(ids))
	if err != nil {
		return nil, oneLine(err)
	}
	defer rows.Close()
	found := make(map[uuid.UUID]*store.Work, len(ids))
	for rows.Next() {
		var w store.Work
		var t targetRow
		x := &w.Event
		dest := slices.Concat(deliveryDest(&w.Delivery), []any{
			&x.Source, (*string)(&x.Origin), (*string)(&x.Type), &x.Title, &x.ReceivedAt, &x.CorrelationKey, &x.Normalized, &x.Traceparent,
		}, t.dest(), []any{&w.Now})
		if err := rows.Scan(dest...); err != nil {
			return nil, err
		}
		w.Delivery, w.Now, w.Target = inUTC(w.Delivery), w.Now.UTC(), t.target()
		x.ID, x.ReceivedAt = w.Delivery.EventID, x.ReceivedAt.UTC()
		found[w.Delivery.ID] = &w
	}
	if err := rows.Err(); err != nil {
		return nil, oneLine(err)
	}
	works := make([]*store.Work, len(ids))
	for i, id := range ids {
		works[i] = found[id]
	}
	return works, nil
}

// LoadRequest reads the request of an event.
func (e *Engine) LoadRequest(ctx context.Context, id uuid.UUID) (event.Request, error) {
	var r event.Request
	var header []byte
	err := e.pool.QueryRow(ctx, `SELECT method, query, header, body FROM events WHERE id = $1`, id).Scan(&r.Method, &r.Query, &header, &r.Body)
	if err != nil {
		return event.Request{}, oneLine(notFound(err))
	}
	if err := json.Unmarshal(header, &r.Header); err != nil {
		return event.Request{}, fmt.Errorf("decode headers: %w", err)
	}
	return r, nil
}
