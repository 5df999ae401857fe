package ui

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/config"
)

func (u *UI) configurationPages() {
	u.page("GET /configuration", "configuration", config.RoleView, u.showConfiguration)
	u.action("POST /configuration/check", config.RoleOperate, u.checkReload)
	u.handle("POST /configuration/reload", config.RoleOperate, u.reload)
}

// configurationPage is the settings in use.
type configurationPage struct {
	Version admin.Version
	// Groups are the settings, those of a source, a target and a route together.
	Groups []settingGroup
	// Given is whether those alone are shown that somebody has set.
	Given    bool
	Warnings []config.Problem
	// NotReloaded says why the last reload was refused; empty where it was not.
	NotReloaded string
	YAML        string
}

type settingGroup struct {
	Name     string
	Settings []labelled
}

func (u *UI) showConfiguration(r *http.Request) (view, error) {
	text, err := u.Service.ConfigYAML()
	if err != nil {
		return view{}, err
	}
	p := configurationPage{
		Version: u.Service.Version(), YAML: string(text), Warnings: u.Service.Settings.Config().Warnings, Given: r.URL.Query().Get("given") != "",
	}
	if u.Service.NotReloaded != nil {
		p.NotReloaded = u.Service.NotReloaded()
	}
	names := u.newLabels()
	for _, s := range u.Service.ConfigSettings() {
		if p.Given && s.Origin.File == "" {
			continue
		}
		name := groupOf(s.Key)
		i := slices.IndexFunc(p.Groups, func(g settingGroup) bool { return g.Name == name })
		if i < 0 {
			i, p.Groups = len(p.Groups), append(p.Groups, settingGroup{Name: name})
		}
		p.Groups[i].Settings = append(p.Groups[i].Settings, names.of(s))
	}
	return view{Title: "Configuration", Data: p, Changes: []string{"config"}}, nil
}

// groupOf is what a key is shown below: a whole source, target or route, what operators use,
// or else the server.
func groupOf(key string) string {
	words := strings.SplitN(key, ".", 3)
	switch {
	case len(words) > 1 && (words[0] == "sources" || words[0] == "targets"):
		return words[0] + "." + words[1]
	case words[0] == "admin", strings.HasPrefix(words[0], "routes["):
		return words[0]
	default:
		return "server"
	}
}

func (u *UI) checkReload(_ http.ResponseWriter, r *http.Request) (done, error) {
	reload, err := u.Service.Reload(r.Context(), true)
	return done{Page: "reload", View: viewReload("What a reload would change", reload)}, err
}

func viewReload(title string, r admin.Reload) view {
	v := view{Title: title, Data: r}
	if len(r.Problems) > 0 {
		v.Title, v.Status = "The configuration cannot be used", http.StatusUnprocessableEntity
	}
	return v
}

// reload goes on to the configuration, below the base path that it may have changed.
func (u *UI) reload(w http.ResponseWriter, r *http.Request) {
	before := u.Service.Settings.Config().Admin.BasePath
	reload, err := u.Service.Reload(r.Context(), false)
	if err != nil {
		u.fail(w, r, err)
		return
	}
	if !reload.Applied {
		u.render(w, r, "reload", viewReload("The configuration was not reloaded", reload))
		return
	}
	if after := u.Service.Settings.Config().Admin.BasePath; after != before {
		r = r.WithContext(admin.WithBasePath(r.Context(), after))
	}
	setNotice(w, r, reloadedNotice(reload))
	http.Redirect(w, r, admin.BasePathOf(r.Context())+"/configuration", http.StatusSeeOther)
}

func reloadedNotice(r admin.Reload) string {
	if len(r.Changes) == 0 {
		return "The configuration was read again: nothing differs."
	}
	notice := "The configuration is reloaded: " + plural(len(r.Changes), "change", "changes") + "."
	if len(r.NeedsRestart) > 0 {
		notice += fmt.Sprintf(" A restart takes these into use: %s.", strings.Join(r.NeedsRestart, ", "))
	}
	return notice
}
