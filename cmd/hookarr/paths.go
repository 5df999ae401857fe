package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/paths"
	"github.com/hookarr/hookarr/core/pluginhost"
	"github.com/hookarr/hookarr/core/route"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

func (c *cli) newPaths() *cobra.Command {
	return c.remote(c.onTarget(&cobra.Command{
		Use:   "paths TARGET",
		Short: "Compare the folders of applications with a media server's, and propose the path map",
		Long: `Paths asks the applications whose events go to a target for their root folders and some
of their titles, and the media server for its libraries and for the same titles by their
ids. Where both have a title in different folders, it proposes the map that the target
needs, to be pasted into its config. It says which titles disagree, which root folders
reach no library, which libraries no root folder feeds, and which stored events of the
last 30 days would have reached none. Nothing is changed, on either side.

Without a server it starts the plugins for it and ends them again. It ends with exit
code 1 when something is to be mended.`,
		Example: `  hookarr paths plex
  hookarr paths plex --json`,
	}, needFolders, func(cmd *cobra.Command, s *service, name string) error {
		r, err := s.Paths(cmd.Context(), name)
		if err != nil {
			return err
		}
		if c.json {
			err = c.printJSON(r)
		} else {
			err = c.showPaths(&r)
		}
		if err == nil && len(r.Problems()) > 0 {
			err = errReported
		}
		return err
	}))
}

func (c *cli) showPaths(r *paths.Report) error {
	if err := c.say("The paths of target %s are %s: %s.\n", clean(r.Target, titleWidth), r.Verdict, clean(r.Summary, whole)); err != nil {
		return err
	}
	for _, part := range []func(*paths.Report) [][]string{askedRows, rootRows, libraryRows, disagreementRows} {
		rows := part(r)
		if len(rows) < 2 {
			continue
		}
		if err := c.reasoned(rows); err != nil {
			return err
		}
		if err := c.say(""); err != nil {
			return err
		}
	}
	if err := c.showTried(&r.Events, len(r.Proposed) > 0); err != nil {
		return err
	}
	if len(r.Proposed) == 0 {
		return nil
	}
	place := ""
	if len(r.Map) > 0 {
		place = ", in the place of the map that is there"
	}
	return c.say("Put this into targets.%s.config%s, and run hookarr reload:\n\n%s",
		clean(r.Target, titleWidth), place, strings.TrimRight(cleanLines(r.YAML), "\n"))
}

func askedRows(r *paths.Report) [][]string {
	rows := [][]string{{"SOURCE", "TITLES", "ON THE SERVER", "REASON"}}
	for _, s := range r.Sources {
		switch {
		case s.Problem != "":
			rows = append(rows, []string{s.Name, "-", "-", clean(s.Problem, whole)})
		case s.Silent:
			rows = append(rows, []string{s.Name, "-", "-", "tells no folders: base_url and api_key are not set, or its plugin cannot"})
		default:
			rows = append(rows, []string{s.Name, strconv.Itoa(s.Titles), strconv.Itoa(s.Found), ""})
		}
	}
	return rows
}

func rootRows(r *paths.Report) [][]string {
	rows := [][]string{{"SOURCE", "ROOT FOLDER", "FREE", "ON THE SERVER", "LIBRARY", "REASON"}}
	for _, f := range r.Roots {
		reach, reason := f.Reach, f.Problem
		if f.Then != nil && f.Then.Library != "" {
			reach = *f.Then
			if f.Library == "" {
				reason = "with the proposed map; now it " + f.Problem
			}
		}
		free := ""
		if f.FreeBytes > 0 {
			free = humanize.IBytes(uint64(f.FreeBytes))
		}
		rows = append(rows, []string{
			f.Source, clean(f.Path, whole), orDash(free), clean(reach.Mapped, whole), orDash(clean(reach.Library, titleWidth)), clean(reason, whole),
		})
	}
	return rows
}

func libraryRows(r *paths.Report) [][]string {
	rows := [][]string{{"LIBRARY", "FOLDER", "KIND", "FED BY", "REASON"}}
	for _, l := range r.Libraries {
		fed := strings.Join(l.FedBy, ", ")
		if fed == "" {
			fed = "no root folder"
		}
		rows = append(rows, []string{orDash(clean(l.Name, titleWidth)), clean(l.Path, whole), orDash(l.Kind), clean(fed, whole), clean(l.Problem, whole)})
	}
	return rows
}

func disagreementRows(r *paths.Report) [][]string {
	rows := [][]string{{"TITLE", "SOURCE", "THE MAP SAYS", "THE SERVER HAS", "REASON"}}
	for _, d := range r.Disagreements {
		rows = append(rows, []string{clean(d.Title, titleWidth), d.Source, clean(d.Mapped, whole), clean(d.Server, whole), clean(d.How, whole)})
	}
	return rows
}

func (c *cli) showTried(e *paths.StoredEvents, proposed bool) error {
	if e.Tried == 0 {
		return nil
	}
	then := ""
	if proposed {
		then = fmt.Sprintf(", and %d with the proposed one", e.Then)
	}
	if err := c.say("Stored events of the last 30 days that reach no library: %d of %d with the map in use%s.\n", e.Missed, e.Tried, then); err != nil {
		return err
	}
	rows := [][]string{{"RECEIVED", "SOURCE", "TITLE", "PATH", "ON THE SERVER"}}
	for i := range e.Examples {
		m := &e.Examples[i]
		rows = append(rows, []string{c.time(m.Time), m.Source, clean(m.Title, titleWidth), clean(m.Path, whole), clean(m.Mapped, whole)})
	}
	if len(rows) == 1 {
		return nil
	}
	if err := c.table(rows...); err != nil {
		return err
	}
	return c.say("")
}

// brief starts the plugin of an instance for each question, and ends it again.
type brief struct {
	cli *cli
	cfg *config.Config
}

// Folders implements paths.Plugins.
func (b brief) Folders(ctx context.Context, kind host.Kind, instance string, q sdk.FoldersQuery) (found sdk.Folders, err error) {
	err = b.cli.withInstance(ctx, b.cfg, kind, instance, func(plugins *pluginhost.Host) error {
		found, err = plugins.Folders(ctx, kind, instance, q)
		return err
	})
	return found, err
}

// checkPaths warns of what is wrong with the paths of the targets that know libraries.
func (c *cli) checkPaths(ctx context.Context, cfg *config.Config, checked pluginhost.Checked, warn func(key, message string)) {
	routes, err := route.New(cfg.Routes)
	if err != nil {
		return // a known problem
	}
	examiner := paths.Examiner{Plugins: brief{c, cfg}}
	for _, name := range targetNames(cfg) {
		d, ok := checked.Describe(host.KindTarget, cfg.Targets[name].Plugin)
		if !ok || !slices.Contains(d.Features, sdk.FeatureFolders) {
			continue
		}
		r, err := examiner.Examine(ctx, name, cfg, routes)
		if err != nil {
			warn("targets."+name, clean(err.Error(), whole))
			continue
		}
		for _, problem := range r.Problems() {
			warn("targets."+name, clean(problem, whole)+": see hookarr paths "+name)
		}
	}
}
