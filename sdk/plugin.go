package sdk

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"

	"google.golang.org/grpc"

	"github.com/hookarr/hookarr/sdk/internal/config"
	"github.com/hookarr/hookarr/sdk/internal/pluginv1"
	"github.com/hookarr/hookarr/sdk/internal/process"
)

// Plugin is a plugin that is not served yet. Authors call [ServeSource] or
// [ServeTarget]; a Plugin is what package plugintest serves inside a test.
type Plugin struct {
	id       identity
	services func(process.Log) process.Services
	// secrets are those of the instances.
	secrets *knownSecrets
}

// identity is what a plugin says of itself.
type identity struct {
	Info
	kind   pluginv1.Kind
	schema *config.Schema
}

func (id identity) kindName() string {
	if id.kind == pluginv1.Kind_KIND_SOURCE {
		return "source"
	}
	return "target"
}

func (id identity) userAgent() string {
	return fmt.Sprintf("Hookarr-%s-%s/%s", id.kindName(), id.Name, id.Version)
}

func (id identity) has(f Feature) bool { return slices.Contains(id.Features, f) }

// NewTargetPlugin returns a plugin of targets, or what the author has to mend in
// info or in the tags of C.
func NewTargetPlugin[C any](info Info, ctor NewTarget[C]) (*Plugin, error) {
	id, err := newIdentity[C](info, pluginv1.Kind_KIND_TARGET, FeatureGroup, FeatureEdit, FeatureRaw, FeatureTest, FeaturePreview,
		FeatureVerify, FeatureFolders, FeatureOptions)
	if err != nil {
		return nil, err
	}
	read := readerOf(id.schema, func(ctx context.Context, env Env, c C) (Target, error) { return ctor(ctx, env, c) })
	secrets := &knownSecrets{}
	return &Plugin{id: id, secrets: secrets, services: func(log process.Log) process.Services {
		return &targetServer{server: newServer(id, read, targetHas, secrets, log)}
	}}, nil
}

// NewSourcePlugin returns a plugin of sources, or what the author has to mend in
// info or in the tags of C.
func NewSourcePlugin[C any](info Info, ctor NewSource[C]) (*Plugin, error) {
	id, err := newIdentity[C](info, pluginv1.Kind_KIND_SOURCE, FeatureFetch, FeatureHistory, FeatureConnect, FeatureSnapshot, FeatureFolders, FeatureOptions)
	if err != nil {
		return nil, err
	}
	read := readerOf(id.schema, func(ctx context.Context, env Env, c C) (Source, error) { return ctor(ctx, env, c) })
	secrets := &knownSecrets{}
	return &Plugin{id: id, secrets: secrets, services: func(log process.Log) process.Services {
		return &sourceServer{server: newServer(id, read, sourceHas, secrets, log)}
	}}, nil
}

// Services returns the plugin's services for a test. Only this module can use them.
func (p *Plugin) Services(log process.Log) process.Services { return p.services(log) }

