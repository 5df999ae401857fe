package docs_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/docs"
	"github.com/hookarr/hookarr/sdk"
)

var load = sync.OnceValues(func() (*docs.Site, error) { return docs.Load(os.DirFS("../..")) })

// project is the site of the project itself.
func project(t *testing.T) *docs.Site {
	t.Helper()
	s, err := load()
	require.NoError(t, err)
	require.Greater(t, len(s.Pages), 50)
	return s
}

// site is one of the given pages.
func site(t *testing.T, pages map[string]string) *docs.Site {
	t.Helper()
	files := fstest.MapFS{}
	for name, content := range pages {
		files[name] = &fstest.MapFile{Data: []byte(content)}
	}
	s, err := docs.Load(files)
	require.NoError(t, err)
	return s
}

func report(problems []docs.Problem) string {
	var all strings.Builder
	for _, p := range problems {
		all.WriteString(p.String() + "\n")
	}
	return all.String()
}

func TestLinks(t *testing.T) {
	t.Parallel()
	s := project(t)
	require.Empty(t, report(s.Links()))
	links, pictures := 0, 0
	for _, p := range s.Pages {
		for _, l := range p.Links {
			links++
			if l.Picture {
				pictures++
			}
		}
	}
	require.Greater(t, links, 250)
	require.Greater(t, pictures, 5)
}

func TestBadLinks(t *testing.T) {
	t.Parallel()
	s := site(t, map[string]string{
		"README.md": "# A `code` & more: B-c_d\n\n## Twice\n\n## Twice\n\n" +
			"[a](docs/a.md) [b](docs/a.md#one) [c](#a-code--more-b-c_d) [d](#twice-1) [e](https://example.com) ![f](docs/p.png) [g](docs)\n\n" +
			"[h](docs/b.md)\n[i](docs/a.md#two)\n[j](#twice-2)\n![k](docs/q.png)\n[l](http://example.com/)\n[m](../x.md)\n[n](/x.md)\n" +
			"`[o](docs/nowhere.md)` is code\n\n```sh\n[p](docs/nowhere.md)\n```\n\n[q][r] http://example.com/auto\n\n[r]: docs/c.md\n",
		"docs/a.md":  "One\n===\n",
		"docs/p.png": "",
	})
	require.Equal(t, `README.md:9: docs/b.md leads nowhere
README.md:10: docs/a.md#two: no heading of docs/a.md is called so
README.md:11: #twice-2: no heading of README.md is called so
README.md:12: docs/q.png leads nowhere
README.md:13: http://example.com/ is no https
README.md:14: ../x.md leads out of the project
README.md:15: /x.md begins at the root of a machine
README.md:22: docs/c.md leads nowhere
README.md:22: http://example.com/auto is no https
`, report(s.Links()))
}

func TestEveryPageIsLinked(t *testing.T) {
	t.Parallel()
	require.Empty(t, project(t).Orphans("docs", "README.md", "docs/README.md"))
	s := site(t, map[string]string{
		"README.md": "[a](docs/a.md)", "docs/a.md": "[b](b/) [e](https://example.com/docs/e.md)", "docs/b/README.md": "[c](../c.md#x)",
		"docs/c.md": "", "docs/d.md": "[a](a.md)", "docs/e.md": "", "other.md": "",
	})
	require.Equal(t, []string{"docs/d.md", "docs/e.md"}, s.Orphans("docs", "README.md"))
}

func TestBlocks(t *testing.T) {
	t.Parallel()
	s := project(t)
	require.Empty(t, report(s.CheckBlocks()))
	require.Greater(t, len(s.Blocks(func(b docs.Block) bool { return b.Language == "yaml" })), 90)
	require.Greater(t, len(s.Blocks(docs.Block.IsShell)), 20)
}

func TestBadBlocks(t *testing.T) {
	t.Parallel()
	s := site(t, map[string]string{"a.md": `
` + "```" + `
no language
` + "```" + `

` + "```fortran" + `
` + "```" + `

` + "```json" + `
{"a": …}
` + "```" + `

` + "```yaml" + `
a: b: c
` + "```" + `

` + "```sh" + `
if true; then
` + "```" + `

` + "```console" + `
$ echo 'a
` + "```" + `

` + "```console" + `
output
$ true
` + "```" + `

<!-- check: compose -->
` + "```yaml" + `
image: hookarr
` + "```" + `

<!-- check: compos -->
` + "```yaml" + `
services: {}
` + "```" + `

<!-- file: b.yaml -->
` + "```yaml" + `
a: 1
` + "```" + `

<!-- file: c.yaml -->
` + "```yaml" + `
a: 1
` + "```" + `

<!-- run: server -->
` + "```json" + `
{}
` + "```" + `

<!-- skip: it -->
` + "```json" + `
{}
` + "```" + `
`, "c.yaml": "aa: 1\nb: 2\n"})
	got := regexp.MustCompile(`(no YAML|no shell command): .*`).ReplaceAllString(report(s.CheckBlocks()), "$1")
	got = regexp.MustCompile(`; there are .*`).ReplaceAllString(got, "")
	require.Equal(t, `a.md:3: "" is no language of blocks here
a.md:3: "fortran" is no language of blocks here
a.md:10: no JSON
a.md:14: no YAML
a.md:18: no shell command
a.md:22: line 22: no shell command
a.md:26: line 26: output before the first command
a.md:32: no compose: it has no services
a.md:37: "compos" is no check of a yaml block
a.md:42: b.yaml: there is no such file
a.md:47: c.yaml has no such lines
a.md:52: what is json cannot be run
a.md:57: a marker "skip" is unknown
`, got)
}

