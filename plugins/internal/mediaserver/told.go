package mediaserver

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/hookarr/hookarr/sdk"
)

// story are the events with one correlation key, with what became of them.
type story []*outcome

// outcome is one event, with what became of its changes.
type outcome struct {
	*sdk.Event
	index   int
	comes   bool
	library *Library
	items   []Item
	missing []string
}

// most bounds the events that are handed back, by the host.
const most = 1000

// told are the events to hand back: one for each story, and two for one of which the server
// has a part.
func (r *run) told(missing []*change) sdk.Receipt {
	receipt := sdk.Receipt{State: r.state.encode(), Fallback: strings.Join(append(r.proof.notes, nonEmpty(r.pathless())...), "; ")}
	for _, s := range r.stories(missing) {
		arrived, lacking := s.split()
		for _, part := range []story{arrived, lacking} {
			if len(part) > 0 && len(receipt.Events) < most {
				receipt.Events = append(receipt.Events, r.tell(part))
			}
		}
	}
	return receipt
}

// stories gathers the events that asked for something, in the order in which they came.
func (r *run) stories(missing []*change) []story {
	outcomes := map[int]*outcome{}
	isMissing := make(map[*change]bool, len(missing))
	for _, c := range missing {
		isMissing[c] = true
	}
	for i := range r.wanted.changes {
		c := &r.wanted.changes[i]
		if c.unproven {
			continue
		}
		item, found := r.proof.items[c]
		for _, at := range c.events {
			o, ok := outcomes[at]
			if !ok {
				o = &outcome{Event: &r.d.Events[at], index: at}
				outcomes[at] = o
			}
			o.comes = o.comes || !c.Gone
			o.library = cmp.Or(o.library, c.library)
			if found {
				o.items = append(o.items, item)
			}
			if isMissing[c] {
				o.missing = append(o.missing, c.label)
			}
		}
	}
	var all []story
	byKey := map[string]int{}
	for i := range r.d.Events {
		o, ok := outcomes[i]
		if !ok || o.settled() {
			continue
		}
		key := cmp.Or(o.CorrelationKey, "\x00"+o.ID)
		at, ok := byKey[key]
		if !ok {
			at = len(all)
			byKey[key] = at
			all = append(all, nil)
		}
		all[at] = append(all[at], o)
	}
	return all
}

// settled reports whether an event is of a file that the server had before, and has, which is
// no news.
func (o *outcome) settled() bool {
	return len(o.missing) == 0 && (o.Type == sdk.TypeFileRenamed || o.Type == sdk.TypeFileRetagged)
}

// split returns the events whose changes are proven and those that lack something. The end
// of an import, which has all of its files, says nothing that the imports do not.
func (s story) split() (arrived, lacking story) {
	for _, o := range s {
		if len(o.missing) > 0 {
			lacking = append(lacking, o)
		}
	}
	if len(lacking) == 0 {
		return s, nil
	}
	single := func(o *outcome) bool { return o.Type != sdk.TypeImportCompleted }
	if slices.ContainsFunc(lacking, single) {
		lacking = slices.DeleteFunc(lacking, func(o *outcome) bool { return !single(o) })
	}
	for _, o := range s {
		if len(o.missing) == 0 && o.comes && single(o) {
			arrived = append(arrived, o)
		}
	}
	return arrived, lacking
}

// tell is the event of what became of others.
func (r *run) tell(s story) sdk.Event {
	last := s[len(s)-1]
	e := sdk.Event{
		Source: last.Source, App: last.App, AppVersion: last.AppVersion, Instance: last.Instance, CorrelationKey: last.CorrelationKey,
		Title: last.Title, Media: last.Media, Release: last.Release, Download: last.Download, Upgrade: last.Upgrade,
		Library: &sdk.Library{Target: r.instance, Server: r.options.Name},
	}
	episodes := distinct(func(a sdk.Episode) string { return fmt.Sprint(a.ID, a.Season, a.Code, a.Title) })
	albums := distinct(func(a sdk.Album) string { return a.ID + a.Title })
	files, deleted, labels := distinct(fileKey), distinct(fileKey), distinct(func(s string) string { return s })
	comes, completed := false, false
	var items []Item
	var missing []string
	for _, o := range s {
		comes = comes || o.comes
		items = append(items, o.items...)
		missing = labels.add(missing, o.missing)
		if o.library != nil {
			e.Library.Name = o.library.Name
		}
		if o.Type == sdk.TypeImportCompleted {
			e.Title, completed = o.Title, true
		}
		e.Episodes = episodes.add(e.Episodes, o.Episodes)
		e.Albums = albums.add(e.Albums, o.Albums)
		e.Files = files.add(e.Files, o.Files)
	}
	if !comes {
		for _, o := range s {
			e.DeletedFiles = deleted.add(e.DeletedFiles, o.DeletedFiles)
		}
	}
	if len(s) > 1 && !completed && e.Media != nil {
		e.Title = fmt.Sprintf("%s (%s)", cmp.Or(e.Media.Title, e.Title), count(max(len(e.Files), len(s)), "file"))
	}
	if len(items) > 0 {
		item := items[0]
		e.Library.ItemID, e.Library.URL = item.ID, item.URL
		if item.TitleID != "" && slices.ContainsFunc(items, func(other Item) bool { return other.ID != item.ID }) {
			e.Library.ItemID, e.Library.URL = item.TitleID, item.TitleURL
		}
		e.URL = e.Library.URL
	}
	e.Type, e.Summary = r.end(e.Title, comes, missing)
	return e
}

// end is what became of a title, in a type and in words.
func (r *run) end(title string, comes bool, missing []string) (sdk.Type, string) {
	name := r.options.Name
	switch {
	case len(missing) > 0 && comes:
		return sdk.TypeLibraryMissing, fmt.Sprintf("%s does not show %s: %s", name, title, some(missing))
	case len(missing) > 0:
		return sdk.TypeLibraryMissing, fmt.Sprintf("%s still shows %s, which is gone", name, title)
	case comes:
		return sdk.TypeLibraryAvailable, fmt.Sprintf("%s is available on %s", title, name)
	default:
		return sdk.TypeLibraryRemoved, fmt.Sprintf("%s is gone from %s", title, name)
	}
}

func fileKey(f sdk.File) string { return f.Path + f.RelativePath }

// set adds values that are not there yet, by their keys.
type set[T any] struct {
	key  func(T) string
	seen map[string]bool
}

func distinct[T any](key func(T) string) *set[T] { return &set[T]{key: key, seen: map[string]bool{}} }

func (s *set[T]) add(to, from []T) []T {
	for _, v := range from {
		if key := s.key(v); !s.seen[key] {
			s.seen[key] = true
			to = append(to, v)
		}
	}
	return to
}

func nonEmpty(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}
