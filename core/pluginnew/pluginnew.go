// Package pluginnew writes the module that an author of a plugin begins with. What it
// writes builds, passes its tests and passes hookarr plugins check as it is.
package pluginnew

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/hookarr/hookarr/sdk/host"
)

// Options say what to write.
type Options struct {
	Kind host.Kind
	// Name is the plugin's: see [CheckName].
	Name string
	// Dir is where the module goes: a directory that is empty or not there. Empty is
	// hookarr-KIND-NAME.
	Dir string
	// Module is the module's path: see [CheckModule]. Empty is one of example.com.
	Module string
	SDK    SDK
	// Release is the tag of Hookarr that the module's CI checks it with; empty is the
	// newest state.
	Release string
	// Payload is a body that a source begins from; nil is an invented one. Targets have
	// no use for it.
	Payload *Payload
}

// Binary is what the plugin's file is called.
func (o Options) Binary() string { return fmt.Sprintf("hookarr-%s-%s", o.Kind, o.Name) }

// Result is what was written.
type Result struct {
	Dir    string
	Module string
	// Files are by their paths in Dir, with slashes, in the order of these.
	Files []string
	// Redacted are keys of the payload whose values look like credentials. They are not in
	// the module.
	Redacted []string
	// Omitted are keys of the payload that the source has no field for.
	Omitted []string
}

// Write writes a module, or nothing when it returns an error.
func Write(o Options) (Result, error) {
	if err := CheckName(o.Kind, o.Name); err != nil {
		return Result{}, err
	}
	if o.Dir == "" {
		o.Dir = o.Binary()
	}
	if o.Module == "" {
		o.Module = DefaultModule(o.Kind, o.Name)
	}
	if err := CheckModule(o.Module); err != nil {
		return Result{}, err
	}
	files, source, err := render(o)
	if err != nil {
		return Result{}, fmt.Errorf("make the module: %w", err)
	}
	if err := writeAll(o.Dir, files); err != nil {
		return Result{}, err
	}
	r := Result{Dir: o.Dir, Module: o.Module, Redacted: source.redacted, Omitted: source.omitted}
	for _, f := range files {
		r.Files = append(r.Files, f.path)
	}
	return r, nil
}

// DefaultModule is the path of a module that has none yet: nobody can publish under it.
func DefaultModule(kind host.Kind, name string) string {
	return fmt.Sprintf("example.com/hookarr-%s-%s", kind, name)
}

// file is one file of a module.
type file struct {
	// path has slashes.
	path    string
	content []byte
}

func (f file) in(dir string) string { return filepath.Join(dir, filepath.FromSlash(f.path)) }

// isGo reports whether the file has Go code.
func (f file) isGo() bool { return strings.HasSuffix(f.path, ".go") }
