package plugincheck

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/hookarr/hookarr/core/pluginhost"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// semver is https://semver.org, without the parts that order pre-releases.
var semver = regexp.MustCompile(`^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$`)

// aboutItself are the rows of what a plugin says of itself.
func (c *check) aboutItself() []step {
	return []step{
		c.talk("describe", c.describe),
		c.talk("schema", c.lookAtSchema),
		c.talk("health", c.health),
	}
}

func (c *check) describe(ctx context.Context) (string, error) {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	d, err := c.client.Describe(ctx)
	if err != nil {
		return "", fmt.Errorf("%w: serve hookarr.plugin.v1.PluginService", err)
	}
	again, err := c.client.Describe(ctx)
	if err != nil {
		return "", fmt.Errorf("the second time: %w", err)
	}
	c.desc, c.report.Version, c.report.SDK = d, d.Version, d.SDKVersion
	var wrong []error
	if d.Kind != c.report.Kind || d.Name != c.report.Name {
		wrong = append(wrong, fmt.Errorf("it says that it is %s %q, and its file is hookarr-%s-%s: rename the file or change what it says",
			kindOf(d.Kind), d.Name, c.report.Kind, c.report.Name))
	}
	if !semver.MatchString(d.Version) {
		wrong = append(wrong, fmt.Errorf("its version %.40q is not of the form 1.2.3", d.Version))
	}
	if d.ProtocolVersion != sdk.ProtocolVersion {
		wrong = append(wrong, fmt.Errorf("it says that it speaks version %d of the plugin protocol, and its handshake %d", d.ProtocolVersion, sdk.ProtocolVersion))
	}
	if strings.TrimSpace(d.Summary) == "" {
		wrong = append(wrong, errors.New("it has no summary, the sentence that lists show"))
	}
	if !reflect.DeepEqual(d, again) {
		wrong = append(wrong, errors.New("it describes itself in another way when it is asked again"))
	}
	wrong = append(wrong, c.judgeFeatures(d)...)
	if err := errors.Join(wrong...); err != nil {
		return "", err
	}
	features := make([]string, len(d.Features))
	for i, f := range d.Features {
		features[i] = string(f)
		if !pluginhost.Uses(f) {
			c.warn("this Hookarr makes no use of the feature %s", f)
		}
	}
	text := fmt.Sprintf("%s %s %s", kindOf(d.Kind), d.Name, d.Version)
	if len(features) > 0 {
		text += " with " + strings.Join(features, ", ")
	}
	return text, nil
}

// judgeFeatures finds features of the other kind of plugin.
func (c *check) judgeFeatures(d host.Description) []error {
	var wrong []error
	for _, f := range d.Features {
		if kinds := kindsOf(f); len(kinds) > 0 && !slices.Contains(kinds, c.report.Kind) {
			wrong = append(wrong, fmt.Errorf("it declares the feature %s, which is none of a %s", f, kindOf(c.report.Kind)))
		}
	}
	return wrong
}

func (c *check) lookAtSchema(context.Context) (string, error) {
	s, err := readSchema(c.desc.ConfigSchema)
	if err != nil {
		return "", err
	}
	wrong, warnings := s.judge()
	for _, w := range warnings {
		c.warn("%s", w)
	}
	// Even with what is wrong it says how to configure the plugin.
	c.schema = s
	if len(wrong) > 0 {
		return "", errors.Join(wrong...)
	}
	return s.summary(), nil
}

func (c *check) health(ctx context.Context) (string, error) {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	start := time.Now()
	if _, err := c.client.CheckHealth(ctx); err != nil {
		return "", err
	}
	took := time.Since(start)
	h, err := healthpb.NewHealthClient(c.trial.Conn).Check(ctx, &healthpb.HealthCheckRequest{Service: "plugin"})
	switch {
	case status.Code(err) == codes.Unimplemented, status.Code(err) == codes.NotFound:
		return "", errors.New("it does not serve grpc.health.v1.Health with the service plugin")
	case err != nil:
		return "", fmt.Errorf("grpc.health.v1.Health: %w", err)
	case h.GetStatus() != healthpb.HealthCheckResponse_SERVING:
		return "", fmt.Errorf("grpc.health.v1.Health says %s of the service plugin, and not SERVING", h.GetStatus())
	}
	return "it serves, in " + took.Round(100*time.Microsecond).String(), nil
}
