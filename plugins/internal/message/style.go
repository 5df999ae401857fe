package message

import (
	"strconv"
	"strings"

	"github.com/hookarr/hookarr/sdk"
)

// The colours of the kinds of event.
const (
	green  = 0x2E9E5B // something arrived
	blue   = 0x2F80ED // something is under way
	purple = 0x8E5BD0 // something got better
	grey   = 0x7A869A // housekeeping
	yellow = 0xE0A100 // look at it some day
	red    = 0xD64545 // look at it now
)

// Severity is how much a message matters, for services that have priorities.
type Severity int

// The severities, in rising order.
const (
	SeverityInfo Severity = iota
	// SeverityGood is of what arrived or got well.
	SeverityGood
	// SeverityWarning is of what somebody should look at some day.
	SeverityWarning
	// SeverityBad is of what somebody should look at now.
	SeverityBad
)

// String is the severity in a word.
func (s Severity) String() string {
	switch s {
	case SeverityGood:
		return "good"
	case SeverityWarning:
		return "warning"
	case SeverityBad:
		return "bad"
	default:
		return "info"
	}
}

func (s style) severity() Severity {
	switch s.color {
	case green, purple:
		return SeverityGood
	case yellow:
		return SeverityWarning
	case red:
		return SeverityBad
	default:
		return SeverityInfo
	}
}

// colorOf is the colour of what has no kind of its own.
func colorOf(s Severity) int {
	switch s {
	case SeverityGood:
		return green
	case SeverityWarning:
		return yellow
	case SeverityBad:
		return red
	default:
		return blue
	}
}

type style struct {
	headline, emoji string
	color           int
}

func styleOf(s story) style {
	if isRequest(s.Event) {
		if r, ok := requestStyle(s.Event); ok {
			return r
		}
	}
	if l, ok := libraryStyle(s); ok {
		return l
	}
	switch s.Type {
	case sdk.TypeTest:
		return style{"Test message", "🔔", blue}
	case sdk.TypeReleaseGrabbed:
		return style{things(s, "Release") + " grabbed", "📥", blue}
	case sdk.TypeMediaImported:
		return style{things(s, "Item") + " imported", "✅", green}
	case sdk.TypeMediaUpgraded:
		return style{things(s, "Item") + " upgraded", "✨", purple}
	case sdk.TypeImportCompleted:
		if len(s.Episodes) == 0 {
			return style{"Import completed", "✅", green}
		}
		return style{things(s, "Item") + " imported", "✅", green}
	case sdk.TypeImportFailed:
		return style{"Import failed", "❌", red}
	case sdk.TypeDownloadFailed:
		return style{"Download failed", "❌", red}
	case sdk.TypeFileRenamed:
		return style{counting(len(s.RenamedFiles), "File") + " renamed", "✏️", grey}
	case sdk.TypeFileRetagged:
		return style{counting(len(s.Files), "File") + " retagged", "🏷️", grey}
	case sdk.TypeFileDeleted:
		return style{counting(len(s.DeletedFiles), "File") + " deleted", "🗑️", yellow}
	case sdk.TypeFileDeletedForUpgrade:
		return style{counting(len(s.DeletedFiles), "File") + " replaced by an upgrade", "♻️", grey}
	case sdk.TypeMediaAdded:
		return style{firstLine(noun(s.Event), "Item") + " added", "➕", blue}
	case sdk.TypeMediaUpdated:
		return style{firstLine(noun(s.Event), "Item") + " updated", "📝", grey}
	case sdk.TypeMediaDeleted:
		return style{things(s, "Item") + " deleted", "🗑️", yellow}
	case sdk.TypeHealthIssue:
		return healthStyle(s.Health)
	case sdk.TypeHealthRestored:
		return style{"Health restored", "💚", green}
	case sdk.TypeAppUpdated:
		return style{"Application updated", "⬆️", blue}
	case sdk.TypeManualInteractionRequired:
		return style{"Manual interaction required", "✋", yellow}
	case sdk.TypeTargetHeld:
		return style{"Target on hold", "⏸️", yellow}
	case sdk.TypeTargetResumed:
		return style{"Target resumed", "▶️", green}
	case sdk.TypeDeliveryDead:
		return style{"Not delivered", "📭", red}
	case sdk.TypeSpaceLow:
		return style{"Little space", "💾", yellow}
	case sdk.TypeSpaceRestored:
		return style{"Space again", "💾", green}
	case sdk.TypePathsApart:
		return style{"Paths do not meet", "🧭", yellow}
	case sdk.TypeInstalled:
		return style{"Connected", "👋", green}
	default:
		return style{s.unknown(), "ℹ️", grey}
	}
}

