package ui

import (
	"fmt"
	"net/http"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/pluginschema"
)

// serverPages are those about what runs.
func (u *UI) serverPages() {
	u.sourcePages()
	u.routePages()
	u.page("GET /plugins", "plugins", config.RoleView, u.listPlugins)
	u.page("GET /plugins/{name}", "plugin", config.RoleView, u.showPlugin)
	u.action("POST /plugins/{name}/reload", config.RoleOperate, u.reloadPlugin)
	u.configurationPages()
	u.queuePages()
}

func (u *UI) listPlugins(*http.Request) (view, error) {
	plugins, err := u.Service.ListPlugins()
	return view{Title: "Plugins", Data: plugins, Changes: []string{"plugins"}}, err
}

// pluginPage is what the page of one plugin shows.
type pluginPage struct {
	admin.Plugin
	Keys pluginKeys
	// SchemaProblem says why there are no Keys.
	SchemaProblem string
}

func (u *UI) showPlugin(r *http.Request) (view, error) {
	found, err := u.Service.FindPlugin(r.PathValue("name"))
	p := pluginPage{Plugin: found}
	if schema := u.pluginOf(p.Kind, p.Name).Description.ConfigSchema; err == nil && len(schema) > 0 {
		settings, err := pluginschema.Read(schema)
		if err != nil {
			p.SchemaProblem = err.Error()
		}
		p.Keys = newPluginKeys(settings.Keys)
	}
	return view{Title: fmt.Sprintf("Plugin %s-%s", p.Kind, p.Name), Data: p, Changes: []string{"plugins", "config"}}, err
}

func (u *UI) reloadPlugin(_ http.ResponseWriter, r *http.Request) (done, error) {
	p, err := u.Service.ReloadPlugin(r.Context(), r.PathValue("name"))
	name := fmt.Sprintf("%s-%s", p.Kind, p.Name)
	return done{To: "/plugins/" + name, Notice: fmt.Sprintf("The binary that is there now runs: %s %s.", name, p.Version)}, err
}
