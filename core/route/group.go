package route

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"

	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/sdk"
)

// What a group is by where neither the operator nor the plugin says.
const (
	defaultBy      = "download"
	defaultWait    = 20 * time.Second
	defaultMaxWait = 5 * time.Minute
	defaultMax     = 100
)

// Powers are what a target's plugin does with events that belong together.
type Powers struct {
	// Groups says that it takes several events in one delivery, and Proposed how it would
	// have them gathered.
	Groups   bool
	Proposed sdk.GroupDefaults
	// FoldUpgrades leaves the deletion of a file for an upgrade to the upgrade's delivery.
	FoldUpgrades bool
}

// groupBy is a compiled way of gathering events.
type groupBy struct {
	config.Group
	key *keyExpression // nil for a named kind
}

// keyExpression is a compiled expression of a group's key.
type keyExpression struct{ program *vm.Program }

// SetGroups has the events of targets gathered where their routes do not say how. The
// error joins every [*Problem] there is. It is called before the first Match.
func (t *Table) SetGroups(targets map[string]*config.Group) error {
	var problems []error
	t.groups = make(map[string]*groupBy, len(targets))
	for name, g := range targets {
		by, err := t.compileGroup(g)
		if err != nil {
			problems = append(problems, &Problem{Key: "targets." + name + ".group.by", Message: err.Error()})
		}
		t.groups[name] = by
	}
	return errors.Join(problems...)
}

// WithPowers returns the table with what the plugins of targets do. Without it, nothing is
// gathered.
func (t *Table) WithPowers(powers map[string]Powers) *Table {
	with := *t
	with.powers = powers
	return &with
}

// kinds are what a group may be by without an expression.
func kinds() []string { return []string{"download", "season", "folder", "title", config.GroupNone} }

func (t *Table) compileGroup(g *config.Group) (*groupBy, error) {
	if g == nil {
		return nil, nil //nolint:nilnil // no group
	}
	by := &groupBy{Group: *g}
	if g.By == "" || slices.Contains(kinds(), g.By) {
		return by, nil
	}
	program, err := expr.Compile(g.By,
		expr.Env(zero(t.env)), expr.AsKind(reflect.String), expr.MaxNodes(maxNodes),
		// The same event has the same key when it is decoded later.
		expr.DisableBuiltin("now"),
		expr.Patch(stepper{}),
	)
	if err != nil {
		const instead = `write a text such as event.media.id + "/" + event.download.id, or one of download, season, folder, title and none`
		if !strings.ContainsFunc(g.By, func(r rune) bool { return !unicode.IsLetter(r) }) {
			return nil, fmt.Errorf("%q is no kind of group: %s%s", g.By, instead, config.Suggest(g.By, kinds()))
		}
		return nil, explainAs(err, instead)
	}
	by.key = &keyExpression{program}
	return by, nil
}

// grouping says how the delivery of an event to a target of a route is gathered.
func (t *Table) grouping(r *route, target, source string, e *sdk.Event, f *facts) event.Grouping {
	var g event.Grouping
	p, known := t.powers[target]
	if !known || e.Type == sdk.TypeTest || e.Type == sdk.TypeInstalled {
		return g // somebody waits for a sign
	}
	if p.FoldUpgrades {
		keys := f.deletedFiles(source, e.Type)
		if e.Type == sdk.TypeFileDeletedForUpgrade && len(keys) > 0 {
			return event.Grouping{Deleted: keys}
		}
		if e.Type == sdk.TypeMediaUpgraded {
			g.Replaced = keys
		}
	}
	if r.digest != nil {
		if !p.Groups {
			g.Note = "sent alone: the target's plugin takes one event at a time"
			return g
		}
		g.Key, g.At, g.Max = event.DigestKey, r.digest.Next(t.now()), event.DigestMax
		return g
	}
	by := r.groupOf(t, target)
	proposed := by == nil && p.Proposed.On && p.Groups
	if proposed {
		by = &groupBy{}
	}
	if by == nil || by.By == config.GroupNone {
		return g
	}
	if !p.Groups {
		g.Note = "sent alone: the target's plugin takes one event at a time"
		return g
	}
	key, err := by.keyOf(f, p.Proposed.By)
	switch {
	case proposed && (err != nil || key == ""): // nobody asked for groups
	case err != nil:
		g.Note = "sent alone: the group's key cannot be told: " + err.Error()
	case key == "":
		g.Note = "sent alone: the event has nothing that the group is by"
	default:
		g.Key = source + "/" + key
		g.Wait = cmp.Or(by.Wait, p.Proposed.Wait, defaultWait)
		g.MaxWait = max(cmp.Or(by.MaxWait, p.Proposed.MaxWait, defaultMaxWait), g.Wait)
		g.Max = cmp.Or(by.Max, p.Proposed.Max, defaultMax)
		g.Flush = e.Type == sdk.TypeImportCompleted
	}
	return g
}

func (r *route) groupOf(t *Table, target string) *groupBy {
	if r.group != nil {
		return r.group
	}
	return t.groups[target]
}