// TestNames holds the pages against the project's files and what make makes; a plugin of
// one's own has a Makefile too.
func TestNames(t *testing.T) {
	t.Parallel()
	own := targets(t, "../../core/pluginnew/testdata/golden/target/Makefile")
	makes := targets(t, "../../Makefile")
	require.Greater(t, len(makes), 20)
	problems := project(t).CheckNames(func(page, target string) bool {
		return slices.Contains(makes, target) || page == "PLUGINS.md" && slices.Contains(own, target)
	})
	require.Empty(t, report(problems))

	s := site(t, map[string]string{
		"a.md":          "Run `make demo`, `make -s bench FAST=1` and `make nothing`: `core/here.go`, `core/gone.go`, `core/` and `docs/NAME.md`.\n\n```sh\nmake nowhere # all of it\n```\n",
		"core/here.go":  "",
		"docs/other.md": "",
	})
	require.Equal(t, "a.md:1: core/gone.go is not in the project\na.md:4: make makes no nowhere\na.md:1: make makes no nothing\n",
		report(s.CheckNames(func(_, target string) bool { return target == "demo" || target == "bench" })))
}

// targets are what a Makefile makes.
func targets(t *testing.T, file string) []string {
	t.Helper()
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	var all []string
	for _, rule := range regexp.MustCompile(`(?m)^([a-z][a-z/-]*):`).FindAllStringSubmatch(string(content), -1) {
		all = append(all, rule[1])
	}
	return all
}

// TestMarkersAreDescribed keeps the list of markers in CONTRIBUTING.md complete.
func TestMarkersAreDescribed(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../CONTRIBUTING.md")
	require.NoError(t, err)
	for _, b := range project(t).Blocks(func(b docs.Block) bool { return len(b.Markers) > 0 }) {
		for _, m := range b.Markers {
			described := "<!-- " + m.Kind + ": "
			if m.Kind == docs.MarkerRun {
				described += m.Value + " -->"
			}
			require.True(t, bytes.Contains(page, []byte("`"+described)), "%s: CONTRIBUTING.md does not describe %s", b.At(), described)
		}
	}
}

// TestVariablesAreDocumented is of the environment that the program reads by name; that of
// its keys follows from them.
func TestVariablesAreDocumented(t *testing.T) {
	t.Parallel()
	var pages strings.Builder
	for name := range project(t).Pages {
		content, err := os.ReadFile(filepath.Join("../..", name))
		require.NoError(t, err)
		pages.Write(content)
	}
	read := 0
	for _, dir := range []string{"cmd", "core", "sdk"} {
		require.NoError(t, filepath.WalkDir(filepath.Join("../..", dir), func(file string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(file) != ".go" || strings.HasSuffix(file, "_test.go") || strings.Contains(file, "/internal/") ||
				strings.HasSuffix(file, "failpoint_on.go") { // of builds for tests
				return err
			}
			code, err := os.ReadFile(file)
			for _, variable := range regexp.MustCompile(`(?:[gG]etenv|LookupEnv)\("([A-Z_]+)"\)`).FindAllStringSubmatch(string(code), -1) {
				read++
				// Who makes packages sets SOURCE_DATE_EPOCH.
				require.True(t, variable[1] == "SOURCE_DATE_EPOCH" || strings.Contains(pages.String(), "`"+variable[1]), "%s reads %s, and no page names it", file, variable[1])
			}
			return err
		}))
	}
	require.Greater(t, read, 2)
}

// TestTypesAreDocumented is of the event types that routes name.
func TestTypesAreDocumented(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/routes.md")
	require.NoError(t, err)
	require.NotEmpty(t, sdk.Types())
	for _, typ := range sdk.Types() {
		require.Contains(t, string(page), "`"+string(typ)+"`", "docs/routes.md does not have a type")
	}
}
