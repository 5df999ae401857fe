// Package docs reads the project's Markdown, so that tests can hold it against what it
// speaks of. CONTRIBUTING.md describes the markers.
package docs

import (
	"bytes"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/text"
)

// Site is all pages of a directory, by their paths in it.
type Site struct {
	files fs.FS
	Pages map[string]*Page
}

// Page is one file of Markdown.
type Page struct {
	Path string
	// Anchors are what its headings are called in links, by GitHub's rules.
	Anchors []string
	Links   []Link
	// Spans are pieces of code within a sentence.
	Spans  []Span
	Blocks []Block
}

// Link leads from a page to somewhere, or shows a picture.
type Link struct {
	Line    int
	To      string
	Picture bool
}

// Span is a piece of code within a sentence.
type Span struct {
	Line int
	Text string
}

// Block is a fenced block of code.
type Block struct {
	Page string
	// Line is that of the first line within the fence, from 1.
	Line     int
	Language string
	Text     string
	Markers  []Marker
}

// Marker is a comment before a block that says how it is checked: <!-- KIND: VALUE -->.
type Marker struct{ Kind, Value string }

// Marker returns the value of the block's marker of a kind.
func (b Block) Marker(kind string) (value string, ok bool) {
	i := slices.IndexFunc(b.Markers, func(m Marker) bool { return m.Kind == kind })
	if i < 0 {
		return "", false
	}
	return b.Markers[i].Value, true
}

// At is where the block is, as PAGE:LINE.
func (b Block) At() string { return fmt.Sprintf("%s:%d", b.Page, b.Line) }

// Load reads every page below a directory that is part of the project: not what is
// installed or built, nor the data of tests.
func Load(files fs.FS) (*Site, error) {
	s := &Site{files: files, Pages: map[string]*Page{}}
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && (strings.HasPrefix(d.Name(), ".") || slices.Contains([]string{"node_modules", "testdata", "bin", "dist"}, d.Name())):
			return fs.SkipDir
		case d.IsDir() || path.Ext(name) != ".md":
			return nil
		}
		content, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		s.Pages[name] = read(name, content)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the pages: %w", err)
	}
	return s, nil
}

// Blocks returns those of all pages that a filter takes, page by page.
func (s *Site) Blocks(take func(Block) bool) []Block {
	var all []Block
	for _, p := range s.sorted() {
		for _, b := range p.Blocks {
			if take(b) {
				all = append(all, b)
			}
		}
	}
	return all
}

func (s *Site) sorted() []*Page {
	var all []*Page
	for _, p := range s.Pages {
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b *Page) int { return strings.Compare(a.Path, b.Path) })
	return all
}

func read(name string, content []byte) *Page {
	p := &Page{Path: name}
	doc := goldmark.New(goldmark.WithExtensions(extension.GFM)).Parser().Parse(text.NewReader(content))
	taken := map[string]int{}
	line := 1
	// Walk has no errors but the visitor's, which has none.
	_ = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		if n.Type() == ast.TypeBlock && n.Lines() != nil && n.Lines().Len() > 0 {
			line = lineOf(content, n.Lines().At(0).Start)
		}
		switch n := n.(type) {
		case *ast.Heading:
			p.Anchors = append(p.Anchors, anchor(plain(n, content), taken))
		case *ast.Link:
			p.Links = append(p.Links, Link{Line: within(n, content, line), To: string(n.Destination)})
		case *ast.Image:
			p.Links = append(p.Links, Link{Line: within(n, content, line), To: string(n.Destination), Picture: true})
		case *ast.AutoLink:
			if n.AutoLinkType == ast.AutoLinkURL {
				p.Links = append(p.Links, Link{Line: line, To: string(n.URL(content))})
			}
		case *ast.CodeSpan:
			p.Spans = append(p.Spans, Span{Line: within(n, content, line), Text: strings.ReplaceAll(plain(n, content), "\n", " ")})
		case *ast.FencedCodeBlock:
			p.Blocks = append(p.Blocks, block(name, n, content, line))
		}
		return ast.WalkContinue, nil
	})
	return p
}

func block(page string, n *ast.FencedCodeBlock, content []byte, line int) Block {
	b := Block{Page: page, Line: line, Language: string(n.Language(content)), Text: string(n.Lines().Value(content))}
	for before := n.PreviousSibling(); before != nil; before = before.PreviousSibling() {
		html, ok := before.(*ast.HTMLBlock)
		if !ok {
			break
		}
		m := markerPattern.FindStringSubmatch(strings.TrimSpace(string(html.Lines().Value(content))))
		if m == nil {
			break
		}
		b.Markers = append(b.Markers, Marker{Kind: m[1], Value: m[2]})
	}
	return b
}

var markerPattern = regexp.MustCompile(`^<!-- ([a-z]+): (.+?) -->$`)

// within is the line of an inline node, of which the first text tells it.
func within(n ast.Node, content []byte, otherwise int) int {
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		if t, ok := c.(*ast.Text); ok {
			return lineOf(content, t.Segment.Start)
		}
	}
	return otherwise
}

func lineOf(content []byte, offset int) int {
	return bytes.Count(content[:offset], []byte("\n")) + 1
}

// plain is the text of a node without its marks.
func plain(n ast.Node, content []byte) string {
	var all strings.Builder
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		switch c := c.(type) {
		case *ast.Text:
			all.Write(c.Segment.Value(content))
			if c.SoftLineBreak() {
				all.WriteByte('\n')
			}
		case *ast.String:
			all.Write(c.Value)
		default:
			all.WriteString(plain(c, content))
		}
	}
	return all.String()
}

var notInAnchors = regexp.MustCompile(`[^\p{L}\p{M}\p{N}\p{Pc} -]`)

// anchor is what GitHub calls a heading in links: the first of a name has it alone.
func anchor(heading string, taken map[string]int) string {
	name := strings.ReplaceAll(notInAnchors.ReplaceAllString(strings.ToLower(heading), ""), " ", "-")
	n := taken[name]
	taken[name]++
	if n == 0 {
		return name
	}
	return fmt.Sprintf("%s-%d", name, n)
}
