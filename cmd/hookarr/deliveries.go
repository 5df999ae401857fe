package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
)

func (c *cli) newDeliveries() *cobra.Command {
	var target, of string
	page := page[event.DeliveryState]{states: deliveryStates()}
	list := c.tables(&cobra.Command{
		Use:   "list",
		Short: "Show the latest deliveries",
		Example: `  hookarr deliveries list
  hookarr deliveries list --state dead
  hookarr deliveries list --target ops --state pending --limit 100 --json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			state, before, err := page.read()
			if err != nil {
				return err
			}
			f := store.DeliveryFilter{Target: target, State: state, Before: before, Limit: page.limit}
			if of != "" {
				if f.EventID, err = readID(of); err != nil {
					return err
				}
			}
			return c.listDeliveries(cmd.Context(), f)
		},
	})
	list.Flags().StringVar(&target, "target", "", "only to this `TARGET`")
	list.Flags().StringVar(&of, "event", "", "only of the event with this `ID`")
	page.flags(list, "delivery")
	completeFlag(list, "target", c.names(targetNames))

	show := c.tables(&cobra.Command{
		Use:     "show ID",
		Short:   "Show a delivery and its attempts",
		Example: `  hookarr deliveries show 0197a2c4-6f02-7d11-8c43-2b3c4d5e6f70`,
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := readID(args[0])
			if err != nil {
				return err
			}
			return c.withStore(cmd.Context(), func(_ *config.Config, s *store.Store) error {
				return c.showDelivery(cmd.Context(), s, id)
			})
		},
	})
	return group("deliveries", "Show what was delivered and what was not", list, show)
}

func (c *cli) listDeliveries(ctx context.Context, f store.DeliveryFilter) error {
	return c.withStore(ctx, func(cfg *config.Config, s *store.Store) error {
		c.warnUnknown("target", f.Target, targetNames(cfg))
		deliveries, err := s.ListDeliveries(ctx, f)
		if err != nil {
			return fmt.Errorf("list deliveries: %w", err)
		}
		views := make([]deliveryView, 0, len(deliveries))
		rows := [][]string{{"ID", "CREATED", "TARGET", "TYPE", "STATE", "ATTEMPTS", "NEXT ATTEMPT", "TITLE", "REASON"}}
		for _, d := range deliveries {
			v := viewDeliverySummary(d)
			views = append(views, v)
			rows = append(rows, []string{
				v.ID, c.time(v.CreatedAt), v.Target, orDash(string(v.Type)), string(v.State), strconv.Itoa(v.Attempts), orDash(c.timeOf(v.DueAt)),
				orDash(clean(v.Title, titleWidth)), clean(v.Reason, reasonWidth),
			})
		}
		return c.show(views, rows)
	})
}

func (c *cli) showDelivery(ctx context.Context, s *store.Store, id uuid.UUID) error {
	d, attempts, err := s.FindDelivery(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("there is no delivery %s", id)
	}
	if err != nil {
		return fmt.Errorf("find delivery: %w", err)
	}
	view := viewDelivery(d, attempts)
	if d.State == event.Pending {
		targets, _, err := s.ListTargets(ctx)
		if err != nil {
			return fmt.Errorf("list targets: %w", err)
		}
		view.held(targets)
	}
	if c.json {
		return c.printJSON(view)
	}
	return c.printDelivery(view, []string{"event", view.EventID}, []string{"created", c.time(view.CreatedAt)})
}
