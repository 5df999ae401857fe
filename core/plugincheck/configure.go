package plugincheck

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hookarr/hookarr/sdk/host"
)

// instance is the name of the check's instance.
const instance = "check"

// maxProblems bounds the answer to a configuration with a large value, in bytes.
const maxProblems = 64 << 10

// howToConfigure is what helps where the schema does not say enough.
const howToConfigure = "give one with --config FILE, in which ${URL} stands for the check's endpoint"

// configuration are the rows of configurations, good and bad.
func (c *check) configuration() []step {
	return []step{
		c.talk("configure", c.configureWell),
		c.talk("refuse", c.configureBadly),
		c.configured("validate", c.validateOnly),
	}
}

func (c *check) deriver() deriver {
	return deriver{schema: c.schema, public: c.endpoint.public(), secret: c.endpoint.secret(), dir: c.dir, deadPort: c.deadPort.number, word: c.word}
}

// configureWell finds a configuration that the plugin takes.
func (c *check) configureWell(ctx context.Context) (string, error) {
	if c.schema == nil {
		c.unconfigured = "without a schema, no configuration can be made"
		return "", skipf("%s", c.unconfigured)
	}
	if c.desc.Kind != c.report.Kind {
		c.unconfigured = "it is not known which kind of plugin it is"
		return "", skipf("%s", c.unconfigured)
	}
	var config json.RawMessage
	var err error
	what := "takes the configuration given"
	if c.opts.Config != nil {
		config, err = c.deriver().fill(c.opts.Config)
	} else {
		what = "takes one made from its schema"
		config, err = c.find(ctx)
	}
	if err != nil {
		c.unconfigured = "no configuration is known that it takes"
		return "", err
	}
	c.learn(config)
	info, err := c.configure(ctx, config)
	if err != nil {
		c.unconfigured = "it refuses the configuration"
		if _, ok := errors.AsType[*refusal](err); ok && c.opts.Config != nil {
			return "", fmt.Errorf("it refuses the configuration given: %w", err)
		}
		return "", err
	}
	c.config, c.info = config, info
	for _, w := range c.configWarnings {
		c.warn("%s %s", w.Key, w.Message)
	}
	return what + ": " + strings.Join(c.keys(), ", "), nil
}

// learn has the secrets of a configuration looked for.
func (c *check) learn(config json.RawMessage) {
	for _, secret := range c.schema.secretsOf(config) {
		c.watch.secret(secret)
		if strings.Contains(secret, c.endpoint.token) {
			c.watch.secret(c.endpoint.token)
		}
	}
}

func (c *check) keys() []string {
	var config map[string]any
	if json.Unmarshal(c.config, &config) != nil || len(config) == 0 {
		return []string{"no keys"}
	}
	return slices.Sorted(maps.Keys(config))
}

// find derives a configuration, and mends it by what the plugin says.
func (c *check) find(ctx context.Context) (json.RawMessage, error) {
	d := c.deriver()
	var last *refusal
	for _, extras := range []bool{true, false} {
		config, refused := d.derive(extras), map[string]bool{}
		const rounds = 8
		for range rounds {
			data, err := json.Marshal(config)
			if err != nil {
				return nil, fmt.Errorf("write a configuration: %w", err)
			}
			c.learn(data)
			problems, err := c.judge(ctx, data)
			if err != nil {
				return nil, err
			}
			if len(problems) == 0 {
				return data, nil
			}
			last = &refusal{problems}
			keys := make([]string, len(problems))
			for i, p := range problems {
				keys[i] = p.Key
			}
			if !d.mend(config, keys, refused) {
				break
			}
		}
	}
	if !slices.ContainsFunc(last.problems, func(p host.Problem) bool { return p.Key != "" }) {
		return nil, fmt.Errorf("it refuses what was made from its schema, and names no key, so that nobody knows what to change: %w", last)
	}
	return nil, skipf("it refuses what was made from its schema (%s): %s", last, howToConfigure)
}

