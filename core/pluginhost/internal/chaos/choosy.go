package main

import (
	"context"
	"errors"
	"strings"

	"github.com/hookarr/hookarr/sdk"
)

// choosy is the configuration of a plugin that has options.
type choosy struct {
	config
	Room string `json:"room" hookarr:"required,options" doc:"A room."`
	// Ask is what happens when the plugin is asked for rooms.
	Ask string `json:"ask" doc:"What happens when the plugin is asked for rooms."`
}

func serveChoosy(kind string, info sdk.Info) {
	info.Features = []sdk.Feature{sdk.FeatureOptions}
	if kind == "source" {
		sdk.ServeSource(info, func(_ context.Context, env sdk.Env, c choosy) (sdk.Source, error) {
			return choosySource{source{newPlugin(env, c.config)}, rooms{c}}, nil
		})
	}
	sdk.ServeTarget(info, func(_ context.Context, env sdk.Env, c choosy) (sdk.Target, error) {
		return choosyTarget{target{newPlugin(env, c.config)}, rooms{c}}, nil
	})
}

type choosySource struct {
	source
	rooms
}

type choosyTarget struct {
	target
	rooms
}

// rooms tells options.
type rooms struct{ choosy }

func (r rooms) Options(ctx context.Context, key string) ([]sdk.Option, error) {
	what, arg, _ := strings.Cut(r.Ask, " ")
	p := &plugin{config: r.config}
	switch what {
	case "refuse":
		return nil, errors.New(arg + ": the token " + r.URL.Reveal() + " is not accepted")
	case "wait":
		p.sign("arrived-options")
		return nil, p.wait(ctx)
	default:
		p.misbehave(what, arg)
	}
	return []sdk.Option{{Value: key + "-1", Label: "One"}, {Value: key + "-2"}}, nil
}
