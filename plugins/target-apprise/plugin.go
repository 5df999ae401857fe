// Package apprise tells any of the services that Apprise knows, through an
// Apprise API server.
package apprise

import (
	"context"
	"time"

	"github.com/hookarr/hookarr/plugins/internal/endpointurl"
	"github.com/hookarr/hookarr/sdk"
)

func info() sdk.Info {
	return sdk.Info{
		Name:     "apprise",
		Version:  "0.1.0",
		Summary:  "Tells the services behind an Apprise API server.",
		Features: []sdk.Feature{sdk.FeatureGroup, sdk.FeatureTest, sdk.FeaturePreview, sdk.FeatureOptions},
		// One at a time keeps order.
		Defaults: sdk.Defaults{
			Concurrency:  1,
			FoldUpgrades: true,
			Group:        sdk.GroupDefaults{By: "download", Wait: 20 * time.Second, MaxWait: 5 * time.Minute, Max: 100},
		},
	}
}

// Serve serves the plugin to the Hookarr that started this process. It does not return.
func Serve() { sdk.ServeTarget(info(), newTarget) }

func newTarget(_ context.Context, env sdk.Env, c config) (sdk.Target, error) {
	server, err := endpointurl.Parse("url", c.URL)
	if err != nil {
		return nil, err
	}
	if c.InsecureSkipVerify {
		env.HTTP.InsecureSkipVerify()
	}
	env.HTTP.LimitBody(maxAnswer)
	c.Templates.Warn(env, "templates")
	t := &target{
		http: env.HTTP, url: c.endpoint(server), stored: c.stored(server), retryPartial: c.RetryPartial, look: c.Look, maxBody: c.MaxBody, templates: c.Templates,
		form: form{Tag: c.Tag, Format: c.Format},
	}
	for _, u := range c.URLs {
		t.form.URLs = append(t.form.URLs, u.Reveal())
	}
	return t, nil
}