// Flushes returns the groups that an event closes without being part of them: the end of a
// download closes the group of its imports, also where a route leaves the end itself out.
func (t *Table) Flushes(source string, e *sdk.Event, normalized []byte) []event.GroupRef {
	if e.Type != sdk.TypeImportCompleted {
		return nil
	}
	var refs []event.GroupRef
	f := facts{env: t.env, normalized: normalized}
	for i := range t.routes {
		r := &t.routes[i]
		if r.digest != nil || !matchesSource(r.From, source) || matchesType(r.Types, string(e.Type)) {
			continue
		}
		for _, target := range r.To {
			if g := t.grouping(r, target, source, e, &f); g.Gathered() {
				refs = append(refs, event.GroupRef{Target: target, Route: r.Name, Key: g.Key})
			}
		}
	}
	return refs
}

// keyOf is what the events of an event's group have in common, or empty.
func (b *groupBy) keyOf(f *facts, proposed string) (string, error) {
	if b.key != nil {
		return b.key.evaluate(f)
	}
	parts, err := f.parts()
	if err != nil {
		return "", err
	}
	by := cmp.Or(b.By, proposed, defaultBy)
	var key string
	switch by {
	case "season":
		key = parts.season()
	case "folder":
		key = parts.folder()
	case "title":
		key = parts.title()
	default:
		by, key = defaultBy, parts.Download.ID
	}
	if key == "" {
		return "", nil
	}
	return by + "/" + key, nil
}

func (k *keyExpression) evaluate(f *facts) (string, error) {
	env := f.load()
	if env == nil {
		return "", errUnread
	}
	f.left = newBudget()
	machine := vm.VM{MemoryBudget: memoryBudget}
	result, err := machine.Run(k.program, env)
	if err != nil {
		return "", explain(err)
	}
	key, _ := result.(string)
	return strings.TrimSpace(key), nil
}

// parts are what the named kinds of groups are by.
type parts struct {
	Media struct {
		ID    string `json:"id"`
		Title string `json:"title"`
		Path  string `json:"path"`
	} `json:"media"`
	Episodes []struct {
		Season int `json:"season"`
	} `json:"episodes"`
	Albums []struct {
		ID    string `json:"id"`
		Title string `json:"title"`
	} `json:"albums"`
	Files        []filePart `json:"files"`
	RenamedFiles []struct {
		To string `json:"to"`
	} `json:"renamed_files"`
	DeletedFiles []filePart `json:"deleted_files"`
	Download     struct {
		ID string `json:"id"`
	} `json:"download"`
}

type filePart struct {
	Path     string `json:"path"`
	Relative string `json:"relative_path"`
}

// parts reads the event once.
func (f *facts) parts() (*parts, error) {
	if f.brief == nil {
		var p parts
		if err := json.Unmarshal(f.normalized, &p); err != nil {
			return nil, errUnread
		}
		f.brief = &p
	}
	return f.brief, nil
}

func (p *parts) title() string { return cmp.Or(p.Media.ID, p.Media.Path, p.Media.Title) }

func (p *parts) season() string {
	title := p.title()
	switch {
	case title == "":
		return ""
	case len(p.Episodes) > 0:
		return fmt.Sprintf("%s/%d", title, p.Episodes[0].Season)
	case len(p.Albums) > 0:
		return title + "/" + cmp.Or(p.Albums[0].ID, p.Albums[0].Title)
	default:
		return title
	}
}

// folder is that of the files concerned: those that are there by the event, or else those
// that are gone by it. It is the title's where they have no folder in common.
func (p *parts) folder() string {
	title := cleanPath(p.Media.Path)
	var folders []string
	add := func(file, relative string) {
		if file == "" && relative != "" && title != "" {
			file = title + "/" + relative
		}
		if file != "" {
			folders = append(folders, path.Dir(cleanPath(file)))
		}
	}
	for _, f := range p.Files {
		add(f.Path, f.Relative)
	}
	for _, f := range p.RenamedFiles {
		add(f.To, "")
	}
	if len(folders) == 0 {
		for _, f := range p.DeletedFiles {
			add(f.Path, f.Relative)
		}
	}
	if folders = slices.Compact(folders); len(folders) == 1 || len(folders) > 1 && title == "" {
		return folders[0]
	}
	return title
}

// cleanPath is a path with one way of writing separators, and none at its end.
func cleanPath(p string) string {
	if p == "" {
		return ""
	}
	return path.Clean(strings.ReplaceAll(p, `\`, "/"))
}

// deletedFiles are the keys of the files that an event says were deleted.
func (f *facts) deletedFiles(source string, typ sdk.Type) []string {
	if typ != sdk.TypeFileDeletedForUpgrade && typ != sdk.TypeMediaUpgraded {
		return nil
	}
	p, err := f.parts()
	if err != nil {
		return nil
	}
	var keys []string
	for _, file := range p.DeletedFiles {
		if where := cmp.Or(file.Path, file.Relative); where != "" {
			keys = append(keys, source+"/"+where)
		}
	}
	return keys
}