// unknown is the headline of a type that has none.
func (s story) unknown() string {
	if s.Type == sdk.TypeUnknown {
		return firstLine(spelled(s.NativeType), "Event")
	}
	return firstLine(spelled(s.NativeType), spelled(string(s.Type)), "Event")
}

// requestStyle is of a request for a title. What is not known of one is in the sender's
// words, which begin with what it is about: MEDIA_DECLINED.
func requestStyle(e sdk.Event) (style, bool) {
	switch state := requestState(e); state {
	case "pending":
		return style{"Request pending", "🙋", blue}, true
	case "approved":
		return style{"Request approved", "👍", blue}, true
	case "available":
		return style{"Request available", "🍿", green}, true
	case "failed":
		return style{"Request failed", "❌", red}, true
	case "declined":
		return style{"Request declined", "👎", yellow}, true
	}
	if what, ok := strings.CutPrefix(strings.ToUpper(line(e.NativeType)), "MEDIA_"); ok && what != "" {
		return style{"Request " + strings.ToLower(spelled(what)), "🙋", blue}, true
	}
	return style{}, false
}

func healthStyle(h *sdk.Health) style {
	level := ""
	if h != nil {
		level = h.Level
	}
	switch level {
	case "error":
		return style{"Health error", "🚨", red}
	case "notice":
		return style{"Health notice", "ℹ️", blue}
	default:
		return style{"Health warning", "⚠️", yellow}
	}
}

// things are what a story is about in the number that it has: "Movie", "12 episodes", "3
// of 6 episodes". The fallback is for a story of nothing that is known.
func things(s story, fallback string) string {
	n, one := len(s.Episodes), noun(s.Event)
	if n == 0 {
		n = len(s.Albums)
	}
	if parts := unnamed(s); n == 0 && parts != "" {
		return parts
	}
	switch {
	case one == "":
		return fallback
	case s.awaited > n:
		return strconv.Itoa(n) + " of " + many(s.awaited, strings.ToLower(one))
	default:
		return counting(n, one)
	}
}

// unnamed is what a story is about that names no more than what its parts belong to, as
// old versions do; or empty.
func unnamed(s story) string {
	if s.Type == sdk.TypeMediaDeleted {
		for _, work := range []string{"Album", "Book"} {
			if strings.HasPrefix(s.NativeType, work) {
				return work
			}
		}
		return ""
	}
	if s.Media == nil {
		return ""
	}
	switch strings.ToLower(s.Media.Kind) {
	case "series":
		return "Episodes"
	case "author":
		return "Books"
	case "artist":
		if len(s.Tracks) == 0 {
			return "Music"
		}
		return counting(len(s.Tracks), "Track")
	default:
		return ""
	}
}

// counting is "File" of one and "3 files" of several.
func counting(n int, one string) string {
	if n < 2 {
		return one
	}
	return many(n, strings.ToLower(one))
}

// noun names what an event is about, or one of them.
func noun(e sdk.Event) string {
	switch {
	case len(e.Episodes) > 0 && strings.EqualFold(e.App, "whisparr"):
		return "Scene"
	case len(e.Episodes) > 0:
		return "Episode"
	case len(e.Albums) > 0:
		return "Album"
	case e.Media == nil:
		return ""
	}
	switch kind := strings.ToLower(e.Media.Kind); kind {
	case "movie", "series", "artist", "scene", "author", "book", "request":
		return strings.ToUpper(kind[:1]) + kind[1:]
	default:
		return ""
	}
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}
