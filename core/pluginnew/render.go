package pluginnew

import (
	"bytes"
	"embed"
	"fmt"
	"go/format"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/template"

	"go.yaml.in/yaml/v3"
	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// templates hold the files of both kinds in common/, those of one in its own directory, and
// the body that a source begins from that nobody has one for.
//
//go:embed templates
var templates embed.FS

// source is what a source's module begins from.
type source struct {
	Native, Title, ID, Story *ref
	Types                    []eventType
	// Body is the Go code of the body's struct, and UsesText whether it has the type text.
	Body     string
	UsesText bool
	// Sample is the file of the body. Guessed is that nobody has said what its keys mean.
	Sample  string
	Guessed bool
	// Unknown is that the sample becomes an event whose type is not known yet.
	Unknown bool
	// Missing is what a body lacks that says nothing, and Fallback a title for what has none.
	Missing, Fallback string

	sample, golden    []byte
	redacted, omitted []string
}

// ref is a key of the body that an event has something from.
type ref struct{ Path, Expr, Value string }

// eventType is a type that a source makes, and the application's word for it, if there
// is one.
type eventType struct {
	Const, Word string
	typ         sdk.Type
}

// render returns every file of a module, by path.
func render(o Options) ([]file, source, error) {
	var src source
	if o.Kind == host.KindSource {
		var err error
		if src, err = sourceOf(o); err != nil {
			return nil, source{}, err
		}
	}
	files, err := moduleFiles(o)
	if err != nil {
		return nil, source{}, err
	}
	data := struct {
		Options
		source
		Binary, SDKPath, Env, Word string
	}{o, src, o.Binary(), sdkPath, strings.ToUpper(strings.ReplaceAll(fmt.Sprintf("%s_%s", o.Kind, o.Name), "-", "_")), word(o.Name)}
	for _, dir := range []string{"common", string(o.Kind)} {
		t, err := template.ParseFS(templates, "templates/"+dir+"/*.tmpl")
		if err != nil {
			return nil, source{}, err
		}
		for _, one := range t.Templates() {
			f := file{path: strings.TrimSuffix(one.Name(), ".tmpl")}
			switch f.path {
			case "gitignore":
				f.path = ".gitignore"
			case "ci.yml":
				f.path = ".github/workflows/ci.yml"
			}
			var b bytes.Buffer
			if err := one.Execute(&b, data); err != nil {
				return nil, source{}, err
			}
			f.content = b.Bytes()
			if f.isGo() {
				if f.content, err = format.Source(f.content); err != nil {
					return nil, source{}, fmt.Errorf("format %s: %w", f.path, err)
				}
			}
			files = append(files, f)
		}
	}
	if src.sample != nil {
		files = append(files, file{src.Sample, src.sample}, file{strings.TrimSuffix(src.Sample, ".json") + ".golden.json", src.golden})
	}
	slices.SortFunc(files, func(a, b file) int { return strings.Compare(a.path, b.path) })
	return files, src, nil
}

// word is a name as YAML has it, which takes some for numbers or other things.
func word(name string) string {
	var v any
	if yaml.Unmarshal([]byte(name), &v) != nil || v != name {
		return `"` + name + `"`
	}
	return name
}

// moduleFiles are go.mod and, where the SDK is a directory, a go.sum: with what the SDK itself
// needs, a module is built without asking anybody. For a released SDK, go mod tidy writes it.
func moduleFiles(o Options) ([]file, error) {
	mod := &modfile.File{}
	if err := mod.AddModuleStmt(o.Module); err != nil {
		return nil, err
	}
	if err := mod.AddGoStmt(goVersion); err != nil {
		return nil, err
	}
	needs := []*modfile.Require{{Mod: module.Version{Path: sdkPath, Version: o.SDK.Version}}}
	var files []file
	if o.SDK.Dir != "" {
		name := filepath.Join(o.SDK.Dir, "go.mod")
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read the SDK's go.mod: %w", err)
		}
		of, err := modfile.Parse(name, data, nil)
		if err != nil {
			return nil, fmt.Errorf("read the SDK's go.mod: %w", err)
		}
		for _, r := range of.Require {
			if r.Mod.Path == o.Module {
				return nil, fmt.Errorf("module path %q is that of a module which the SDK needs: %s", o.Module, ownModule)
			}
			needs = append(needs, &modfile.Require{Mod: r.Mod, Indirect: true})
		}
		sum, err := os.ReadFile(filepath.Join(o.SDK.Dir, "go.sum"))
		if err != nil {
			return nil, fmt.Errorf("read the SDK's go.sum: %w", err)
		}
		files = append(files, file{"go.sum", sum})
	}
	mod.SetRequireSeparateIndirect(needs)
	if o.SDK.Dir != "" {
		if err := mod.AddReplace(sdkPath, "", o.SDK.Dir, ""); err != nil {
			return nil, err
		}
	}
	mod.Cleanup()
	data, err := mod.Format()
	return append(files, file{"go.mod", data}), err
}

// sourceOf finds out what a source makes of its payload.
func sourceOf(o Options) (source, error) {
	src := source{Sample: "testdata/" + o.Name + ".json", Guessed: o.Payload != nil, Fallback: "A webhook of " + o.Name}
	types := []eventType{{"TypeTest", "test", sdk.TypeTest}, {"TypeUnknown", "", sdk.TypeUnknown}}
	if o.Payload != nil {
		src.sample, src.redacted = redact(o.Payload.data)
	} else {
		data, err := fs.ReadFile(templates, "templates/sample.json")
		if err != nil {
			return source{}, err
		}
		src.sample = data
		types = append([]eventType{{"TypeMediaImported", "imported", sdk.TypeMediaImported}}, types...)
	}
	s := shapeOf(src.sample)
	g := guessOf(s)
	src.omitted = s.omitted
	src.Body, src.UsesText = structCode(s.fields), usesText(s.fields)
	src.Native, src.Title, src.ID, src.Story = refOf(g.native), refOf(g.title), refOf(g.id), refOf(g.story)
	if n := src.Native; n != nil && !slices.ContainsFunc(types, func(t eventType) bool { return strings.EqualFold(t.Word, n.Value) }) {
		types[len(types)-1].Word, src.Unknown = n.Value, true
	} else if n == nil {
		types, src.Unknown = types[len(types)-1:], true
	}
	src.Types = types
	src.Missing = "the body has no " + join2(src.Native, src.Title)
	var err error
	src.golden, err = src.decode(o.Name)
	return src, err
}

func join2(a, b *ref) string {
	switch {
	case a == nil && b == nil:
		return ""
	case a == nil:
		return b.Path
	case b == nil:
		return a.Path
	default:
		return a.Path + " and no " + b.Path
	}
}

func refOf(f *field) *ref {
	if f == nil {
		return nil
	}
	return &ref{Path: f.path, Expr: f.expr, Value: f.value}
}

func usesText(fields []*field) bool {
	return slices.ContainsFunc(fields, func(f *field) bool { return f.typ == "text" || usesText(f.members) })
}
