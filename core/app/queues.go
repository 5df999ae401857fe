package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/riverqueue/river"
)

// retryPause is the time after which queues are changed that could not be, such as during
// an outage of the database.
const retryPause = 5 * time.Second

// endStep is how long one of many queues is waited for before it is another's turn.
const endStep = 20 * time.Millisecond

// changeQueues has River work the queues of a generation. Those that are new come first:
// the others end once the attempts under way have. What fails is tried again after a while,
// for without its queue a target gets nothing.
func (a *App) changeQueues(ctx context.Context, g *generation) error {
	wanted := g.plan.Queues(fetchSettings(g.config))
	var errs []error
	for name, q := range wanted {
		if _, worked := a.queues[name]; !worked {
			errs = append(errs, a.addQueue(ctx, name, q))
		}
	}
	var ending []string
	for name, workers := range a.queues {
		if q, kept := wanted[name]; !kept || q.MaxWorkers != workers {
			ending = append(ending, name)
			a.queues[name] = 0 // it takes no more jobs from here on, until it is added again
		}
	}
	// In turns, so that no queue that has ended waits for the attempts of another.
	for len(ending) > 0 && ctx.Err() == nil {
		ending = slices.DeleteFunc(ending, func(name string) bool {
			step, cancel := context.WithTimeout(ctx, endStep)
			defer cancel()
			if err := a.queue.Queues().Remove(step, name); err != nil && step.Err() != nil {
				return false
			}
			delete(a.queues, name)
			if q, kept := wanted[name]; kept {
				errs = append(errs, a.addQueue(ctx, name, q))
			}
			return true
		})
	}
	if len(ending) > 0 {
		errs = append(errs, fmt.Errorf("end queues %s: %w", strings.Join(ending, ", "), ctx.Err()))
	}
	err := errors.Join(errs...)
	if err != nil {
		time.AfterFunc(retryPause, a.reloads.pluginChanged)
	}
	return err
}

// addQueue has River work a queue.
func (a *App) addQueue(ctx context.Context, name string, q river.QueueConfig) error {
	err := ctx.Err()
	if err == nil {
		err = a.queue.Queues().Add(name, q)
	}
	if err != nil {
		// River keeps one that it could not start, and would not take it again.
		_ = a.queue.Queues().Remove(context.WithoutCancel(ctx), name)
		return fmt.Errorf("add queue %s: %w", name, err)
	}
	a.queues[name] = q.MaxWorkers
	return nil
}
