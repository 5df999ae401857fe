package main

import (
	"fmt"
	"net"
	"net/url"
	"regexp"

	"github.com/spf13/cobra"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/connect"
)

func (c *cli) newOpen() *cobra.Command {
	return c.remote(c.tables(&cobra.Command{
		Use:   "open",
		Short: "Print a link that signs a browser in",
		Long: `Open prints a link to the pages of the server that runs here. It signs one browser in,
once, within 5 minutes, with the role operate. Who has the link is in: what is behind #
is a secret, which a browser sends to the server alone.

The link begins with admin.external_url, or else with the address of admin.listen.`,
		Example: `  hookarr open
  xdg-open "$(hookarr open)"
  hookarr open --socket /run/hookarr/hookarr.sock --json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.withService(cmd.Context(), needServer, func(s *service) error {
				l, err := s.MakeLink(cmd.Context())
				if err != nil || c.json {
					return c.orJSON(l, err)
				}
				if err := c.say("%s", clean(l.URL, whole)); err != nil {
					return err
				}
				c.tell("It signs one browser in, once, until " + c.time(l.ExpiresAt) + "." + c.fromElsewhere(l.URL))
				return nil
			})
		},
	}))
}

// fromElsewhere says how a link to this machine is opened on another.
func (c *cli) fromElsewhere(address string) string {
	u, err := url.Parse(address)
	if err != nil || !connect.IsLoopback(address) {
		return ""
	}
	if f, err := c.readSettings(); err == nil {
		host, _, _ := net.SplitHostPort(f.config.Admin.Listen) // checked with the configuration
		if ip := net.ParseIP(host); host == "" && f.config.Admin.Listen != "" || ip != nil && ip.IsUnspecified() {
			return " On another machine, put the address of this one in the place of localhost."
		}
	}
	return fmt.Sprintf(" From another machine, run there first: ssh -L %s:%s HOST", u.Port(), u.Host)
}

// sessionID is the id of a session, or its first digits.
var sessionID = regexp.MustCompile(`^[0-9a-fA-F]{4,64}$`)

func (c *cli) newSessions() *cobra.Command {
	return c.remote(group("sessions", "Show the browsers that are signed in, and sign them out", c.newSessionsList(), c.newSessionsRevoke()))
}

func (c *cli) newSessionsList() *cobra.Command {
	return c.tables(&cobra.Command{
		Use:   "list",
		Short: "Show the browsers that are signed in",
		Long: `List shows who has signed in with a browser, by which way, and when it was used last. A
session ends 24 hours after that, 30 days after it began, and when the token that it
began with leaves the configuration or gets another role.`,
		Example: `  hookarr sessions list
  hookarr sessions list --json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.withService(cmd.Context(), needDatabase, func(s *service) error {
				list, err := s.ListSessions(cmd.Context())
				if err != nil {
					return err
				}
				return c.show(list, c.sessionRows(list))
			})
		},
	})
}

func (c *cli) sessionRows(list []admin.Session) [][]string {
	ids := make([]string, len(list))
	for i, n := range list {
		ids[i] = n.ID
	}
	short := shorten(ids)
	rows := [][]string{{"ID", "WHO", "VIA", "ROLE", "BEGUN", "USED", "ENDS", "BROWSER"}}
	for _, n := range list {
		rows = append(rows, []string{
			short(n.ID), clean(n.Who, titleWidth), n.Via, n.Role, c.time(n.CreatedAt), c.time(n.SeenAt), c.time(n.ExpiresAt),
			orDash(clean(n.Agent, reasonWidth)),
		})
	}
	return rows
}

func (c *cli) newSessionsRevoke() *cobra.Command {
	var all bool
	cmd := c.tables(&cobra.Command{
		Use:   "revoke [ID]",
		Short: "Sign a browser out, or all of them",
		Long: `Revoke ends a session: the browser has to sign in again. With --all it ends every one, and
the links of hookarr open that were not used. A token can still be used: take it out of
the configuration to keep its owner out.`,
		Example: `  hookarr sessions revoke 5feceb66ffc8
  hookarr sessions revoke --all`,
		ValidArgsFunction: first(c.sessionIDs, cobra.NoFileCompletions),
		RunE: func(cmd *cobra.Command, args []string) error {
			if all == (len(args) == 1) {
				return usagef("give an ID, or --all, one of them")
			}
			if !all && !sessionID.MatchString(args[0]) {
				return usagef("id %q: want the first digits of one, 4 or more: hookarr sessions list shows them", clean(args[0], titleWidth))
			}
			return c.withService(cmd.Context(), needDatabase, func(s *service) error {
				if all {
					r, err := s.RevokeSessions(cmd.Context())
					if err != nil || c.json {
						return c.orJSON(r, err)
					}
					return c.say("%s signed out", counted(r.Revoked, "browser is", "browsers are"))
				}
				n, err := s.RevokeSession(cmd.Context(), args[0])
				if err != nil || c.json {
					return c.orJSON(n, err)
				}
				return c.say("the session of %s, begun %s, has ended", clean(n.Who, titleWidth), c.time(n.CreatedAt))
			})
		},
	})
	cmd.Flags().BoolVar(&all, "all", false, "every session, and every link that was not used")
	return cmd
}
