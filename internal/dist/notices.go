package main

import (
	"bufio"
	"context"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// component is something of others that is in a binary.
type component struct {
	name, version string
	// purl is its package URL, and source where its source is.
	purl, source string
	licences     []string
	// changes say how it differs from its source, if it does.
	changes string
	texts   []text
	// in are the programs that have it, by their import paths.
	in []string
}

// text is a file that a licence wants passed on.
type text struct{ file, content string }

// own begins the names of the modules of this repository.
const own = "github.com/hookarr/hookarr"

// linked lists what is in the binaries, as they say themselves.
func (t *tree) linked(ctx context.Context, r *release) ([]component, error) {
	paths := map[string]bool{}
	for _, info := range t.infos {
		for _, m := range info.Deps {
			paths[m.Path] = true
		}
	}
	dirs, err := r.modules(ctx, slices.Sorted(maps.Keys(paths)))
	if err != nil {
		return nil, err
	}
	found := map[string]*component{}
	for _, info := range t.infos {
		for _, m := range info.Deps {
			if m.Path == own || strings.HasPrefix(m.Path, own+"/") {
				continue
			}
			i := slices.IndexFunc(t.mends, func(mended mend) bool { return mended.module == m.Path })
			if m.Replace != nil && i < 0 {
				return nil, fmt.Errorf("%s is replaced by %s: its licence is that of another", m.Path, m.Replace.Path)
			}
			if found[m.Path] == nil {
				c := &component{name: m.Path, version: m.Version, purl: purlOf(m.Path, m.Version), source: sourceOf(m.Path, m.Version)}
				if err := c.readModule(dirs[m.Path]); err != nil {
					return nil, err
				}
				if i >= 0 {
					c.changes = t.mends[i].String()
				}
				found[m.Path] = c
			}
			found[m.Path].in = append(found[m.Path].in, info.Path)
		}
	}
	besides, err := r.besides(ctx, t.infos)
	if err != nil {
		return nil, err
	}
	all := besides
	for _, path := range slices.Sorted(maps.Keys(found)) {
		all = append(all, *found[path])
	}
	return all, nil
}

// besides lists what is in the binaries and no module.
func (r *release) besides(ctx context.Context, infos []*buildinfo.BuildInfo) ([]component, error) {
	root, err := r.output(ctx, "go", "env", "GOROOT")
	if err != nil {
		return nil, err
	}
	version := strings.TrimPrefix(infos[0].GoVersion, "go")
	std := component{name: "Go", version: version, purl: "pkg:golang/stdlib@" + version, source: "https://go.dev/dl/"}
	for _, info := range infos {
		std.in = append(std.in, info.Path)
	}
	script, err := os.ReadFile(filepath.Join(r.root, "core/admin/ui/assets/htmx.min.js"))
	if err != nil {
		return nil, fmt.Errorf("read htmx: %w", err)
	}
	m := regexp.MustCompile(`version="(\d+\.\d+\.\d+)"`).FindSubmatch(script)
	if m == nil {
		return nil, errors.New("htmx.min.js does not say its version")
	}
	version = string(m[1])
	htmx := component{
		name: "htmx", version: version, purl: "pkg:npm/htmx.org@" + version, source: "https://github.com/bigskysoftware/htmx",
		in: []string{infos[0].Path},
	}
	err = errors.Join(std.read(root, "LICENSE", "PATENTS"), htmx.read(filepath.Join(r.root, "packaging/notices"), "htmx.txt"))
	return []component{std, htmx}, err
}

// modules returns where the source of each module is, by its path. It downloads what is not there.
func (r *release) modules(ctx context.Context, paths []string) (map[string]string, error) {
	out, err := r.output(ctx, "go", append([]string{"mod", "download", "-json"}, paths...)...)
	if err != nil {
		return nil, err
	}
	dirs := map[string]string{}
	for d := json.NewDecoder(strings.NewReader(out)); ; {
		var m struct{ Path, Dir string }
		if err := d.Decode(&m); errors.Is(err, io.EOF) {
			return dirs, nil
		} else if err != nil {
			return nil, fmt.Errorf("list modules: %w", err)
		}
		dirs[m.Path] = m.Dir
	}
}

// purlOf is the package URL of a module, where a + of its version stands for itself.
func purlOf(path, version string) string {
	return "pkg:golang/" + path + "@" + strings.ReplaceAll(version, "+", "%2B")
}

// sourceOf is where the source of a module can be had.
func sourceOf(path, version string) string {
	switch parts := strings.Split(path, "/"); {
	case parts[0] == "github.com" && len(parts) > 2:
		return "https://" + strings.Join(parts[:3], "/")
	case path == "riverqueue.com/riverui":
		return "https://github.com/riverqueue/riverui"
	default:
		return "https://pkg.go.dev/" + path + "@" + version
	}
}

var noticeFile = regexp.MustCompile(`(?i)^(licen[sc]e|copying|notice|patents|copyright)([-.]\w[-\w]*)?(\.txt|\.md)?$`)

// readModule reads what a module has of licences, wherever it is: of what is copied into it,
// too.
func (c *component) readModule(dir string) error {
	if dir == "" {
		return fmt.Errorf("the source of %s %s is not in the module cache", c.name, c.version)
	}
	var files []string
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && entry.Name() == "testdata":
			return filepath.SkipDir
		case entry.Type().IsRegular() && noticeFile.MatchString(entry.Name()) && filepath.Ext(path) != ".go":
			rel, err := filepath.Rel(dir, path)
			files = append(files, rel)
			return err
		default:
			return nil
		}
	})
	if err != nil {
		return fmt.Errorf("look for the licence of %s: %w", c.name, err)
	}
	return c.read(dir, files...)
}

