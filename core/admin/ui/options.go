package ui

import (
	"net/http"
	"net/url"

	"github.com/hookarr/hookarr/core/pluginhost"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// optionLink leads to the values of a setting.
type optionLink struct{ Key, Path string }

// optionLinks are those of the settings of a target whose values its plugin can tell.
func optionLinks(d host.Description, target string) []optionLink {
	var links []optionLink
	for _, k := range d.OptionKeys() {
		links = append(links, optionLink{k.Key, targetPath(target) + "/options/" + url.PathEscape(k.Key)})
	}
	return links
}

// optionsPage are the values that a setting of a target may have.
type optionsPage struct {
	Target string
	// Setting is where it stands in the configuration.
	Setting string
	Options []sdk.Option
}

func (u *UI) showOptions(r *http.Request) (view, error) {
	target, key := r.PathValue("name"), r.PathValue("key")
	p := optionsPage{Target: target, Setting: pluginhost.ConfigKey(host.KindTarget, target, key)}
	var err error
	p.Options, err = u.Service.Options(r.Context(), host.KindTarget, target, key)
	return view{Title: "Values of " + key + " of target " + target, Data: p}, err
}
