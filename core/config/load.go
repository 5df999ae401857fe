package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/providers/posflag"
	"github.com/knadh/koanf/v2"
	"github.com/spf13/pflag"
)

// ownVariables are read by the command line, and set no key.
var ownVariables = []string{"HOOKARR_MOVE_TO", "HOOKARR_TOKEN", "HOOKARR_VOLUME"}

// maxFile is in bytes, and more than any configuration.
const maxFile = 4 << 20

// Loader says what is read besides the file. The zero value reads the environment of
// this process and no flags.
type Loader struct {
	// Environ returns the environment as NAME=value; nil stands for os.Environ.
	Environ func() []string
	// Flags may set keys too: --log-level sets log.level. Flags that were not given
	// and those that name no key are passed over.
	Flags *pflag.FlagSet
}

// Load reads a configuration from the file and the environment of this process.
func Load(file string) (*Config, error) { return Loader{}.Load(file) }

// Load reads a configuration. An error is an [*Error] with every problem at once.
func (l Loader) Load(name string) (*Config, error) {
	environ := l.Environ
	if environ == nil {
		environ = os.Environ
	}
	c := &Config{
		File:   name,
		hidden: map[string]bool{},
		origin: origin{file: name, lines: map[string]int{}, names: map[string]string{}},
	}
	c.setDefaults()
	raw, strangers, err := l.layers(&c.origin, environ)
	if err != nil {
		return nil, err
	}
	d := &decoder{origin: &c.origin, environ: environment(environ()), given: map[string]bool{}, used: map[string]bool{}, hidden: c.hidden}
	d.decode("", raw, reflect.ValueOf(c).Elem())
	for _, variable := range strangers {
		if !d.used[variable] && !slices.Contains(ownVariables, variable) {
			d.warnings = append(d.warnings, Problem{
				File:    "$" + variable,
				Message: "sets nothing: write HOOKARR_LOG_LEVEL for log.level and HOOKARR_TARGETS__MY_OPS__TIMEOUT for targets.my-ops.timeout, or call it differently",
			})
		}
	}
	d.paths(c)
	check(c, d)
	sortProblems(d.warnings)
	c.Warnings, c.Files = d.warnings, d.read
	if len(d.problems) > 0 {
		sortProblems(d.problems)
		return nil, &Error{Problems: d.problems, Partial: c}
	}
	return c, nil
}

// layers merges file, environment and flags. Strangers are HOOKARR_* variables that
// are the name of no key.
func (l Loader) layers(o *origin, environ func() []string) (raw map[string]any, strangers []string, err error) {
	k := koanf.New(".")
	text, _, err := ReadFile(o.file, maxFile)
	if err == nil {
		err = k.Load(fileText(text), &parser{origin: o})
	}
	if err != nil {
		return nil, nil, unreadable(o.file, err)
	}
	variables := env.Provider(".", env.Opt{
		Prefix:      envPrefix,
		EnvironFunc: environ,
		TransformFunc: func(variable, value string) (string, any) {
			key, ok := envKey(variable)
			if !ok {
				strangers = append(strangers, variable)
				return "", nil
			}
			o.names[key] = "$" + variable
			return key, value
		},
	})
	if err := k.Load(variables, nil); err != nil {
		return nil, nil, fmt.Errorf("read environment: %w", err)
	}
	slices.Sort(strangers)
	if l.Flags != nil {
		flags := posflag.ProviderWithFlag(l.Flags, ".", nil, func(f *pflag.Flag) (string, any) {
			key, t, ok := envField("", reflect.TypeFor[Config](), strings.ReplaceAll(f.Name, "-", "_"))
			if !ok || !isSettable(t) || !f.Changed {
				return "", nil
			}
			o.names[key] = "--" + f.Name
			return key, f.Value.String()
		})
		if err := k.Load(flags, nil); err != nil {
			return nil, nil, fmt.Errorf("read flags: %w", err)
		}
	}
	return k.Raw(), strangers, nil
}

// fileText is a file that was read, as koanf takes it.
type fileText []byte

// ReadBytes returns the text.
func (t fileText) ReadBytes() ([]byte, error) { return t, nil }

// Read is for what needs no parser.
func (fileText) Read() (map[string]any, error) { return nil, errors.ErrUnsupported }

// unreadable makes a problem of why the file was not read.
func unreadable(name string, err error) error {
	if problems := asProblems(err); problems != nil {
		return err
	}
	message := "cannot be read: " + err.Error()
	if errors.Is(err, fs.ErrNotExist) {
		message = "there is no such file: write one with hookarr init, or name another with --config"
	} else if errors.Is(err, errTooLarge) {
		message = fmt.Sprintf("cannot be read: it is a device or larger than %d MiB: name a file of YAML", maxFile>>20)
	} else if pe, ok := errors.AsType[*fs.PathError](err); ok {
		message = "cannot be read: " + pe.Err.Error()
	}
	return &Error{Problems: []Problem{{File: name, Message: message}}, Err: err}
}

// environment looks variables up.
func environment(environ []string) map[string]string {
	variables := make(map[string]string, len(environ))
	for _, pair := range environ {
		if name, value, ok := strings.Cut(pair, "="); ok {
			variables[name] = value
		}
	}
	return variables
}
