package ui

import (
	"cmp"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/connect"
	"github.com/hookarr/hookarr/core/pluginhost"
	"github.com/hookarr/hookarr/core/shell"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

func (u *UI) sourcePages() {
	u.page("GET /sources", "sources", config.RoleView, u.listSources)
	u.page("GET /sources/{name}", "source", config.RoleView, u.showSource)
	u.action("POST /sources/{name}/check", config.RoleOperate, u.checkSource)
	u.action("POST /sources/{name}/sync", config.RoleOperate, u.syncSource)
}

// sourceView is a source with what was found of it last.
type sourceView struct {
	admin.Source
	// Last is the latest event of any type; nil is none.
	Last *admin.Seen
	// Connects is whether its plugin sets the application up, and Connection what a check
	// found; nil where none was made.
	Connects   bool
	Connection *admin.Connection
}

// BuiltIn reports whether it is Hookarr itself.
func (s sourceView) BuiltIn() bool { return s.Name == sdk.SourceHookarr }

func (u *UI) viewSource(s admin.Source) sourceView {
	v := sourceView{Source: s, Connects: u.mayHave(s, sdk.FeatureConnect)}
	slices.SortStableFunc(v.LastSeen, func(a, b admin.Seen) int { return b.At.Compare(a.At) })
	if len(v.LastSeen) > 0 {
		v.Last = &v.LastSeen[0]
	}
	if c, ok := u.Service.LastConnection(s.Name); ok {
		v.Connection = &c
	}
	return v
}

// mayHave reports whether the plugin of a source has a feature, or is not known.
func (u *UI) mayHave(s admin.Source, feature sdk.Feature) bool {
	return s.Configured && u.pluginOf(host.KindSource, s.Plugin).May(feature)
}

func (u *UI) listSources(r *http.Request) (view, error) {
	all, err := u.Service.ListSources(r.Context())
	views := make([]sourceView, len(all))
	for i, s := range all {
		views[i] = u.viewSource(s)
	}
	return view{Title: "Sources", Data: views, Changes: []string{"sources", "events", "config"}}, err
}

// sourcePage is everything about a source.
type sourcePage struct {
	sourceView
	Setup connect.Setup
	// Command sets the application up; empty where its plugin cannot.
	Command string
	// Troubles are why its plugin does not serve it.
	Troubles []string
	// Snapshots is whether its plugin reads what the application has.
	Snapshots bool
	Targets   []string
}

func (u *UI) showSource(r *http.Request) (view, error) {
	name := r.PathValue("name")
	s, err := u.Service.FindSource(r.Context(), name)
	if err != nil {
		return view{}, err
	}
	c := u.Service.Settings.Config()
	p := sourcePage{sourceView: u.viewSource(s), Snapshots: u.mayHave(s, sdk.FeatureSnapshot), Targets: u.targets()}
	if s.Configured {
		p.Troubles = u.pluginTroubles(s)
		if p.Setup, err = connect.SetupOf(c, name); err != nil {
			return view{}, fmt.Errorf("find the address of source %s: %w", name, err)
		}
		if p.Connects {
			p.Command = shell.Command("hookarr", "connect", name, "--config", absolute(c.File))
		}
	}
	return view{Title: "Source " + name, Data: p, Changes: []string{"sources", "events", "config"}}, nil
}

// pluginTroubles are why the plugin of a source does not serve it; none where no server runs.
func (u *UI) pluginTroubles(s admin.Source) []string {
	p, err := u.Service.FindPlugin("source-" + s.Plugin)
	if err != nil {
		return nil
	}
	ofOthers := func(refused string) bool { return !strings.HasPrefix(refused, "sources."+s.Name+".") }
	troubles := slices.DeleteFunc(slices.Clone(p.Refused), ofOthers)
	if p.State != pluginhost.Ready && p.Problem != "" {
		troubles = append(troubles, p.Problem)
	}
	return troubles
}

func (u *UI) checkSource(_ http.ResponseWriter, r *http.Request) (done, error) {
	name := r.PathValue("name")
	c, err := u.Service.CheckConnection(r.Context(), name)
	if err != nil {
		return done{}, err
	}
	app := cmp.Or(c.App, "The application")
	notice := app + " posts to this server as it should."
	if c.Drifts() {
		notice = app + " was asked: its webhook is not as it should be."
	}
	return done{To: "/sources/" + name + "#connection", Notice: notice}, nil
}

func (u *UI) syncSource(_ http.ResponseWriter, r *http.Request) (done, error) {
	name := r.PathValue("name")
	wish := admin.Sync{AllowDeletions: r.PostFormValue("allow_deletions") != ""}
	switch tell := r.PostFormValue("tell"); tell {
	case "changes", "":
	case "all":
		wish.Full = true
	default:
		wish.Full, wish.To = true, tell[strings.Index(tell, ":")+1:]
	}
	_, err := u.Service.SyncSource(r.Context(), admin.PrincipalOf(r.Context()), name, wish)
	return done{To: "/sources/" + name, Notice: "Everything that " + name + " has is read; this page follows it."}, err
}

// absolute is a file's name as it is from everywhere.
func absolute(file string) string {
	if path, err := filepath.Abs(file); err == nil {
		return path
	}
	return file
}
