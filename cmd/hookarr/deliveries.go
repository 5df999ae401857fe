package main

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
)

func (c *cli) newDeliveries() *cobra.Command {
	return c.remote(group("deliveries", "Show what was delivered and what was not, and try it again",
		c.newDeliveriesList(), c.newDeliveriesShow(), c.newDeliveriesRetry(), c.newDeliveriesCancel()))
}

func (c *cli) newDeliveriesList() *cobra.Command {
	var f deliveryFlags
	var limit int
	cmd := c.tables(&cobra.Command{
		Use:   "list",
		Short: "Show the latest deliveries",
		Example: `  hookarr deliveries list
  hookarr deliveries list --state dead --since 7d
  hookarr deliveries list --target ops --state pending --limit 100 --json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			filter, err := f.read(c, event.DeliveryStates())
			if err == nil {
				err = checkLimit(limit)
			}
			if err != nil {
				return err
			}
			return c.withService(cmd.Context(), needDatabase, func(s *service) error {
				deliveries, err := collect(limit, func(p admin.Page) (admin.List[admin.Delivery], error) {
					return s.ListDeliveries(cmd.Context(), filter, p)
				})
				if err != nil {
					return err
				}
				return c.show(deliveries, c.deliveryRows(deliveries))
			})
		},
	})
	f.flags(c, cmd, event.DeliveryStates())
	limitFlag(cmd, &limit)
	return cmd
}

func (c *cli) deliveryRows(deliveries []admin.Delivery) [][]string {
	ids := make([]string, len(deliveries))
	for i, d := range deliveries {
		ids[i] = d.ID
	}
	short := shorten(ids)
	rows := [][]string{{"ID", "CREATED", "TARGET", "TYPE", "STATE", "ATTEMPTS", "NEXT ATTEMPT", "TITLE", "REASON"}}
	for _, v := range deliveries {
		next, reason := v.DueAt, v.Reason
		if v.ClosesAt != nil && v.ClosesAt.After(time.Now()) { // else its target is on hold, or it goes out
			next, reason = v.ClosesAt, cmp.Or(reason, "waits for more events")
		}
		rows = append(rows, []string{
			short(v.ID), c.time(v.CreatedAt), v.Target, orDash(string(v.Type)), string(v.State), strconv.Itoa(v.Attempts),
			orDash(c.timeOf(next)), orDash(clean(titleOf(v), titleWidth)), clean(reason, reasonWidth),
		})
	}
	return rows
}

func (c *cli) newDeliveriesShow() *cobra.Command {
	var request bool
	cmd := c.tables(&cobra.Command{
		Use:   "show ID",
		Short: "Show a delivery and its attempts",
		Long: `Show shows a delivery and its attempts with the beginnings of what they were answered,
and with --request what failed ones sent, as far as that is known and without secrets.`,
		Example: `  hookarr deliveries show 0197a2c4-6f02
  hookarr deliveries show 0197a2c4-6f02-7d11-8c43-2b3c4d5e6f70 --request`,
		ValidArgsFunction: first(c.deliveryIDs, cobra.NoFileCompletions),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.withOne(cmd, args[0], func(s *service) error {
				d, err := s.Delivery(cmd.Context(), args[0])
				if err != nil || c.json {
					return c.orJSON(d, err)
				}
				return c.printDelivery(d, request, []string{"event", d.EventID}, []string{"created", c.time(d.CreatedAt)})
			})
		},
	})
	cmd.Flags().BoolVar(&request, "request", false, "print what was sent, too")
	return cmd
}

func (c *cli) newDeliveriesRetry() *cobra.Command {
	return c.newChange(change{
		kind: store.ActionRetry, done: "retried", states: []event.DeliveryState{event.Dead, event.Pending, event.Verifying, event.Cancelled},
		short: "Give deliveries more attempts, beginning now",
		long: `Retry gives deliveries more attempts, beginning now: those with these ids, or all that
filters select, which are counted first. Without --state, filters select dead letters;
with --state pending what waits is due now, and with --state verifying what an endpoint
has accepted is sent again. Without a terminal, filters need --yes.`,
		example: `  hookarr deliveries retry 0197a2c4-6f02
  hookarr deliveries retry --target ops --since 7d
  hookarr deliveries retry --state cancelled --target ops --yes`,
		one: (*service).retry, all: (*service).retryAll,
	})
}

func (c *cli) newDeliveriesCancel() *cobra.Command {
	return c.newChange(change{
		kind: store.ActionCancel, done: "cancelled", states: []event.DeliveryState{event.Pending, event.Verifying, event.Dead},
		short: "Give deliveries up",
		long: `Cancel gives deliveries up: those with these ids, or all that filters select, which are
counted first. Without --state, filters select what is pending. An attempt that is under
way is finished. Without a terminal, filters need --yes.`,
		example: `  hookarr deliveries cancel 0197a2c4-6f02
  hookarr deliveries cancel --target ops --until 2d
  hookarr deliveries cancel --state dead --target gone --yes`,
		one: (*service).cancel, all: (*service).cancelAll,
	})
}

// change is a command that changes deliveries.
type change struct {
	kind                       store.ActionKind
	done, short, long, example string
	states                     []event.DeliveryState
	one                        func(s *service, ctx context.Context, id string) (admin.Done, error)
	all                        func(s *service, ctx context.Context, f admin.DeliveryFilter, expect int) (admin.Action, error)
}

func (c *cli) newChange(ch change) *cobra.Command {
	var f deliveryFlags
	var yes bool
	verb := string(ch.kind)
	cmd := c.tables(&cobra.Command{
		Use: verb + " [ID...]", Short: ch.short, Long: ch.long, Example: ch.example, ValidArgsFunction: c.deliveryIDs,
		RunE: func(cmd *cobra.Command, args []string) error {
			filter, err := f.read(c, ch.states)
			if err == nil {
				err = eitherIDs(args, f.given(), "deliveries "+verb, "--target ops --state "+string(ch.states[0]))
			}
			if err != nil {
				return err
			}
			ctx := cmd.Context()
			return c.withService(ctx, needDatabase, func(s *service) error {
				if len(args) > 0 {
					return c.each(args, ch.done, func(id string) (admin.Done, error) { return ch.one(s, ctx, id) })
				}
				return c.bulk(ctx, s, yes, bulk{
					verb: verb, one: "delivery", noun: "deliveries", list: "deliveries list",
					count: func() (admin.Count, error) { return s.CountDeliveries(ctx, filter, ch.kind) },
					begin: func(expect int) (admin.Action, error) { return ch.all(s, ctx, filter, expect) },
				})
			})
		},
	})
	f.flags(c, cmd, ch.states)
	yesFlag(cmd, &yes)
	return cmd
}

func (s *service) retry(ctx context.Context, id string) (admin.Done, error) {
	return s.RetryDelivery(ctx, id, "")
}

func (s *service) cancel(ctx context.Context, id string) (admin.Done, error) {
	return s.CancelDelivery(ctx, id, "")
}

func (s *service) retryAll(ctx context.Context, f admin.DeliveryFilter, expect int) (admin.Action, error) {
	return s.RetryDeliveries(ctx, f, expect, "")
}

func (s *service) cancelAll(ctx context.Context, f admin.DeliveryFilter, expect int) (admin.Action, error) {
	return s.CancelDeliveries(ctx, f, expect, "")
}

// titleOf is that of a delivery's event, or of the first of several.
func titleOf(v admin.Delivery) string {
	switch {
	case v.Group == event.DigestKey:
		return fmt.Sprintf("digest of %s: %s", counted(v.Members, "event", "events"), v.Title)
	case v.Members > 1:
		return fmt.Sprintf("%d events: %s", v.Members, v.Title)
	}
	return v.Title
}
