package deliver

import (
	"context"
	"time"

	"github.com/hookarr/hookarr/core/store"
)

// quiet begins the holds of quiet hours, and tells of their end where a configuration has
// moved it. A hold that is there already goes first.
func (k *Keeper) quiet(ctx context.Context, targets []store.Target, now time.Time) error {
	held := map[string]store.Target{}
	for _, t := range targets {
		held[t.Name] = t
	}
	for name, t := range k.Workers.plan().targets {
		until, quiet := t.Quiet.In(now)
		if row := held[name]; !quiet || row.Hold != "" && (row.Hold != store.HoldQuiet || row.Until.Equal(until)) {
			continue
		}
		_, _, err := k.Store.ChangeTarget(ctx, name, func(row *store.Target, now time.Time) []*store.Settlement {
			if until, quiet := t.Quiet.In(now); quiet && (row.Hold == "" || row.Hold == store.HoldQuiet) {
				row.Begin(store.HoldQuiet, "quiet hours until "+until.Format("Mon 15:04 MST"), now)
				row.Until = until
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func isQuiet(t Target, now time.Time) bool {
	_, quiet := t.Quiet.In(now)
	return quiet
}
