package plugincheck

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/hookarr/hookarr/core/pluginhost"
	"github.com/hookarr/hookarr/core/sandbox"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// stayInside has a plugin that promises to be offline do its work in the sandbox.
func (c *check) stayInside(ctx context.Context) (string, error) {
	if !c.desc.Offline {
		return "", skipf("it does not promise to be offline")
	}
	if support := sandbox.Probe(); !support.Supported() {
		return "", skipf("this computer has no sandbox: %s", support.Missing)
	}
	t, err := c.another(ctx, pluginhost.TrialOptions{Sandboxed: true})
	if err != nil {
		return "", fmt.Errorf("in the sandbox: %w", err)
	}
	defer t.End()
	detail, err := c.workInside(ctx, c.call(t))
	select {
	case <-t.Exited():
		err = errors.Join(err, fmt.Errorf("the process ended: %s", t.ExitReason()))
	default:
	}
	if err != nil {
		return "", fmt.Errorf("in the sandbox, without network and files: %w: say offline only of a plugin that needs nothing but its requests, and mark with x-hookarr-network the keys with which it needs more", err)
	}
	return detail, nil
}

func (c *check) workInside(ctx context.Context, client *host.Client) (string, error) {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	var configured host.Configured
	// What goes with the keys of the network may be of no use without them.
	for _, onlyRequired := range []bool{false, true} {
		config, err := c.offlineConfig(onlyRequired)
		if err != nil {
			return "", err
		}
		if configured, err = client.Configure(ctx, []host.Instance{{Name: instance, Config: config}}, false); err != nil {
			return "", err
		}
		if len(configured.Problems) == 0 {
			break
		}
	}
	if len(configured.Problems) > 0 {
		return "", skipf("without the keys with which it uses the network it refuses its configuration: %s", &refusal{configured.Problems})
	}
	if c.report.Kind != host.KindSource {
		_, err := client.CheckHealth(ctx)
		return "is well in the sandbox", err
	}
	bodies := c.payloads()
	for _, body := range bodies {
		if _, err := client.Decode(ctx, instance, sdk.Request{ID: "1", Method: "POST", Body: body}); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("decodes %d bodies without network and files", len(bodies)), nil
}

// offlineConfig is the configuration without the keys of the network.
func (c *check) offlineConfig(onlyRequired bool) (json.RawMessage, error) {
	config, err := readConfig(c.config)
	if err != nil {
		return nil, err
	}
	if required := requiredOf(c.schema.root); onlyRequired {
		maps.DeleteFunc(config, func(key string, _ any) bool { return !slices.Contains(required, key) })
	}
	c.schema.deleteNetwork(c.schema.root, config)
	return json.Marshal(config)
}
