package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/store"
)

// watchPause is the time between looks at an action.
const watchPause = 250 * time.Millisecond

func (c *cli) newActions() *cobra.Command {
	var limit int
	list := c.tables(&cobra.Command{
		Use:   "list",
		Short: "Show what operators did, newest first",
		Example: `  hookarr actions list
  hookarr actions list --limit 10 --json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkLimit(limit); err != nil {
				return err
			}
			return c.withService(cmd.Context(), needDatabase, func(s *service) error {
				actions, err := collect(limit, func(p admin.Page) (admin.List[admin.Action], error) { return s.ListActions(cmd.Context(), p) })
				if err != nil {
					return err
				}
				return c.show(actions, c.actionRows(actions))
			})
		},
	})
	limitFlag(list, &limit)

	var follow bool
	show := c.tables(&cobra.Command{
		Use:   "show ID",
		Short: "Show how far an action has come",
		Example: `  hookarr actions show 0197a2c4-7a10
  hookarr actions show 0197a2c4-7a10 --follow`,
		ValidArgsFunction: first(c.actionIDs, cobra.NoFileCompletions),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.withOne(cmd, args[0], func(s *service) error {
				a, err := s.Action(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				if follow {
					return c.watch(cmd.Context(), s, a)
				}
				return c.showAction(a)
			})
		},
	})
	show.Flags().BoolVarP(&follow, "follow", "f", false, "wait until it has ended")

	stop := c.tables(&cobra.Command{
		Use:               "stop ID",
		Short:             "End a bulk action; what it has done stays",
		Example:           `  hookarr actions stop 0197a2c4-7a10`,
		ValidArgsFunction: first(c.actionIDs, cobra.NoFileCompletions),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.withOne(cmd, args[0], func(s *service) error {
				a, err := s.StopAction(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				return c.showAction(a)
			})
		},
	})
	return c.remote(group("actions", "Show what operators did, and watch and stop what goes on", list, show, stop))
}

func (c *cli) actionRows(actions []admin.Action) [][]string {
	ids := make([]string, len(actions))
	for i, a := range actions {
		ids[i] = a.ID
	}
	short := shorten(ids)
	rows := [][]string{{"ID", "BEGUN", "WHAT", "BY", "VIA", "STATE", "DONE", "SKIPPED", "OF", "REASON"}}
	for _, a := range actions {
		what := string(a.What)
		if on := a.Target + a.Source; on != "" { // it is of one of them
			what += " " + clean(on, titleWidth)
		}
		rows = append(rows, []string{
			short(a.ID), c.time(a.CreatedAt), what, clean(a.Who, titleWidth), a.Via, string(a.State), strconv.Itoa(a.Done),
			strconv.Itoa(a.Skipped), strconv.Itoa(a.Matched), clean(a.Reason+a.Error, reasonWidth),
		})
	}
	return rows
}

func (c *cli) showAction(a admin.Action) error {
	if c.json {
		return c.printJSON(a)
	}
	return c.facts([][]string{
		{"action", a.ID},
		{"what", string(a.What)},
		{"target", clean(a.Target, titleWidth)},
		{"source", clean(a.Source, titleWidth)},
		{"to", clean(strings.Join(a.To, ", "), whole)},
		{"silence", a.Silence},
		{"when", clean(a.When, whole)},
		{"until", c.timeOf(a.Until)},
		{"by", clean(a.Who, titleWidth) + ", " + a.Via},
		{"reason", clean(a.Reason, whole)},
		{"state", string(a.State)},
		{"done", fmt.Sprintf("%d of %d", a.Done, a.Matched)},
		{"skipped", strconv.Itoa(a.Skipped)},
		{"why", clean(a.Error, whole)},
		{"begun", c.time(a.CreatedAt)},
		{"last change", c.time(a.UpdatedAt)},
	})
}

func yesFlag(cmd *cobra.Command, yes *bool) {
	cmd.Flags().BoolVarP(yes, "yes", "y", false, "do not ask")
}

// eitherIDs wants ids or filters.
func eitherIDs(ids []string, filtered bool, command, example string) error {
	switch {
	case len(ids) > 0 && filtered:
		return usagef("give ids or filters, not both")
	case len(ids) == 0 && !filtered:
		return usagef("give ids, or filters: hookarr %s %s", command, example)
	default:
		return checkIDs(ids)
	}
}

// each changes rows one by one. What cannot be changed does not keep the others from it.
func (c *cli) each(ids []string, done string, do func(id string) (admin.Done, error)) error {
	all := []admin.Done{}
	failed := false
	for _, id := range ids {
		d, err := do(id)
		if err != nil && len(ids) == 1 {
			return err
		}
		if err != nil {
			failed = true
			c.tellError(fmt.Errorf("%s: %w", id, err))
			continue
		}
		all = append(all, d)
		for _, skipped := range d.Skipped {
			failed = true
			c.tell("hookarr: " + skipped.ID + " is left as it is: " + clean(skipped.Reason, whole))
		}
		if len(d.Skipped) == 0 && !c.json {
			if err := c.say("%s is %s", id, done); err != nil {
				return err
			}
		}
	}
	if c.json {
		if err := c.printJSON(all); err != nil {
			return err
		}
	}
	if failed {
		return errReported
	}
	return nil
}

// bulk is an action on all that filters select.
type bulk struct {
	verb, one, noun string
	// list is the command that shows what is selected.
	list  string
	count func() (admin.Count, error)
	begin func(expect int) (admin.Action, error)
}

// bulk counts, asks, begins and watches.
func (c *cli) bulk(ctx context.Context, s *service, yes bool, b bulk) error {
	n, err := b.count()
	if err != nil {
		return err
	}
	number := counted(n.Count, b.one, b.noun)
	if n.More {
		number = "at least " + number
	}
	switch {
	case n.Count == 0:
		return fmt.Errorf("the filters select no %s: look with hookarr %s and the same filters", b.noun, b.list)
	case !yes && !c.terminal:
		return fmt.Errorf("the filters select %s, and there is no terminal to ask at: give --yes to %s them", number, b.verb)
	case !yes:
		ok, err := c.confirm(b.verb + " " + number + "?")
		if err != nil {
			return err
		}
		if !ok {
			return errors.New("nothing is changed")
		}
	}
	a, err := b.begin(n.Count)
	if err != nil {
		return err
	}
	return c.watch(ctx, s, a)
}

// confirm asks at the terminal; all but a yes is a no.
func (c *cli) confirm(question string) (bool, error) {
	if _, err := fmt.Fprint(c.err, question+" [y/N] "); err != nil {
		return false, err
	}
	line, err := bufio.NewReader(c.in).ReadString('\n')
	if err != nil && line == "" {
		return false, nil // who closes the input does not agree
	}
	answer := strings.ToLower(strings.TrimSpace(line))
	return answer == "y" || answer == "yes", nil
}

// watch shows the progress of an action until it has ended. Where no server does it, it is
// done here.
func (c *cli) watch(ctx context.Context, s *service, a admin.Action) error {
	worked := make(chan error, 1)
	if s.work != nil && a.State == store.ActionRunning {
		working, stop := context.WithCancel(ctx)
		var workers sync.WaitGroup
		defer workers.Wait() // the database is closed next
		defer stop()
		workers.Go(func() { worked <- s.work(working, a.ID) })
	}
	for a.State == store.ActionRunning {
		c.progress(a)
		var broken error
		select {
		case <-ctx.Done():
			return c.leave(a, s)
		case broken = <-worked:
			worked = nil
		case <-time.After(watchPause):
		}
		next, err := s.Action(ctx, a.ID)
		switch {
		case ctx.Err() != nil:
			return c.leave(a, s)
		case err != nil:
			return fmt.Errorf("watch action %s, which goes on: %w", a.ID, err)
		case broken != nil && next.State == store.ActionRunning:
			return fmt.Errorf("action %s goes on with hookarr serve, or with hookarr actions show %[1]s --follow: %[2]w", a.ID, broken)
		}
		a = next
	}
	if c.live {
		c.tell()
	}
	return c.concluded(a)
}

// progress rewrites the line that says how far an action has come.
func (c *cli) progress(a admin.Action) {
	c.rewrite(fmt.Sprintf("%s: %d of %d, %d skipped", clean(string(a.What), titleWidth), a.Done, a.Matched, a.Skipped))
}

// rewrite writes over the line of a terminal.
func (c *cli) rewrite(text string) {
	if !c.live {
		return
	}
	w := c.err
	if v, ok := w.(visible); ok {
		w = v.Writer // the line begins anew
	}
	_, _ = fmt.Fprintf(w, "\r%s\x1b[K ", text)
}

// clearLine takes away what rewrite wrote.
func (c *cli) clearLine() {
	if c.live {
		c.rewrite("")
		_, _ = fmt.Fprint(c.err, "\r")
	}
}

// leave says what becomes of an action that is not watched any more.
func (c *cli) leave(a admin.Action, s *service) error {
	goesOn := "goes on on the server"
	if s.work != nil {
		goesOn = "waits for hookarr serve"
	}
	if c.live {
		c.tell()
	}
	c.tell("action " + a.ID + " " + goesOn + ": hookarr actions show " + a.ID + " --follow watches it, hookarr actions stop " + a.ID + " ends it")
	return errReported
}

// concluded says what an action came to.
func (c *cli) concluded(a admin.Action) error {
	if c.json {
		if err := c.printJSON(a); err != nil {
			return err
		}
	} else {
		text := fmt.Sprintf("%s is %s: %d of %d", a.What, a.State, a.Done, a.Matched)
		if a.Skipped > 0 {
			text += fmt.Sprintf(", %d skipped", a.Skipped)
		}
		if a.Error != "" {
			text += ", " + clean(a.Error, whole)
		}
		if err := c.say("%s", text); err != nil {
			return err
		}
	}
	if a.State != store.ActionDone {
		return errReported
	}
	return nil
}
