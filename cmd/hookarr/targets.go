package main

import (
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

func (c *cli) newTargets() *cobra.Command {
	return c.remote(group("targets", "Show targets, hold them and end their holds, and try them",
		c.newTargetsList(), c.newTargetsShow(), c.newTargetsPause(), c.newTargetsResume(), c.newTargetsProbe(), c.newTargetsTest(),
		c.newTargetsRename(), c.newTargetsPreview(), c.newOptions(host.KindTarget, "  hookarr targets options plex\n  hookarr targets options plex libraries\n  hookarr targets options chat channel --json")))
}

func (c *cli) newTargetsList() *cobra.Command {
	return c.tables(&cobra.Command{
		Use:   "list",
		Short: "Show the targets, what holds them, and what waits for them",
		Example: `  hookarr targets list
  hookarr targets list --json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.withService(cmd.Context(), needDatabase, func(s *service) error {
				targets, err := s.ListTargets(cmd.Context())
				if err != nil {
					return err
				}
				rows := [][]string{{"NAME", "PLUGIN", "STATE", "SINCE", "PENDING", "VERIFYING", "DEAD", "REASON"}}
				for _, v := range targets {
					rows = append(rows, []string{
						clean(v.Name, titleWidth), orDash(v.Plugin), c.waits(v), orDash(c.timeOf(v.Since)), strconv.Itoa(v.Pending), strconv.Itoa(v.Verifying), strconv.Itoa(v.Dead),
						clean(v.Reason, reasonWidth),
					})
				}
				return c.show(targets, rows)
			})
		},
	})
}

// waits says what a target waits for, and until when. A probe that is overdue waits for a
// delivery to be made with, or for a server.
func (c *cli) waits(t admin.Target) string {
	switch {
	case t.Until != nil:
		return t.State + " until " + c.time(*t.Until)
	case t.ProbeAt != nil && t.ProbeAt.After(time.Now()):
		return t.State + ", next probe " + c.time(*t.ProbeAt)
	default:
		return t.State
	}
}

// onTarget is a command that does something with a target and shows it.
func (c *cli) onTarget(cmd *cobra.Command, what need, do func(cmd *cobra.Command, s *service, name string) error) *cobra.Command {
	cmd.ValidArgsFunction = first(c.names(targetNames), cobra.NoFileCompletions)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return c.withService(cmd.Context(), what, func(s *service) error { return do(cmd, s, args[0]) })
	}
	return c.tables(cmd)
}

func (c *cli) newTargetsShow() *cobra.Command {
	return c.onTarget(&cobra.Command{
		Use:     "show NAME",
		Short:   "Show a target, what holds it, and what waits for it",
		Example: `  hookarr targets show ops`,
	}, needDatabase, func(cmd *cobra.Command, s *service, name string) error {
		t, err := s.Target(cmd.Context(), name)
		return c.showTarget(t, err)
	})
}

func (c *cli) showTarget(t admin.Target, err error) error {
	if err != nil || c.json {
		return c.orJSON(t, err)
	}
	return c.facts([][]string{
		{"target", clean(t.Name, titleWidth)},
		{"plugin", t.Plugin},
		{"state", t.State},
		{"reason", clean(t.Reason, whole)},
		{"since", c.timeOf(t.Since)},
		{"until", c.timeOf(t.Until)},
		{"next probe", c.timeOf(t.ProbeAt)},
		{"pending", strconv.Itoa(t.Pending)},
		{"verifying", strconv.Itoa(t.Verifying)},
		{"dead", strconv.Itoa(t.Dead)},
	})
}

func (c *cli) newTargetsPause() *cobra.Command {
	var reason string
	cmd := c.onTarget(&cobra.Command{
		Use:   "pause NAME",
		Short: "Hold what goes to a target until it is resumed",
		Long: `Pause holds what goes to a target until targets resume: events are taken and wait. An
attempt that is under way is finished.`,
		Example: `  hookarr targets pause ops --reason "the endpoint moves"`,
	}, needDatabase, func(cmd *cobra.Command, s *service, name string) error {
		t, err := s.PauseTarget(cmd.Context(), name, reason)
		return c.changed(t, err, "target %s is paused: hookarr targets resume %[1]s ends it", name)
	})
	cmd.Flags().StringVar(&reason, "reason", "", "what others see as the reason: `TEXT`")
	completeFlag(cmd, "reason", cobra.NoFileCompletions)
	return cmd
}

// changed prints a target that was changed: as JSON, or what became of it.
func (c *cli) changed(t admin.Target, err error, format string, args ...any) error {
	if err != nil || c.json {
		return c.orJSON(t, err)
	}
	return c.say(format, args...)
}

func (c *cli) newTargetsResume() *cobra.Command {
	return c.onTarget(&cobra.Command{
		Use:   "resume NAME",
		Short: "End the hold of a target",
		Long: `Resume ends the hold of a target, after you have mended what was wrong: what waits
for it goes out, oldest first. A target that is quarantined waits for its plugin, and
goes on by itself.`,
		Example: `  hookarr targets resume ops`,
	}, needDatabase, func(cmd *cobra.Command, s *service, name string) error {
		t, err := s.ResumeTarget(cmd.Context(), name)
		return c.changed(t, err, "target %s is resumed: %s, oldest first", name, counted(t.Pending, "delivery goes out", "deliveries go out"))
	})
}

func (c *cli) newTargetsProbe() *cobra.Command {
	return c.onTarget(&cobra.Command{
		Use:     "probe NAME",
		Short:   "Try a target on hold now with one of its deliveries",
		Example: `  hookarr targets probe ops`,
	}, needDatabase, func(cmd *cobra.Command, s *service, name string) error {
		t, err := s.ProbeTarget(cmd.Context(), name)
		return c.changed(t, err, "target %s is probed with the next of %s: hookarr targets show %[1]s tells what came of it", name, counted(t.Pending, "delivery", "deliveries"))
	})
}

func (c *cli) newTargetsTest() *cobra.Command {
	return c.onTarget(&cobra.Command{
		Use:     "test NAME",
		Short:   "Have a target send its test, which may be a message that people see",
		Example: `  hookarr targets test ops`,
	}, needServer, func(cmd *cobra.Command, s *service, name string) error {
		t, err := s.TestTarget(cmd.Context(), name, "")
		if err != nil {
			return err
		}
		if c.json {
			err = c.printJSON(t)
		} else {
			text := "the test of target " + name + " ended as " + string(t.Class)
			if t.Status != 0 {
				text += fmt.Sprintf(", status %d", t.Status)
			}
			if t.Message != "" {
				text += ": " + clean(t.Message, whole)
			}
			if t.Excerpt != "" {
				text += "\n" + indented(cleanLines(t.Excerpt))
			}
			err = c.say("%s", text)
		}
		if err == nil && t.Class != sdk.ClassOK {
			err = errReported
		}
		return err
	})
}

func (c *cli) newTargetsRename() *cobra.Command {
	cmd := c.tables(&cobra.Command{
		Use:   "rename OLD NEW",
		Short: "Give the deliveries of a target that left the configuration to another",
		Long: `Rename gives what waits for a target that was renamed in the configuration, and its dead
letters, to the name that it has there now. A pause moves with them.`,
		Example: `  hookarr targets rename ops operations`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.withService(cmd.Context(), needDatabase, func(s *service) error {
				a, err := s.RenameTarget(cmd.Context(), args[0], args[1])
				if err != nil {
					return err
				}
				return c.watch(cmd.Context(), s, a)
			})
		},
	})
	cmd.ValidArgsFunction = first(cobra.NoFileCompletions, first(c.names(targetNames), c.names(targetNames)))
	return cmd
}

// subjectFlags say which event a question is about.
func (c *cli) subjectFlags(cmd *cobra.Command, s *admin.Subject) {
	flags := cmd.Flags()
	flags.StringVar(&s.Event, "event", "", "of the stored event with this `ID`")
	flags.StringVar((*string)(&s.Sample), "sample", "", "of a made-up event of this `TYPE`, such as media.imported")
	flags.StringVar(&s.Source, "source", "", "as if from this `SOURCE`")
	completeFlag(cmd, "event", c.eventIDs)
	completeFlag(cmd, "sample", words(sdk.Types()))
	completeFlag(cmd, "source", c.names(sourceNames))
}

// checkSubject wants exactly one subject.
func checkSubject(s admin.Subject, want string) error {
	given := 0
	for _, g := range []string{s.Event, string(s.Sample), s.Body} {
		if g != "" {
			given++
		}
	}
	switch {
	case given != 1:
		return usagef("give %s, one of them", want)
	case s.Event != "":
		return checkID(s.Event)
	default:
		return nil
	}
}