func newIdentity[C any](info Info, kind pluginv1.Kind, possible ...Feature) (identity, error) {
	name := regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,39}$`)
	// https://semver.org, without the parts that order pre-releases.
	version := regexp.MustCompile(`^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$`)
	id := identity{Info: info, kind: kind}
	var errs []error
	if !name.MatchString(info.Name) {
		errs = append(errs, fmt.Errorf("the name %q needs 1 to 40 of a-z, 0-9 and -, beginning with a letter or digit", info.Name))
	}
	if !version.MatchString(info.Version) {
		errs = append(errs, fmt.Errorf("the version %q needs the form 1.2.3", info.Version))
	}
	for _, f := range info.Features {
		if !slices.Contains(possible, f) {
			errs = append(errs, fmt.Errorf("the feature %q is not one of a %s plugin", f, id.kindName()))
		}
	}
	switch d := info.Defaults; {
	case kind == pluginv1.Kind_KIND_SOURCE && d != (Defaults{}):
		errs = append(errs, errors.New("Info.Defaults is for targets: a source has no use for it"))
	case d.Group != (GroupDefaults{}) && !id.has(FeatureGroup):
		errs = append(errs, errors.New("Info.Defaults.Group proposes groups, which a target gets that lists sdk.FeatureGroup in Info.Features"))
	}
	if id.Offline && kind != pluginv1.Kind_KIND_SOURCE {
		errs = append(errs, errors.New("Info.Offline is for sources: a target has something to reach"))
	}
	if err := checkEventTypes(id); err != nil {
		errs = append(errs, err)
	}
	var err error
	if id.schema, err = config.Of(reflect.TypeFor[C]()); err == nil {
		err = checkOptions(id)
	}
	return id, errors.Join(append(errs, err)...)
}

// checkOptions wants a key that has options and the feature to go together.
func checkOptions(id identity) error {
	keys := id.schema.OptionKeys()
	err := id.schema.CheckOptions()
	switch has := id.has(FeatureOptions); {
	case err != nil:
		return err
	case has && len(keys) == 0:
		return errors.New(`Info.Features lists sdk.FeatureOptions, and no field of the configuration has the tag hookarr:"options": add it to those whose values Options tells`)
	case !has && len(keys) > 0:
		return fmt.Errorf(`the key %s has the tag hookarr:"options": list sdk.FeatureOptions in Info.Features, or remove the tag`, keys[0])
	default:
		return nil
	}
}

func checkEventTypes(id identity) error {
	if id.kind != pluginv1.Kind_KIND_SOURCE && len(id.EventTypes) > 0 {
		return errors.New("EventTypes is for source plugins")
	}
	seen := map[Type]bool{}
	for _, t := range id.EventTypes {
		if t.Type == "" || seen[t.Type] {
			return fmt.Errorf("the event type %q is empty or listed twice", t.Type)
		}
		seen[t.Type] = true
	}
	return nil
}

// readerOf returns the reader of configurations of type C.
func readerOf[C, T any](schema *config.Schema, ctor func(context.Context, Env, C) (T, error)) reader[T] {
	return func(data []byte, draft string) (func(context.Context, Env) (T, error), any, []config.Problem, []config.Problem) {
		c := new(C)
		problems := schema.DecodeDraft(data, draft, c)
		return func(ctx context.Context, env Env) (T, error) {
			value, err := ctor(ctx, env, *c)
			if err == nil && any(value) == nil {
				err = errors.New("the plugin built nothing from this, which is a bug in it")
			}
			return value, err
		}, c, problems, schema.Deprecated(data)
	}
}

// targetHas reports whether a target has the power of a declared feature.
func targetHas(t Target, f Feature) bool {
	ok := true
	switch f { //nolint:exhaustive // The others are ways to use a Delivery, or for sources.
	case FeatureTest:
		_, ok = t.(Tester)
	case FeatureVerify:
		_, ok = t.(Verifier)
	case FeatureFolders:
		_, ok = t.(FolderLister)
	case FeatureOptions:
		_, ok = t.(OptionLister)
	}
	return ok
}

// sourceHas reports whether a source has the power of a declared feature.
func sourceHas(s Source, f Feature) bool {
	ok := true
	switch f { //nolint:exhaustive // The others are for targets.
	case FeatureFetch:
		_, ok = s.(Fetcher)
	case FeatureHistory:
		_, ok = s.(Historian)
	case FeatureConnect:
		_, ok = s.(Connector)
	case FeatureSnapshot:
		_, ok = s.(Snapshotter)
	case FeatureFolders:
		_, ok = s.(FolderLister)
	case FeatureOptions:
		_, ok = s.(OptionLister)
	}
	return ok
}

// server is what the two kinds of plugin have in common: PluginService.
type server[T any] struct {
	pluginv1.UnimplementedPluginServiceServer
	id        identity
	instances *instances[T]
}

func newServer[T any](id identity, read reader[T], has func(T, Feature) bool, secrets *knownSecrets, log process.Log) server[T] {
	return server[T]{id: id, instances: &instances[T]{id: id, read: read, has: has, secrets: secrets, log: log}}
}

// Register adds the services of every plugin to s.
func (s *server[T]) Register(to *grpc.Server) { pluginv1.RegisterPluginServiceServer(to, s) }

// Close closes every instance.
func (s *server[T]) Close(ctx context.Context) { s.instances.closeAll(ctx) }

// Describe implements PluginService.
func (s *server[T]) Describe(context.Context, *pluginv1.DescribeRequest) (*pluginv1.DescribeResponse, error) {
	return s.id.describe(), nil
}

// Configure implements PluginService.
func (s *server[T]) Configure(ctx context.Context, req *pluginv1.ConfigureRequest) (*pluginv1.ConfigureResponse, error) {
	resp, fit, err := s.instances.configure(ctx, req)
	if err != nil {
		return nil, err
	}
	for _, in := range fit {
		resp.Instances = append(resp.Instances, &pluginv1.InstanceInfo{
			Name: in.name, NeedsOriginals: s.needsOriginals(in), SingleEvents: s.wantsSingleEvents(in),
		})
	}
	return resp, nil
}

func (s *server[T]) needsOriginals(in *instance[T]) bool {
	user, ok := any(in.value).(OriginalsUser)
	return ok && s.id.has(FeatureRaw) && user.NeedsOriginals()
}

func (s *server[T]) wantsSingleEvents(in *instance[T]) bool {
	user, ok := any(in.value).(SinglesUser)
	return ok && user.WantsSingleEvents()
}

// CheckHealth implements PluginService.
func (s *server[T]) CheckHealth(ctx context.Context, _ *pluginv1.CheckHealthRequest) (*pluginv1.CheckHealthResponse, error) {
	resp := &pluginv1.CheckHealthResponse{Warnings: map[string]string{}}
	for _, name := range s.instances.names() {
		// An instance that is gone by now, or that panics, is no reason to call the
		// process sick.
		_ = s.instances.call(ctx, name, "CheckHealth", func(in *instance[T]) error {
			if h, ok := any(in.value).(HealthChecker); ok {
				if err := h.CheckHealth(ctx); err != nil {
					resp.Warnings[name] = in.redactor.line(err.Error())
				}
			}
			return nil
		})
	}
	return resp, nil
}