// refusal is what a plugin says against a configuration.
type refusal struct{ problems []host.Problem }

func (r *refusal) Error() string {
	const most = 5
	var all []string
	for i, p := range r.problems {
		if i == most {
			all = append(all, fmt.Sprintf("and %d more", len(r.problems)-most))
			break
		}
		all = append(all, strings.TrimSpace(p.Key+" "+p.Message))
	}
	return strings.Join(all, "; ")
}

// judge asks for the problems of one configuration.
func (c *check) judge(ctx context.Context, config json.RawMessage) ([]host.Problem, error) {
	r, err := c.give(ctx, config, true)
	if len(r.Problems) == 0 {
		c.configWarnings = r.Warnings
	}
	return r.Problems, err
}

// configure puts the check's instance in place.
func (c *check) configure(ctx context.Context, config json.RawMessage) (host.InstanceInfo, error) {
	r, err := c.give(ctx, config, false)
	if err != nil {
		return host.InstanceInfo{}, err
	}
	if len(r.Problems) > 0 {
		return host.InstanceInfo{}, &refusal{r.Problems}
	}
	for _, in := range r.Instances {
		if in.Name == instance {
			return in, nil
		}
	}
	return host.InstanceInfo{}, errors.New("its answer does not name the instance that it took: list every instance that is in place in ConfigureResponse.instances")
}

// give has the plugin take the check's instance, or only judge it.
func (c *check) give(ctx context.Context, config json.RawMessage, judge bool) (host.Configured, error) {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	r, err := c.client.Configure(ctx, []host.Instance{{Name: instance, Config: config}}, judge)
	switch {
	case err == nil:
		return r, nil
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return r, fmt.Errorf("configure plugin: no answer within %s: the constructor does not return", c.opts.Windows.Call)
	case c.ended():
		return r, errors.New("it ended while it was configured")
	default:
		return r, err
	}
}

// wrongConfig is a configuration that has to be refused.
type wrongConfig struct {
	// why is what is wrong, and key what the plugin has to name.
	why, key string
	config   map[string]any
}

// configureBadly makes a configuration wrong in every way that the schema tells.
func (c *check) configureBadly(ctx context.Context) (string, error) {
	if c.schema == nil {
		return "", skipf("without a schema, it is not known what is wrong")
	}
	cases := c.wrongConfigs()
	var wrong []error
	for _, w := range cases {
		data, err := json.Marshal(w.config)
		if err != nil {
			return "", fmt.Errorf("write a configuration: %w", err)
		}
		problems, err := c.judge(ctx, data)
		switch {
		case err != nil:
			return "", fmt.Errorf("%s: it has to answer with a problem: %w", w.why, err)
		case len(problems) == 0:
			wrong = append(wrong, fmt.Errorf("it takes %s", w.why))
		case !slices.ContainsFunc(problems, func(p host.Problem) bool { return names(p, w.key) }):
			wrong = append(wrong, fmt.Errorf("it refuses %s without the key's name: %w", w.why, &refusal{problems}))
		}
	}
	if err := c.tryNoObject(ctx); err != nil {
		wrong = append(wrong, err)
	}
	if err := errors.Join(wrong...); err != nil {
		return "", fmt.Errorf("%w: answer with a problem whose key is the key", err)
	}
	return fmt.Sprintf("each of %d wrong ones, with the key's name", len(cases)), nil
}

// names reports whether a problem names a key.
func names(p host.Problem, key string) bool {
	return p.Key == key || strings.HasPrefix(p.Key, key+".") || strings.HasPrefix(p.Key, key+"[") || strings.Contains(p.Message, key)
}

