package route

import "slices"

// SourcesOf returns those of some sources of which events may go to a target, by the
// patterns of the routes to it.
func (t *Table) SourcesOf(target string, sources []string) []string {
	var found []string
	for _, source := range sources {
		if slices.ContainsFunc(t.routes, func(r route) bool { return slices.Contains(r.To, target) && matchesSource(r.From, source) }) {
			found = append(found, source)
		}
	}
	return found
}