func (c *component) read(dir string, files ...string) error {
	for _, name := range files {
		content, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return fmt.Errorf("read the licence of %s: %w", c.name, err)
		}
		c.texts = append(c.texts, text{file: name, content: string(content)})
		c.licences = append(c.licences, licencesOf(string(content))...)
	}
	slices.Sort(c.licences)
	if c.licences = slices.Compact(c.licences); len(c.licences) == 0 {
		return fmt.Errorf("%s %s has no licence that is known here: look at it and teach licencesOf", c.name, c.version)
	}
	return nil
}

// noticesFile is beside the programs.
const noticesFile = "THIRD-PARTY-NOTICES.txt"

// notices returns the text of noticesFile.
func (t *tree) notices(r *release, linked []component) (string, error) {
	pages, err := os.ReadFile(filepath.Join(r.root, "packaging/notices/riverui.txt"))
	if err != nil {
		return "", fmt.Errorf("read notices: %w", err)
	}
	text := new(strings.Builder)
	err = writeNotices(text, t.version, linked, string(pages))
	return text.String(), err
}

const rule = "========================================================================"

// writeNotices writes every component with its licence and source, and then each text once.
func writeNotices(w io.Writer, version string, components []component, more string) error {
	b := bufio.NewWriter(w)
	_, _ = fmt.Fprintf(b, "Hookarr %s is under the Apache License 2.0, in the file LICENSE. In it is software of\n"+
		"others, which is listed here with its licences. Its source is at the address that is named, and\nunmodified but for what is said here.\n\n", version)
	type shared struct {
		text string
		of   []string
	}
	var texts []*shared
	byText := map[string]*shared{}
	for _, c := range components {
		_, _ = fmt.Fprintf(b, "%s %s\n    %s\n    %s\n", c.name, c.version, strings.Join(c.licences, " AND "), c.source)
		if c.changes != "" {
			_, _ = fmt.Fprintf(b, "    modified: %s\n", c.changes)
		}
		for _, t := range c.texts {
			content := strings.TrimSpace(t.content)
			s := byText[content]
			if s == nil {
				s = &shared{text: content}
				byText[content], texts = s, append(texts, s)
			}
			s.of = append(s.of, c.name+" "+c.version+": "+t.file)
		}
	}
	for _, s := range texts {
		_, _ = fmt.Fprintf(b, "\n%s\n%s\n\n%s\n", rule, strings.Join(s.of, "\n"), s.text)
	}
	_, _ = fmt.Fprintf(b, "\n%s\n%s", rule, more)
	return b.Flush()
}
