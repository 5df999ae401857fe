package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/store"
)

func (c *cli) newDeliveries() *cobra.Command {
	var filter struct {
		target, state, event, before string
		limit                        int
	}
	list := c.tables(&cobra.Command{
		Use:   "list",
		Short: "Show the latest deliveries",
		Example: `  hookarr deliveries list
  hookarr deliveries list --state dead
  hookarr deliveries list --target ops --state held --limit 100 --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			state, err := oneOf("state", filter.state, deliveryStates())
			if err != nil {
				return err
			}
			f := store.DeliveryFilter{Target: filter.target, State: state, Limit: filter.limit}
			if filter.event != "" {
				if f.EventID, err = readID(filter.event); err != nil {
					return err
				}
			}
			if filter.before != "" {
				if f.Before, err = readID(filter.before); err != nil {
					return err
				}
			}
			if filter.limit < 1 {
				return usagef("--limit: want 1 or more")
			}
			return c.listDeliveries(cmd.Context(), f)
		},
	})
	flags := list.Flags()
	flags.StringVar(&filter.target, "target", "", "only to this `TARGET`")
	flags.StringVar(&filter.state, "state", "", "only in this `STATE`: delivered, pending, held, dead, superseded or cancelled")
	flags.StringVar(&filter.event, "event", "", "only of the event with this `ID`")
	flags.StringVar(&filter.before, "before", "", "only older than the delivery with this `ID`")
	flags.IntVar(&filter.limit, "limit", 50, "at most this many")

	show := c.tables(&cobra.Command{
		Use:     "show ID",
		Short:   "Show a delivery and its attempts",
		Example: `  hookarr deliveries show 0197a2c4-6f02-7d11-8c43-2b3c4d5e6f70`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := readID(args[0])
			if err != nil {
				return err
			}
			return c.withStore(cmd.Context(), func(_ *config.Config, s store.Store) error {
				return c.showDelivery(cmd.Context(), s, id)
			})
		},
	})
	return group("deliveries", "Show what was delivered and what was not", list, show)
}

func (c *cli) listDeliveries(ctx context.Context, f store.DeliveryFilter) error {
	return c.withStore(ctx, func(_ *config.Config, s store.Store) error {
		deliveries, err := s.ListDeliveries(ctx, f)
		if err != nil {
			return fmt.Errorf("list deliveries: %w", err)
		}
		views := make([]deliveryView, 0, len(deliveries))
		rows := [][]string{{"ID", "CREATED", "TARGET", "TYPE", "STATE", "ATTEMPTS", "NEXT ATTEMPT", "TITLE", "REASON"}}
		for _, d := range deliveries {
			v := viewDeliverySummary(d)
			views = append(views, v)
			next := ""
			if v.NotBefore != nil {
				next = c.time(*v.NotBefore)
			}
			rows = append(rows, []string{
				v.ID, c.time(v.CreatedAt), v.Target, orDash(string(v.Type)), string(v.State), strconv.Itoa(v.Attempts), orDash(next),
				orDash(clean(v.Title, titleWidth)), clean(v.Reason, reasonWidth),
			})
		}
		return c.show(views, rows)
	})
}

func (c *cli) showDelivery(ctx context.Context, s store.Store, id uuid.UUID) error {
	d, attempts, err := s.FindDelivery(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("there is no delivery %s", id)
	}
	if err != nil {
		return fmt.Errorf("find delivery: %w", err)
	}
	view := viewDelivery(d, attempts)
	if c.json {
		return c.printJSON(view)
	}
	return c.printDelivery(view, []string{"event", view.EventID}, []string{"created", c.time(view.CreatedAt)})
}
