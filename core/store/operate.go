package store

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/google/uuid"
	"github.com/riverqueue/river"

	"github.com/hookarr/hookarr/core/event"
)

// Step is what one transaction of an action does. One of its lists is filled.
type Step struct {
	// Action is as it was read; the step changes it. One that is new is inserted.
	Action *Action
	New    bool
	// Cursor is where a bulk action goes on. End says that it ends with this step.
	Cursor uuid.UUID
	End    bool

	Retry, Cancel []uuid.UUID
	// Move moves deliveries to the target MoveTo.
	Move   []uuid.UUID
	MoveTo string
	Replay []Replay
	// Skipped are rows that were found to be in no state for the action already, and why.
	Skipped map[uuid.UUID]string
}

// Replay makes new deliveries of a stored event.
type Replay struct {
	Acceptance
	// Was is the state that the event was read in: one that has changed since is skipped.
	Was event.State
	// Redecoded gives the event the decoded form of the acceptance.
	Redecoded bool
}

// ErrOvertaken is returned by Operate when the action has gone on elsewhere, or ended,
// since it was read. The step has then done nothing.
var ErrOvertaken = errors.New("the action has gone on elsewhere")

// Operate does a step of an action in one transaction, moves the action on and returns why
// rows were skipped. A step that was lost with its process was not done; one that two
// processes do is done once.
func (s *Store) Operate(ctx context.Context, step *Step) (skipped map[uuid.UUID]string, err error) {
	var after Action
	var queues map[string]bool
	err = s.engine.Write(ctx, func(ctx context.Context, tx Tx) error {
		after = *step.Action
		if !step.New {
			stored, err := tx.LockAction(ctx, after.ID)
			if err != nil {
				return err
			}
			if stored.State != ActionRunning || stored.Cursor != after.Cursor {
				return ErrOvertaken
			}
		}
		o := operation{tx: tx, skipped: make(map[uuid.UUID]string), changed: make(map[uuid.UUID][]ActionChange), queues: make(map[string]bool)}
		queues = o.queues
		maps.Copy(o.skipped, step.Skipped)
		if err := o.do(ctx, step); err != nil {
			return err
		}
		skipped = o.skipped
		after.Done += len(o.changed)
		after.Skipped += len(o.skipped)
		after.Cursor = step.Cursor
		if step.End {
			after.State = ActionDone
		}
		after.Error = o.why(after.Error)
		save := tx.SaveAction
		if step.New {
			save = tx.InsertAction
		}
		if err := save(ctx, &after); err != nil {
			return fmt.Errorf("save action: %w", err)
		}
		return o.record(ctx, after.ID)
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", step.Action.What, err)
	}
	*step.Action = after
	for queue := range queues {
		s.Wake(queue, 0) // River tells nobody of a job that was moved in time or place
	}
	return skipped, nil
}

// operation is what a step has done.
type operation struct {
	tx      Tx
	changed map[uuid.UUID][]ActionChange
	skipped map[uuid.UUID]string
	// queues have jobs that became due.
	queues map[string]bool
}

func (o *operation) do(ctx context.Context, step *Step) error {
	switch {
	case len(step.Retry) > 0:
		return o.retry(ctx, step.Retry)
	case len(step.Cancel) > 0:
		return o.cancel(ctx, step.Cancel, step.Action)
	case len(step.Move) > 0:
		return o.move(ctx, step.Move, step.MoveTo)
	case len(step.Replay) > 0:
		return o.replay(ctx, step.Replay)
	}
	return nil
}

// why is a reason of those that were skipped, or the former one.
func (o *operation) why(former string) string {
	for id, reason := range o.skipped {
		former = CleanText(id.String() + ": " + reason)
	}
	return former
}

// record makes the changes part of the events' stories.
func (o *operation) record(ctx context.Context, action uuid.UUID) error {
	var all []ActionChange
	for _, changes := range o.changed {
		for _, c := range changes {
			c.ActionID = action
			all = append(all, c)
		}
	}
	if len(all) == 0 {
		return nil
	}
	if err := o.tx.InsertChanges(ctx, all); err != nil {
		return fmt.Errorf("record changes: %w", err)
	}
	return nil
}

// lock returns the deliveries that are in a state which may become another, and skips the
// others.
func (o *operation) lock(ctx context.Context, ids []uuid.UUID, refuse func(d event.Delivery) string) ([]event.Delivery, error) {
	found, err := o.tx.LockDeliveries(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("lock deliveries: %w", err)
	}
	known := make(map[uuid.UUID]bool, len(found))
	var fit []event.Delivery
	for _, d := range found {
		known[d.ID] = true
		if why := refuse(d); why != "" {
			o.skipped[d.ID] = why
			continue
		}
		fit = append(fit, d)
		o.changed[d.ID] = []ActionChange{{EventID: d.EventID, DeliveryID: d.ID}}
	}
	for _, id := range ids {
		if !known[id] {
			o.skipped[id] = "not found"
		}
	}
	return fit, nil
}

// retry gives deliveries more attempts, beginning now.
func (o *operation) retry(ctx context.Context, ids []uuid.UUID) error {
	// What was cancelled keeps no event from being purged.
	if err := o.tx.KeepEventsOf(ctx, ids, event.Cancelled); err != nil {
		return fmt.Errorf("keep events: %w", err)
	}
	fit, err := o.lock(ctx, ids, func(d event.Delivery) string {
		switch d.State {
		case event.Pending, event.Verifying, event.Dead, event.Cancelled:
			return ""
		default:
			return "it is " + string(d.State)
		}
	})
	if err != nil || len(fit) == 0 {
		return err
	}
	if err := o.tx.RetryDeliveries(ctx, idsOf(fit)); err != nil {
		return fmt.Errorf("update deliveries: %w", err)
	}
	live, err := o.liveJobs(ctx, fit)
	if err != nil {
		return err
	}
	if err := o.tx.HurryJobs(ctx, live); err != nil {
		return fmt.Errorf("hurry jobs: %w", err)
	}
	for _, d := range fit {
		o.queues[TargetQueue(d.Target)] = true
	}
	return nil
}

// cancel gives deliveries up. A worker that has one under way finishes its attempt, which
// changes nothing.
func (o *operation) cancel(ctx context.Context, ids []uuid.UUID, a *Action) error {
	fit, err := o.lock(ctx, ids, func(d event.Delivery) string {
		switch d.State {
		case event.Pending, event.Verifying, event.Dead:
			return ""
		default:
			return "it is " + string(d.State)
		}
	})
	if err != nil || len(fit) == 0 {
		return err
	}
	var waiting []event.Delivery
	for i, d := range fit {
		if d.State.Live() {
			waiting = append(waiting, d)
		}
		reason := "cancelled by " + a.Who
		if d.Reason != "" {
			reason += "; last: " + d.Reason
		}
		fit[i].Reason = CleanText(reason)
	}
	if err := o.tx.CancelDeliveries(ctx, fit); err != nil {
		return fmt.Errorf("update deliveries: %w", err)
	}
	live, err := o.liveJobs(ctx, waiting)
	if err != nil {
		return err
	}
	if err := o.tx.DropJobs(ctx, live); err != nil {
		return fmt.Errorf("delete jobs: %w", err)
	}
	return nil
}

// move gives deliveries that are not over another target, in the same places of its queue.
func (o *operation) move(ctx context.Context, ids []uuid.UUID, target string) error {
	fit, err := o.lock(ctx, ids, func(d event.Delivery) string {
		switch d.State {
		case event.Pending, event.Verifying, event.Dead:
			return ""
		default:
			return "it is " + string(d.State)
		}
	})
	if err != nil || len(fit) == 0 {
		return err
	}
	if err := o.tx.MoveDeliveries(ctx, idsOf(fit), target); err != nil {
		return fmt.Errorf("update deliveries: %w", err)
	}
	var waiting []event.Delivery
	for _, d := range fit {
		if d.State.Live() {
			waiting = append(waiting, d)
		}
	}
	live, err := o.liveJobs(ctx, waiting)
	if err != nil {
		return err
	}
	if err := o.tx.MoveJobs(ctx, live, TargetQueue(target)); err != nil {
		return fmt.Errorf("move jobs: %w", err)
	}
	o.queues[TargetQueue(target)] = true
	return nil
}

// replay makes new deliveries of events that are stored.
func (o *operation) replay(ctx context.Context, list []Replay) error {
	ids := make([]uuid.UUID, len(list))
	for i, r := range list {
		ids[i] = r.Event.ID
	}
	states, err := o.tx.KeepEvents(ctx, ids)
	if err != nil {
		return fmt.Errorf("keep events: %w", err)
	}
	var fit []*Acceptance
	var deliveries []NewDelivery
	for i, r := range list {
		id := r.Event.ID
		switch state, stored := states[id]; {
		case !stored:
			o.skipped[id] = "not found"
			continue
		case state != r.Was:
			o.skipped[id] = "it has become " + string(state) + " meanwhile"
			continue
		}
		if r.Redecoded {
			if err := o.tx.DecodeEvent(ctx, &r.Event); err != nil {
				return fmt.Errorf("update event %s: %w", id, err)
			}
		}
		fit = append(fit, &list[i].Acceptance)
		deliveries = append(deliveries, newDeliveries(&list[i].Acceptance)...)
	}
	inserted, err := o.tx.InsertEvents(ctx, nil, deliveries)
	if err != nil {
		return fmt.Errorf("insert deliveries: %w", err)
	}
	jobs, part, err := gatherAll(ctx, o.tx, fit)
	if err != nil {
		return err
	}
	for _, a := range fit {
		jobs = append(jobs, jobsOf(a, inserted, true)...)
		id := a.Event.ID
		for _, d := range a.Deliveries {
			made := d.ID
			if whole, ok := part[made]; ok {
				made = whole
			}
			o.changed[id] = append(o.changed[id], ActionChange{EventID: id, DeliveryID: made})
		}
		if len(a.Deliveries) == 0 {
			o.changed[id] = []ActionChange{{EventID: id}}
		}
	}
	if len(jobs) == 0 {
		return nil
	}
	// Its enrichment may be under way.
	if _, err := o.tx.AddJobs(ctx, jobs); err != nil {
		return fmt.Errorf("insert jobs: %w", err)
	}
	return nil
}

// liveJobs returns the jobs of deliveries in live states, made where there is none.
func (o *operation) liveJobs(ctx context.Context, deliveries []event.Delivery) ([]int64, error) {
	if len(deliveries) == 0 {
		return nil, nil
	}
	jobs := make([]river.InsertManyParams, len(deliveries))
	for i, d := range deliveries {
		jobs[i] = DeliverJob(d.ID, d.Target)
	}
	live, err := o.tx.LiveJobs(ctx, jobs)
	if err != nil {
		return nil, fmt.Errorf("find jobs: %w", err)
	}
	return live, nil
}

func idsOf(deliveries []event.Delivery) []uuid.UUID {
	ids := make([]uuid.UUID, len(deliveries))
	for i, d := range deliveries {
		ids[i] = d.ID
	}
	return ids
}
