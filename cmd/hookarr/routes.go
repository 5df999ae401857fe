package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/config"
)

func routeNames(cfg *config.Config) []string {
	var names []string
	for _, r := range cfg.Routes {
		names = append(names, r.Name)
	}
	return names
}

func (c *cli) newRoutes() *cobra.Command {
	list := c.tables(&cobra.Command{
		Use:   "list",
		Short: "Show the routes in use, in order",
		Example: `  hookarr routes list
  hookarr routes list --json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.withService(cmd.Context(), needSettings, func(s *service) error {
				routes, err := s.ListRoutes(cmd.Context())
				if err != nil {
					return err
				}
				rows := [][]string{{"NAME", "FROM", "TYPES", "TO", "WHEN"}}
				for _, r := range routes {
					rows = append(rows, []string{
						clean(r.Name, titleWidth), orDash(listed(r.From)), orDash(listed(r.Types)), orDash(listed(r.To)), clean(r.When, reasonWidth),
					})
				}
				return c.show(routes, rows)
			})
		},
	})
	return c.remote(group("routes", "Show routes, and try where an event would go", list, c.newRoutesTest()))
}

// listed is a list of names in a cell.
func listed(names []string) string { return clean(strings.Join(names, ", "), whole) }

func (c *cli) newRoutesTest() *cobra.Command {
	var subject admin.Subject
	cmd := c.tables(&cobra.Command{
		Use:   "test [FILE]",
		Short: "Say where an event would go, and why; it goes nowhere",
		Long: `Test says of each route whether it takes an event, and which condition the event does
not meet. The event is a made-up one, a stored one, or what a source makes of the body of
a webhook in FILE, or in the standard input for -, which needs a running server.`,
		Example: `  hookarr routes test --sample media.imported
  hookarr routes test --sample media.imported --source radarr
  hookarr routes test --event 0197a2c4-5b1e
  hookarr routes test webhook.json --source radarr`,
		ValidArgsFunction: first(files, cobra.NoFileCompletions),
		RunE: func(cmd *cobra.Command, args []string) error {
			what := needSettings
			if subject.Event != "" {
				what = needDatabase
			}
			if len(args) > 0 {
				if subject.Source == "" {
					return usagef("give the source that decodes it: --source radarr")
				}
				body, err := c.body(args[0])
				if err != nil {
					return err
				}
				subject.Body, what = string(body), needServer
				if subject.Body == "" {
					subject.Body = " " // an empty one is for the decoder to judge
				}
			}
			if err := checkSubject(subject, "--sample media.imported, --event ID or FILE"); err != nil {
				return err
			}
			return c.withService(cmd.Context(), what, func(s *service) error { return c.testRoutes(cmd.Context(), s, subject) })
		},
	})
	c.subjectFlags(cmd, &subject)
	return cmd
}

func (c *cli) testRoutes(ctx context.Context, s *service, subject admin.Subject) error {
	r, err := s.TestRoutes(ctx, subject)
	if err != nil || c.json {
		return c.orJSON(r, err)
	}
	facts := [][]string{
		{"source", clean(r.Source, titleWidth)},
		{"type", clean(string(r.Type), titleWidth)},
		{"title", clean(r.Title, reasonWidth)},
	}
	if r.Decode != nil {
		facts = append(facts, []string{"decoded", step(*r.Decode)})
	}
	to := listed(r.Targets)
	if to == "" {
		to = "nowhere"
	}
	if err := c.facts(append(facts, []string{"goes to", to})); err != nil || len(r.Routes) == 0 {
		return err
	}
	rows := [][]string{{"ROUTE", "VERDICT"}}
	for _, v := range r.Routes {
		rows = append(rows, []string{clean(v.Route, titleWidth), judgement(v)})
	}
	if err := c.say(""); err != nil {
		return err
	}
	return c.table(rows...)
}
