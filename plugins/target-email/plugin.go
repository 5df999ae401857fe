// Package email mails events to people.
package email

import (
	"time"

	"github.com/hookarr/hookarr/sdk"
)

func info() sdk.Info {
	return sdk.Info{
		Name:     "email",
		Version:  "0.1.0",
		Summary:  "Mails events to people, through a mail server.",
		Features: []sdk.Feature{sdk.FeatureGroup, sdk.FeatureTest, sdk.FeaturePreview},
		// One at a time keeps order, and servers count connections. A mail cannot be taken
		// back or edited, so it waits longer than a chat message for what belongs to it.
		Defaults: sdk.Defaults{
			Concurrency:  1,
			FoldUpgrades: true,
			Group:        sdk.GroupDefaults{By: "download", Wait: 5 * time.Minute, MaxWait: time.Hour, Max: 100},
		},
	}
}

// Serve serves the plugin to the Hookarr that started this process. It does not return.
func Serve() { sdk.ServeTarget(info(), newTarget) }
