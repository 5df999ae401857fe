package browsertest

import (
	_ "embed" // the accessibility checks
	"fmt"
	"strings"

	"github.com/stretchr/testify/require"
)

// axe finds what keeps people from using a page. The console of a browser, where it is run,
// is not bound by the security policy of the page.
//
//go:embed testdata/axe.min.js
var axe string

// finding is a rule of axe that a page breaks.
type finding struct {
	ID     string `json:"id"`
	Impact string `json:"impact"`
	Help   string `json:"help"`
	Nodes  []struct {
		HTML    string `json:"html"`
		Summary string `json:"summary"`
	} `json:"nodes"`
}

const runAxe = `axe.run(document, {resultTypes: ["violations"]}).then((r) => r.violations
  .filter((v) => v.impact === "serious" || v.impact === "critical")
  .map((v) => ({id: v.id, impact: v.impact, help: v.help, nodes: v.nodes.slice(0, 5).map((n) => ({html: n.html.slice(0, 300), summary: n.failureSummary}))})))`

// wider lists the elements that make a document wider than the window.
const wider = `(() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  return ["the document has " + document.documentElement.scrollWidth + " pixels, the window " + width].concat(
    [...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > width + 1 && !e.closest(".table, nav.sections, pre"))
      .slice(0, 8).map((e) => e.outerHTML.slice(0, 160)));
})()`

const repeatedIDs = `(() => {
  const seen = new Set();
  return [...document.querySelectorAll("[id]")].map((e) => e.id).filter((id) => seen.size === seen.add(id).size);
})()`

// Check fails the test if the page is wider than the window, has not one heading of the
// first level, no title, ids that are there twice, or serious findings of axe.
func (p *Page) Check() {
	p.t.Helper()
	faults := p.malformed()
	if p.scripts {
		faults = append(faults, p.inaccessible()...)
	}
	require.Empty(p.t, faults, "what is wrong with %s", p.watch.last())
}

// CheckLayout is Check without axe, which takes long.
func (p *Page) CheckLayout() {
	p.t.Helper()
	require.Empty(p.t, p.malformed(), "what is wrong with %s", p.watch.last())
}

// malformed is what is wrong with how the page is made and laid out.
func (p *Page) malformed() []string {
	p.t.Helper()
	var faults []string
	if n := p.Count("h1"); n != 1 {
		faults = append(faults, fmt.Sprintf("%d headings of the first level", n))
	}
	if strings.TrimSpace(p.Title()) == "" {
		faults = append(faults, "no title")
	}
	if p.Has("[style]") {
		faults = append(faults, "style attributes, which the security policy refuses")
	}
	for _, id := range Evaluate[[]string](p, repeatedIDs) {
		faults = append(faults, "more than one element has the id "+id)
	}
	return append(faults, Evaluate[[]string](p, wider)...)
}

// inaccessible are the findings of axe.
func (p *Page) inaccessible() []string {
	p.t.Helper()
	if !Evaluate[bool](p, `"axe" in window`) {
		Evaluate[bool](p, axe+";true")
	}
	var faults []string
	for _, f := range Evaluate[[]finding](p, runAxe) {
		var text strings.Builder
		fmt.Fprintf(&text, "%s (%s): %s", f.ID, f.Impact, f.Help)
		for _, n := range f.Nodes {
			fmt.Fprintf(&text, "\n  %s\n    %s", n.HTML, strings.ReplaceAll(n.Summary, "\n", "\n    "))
		}
		faults = append(faults, text.String())
	}
	return faults
}

// Title is the title of the page.
func (p *Page) Title() string {
	p.t.Helper()
	return Evaluate[string](p, "document.title")
}