func (c *check) wrongConfigs() []wrongConfig {
	base := func() map[string]any {
		if config, err := readConfig(c.config); err == nil {
			return config
		}
		return c.deriver().derive(false) // the plugin takes none
	}
	with := func(key string, value any) map[string]any {
		config := base()
		config[key] = value
		return config
	}
	cases := []wrongConfig{
		{"an unknown key", "no_such_key", with("no_such_key", true)},
	}
	properties := propertiesOf(c.schema.root)
	for _, key := range requiredOf(c.schema.root) {
		if _, ok := properties[key]; !ok {
			continue
		}
		config := base()
		delete(config, key)
		cases = append(cases, wrongConfig{"a configuration without " + key, key, config})
	}
	for _, key := range slices.Sorted(maps.Keys(properties)) {
		p := c.schema.resolve(properties[key])
		if value, ok := wrongFor(p, c.deriver()); ok {
			cases = append(cases, wrongConfig{"a value of the wrong type under " + key, key, with(key, value)})
		}
	}
	return cases
}

// wrongFor returns a value of another type than a schema's. A secret's has a secret in it.
func wrongFor(node map[string]any, d deriver) (any, bool) {
	if _, ok := node["type"]; !ok {
		return nil, false
	}
	if isType(node, "object") {
		if isType(node, "string") {
			return nil, false
		}
		return "no object", true
	}
	if node["writeOnly"] == true {
		return map[string]any{"is": d.text("", node)}, true
	}
	return map[string]any{"is": "no value"}, true
}

// tryNoObject gives what is no configuration at all, and one with a large value.
func (c *check) tryNoObject(ctx context.Context) error {
	for _, text := range []string{`[]`, `"text"`, `{`} {
		problems, err := c.judge(ctx, json.RawMessage(text))
		if err == nil && len(problems) == 0 {
			return fmt.Errorf("it takes %s as a configuration", text)
		}
		if err != nil && c.ended() {
			return fmt.Errorf("the configuration %s: %w", text, err)
		}
	}
	data, err := json.Marshal(map[string]string{"no_such_key": strings.Repeat("a long value ", 80_000)})
	if err != nil {
		return fmt.Errorf("write a configuration: %w", err)
	}
	if _, err := c.judge(ctx, data); err != nil {
		return fmt.Errorf("a value of 1 MiB: %w", err)
	}
	if n := c.watch.size("Configure"); n > maxProblems {
		return fmt.Errorf("it answers to a value of 1 MiB with problems of %d bytes: leave values out", n)
	}
	return nil
}

// moved is the configuration with another address of the endpoint. It is another even if it has
// none.
func (c *check) moved(from, to string) json.RawMessage {
	return json.RawMessage(strings.ReplaceAll(string(c.config), from, to) + " ")
}

// validateOnly has the plugin judge without consequences.
func (c *check) validateOnly(ctx context.Context) (string, error) {
	// Whatever comes out, the rows after this one need the instance.
	whole := ctx
	defer func() { _, _ = c.configure(whole, c.config) }()
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	if _, err := c.client.Configure(ctx, nil, true); err != nil {
		return "", err
	}
	if !c.knows(ctx) {
		return "", errors.New("the instance is gone after a set without it was only to be judged: change nothing when validate_only is set")
	}
	r, err := c.client.Configure(ctx, []host.Instance{{Name: instance, Config: c.config}, {Name: "bad", Config: json.RawMessage(`{"no_such_key":1}`)}}, false)
	if err != nil {
		return "", err
	}
	if slices.ContainsFunc(r.Problems, func(p host.Problem) bool { return p.Instance == instance }) || len(r.Problems) == 0 {
		return "", fmt.Errorf("of a good and a bad instance it has to take the good one and refuse the bad one by its name: %w", &refusal{r.Problems})
	}
	if !c.knows(ctx) {
		return "", errors.New("a good instance is not in place because another is bad: put in place what has no problem")
	}
	if _, err := c.client.Configure(ctx, nil, false); err != nil {
		return "", err
	}
	if c.knows(ctx) {
		return "", errors.New("an instance that is not configured any more still takes calls: Configure replaces the whole set")
	}
	if _, err := c.configure(ctx, c.config); err != nil {
		return "", fmt.Errorf("the second time: %w", err)
	}
	return "judging changes nothing, and a bad instance stops no other", nil
}
