package pluginnew

import (
	"slices"
	"strings"
	"unicode"
)

// guess is which keys of a body seem to say what an event needs; nil is none.
type guess struct {
	// native is what happened, and title to what.
	native, title *field
	// id is that of the webhook, or of what it tells: another webhook has another.
	id *field
	// story is an id that the webhooks of one story share.
	story *field
}

func guessOf(s *shape) guess {
	var g guess
	g.native = find(s, 2, isWord, "eventtype", "notificationtype", "event", "type", "action", "trigger", "kind", "topic")
	g.title = find(s, 3, isTitle, "title", "name", "releasetitle", "subject", "displayname", "headline", "label", "message", "summary", "text", "description")
	// An id of the item would be the same for the next thing that happens to it.
	g.id = find(s, 1, isWord, "eventid", "messageid", "notificationid", "deliveryid", "uuid", "guid")
	g.story = find(s, 2, isWord, "downloadid", "correlationid", "requestid", "issueid", "jobid", "id")
	for _, f := range []*field{g.native, g.title, g.id, g.story} {
		if f != nil {
			f.typ = "text"
		}
	}
	return g
}

// find returns the first field of a body, down to a depth, that has one of the names: the
// least deep, and then that of the first name.
func find(s *shape, depth int, fits func(string) bool, names ...string) *field {
	var best *field
	rank := 0
	walk(s.fields, func(f *field) {
		plain := strings.Join(words(f.key), "")
		i := slices.Index(names, plain)
		scalar := f.typ == "string" || f.typ == "int64" || f.typ == "text"
		if i < 0 || !scalar || f.depth > depth || !fits(f.value) || f.value == redactedValue {
			return
		}
		if r := f.depth*len(names) + i; best == nil || r < rank {
			best, rank = f, r
		}
	})
	return best
}

// isWord reports whether a value is short and of one line.
func isWord(value string) bool { return isTitle(value) && len(value) <= 100 }

func isTitle(value string) bool {
	return strings.TrimSpace(value) != "" && !strings.ContainsFunc(value, unicode.IsControl)
}
