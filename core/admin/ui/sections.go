package ui

import "slices"

// section is an entry of the navigation.
type section struct {
	Name, Path string
	Current    bool
}

// Sections are the entries of the navigation.
func (d document) Sections() []section {
	all := []section{
		{Name: "Now", Path: "/"},
		{Name: "Events", Path: "/events"},
		{Name: "Deliveries", Path: "/deliveries"},
		{Name: "Dead letters", Path: "/dead"},
		{Name: "Targets", Path: "/targets"},
		{Name: "Sources", Path: "/sources"},
		{Name: "Routes", Path: "/routes"},
		{Name: "Silences", Path: "/silences"},
		{Name: "Plugins", Path: "/plugins"},
		{Name: "Actions", Path: "/actions"},
		{Name: "Configuration", Path: "/configuration"},
	}
	if d.Queue {
		all = append(all, section{Name: "Queue", Path: "/queue/"})
	}
	for i := range all {
		all[i].Current = "/"+d.Section == all[i].Path || "/"+d.Section+"/" == all[i].Path
	}
	return all
}

// Here is the section of the page, if there is one.
func (d document) Here() *section {
	for _, s := range d.Sections() {
		if s.Current && s.Path != "/" {
			return &s
		}
	}
	return nil
}

// Found reports whether the pages of the section are those of things with ids.
func (d document) Found() bool {
	return slices.Contains([]string{"events", "deliveries", "actions"}, d.Section)
}
